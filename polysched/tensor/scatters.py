"""Writes with an array as subscript: ``y[idx] = v``, ``np.add.at(h, idx, v)``."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from polysched.tensor.arithmetic import BadOperation, constant, convert
from polysched.tensor.broadcast import ONE, operand, text_of
from polysched.tensor.calls import MISSING, Call
from polysched.tensor.dtypes import is_integer, promote
from polysched.tensor.expr import Expr
from polysched.tensor.gathers import Gather
from polysched.tensor.reductions import storages_of
from polysched.tensor.size import Size, as_size
from polysched.tensor.subscripts import read_integer, subscript
from polysched.tensor.values import Lazy, Object, Readable, Value, View, is_array

if TYPE_CHECKING:
    from polysched.tensor.statements import Reader

Combine = Callable[[Value, Value], Value]


class ScatterReader:
    """Reads assignments whose subscript is an array of integers.

    One element is written after the other, so that the last one wins where one comes
    twice, as in NumPy.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def read(self, target: ast.Subscript, node: ast.expr) -> bool:
        """Whether it is one; then it is read, otherwise nothing has happened."""
        evaluator = self._reader.evaluator
        if not _is_pure(target.slice):
            return False
        index = evaluator.evaluate(target.slice)
        if not is_array(index) or not is_integer(getattr(index, "dtype", "")):
            return False
        base = evaluator.evaluate(target.value)
        if not isinstance(base, View):
            self._reader.source.wrong(target, "cannot assign to these elements")
        value = evaluator.evaluate(node)
        self._reader.emitter.node = target
        scatter(self._reader, target, base, index, value, None)
        return True


def scatter(
    reader: Reader,
    node: ast.expr,
    base: View,
    index: Value,
    value: Value,
    combine: Combine | None,
) -> None:
    """Write elements or rows at places that an index array chooses, in its order.

    Parameters
    ----------
    reader : Reader
        Of the function.
    node : ast.expr
        What is written, for refusals.
    base : View
        What is written to.
    index : array of integers
        A part of an index array, of one dimension.
    value : number or array
        One value for all, or one for each.
    combine : callable, optional
        What becomes of the old element and the value; the value itself without it.
    """
    emitter = reader.emitter
    gather = Gather(emitter.settle(index))  # type: ignore[arg-type]
    if len(gather.shape) != 1:
        raise BadOperation(
            "found an array of several dimensions as a subscript that is written",
            "one of one dimension is taken: write a loop",
        )
    reader.environment.check_write(node, base.storage)
    number = _apart(reader, base, operand(emitter, reader.evaluator.number(value)))
    (n,) = gather.shape
    if not isinstance(number, Expr):
        number = _checked(reader, base, number, n)
    with emitter.loop(as_size(0), n) as k:
        place = subscript(emitter, base, [gather.at(emitter, (k,))])
        assert isinstance(place, View)
        new: Any = number
        if not isinstance(number, Expr) and len(number.shape) == len(base.shape):
            new = subscript(emitter, number, [k])
        new = operand(emitter, new)
        if combine is not None:
            new = combine(place if place.shape else place.at(()), new)
            new = operand(emitter, reader.evaluator.number(new))
        reader.write_number(node, place, new)


def _is_pure(node: ast.expr) -> bool:
    """Whether reading a subscript again has no effect."""
    parts = list(ast.walk(node))
    is_plain = isinstance(node, (ast.Name, ast.Subscript, ast.Attribute))
    return is_plain and not any(isinstance(p, (ast.Call, ast.NamedExpr)) for p in parts)


def _apart(reader: Reader, base: View, value: Any) -> Any:
    """The value as it is before anything is written."""
    if isinstance(value, Expr):
        return reader.kept(value)
    if base.storage in storages_of(reader.emitter, value):
        return reader.emitter.stored(value, "tmp")
    return value


def _checked(reader: Reader, base: View, value: Readable, n: Size) -> Readable:
    """The value, which has to have a row or element for each subscript."""
    rank, shape = len(base.shape), (n, *base.shape[1:])
    message = f"cannot write the shape {text_of(value.shape)} into {text_of(shape)}"
    if len(value.shape) > rank:
        raise BadOperation(message)
    if len(value.shape) == rank:
        if value.shape[0] == ONE != n:
            found = subscript(reader.emitter, value, [as_size(0)])
            return found
        reader.emitter.require(value.shape[0], "==", n, message)
    return value


def _at(op: Any) -> Callable[[Call], Value]:
    """``ufunc.at``: unlike ``h[idx] += v``, it counts each time that one comes."""

    def handler(call: Call) -> Value:
        base, index, value = call.bind("a", "indices", "b", required=3)
        reader = call.evaluator.reader
        if not isinstance(base, View) or not base.shape:
            raise BadOperation(f"{call.name} changes an array or a slice of one")
        if not is_array(index) or not is_integer(getattr(index, "dtype", "")):
            raise BadOperation(
                f"{call.name} takes an array of integers as subscripts",
                "write a loop over tuples and slices",
            )
        given = call.number(value)
        is_weak = isinstance(given, Expr) and given.is_weak
        dtype, _ = promote([(base.dtype, False), (given.dtype, is_weak)])
        reader.check_cast(call.node, dtype, base.dtype, in_place=True)

        def combine(old: Value, new: Value) -> Value:
            if isinstance(op, ast.operator):
                return call.evaluator.binary(op, old, new)
            return reader.library_call(op, old, new)

        scatter(reader, call.node, base, index, value, combine)
        return Object(None)

    return handler


def _bincount(call: Call) -> Value:
    """How often each number comes, or the sum of its weights, for all below a limit."""
    index, weights, least = call.bind("x", "weights", "minlength", required=1)
    if not is_array(index) or not is_integer(getattr(index, "dtype", "")):
        raise BadOperation(f"{call.name} takes an array of integers")
    if least is MISSING:
        raise BadOperation(
            f"{call.name} without minlength gives an array whose length data say",
            "give it minlength, which all numbers are below",
        )
    reader = call.evaluator.reader
    length = read_integer(least, "minlength")
    call.emitter.require(length, ">=", 0, f"{call.name} of a negative minlength")
    dtype = "int64" if weights is MISSING else "float64"
    zero = constant(0, dtype, is_weak=False)
    filled = Lazy((length,), dtype, lambda _: zero)
    place = call.emitter.stored(filled, "counts")
    one: Value = constant(1) if weights is MISSING else weights

    def combine(old: Value, new: Value) -> Value:
        if isinstance(new, Expr):
            new = convert(new, dtype)
        return call.evaluator.binary(ast.Add(), old, new)

    scatter(reader, call.node, place, index, one, combine)
    return place


FUNCTIONS: dict[Any, Callable[[Call], Value]] = {
    np.bincount: _bincount,
    np.add.at: _at(ast.Add()),
    np.subtract.at: _at(ast.Sub()),
    np.multiply.at: _at(ast.Mult()),
    np.maximum.at: _at(np.maximum),
    np.minimum.at: _at(np.minimum),
}
