"""A call while it is read: its arguments by name, with refusals that name it."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from polysched.tensor.arithmetic import BadOperation
from polysched.tensor.broadcast import operand
from polysched.tensor.emitter import Emitter
from polysched.tensor.expr import Const, Expr
from polysched.tensor.values import (
    Lazy,
    Object,
    Pending,
    Readable,
    Value,
    View,
)

if TYPE_CHECKING:
    from polysched.tensor.evaluate import Evaluator

MISSING = Object("<missing>")


@dataclass(frozen=True, eq=False)
class Call:
    """A call with evaluated arguments.

    Attributes
    ----------
    evaluator : Evaluator
        Of the calling function.
    node : ast.Call
        The call; for methods, the array is the first of `args`.
    name : str
        What is called, as it is written.
    function : Value
        What is called.
    args, keywords : list of Value, dict of str to Value
        Arguments.
    """

    evaluator: Evaluator
    node: ast.expr
    name: str
    function: Value
    args: list[Value]
    keywords: dict[str, Value]

    @property
    def emitter(self) -> Emitter:
        """Where statements go."""
        return self.evaluator.emitter

    def with_one_tuple(self) -> Call:
        """Numbers behind the array as a tuple, those of ``a.reshape(2, 3)``."""
        if len(self.args) <= 2:
            return self
        return replace(self, args=[self.args[0], tuple(self.args[1:])])

    def bind(self, *names: str, required: int = 0) -> list[Value]:
        """Arguments in the order of `names`; `MISSING` for what is not given.

        Raises
        ------
        BadOperation
            If an argument has no name here, is given twice, or is missing.
        """
        if len(self.args) > len(names):
            raise BadOperation(
                f"{self.name} takes at most {len(names)} arguments here, found "
                f"{len(self.args)}"
            )
        found: dict[str, Value] = dict(zip(names, self.args, strict=False))
        for name, value in self.keywords.items():
            if name not in names:
                raise BadOperation(
                    f"{self.name} with the keyword {name!r} is not supported",
                    f"it takes {', '.join(names)}" if names else "",
                )
            if name in found:
                raise BadOperation(f"{self.name} has two values for {name!r}")
            found[name] = value
        missing = [n for n in names[:required] if n not in found]
        if missing:
            raise BadOperation(f"{self.name} misses the argument {missing[0]!r}")
        return [found.get(n, MISSING) for n in names]

    def number(self, value: Value) -> Expr | View | Lazy:
        """An argument as a number or array whose elements can be read."""
        return operand(self.emitter, self.evaluator.number(value))

    def array(self, value: Value, what: str = "an argument") -> Readable:
        """An argument that has to be an array."""
        found = self.number(value)
        if isinstance(found, Expr):
            raise BadOperation(
                f"{what} of {self.name} has to be an array, found a number"
            )
        return found

    def integer(self, value: Value, what: str) -> int:
        """An argument that has to be a constant integer."""
        if isinstance(value, Const) and isinstance(value.value, int):
            return int(value.value)
        raise BadOperation(f"{what} of {self.name} has to be a constant integer")

    def flag(self, value: Value, what: str) -> bool:
        """An argument that has to be True or False; missing is False."""
        if value is MISSING:
            return False
        if isinstance(value, Const) and isinstance(value.value, bool):
            return value.value
        raise BadOperation(f"{what} of {self.name} has to be True or False")

    def axes(self, value: Value, rank: int) -> tuple[int, ...]:
        """The axes that an argument names; all for None or no argument."""
        if value is MISSING or (isinstance(value, Object) and value.value is None):
            return tuple(range(rank))
        items = value if isinstance(value, tuple) else (value,)
        result = []
        for item in items:
            number = self.integer(item, "axis")
            if not -rank <= number < rank:
                raise BadOperation(
                    f"axis {number} of {self.name} is out of bounds for an array of "
                    f"{rank} dimensions"
                )
            result.append(number % rank)
        if len(set(result)) != len(result):
            raise BadOperation(f"{self.name} has an axis twice")
        return tuple(sorted(result))


def is_pending(value: Any) -> bool:
    """Whether statements have yet to compute the value."""
    return isinstance(value, Pending)
