"""Sums, products and extremes over axes."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from polysched.tensor.arithmetic import (
    BadOperation,
    c_function,
    constant,
    convert,
    index,
    logical,
    select,
    truth,
)
from polysched.tensor.broadcast import elementwise
from polysched.tensor.calls import MISSING, Call
from polysched.tensor.creation import read_dtype
from polysched.tensor.dtypes import divided, is_float, summed
from polysched.tensor.emitter import Emitter
from polysched.tensor.expr import Expr, Load, Op, Storage, loads
from polysched.tensor.size import Size, as_size
from polysched.tensor.values import (
    Indices,
    Lazy,
    Pending,
    Readable,
    Value,
    View,
    axis,
    remap,
)

Combine = Callable[[Emitter, Expr, Expr], Expr]


def combine_sum(emitter: Emitter, total: Expr, value: Expr) -> Expr:
    """The sum of both."""
    return Op(total.dtype, False, "+", (total, value))


def combine_product(emitter: Emitter, total: Expr, value: Expr) -> Expr:
    """The product of both."""
    return Op(total.dtype, False, "*", (total, value))


def combine_greatest(emitter: Emitter, total: Expr, value: Expr) -> Expr:
    """The greater one, or NaN."""
    return emitter.arithmetic.greatest("max", total, value, True)


def combine_least(emitter: Emitter, total: Expr, value: Expr) -> Expr:
    """The smaller one, or NaN."""
    return emitter.arithmetic.greatest("min", total, value, True)


def _combine_number(op: str) -> Combine:
    """The greater or smaller one, or the one that is a number."""

    def combine(emitter: Emitter, total: Expr, value: Expr) -> Expr:
        if not is_float(total.dtype):
            return emitter.arithmetic.greatest(op, total, value, True)
        name = c_function("fmax" if op == "max" else "fmin", total.dtype)
        return Op(total.dtype, False, name, (total, value))

    return combine


def _any(emitter: Emitter, total: Expr, value: Expr) -> Expr:
    return logical("||", total, truth(value))


def _all(emitter: Emitter, total: Expr, value: Expr) -> Expr:
    return logical("&&", total, truth(value))


def storages_of(emitter: Emitter, *values: Expr | Readable) -> tuple[Storage, ...]:
    """What values read."""
    found: list[Storage] = []
    for value in values:
        expr = value if isinstance(value, Expr) else emitter.probe(value)
        found += [e.storage for e in loads(expr)]
    return tuple(found)


def accumulate(
    emitter: Emitter, value: Readable, reduced: Sequence[int], dtype: str,
    combine: Combine, start: Expr | None,
) -> Pending:  # fmt: skip
    """The values along some axes combined, one after the other.

    Without `start`, the first value along the axes is the start.
    """
    kept = [k for k in range(len(value.shape)) if k not in reduced]
    inner = [value.shape[k] for k in reduced]

    def at(outer: Indices, along: Indices) -> Expr:
        order = dict(zip(kept, outer, strict=True)) | dict(
            zip(reduced, along, strict=True)
        )
        element = value.at(tuple(order[k] for k in range(len(value.shape))))
        return convert(element, dtype)

    def into(place: View) -> None:
        first = tuple(as_size(0) for _ in inner)
        with emitter.loops(place.shape) as outer:
            target = place.at(outer)
            emitter.assign(target, at(outer, first) if start is None else start)
            if start is not None or len(inner) == 1:
                _accumulate(emitter, target, inner, outer, at, combine, start is None)
            else:
                _accumulate(emitter, target, inner, outer, at, combine, False)

    shape = tuple(value.shape[k] for k in kept)
    return Pending(shape, dtype, storages_of(emitter, value), into)


def _accumulate(
    emitter: Emitter, target: Load, inner: Sequence[Size], outer: Indices,
    at: Callable[[Indices, Indices], Expr], combine: Combine, skips_first: bool,
) -> None:  # fmt: skip
    free = combine in (combine_sum, combine_product)

    def add(along: Indices) -> None:
        value = combine(emitter, target, at(outer, along))
        emitter.assign(target, value, is_unordered=free)

    if skips_first:
        with emitter.loop(as_size(1), inner[0]) as k:
            add((k,))
        return
    with emitter.loops(inner) as along:
        add(along)


def sum_type(dtype: str) -> str:
    """The type in which elements are summed and multiplied up.

    Raises
    ------
    BadOperation
        If it is uint64, which kernels do not have.
    """
    found = summed(dtype)
    if found == "uint64":
        raise BadOperation(
            f"NumPy sums {dtype} in uint64, which kernels do not have",
            "use .astype(np.int64) or dtype=np.int64",
        )
    return found


def _reduction(
    combine: Combine, start: Any, dtype_of: Callable[[str], str]
) -> Callable[[Call], Value]:
    def handler(call: Call) -> Value:
        names = ("a", "axis", "dtype", "keepdims", "initial", "where")
        given = call.bind(*names, required=1)
        value = call.number(given[0])
        if given[5] is not MISSING:
            value = _chosen(call, value, given[5], start)
        if given[4] is not MISSING:
            raise BadOperation(
                f"{call.name} with initial", "combine it with the result"
            )
        if given[2] is not MISSING and dtype_of is not sum_type:
            raise BadOperation(f"{call.name} with dtype", "use .astype(...)")
        dtype = _asked(call, given[2], value.dtype) or dtype_of(value.dtype)
        if isinstance(value, Expr):
            return convert(value, dtype, False)
        reduced = call.axes(given[1], len(value.shape))
        if start is None:
            for k in reduced:
                call.emitter.require(
                    value.shape[k], ">=", 1, f"{call.name} of no elements has no value"
                )
        first = None if start is None else constant(start, dtype, is_weak=False)
        result: Value = accumulate(call.emitter, value, reduced, dtype, combine, first)
        return keep_axes(call, result, value.shape, reduced, given[3])

    return handler


def _chosen(call: Call, value: Any, where: Value, start: Any) -> Any:
    """The values where a mask holds, elsewhere what changes no result."""
    if start is None or isinstance(value, Expr):
        raise BadOperation(
            f"{call.name} with where", "write np.where with a value that loses"
        )

    def choose(is_taken: Expr, element: Expr) -> Expr:
        rest = constant(start, element.dtype, is_weak=False)
        return select(truth(is_taken), element, rest)

    return elementwise(call.emitter, choose, call.number(where), value)


def _asked(call: Call, given: Value, dtype: str) -> str:
    """The type that ``dtype=`` asks for, in which elements are combined, or nothing."""
    found = read_dtype(given, "")
    if found == "bool" or (found and not np.can_cast(dtype, found, "same_kind")):
        raise BadOperation(
            f"{call.name} of {dtype} with dtype {found}",
            f"convert the elements: .astype(np.{found})",
        )
    return found


def keep_axes(
    call: Call,
    result: Value,
    shape: Sequence[Size],
    reduced: Sequence[int],
    flag: Value,
) -> Value:
    """The result with axes of one element where axes were reduced, if asked for."""
    if not call.flag(flag, "keepdims"):
        return result
    assert isinstance(result, Pending)
    settled = call.emitter.settle(result)
    full = [as_size(1) if k in reduced else s for k, s in enumerate(shape)]
    kept = tuple(axis(k) for k in range(len(shape)) if k not in reduced)
    return remap(settled, full, kept)


def _mean(call: Call) -> Value:
    given = call.bind("a", "axis", "dtype", "keepdims", required=1)
    value = call.array(given[0])
    reduced = call.axes(given[1], len(value.shape))
    dtype = _asked(call, given[2], value.dtype) or divided(value.dtype)
    if not is_float(dtype):
        raise BadOperation(f"{call.name} with dtype {dtype}", "use a type of floats")
    zero = constant(0, dtype, is_weak=False)
    total = accumulate(call.emitter, value, reduced, dtype, combine_sum, zero)
    count = _count(call, [value.shape[k] for k in reduced], dtype)
    result = _divided(call.emitter, total, count)
    return keep_axes(call, result, value.shape, reduced, given[3])


def _count(call: Call, shape: Sequence[Size], dtype: str) -> Expr:
    """The number of elements as a float."""
    arithmetic = call.emitter.arithmetic
    result: Expr = constant(1)
    for size in shape:
        call.emitter.require(size, ">=", 1, f"{call.name} of no elements has no value")
        result = arithmetic.binary("*", result, index(size))
    return convert(result, dtype)


def _divided(emitter: Emitter, total: Pending, count: Expr) -> Pending:
    return then(
        emitter, total, lambda value: Op(value.dtype, False, "/", (value, count))
    )


def then(emitter: Emitter, total: Pending, function: Callable[[Expr], Expr]) -> Pending:
    """The same with a function of every element of the result."""

    def into(place: View) -> None:
        total.into(place)
        with emitter.loops(place.shape) as indices:
            target = place.at(indices)
            emitter.assign(target, function(target))

    return Pending(total.shape, total.dtype, total.reads, into)


def _variance(call: Call) -> Value:
    given = call.bind("a", "axis", "dtype", "ddof", "keepdims", required=1)
    if given[2] is not MISSING:
        raise BadOperation(f"{call.name} with dtype", "use .astype(...)")
    value, emitter = call.array(given[0]), call.emitter
    reduced = call.axes(given[1], len(value.shape))
    dtype = divided(value.dtype)
    zero = constant(0, dtype, is_weak=False)
    shape = [value.shape[k] for k in reduced]
    total = accumulate(emitter, value, reduced, dtype, combine_sum, zero)
    mean = emitter.settle(_divided(emitter, total, _count(call, shape, dtype)), "mean")

    def square(indices: Indices) -> Expr:
        kept = tuple(i for k, i in enumerate(indices) if k not in reduced)
        gap = Op(dtype, False, "-", (convert(value.at(indices), dtype), mean.at(kept)))
        return Op(dtype, False, "*", (gap, gap))

    spread = Lazy(value.shape, dtype, square)
    squares = accumulate(emitter, spread, reduced, dtype, combine_sum, zero)
    less = 0 if given[3] is MISSING else call.integer(given[3], "ddof")
    count = _count(call, shape, dtype)
    if less:
        count = Op(dtype, False, "-", (count, constant(less, dtype)))
    result = _divided(emitter, squares, count)
    return keep_axes(call, result, value.shape, reduced, given[4])


def _deviation(call: Call) -> Value:
    variance: Any = _variance(call)

    def root(value: Expr) -> Expr:
        return Op(value.dtype, False, c_function("sqrt", value.dtype), (value,))

    return elementwise(call.emitter, root, variance)


def _same(dtype: str) -> str:
    return dtype


def _truth(dtype: str) -> str:
    return "bool"


_SUM = _reduction(combine_sum, 0, sum_type)
_PROD = _reduction(combine_product, 1, sum_type)
_MAX = _reduction(combine_greatest, None, _same)
_MIN = _reduction(combine_least, None, _same)
_ANY = _reduction(_any, False, _truth)
_ALL = _reduction(_all, True, _truth)


def _add(emitter: Emitter, total: Expr, value: Expr) -> Expr:
    return emitter.arithmetic.binary("+", total, value)


def _python_sum(call: Call) -> Value:
    """Python's sum of a tuple, or of the rows of an array, in their order."""
    given, start = call.bind("iterable", "start", required=1)
    if isinstance(given, tuple):
        total: Value = constant(0) if start is MISSING else start
        for item in given:
            total = call.evaluator.binary(ast.Add(), total, item)
        return total
    value = call.array(given)
    if start is not MISSING:
        raise BadOperation(f"{call.name} with start", "add it to the result")
    dtype = "int64" if value.dtype == "bool" else value.dtype
    zero = constant(0, dtype, is_weak=False)
    return accumulate(call.emitter, value, [0], dtype, _add, zero)


