"""Lambdas, which are read where they are called, and comprehensions over constants."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from polysched.tensor.arithmetic import BadOperation, constant
from polysched.tensor.calls import Call
from polysched.tensor.expr import Const
from polysched.tensor.values import Object, Value
from polysched.tensor.words import kind_of

if TYPE_CHECKING:
    from polysched.tensor.evaluate import Evaluator

_MAX_ITEMS = 64


@dataclass(eq=False)
class Lambda:
    """A lambda of a function that is being read; names mean what they do at a call.

    Attributes
    ----------
    evaluator : Evaluator
        Of the function that it stands in.
    node : ast.Lambda
        The lambda.
    is_running : bool
        Whether its body is being read.
    """

    evaluator: Evaluator
    node: ast.Lambda
    is_running: bool = field(default=False)

    def read(self, call: Call) -> Value:
        """The value of a call."""
        arguments = self.node.args
        names = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
        is_plain = not (arguments.defaults or arguments.vararg or arguments.kwarg)
        if not is_plain or arguments.kwonlyargs:
            raise BadOperation(
                "found a lambda with defaults or * arguments", "write a function"
            )
        if self.is_running:
            raise BadOperation(f"{call.name} calls itself", "write a loop over range")
        binder = call.evaluator.reader.binder
        values = [binder.snapshot(v) for v in call.bind(*names, required=len(names))]
        self.is_running = True
        with bound(self.evaluator, dict(zip(names, values, strict=True))):
            found = self.evaluator.evaluate(self.node.body)
        self.is_running = False
        return found


@contextmanager
def bound(evaluator: Evaluator, values: dict[str, Value]) -> Iterator[None]:
    """Names mean other values inside."""
    known = evaluator.environment.values
    before = {n: known[n] for n in values if n in known}
    known.update(values)
    yield
    for name in values:
        known.pop(name, None)
    known.update(before)


def read_comprehension(
    evaluator: Evaluator, node: ast.ListComp | ast.GeneratorExp
) -> tuple[Any, ...]:
    """The items of a comprehension over a tuple or a range of known length."""
    (part, *others) = node.generators
    if others or part.ifs or not isinstance(part.target, ast.Name):
        raise BadOperation(
            "found a comprehension with conditions or several loops", "write loops"
        )
    items = _items(evaluator, part.iter)
    found = []
    for item in items:
        with bound(evaluator, {part.target.id: item}):
            found.append(evaluator.reader.binder.snapshot(evaluator.evaluate(node.elt)))
    return tuple(found)


def _items(evaluator: Evaluator, node: ast.expr) -> tuple[Any, ...]:
    hint = "write a loop that fills an array"
    if isinstance(node, ast.Call) and not node.keywords:
        function = evaluator.evaluate(node.func)
        if isinstance(function, Object) and function.value is range:
            ends = [evaluator.evaluate(a) for a in node.args]
            numbers = [
                e.value for e in ends if isinstance(e, Const) and type(e.value) is int
            ]
            if len(numbers) != len(ends) or len(range(*numbers)) > _MAX_ITEMS:
                raise BadOperation("found a comprehension over a range of sizes", hint)
            return tuple(constant(k) for k in range(*numbers))
    value = evaluator.evaluate(node)
    if not isinstance(value, tuple) or len(value) > _MAX_ITEMS:
        raise BadOperation(f"found a comprehension over {kind_of(value)}", hint)
    return value
