"""Functions that make arrays, and those that copy them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from polysched.tensor.argument import KNOWN_DTYPES
from polysched.tensor.arithmetic import BadOperation, constant, convert, index
from polysched.tensor.broadcast import elementwise, operand
from polysched.tensor.calls import MISSING, Call
from polysched.tensor.dtypes import DTYPES
from polysched.tensor.expr import Expr
from polysched.tensor.size import Size, as_size, floor_div
from polysched.tensor.subscripts import read_integer, read_step
from polysched.tensor.ufuncs import cast_to
from polysched.tensor.values import Lazy, Object, Value, View, is_array

_PYTHON = {float: "float64", int: "int64", bool: "bool"}


def read_dtype(value: Value, default: str) -> str:
    """The type that an argument ``dtype=`` names."""
    if value is MISSING or (isinstance(value, Object) and value.value is None):
        return default
    if not isinstance(value, Object):
        raise BadOperation("dtype has to be a type such as np.float64")
    named = value.value
    found = _PYTHON.get(named) if isinstance(named, type) else None
    if found is None:
        try:
            found = np.dtype(named).name
        except TypeError:
            found = str(named)
    if found not in DTYPES:
        raise BadOperation(
            f"arrays of {found} are not supported",
            f"use {KNOWN_DTYPES}",
        )
    return found


def read_shape(value: Value) -> tuple[Size, ...]:
    """The sizes that an argument ``shape`` states."""
    items = value if isinstance(value, tuple) else (value,)
    return tuple(read_integer(v, "a size") for v in items)


def _check_sizes(call: Call, shape: tuple[Size, ...]) -> None:
    for size in shape:
        call.emitter.require(
            size, ">=", 0, f"{call.name} with the negative size {size}"
        )


def _new(call: Call, dtype: str, shape: tuple[Size, ...], fill: Expr | None) -> Value:
    _check_sizes(call, shape)
    if fill is None:
        return call.emitter.new_array(_hint(call), dtype, shape)
    value = convert(fill, dtype)
    return Lazy(shape, dtype, lambda indices: value)


def _hint(call: Call) -> str:
    """The name of the variable that the array is assigned to, if it is one."""
    statement = call.emitter.statement
    targets = getattr(statement, "targets", [])
    if len(targets) == 1 and getattr(statement, "value", None) is call.node:
        return str(getattr(targets[0], "id", "tmp"))
    return "tmp"


def _creator(fill: float | None) -> Callable[[Call], Value]:
    def handler(call: Call) -> Value:
        shape, dtype = call.bind("shape", "dtype", required=1)
        value = None if fill is None else constant(fill)
        return _new(call, read_dtype(dtype, "float64"), read_shape(shape), value)

    return handler


def _full(call: Call) -> Value:
    shape, fill, dtype = call.bind("shape", "fill_value", "dtype", required=2)
    value = call.number(fill)
    if not isinstance(value, Expr):
        raise BadOperation("the fill value has to be a number")
    named = read_dtype(dtype, value.dtype)
    return _new(call, named, read_shape(shape), call.evaluator.reader.kept(value))


def _like(fill: float | None) -> Callable[[Call], Value]:
    def handler(call: Call) -> Value:
        given, dtype = call.bind("a", "dtype", required=1)
        array = call.array(given)
        value = None if fill is None else constant(fill)
        return _new(call, read_dtype(dtype, array.dtype), array.shape, value)

    return handler


def _full_like(call: Call) -> Value:
    given, fill, dtype = call.bind("a", "fill_value", "dtype", required=2)
    array, value = call.array(given), call.number(fill)
    if not isinstance(value, Expr):
        raise BadOperation("the fill value has to be a number")
    named = read_dtype(dtype, array.dtype)
    return _new(call, named, array.shape, call.evaluator.reader.kept(value))


def _arange(call: Call) -> Value:
    given = call.bind("start", "stop", "step", "dtype", required=1)
    bounds = [
        read_integer(v, f"a bound of {call.name}")
        for v in given[:2]
        if v is not MISSING
    ]
    step = read_step(None if given[2] is MISSING else given[2])
    start, stop = (as_size(0), bounds[0]) if len(bounds) == 1 else bounds
    span = stop - start if step > 0 else start - stop
    count = floor_div(span + (abs(step) - 1), abs(step)) if abs(step) > 1 else span
    call.emitter.require(
        count, ">=", 0, f"{call.name} of a negative number of elements"
    )
    dtype = read_dtype(given[3], "int64")
    return Lazy(
        (count,), dtype,
        lambda i: convert(index(start + i[0] * step, is_weak=False), dtype),
    )  # fmt: skip


def _eye(call: Call) -> Value:
    rows, columns, above, dtype = call.bind("N", "M", "k", "dtype", required=1)
    n = read_shape(rows)[0]
    m = n if columns is MISSING else read_shape(columns)[0]
    diagonal = as_size(0) if above is MISSING else read_integer(above, "k")
    named = read_dtype(dtype, "float64")
    arithmetic = call.emitter.arithmetic

    def element(indices: tuple[Size, ...]) -> Expr:
        row, column = index(indices[0] + diagonal), index(indices[1])
        return convert(arithmetic.compare("==", row, column), named)

    return Lazy((n, m), named, element)


def _array(call: Call) -> Value:
    given, dtype = call.bind("object", "dtype", required=1)
    value = call.evaluator.number(given)
    named = read_dtype(dtype, value.dtype)
    if not is_array(value):
        raise BadOperation(
            f"{call.name} of a number", "use a list, or the number itself"
        )
    if not isinstance(given, tuple) or named != value.dtype:
        return elementwise(call.emitter, cast_to(named), value)
    return value


def _as_array(call: Call) -> Value:
    given, dtype = call.bind("a", "dtype", required=1)
    if not is_array(given):
        return _array(call)
    array = call.array(given)
    named = read_dtype(dtype, array.dtype)
    return (
        array
        if named == array.dtype
        else elementwise(call.emitter, cast_to(named), array)
    )


def _copy(call: Call) -> Value:
    (given,) = call.bind("a", required=1)
    array = call.array(given)
    return Lazy(array.shape, array.dtype, array.at)


def _astype(call: Call) -> Value:
    given, dtype = call.bind("a", "dtype", required=2)
    value = call.number(given)
    return elementwise(call.emitter, cast_to(read_dtype(dtype, "")), value)


def _copy_to(call: Call) -> Value:
    target, source, where = call.bind("dst", "src", "where", required=2)
    if not isinstance(target, View):
        raise BadOperation("np.copyto needs an array to write to")
    call.evaluator.environment.check_write(call.node, target.storage)
    value: Any = operand(call.emitter, call.evaluator.number(source))
    if where is not MISSING:
        value = call.evaluator.reader.library_call(np.where, where, value, target)
    call.evaluator.reader.write_number(call.node, target, value, in_place=True)
    return Object(None)


def _fill(call: Call) -> Value:
    target, value = call.bind("a", "value", required=2)
    if not isinstance(target, View):
        raise BadOperation("fill needs an array to write to")
    call.evaluator.environment.check_write(call.node, target.storage)
    call.evaluator.reader.write_number(call.node, target, call.number(value))
    return Object(None)


FUNCTIONS: dict[Any, Callable[[Call], Value]] = {
    np.zeros: _creator(0.0),
    np.ones: _creator(1.0),
    np.empty: _creator(None),
    np.full: _full,
    np.zeros_like: _like(0.0),
    np.ones_like: _like(1.0),
    np.empty_like: _like(None),
    np.full_like: _full_like,
    np.arange: _arange,
    np.eye: _eye,
    np.identity: _eye,
    np.array: _array,
    np.asarray: _as_array,
    np.ascontiguousarray: _as_array,
    np.copy: _copy,
    np.copyto: _copy_to,
}
METHODS: dict[str, Callable[[Call], Value]] = {
    "copy": _copy,
    "astype": _astype,
    "fill": _fill,
}