def _count_nonzero(call: Call) -> Value:
    given = call.bind("a", "axis", "keepdims", required=1)
    value = call.array(given[0])
    reduced = call.axes(given[1], len(value.shape))
    ones = Lazy(value.shape, "int64", lambda i: convert(truth(value.at(i)), "int64"))
    zero = constant(0, "int64", is_weak=False)
    result = accumulate(call.emitter, ones, reduced, "int64", combine_sum, zero)
    return keep_axes(call, result, value.shape, reduced, given[2])


FUNCTIONS: dict[Any, Callable[[Call], Value]] = {
    np.sum: _SUM,
    np.prod: _PROD,
    np.max: _MAX,
    np.amax: _MAX,
    np.min: _MIN,
    np.amin: _MIN,
    np.any: _ANY,
    np.all: _ALL,
    np.mean: _mean,
    np.var: _variance,
    np.std: _deviation,
    np.nanmax: _reduction(_combine_number("max"), None, _same),
    np.nanmin: _reduction(_combine_number("min"), None, _same),
    sum: _python_sum,
    np.count_nonzero: _count_nonzero,
}
METHODS: dict[str, Callable[[Call], Value]] = {
    "sum": _SUM,
    "prod": _PROD,
    "max": _MAX,
    "min": _MIN,
    "any": _ANY,
    "all": _ALL,
    "mean": _mean,
    "var": _variance,
    "std": _deviation,
}
