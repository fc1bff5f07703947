"""Running sums and extremes along an axis, and where extremes are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from polysched.tensor.arithmetic import (
    BadOperation,
    constant,
    convert,
    index,
    logical,
    logical_not,
    select,
)
from polysched.tensor.calls import MISSING, Call
from polysched.tensor.dtypes import is_float
from polysched.tensor.expr import Expr
from polysched.tensor.reductions import (
    Combine,
    combine_greatest,
    combine_least,
    combine_product,
    combine_sum,
    storages_of,
    sum_type,
)
from polysched.tensor.size import Size, as_size
from polysched.tensor.values import Indices, Object, Pending, Value, View


def _one_axis(call: Call, given: Value, rank: int, default: int | None) -> int:
    """The axis that is named; for vectors, or without a name, the default one."""
    if isinstance(given, Object):  # None, or missing
        if given is MISSING and default is not None:
            return default
        if rank != 1:
            raise BadOperation(f"{call.name} needs an axis here")
        return 0
    return call.axes(given, rank)[0]


def _cumulative(
    combine: Combine, dtype_of: Callable[[str], str], default: int | None = None
) -> Callable[[Call], Value]:
    def handler(call: Call) -> Value:
        given = call.bind("a", "axis", required=1)
        value, emitter = call.array(given[0]), call.emitter
        along = _one_axis(call, given[1], len(value.shape), default)
        dtype = dtype_of(value.dtype)

        def into(place: View) -> None:
            shape = [as_size(1) if k == along else s for k, s in enumerate(value.shape)]
            with emitter.loops(shape) as start:
                emitter.assign(place.at(start), value.at(start))
                with emitter.loop(as_size(1), value.shape[along]) as k:
                    now = (*start[:along], k, *start[along + 1 :])
                    last = (*start[:along], k - 1, *start[along + 1 :])
                    element = convert(value.at(now), dtype)
                    total = combine(emitter, place.at(last), element)
                    emitter.assign(place.at(now), total)

        emitter.require(
            value.shape[along], ">=", 1, f"{call.name} of no elements is not supported"
        )
        return Pending(value.shape, dtype, storages_of(emitter, value), into)

    return handler


def _position(op: str) -> Callable[[Call], Value]:
    """The first index of the greatest or least element; NaN is beyond all."""

    def handler(call: Call) -> Value:
        given = call.bind("a", "axis", required=1)
        value, emitter = call.array(given[0]), call.emitter
        along = _one_axis(call, given[1], len(value.shape), None)
        kept = [k for k in range(len(value.shape)) if k != along]
        emitter.require(
            value.shape[along], ">=", 1, f"{call.name} of no elements has no value"
        )

        def element(outer: Indices, k: Size) -> Expr:
            return value.at((*outer[:along], k, *outer[along:]))

        def into(place: View) -> None:
            best = emitter.new_variable("best", value.dtype, False)
            with emitter.loops(place.shape) as outer:
                target = place.at(outer)
                emitter.assign(best, element(outer, as_size(0)))
                emitter.assign(target, constant(0, "int64", is_weak=False))
                with emitter.loop(as_size(1), value.shape[along]) as k:
                    is_better = _beats(call, op, element(outer, k), best)
                    emitter.assign(target, select(is_better, index(k), target))
                    emitter.assign(best, select(is_better, element(outer, k), best))

        shape = tuple(value.shape[k] for k in kept)
        return Pending(shape, "int64", storages_of(emitter, value), into)

    return handler


def _beats(call: Call, op: str, new: Expr, best: Expr) -> Expr:
    compare = call.emitter.arithmetic.compare
    is_beyond = compare(op, new, best)
    if not is_float(new.dtype):
        return is_beyond
    is_first_nan = logical(
        "&&", compare("!=", new, new), logical_not(compare("!=", best, best))
    )
    return logical("||", is_beyond, is_first_nan)


def _same(dtype: str) -> str:
    return dtype


_CUMSUM = _cumulative(combine_sum, sum_type)
_CUMPROD = _cumulative(combine_product, sum_type)

FUNCTIONS: dict[Any, Callable[[Call], Value]] = {
    np.cumsum: _CUMSUM,
    np.cumprod: _CUMPROD,
    np.add.accumulate: _cumulative(combine_sum, sum_type, 0),
    np.multiply.accumulate: _cumulative(combine_product, sum_type, 0),
    np.maximum.accumulate: _cumulative(combine_greatest, _same, 0),
    np.minimum.accumulate: _cumulative(combine_least, _same, 0),
    np.argmax: _position(">"),
    np.argmin: _position("<"),
}
METHODS: dict[str, Callable[[Call], Value]] = {
    "cumsum": _CUMSUM,
    "cumprod": _CUMPROD,
    "argmax": _position(">"),
    "argmin": _position("<"),
}
