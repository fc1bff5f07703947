"""Functions that a kernel may call: NumPy's, Python's, and Python functions inlined."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from polysched.tensor import (
    creation,
    joins,
    norms,
    padding,
    products,
    reductions,
    reshapes,
    rolls,
    rounding,
    scans,
    scatters,
    shapes,
    ufuncs,
)
from polysched.tensor.arithmetic import BadOperation
from polysched.tensor.broadcast import operand
from polysched.tensor.calls import Call
from polysched.tensor.composites import COMPOSITES
from polysched.tensor.environment import python_function
from polysched.tensor.evaluate import Evaluator
from polysched.tensor.expr import Assign, walk_nodes
from polysched.tensor.lambdas import Lambda
from polysched.tensor.values import Object, Pending, Value, View
from polysched.tensor.words import kind_of

if TYPE_CHECKING:
    from polysched.tensor.statements import Reader

Handler = Callable[[Call], Value]
_T = TypeVar("_T")
_HINT = (
    "docs/python-functions.md lists what kernels may call of NumPy and Python; "
    "Python functions of your own are inlined"
)


class Library:
    """Finds what a call means."""

    def __init__(self) -> None:
        self._functions: dict[Any, Handler] = {}
        for room in (
            *(ufuncs, reductions, scans, products, creation, shapes),
            *(joins, padding, scatters, norms, reshapes, rolls, rounding),
        ):
            self._functions.update(room.FUNCTIONS)
        self._methods: dict[str, Handler] = {}
        for table in (
            ufuncs.METHODS,
            rounding.METHODS,
            reductions.METHODS,
            scans.METHODS,
            products.METHODS,
            creation.METHODS,
            shapes.METHODS,
            reshapes.METHODS,
            joins.METHODS,
        ):
            self._methods.update(table)

    def call(self, reader: Reader, call: Call) -> Value:
        """The value of a call."""
        function = call.function
        if not isinstance(function, Object):
            raise BadOperation(f"{kind_of(function)} cannot be called")
        value = function.value
        if isinstance(value, _Method):
            return value.handler(_with_array(call, value.array))
        if isinstance(value, Lambda):
            return value.read(call)
        handler = _found(self._functions, value)
        if handler is not None:
            return _into_out(handler, call)
        composite = _found(COMPOSITES, value)
        if composite is not None:
            return _read_in_place(reader, call, composite)
        inner = python_function(value)
        if inner is not None and _is_own(inner):
            return _inline(reader, call, inner)
        reader.source.unsupported(
            call.node, f"the function {call.name} is not known here", _HINT
        )

    def attribute(self, evaluator: Evaluator, base: Any, name: str) -> Value:
        """An attribute of an array or number; methods are bound to it."""
        found = shapes.attribute(evaluator, base, name)
        if found is not None:
            return found
        if isinstance(base, tuple):
            raise BadOperation(f"the attribute {name!r} of a tuple is not known here")
        if name not in self._methods:
            raise BadOperation(
                f"the attribute {name!r} of {kind_of(base)} is not known here", _HINT
            )
        return Object(_Method(base, self._methods[name]))


def _found(table: Mapping[Any, _T], value: Any) -> _T | None:
    """What a table has for a value, which may be none that can be looked up."""
    try:
        return table.get(value)
    except TypeError:
        return None


class _Method:
    """A method of an array, bound to it."""

    def __init__(self, array: Value, handler: Handler) -> None:
        self.array = array
        self.handler = handler


def _with_array(call: Call, array: Value) -> Call:
    return replace(call, args=[array, *call.args])


def _read_in_place(reader: Reader, call: Call, function: Callable[..., Any]) -> Value:
    """The value of a composite; refusals and statements in it are the call's."""

    def handler(inner: Call) -> Value:
        source, emitter = reader.session.source_of(function), reader.emitter
        with source.standing_for(emitter.source, call.node, emitter.place):
            return _inline(reader, inner, function)

    return _into_out(handler, call)


def _into_out(handler: Handler, call: Call) -> Value:
    """A call with ``out=``: the result is written to it."""
    if "out" not in call.keywords:
        return handler(call)
    keywords = dict(call.keywords)
    out = keywords.pop("out")
    if not isinstance(out, View):
        raise BadOperation("out has to be an array or a slice of one")
    value = handler(replace(call, keywords=keywords))
    reader = call.evaluator.reader
    call.evaluator.environment.check_write(call.node, out.storage)
    if isinstance(value, Pending) and value.shape == out.shape:
        reader.check_cast(call.node, value.dtype, out.dtype, in_place=True)
        call.emitter.write(out, value)
    else:
        number = operand(call.emitter, call.evaluator.number(value))
        reader.write_number(call.node, out, number, in_place=True)
    return out


def _is_own(function: Callable[..., Any]) -> bool:
    module = (function.__module__ or "").split(".")[0]
    return module not in ("numpy", "math", "builtins", "scipy")


def _inline(reader: Reader, call: Call, function: Callable[..., Any]) -> Value:
    """The value of a call of a Python function, its body read in place."""
    session = reader.session
    if function in session.stack:
        reader.source.unsupported(
            call.node, f"{call.name} calls itself", "write a loop over range(...)"
        )
    arguments = _bind(call, function)
    source = session.source_of(function)
    inner = type(reader)(session, source, (*reader.path, call.node))
    session.stack.append(function)
    session.frames.append(inner.environment)
    n_before = len(call.emitter.storages)
    start = len(call.emitter.block)
    value = inner.run(arguments)
    session.stack.pop()
    session.frames.pop()
    if call.evaluator.is_nested and _changes_arrays(call, start, n_before):
        reader.source.unsupported(
            call.node, f"{call.name} changes an array in the middle of an expression",
            "call it on a line of its own",
        )  # fmt: skip
    return value


def _changes_arrays(call: Call, start: int, n_before: int) -> bool:
    fresh = set(map(id, call.emitter.storages[n_before:]))
    return any(
        isinstance(node, Assign) and id(node.target.storage) not in fresh
        for node in walk_nodes(call.emitter.block[start:])
    )


def _bind(call: Call, function: Callable[..., Any]) -> dict[str, Value]:
    signature = inspect.signature(function)
    for parameter in signature.parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise BadOperation(
                f"{call.name} takes * arguments", "write its parameters one by one"
            )
    binder = call.evaluator.reader.binder
    args = [binder.snapshot(v) for v in call.args]
    keywords = {k: binder.snapshot(v) for k, v in call.keywords.items()}
    try:
        bound = signature.bind(*args, **keywords)
    except TypeError as error:
        raise BadOperation(f"the call of {call.name} does not fit: {error}") from None
    arguments: dict[str, Value] = dict(bound.arguments)
    for name, parameter in signature.parameters.items():
        if name not in arguments:
            value = call.evaluator.environment.default(
                call.node, name, parameter.default
            )
            arguments[name] = value
    return arguments
