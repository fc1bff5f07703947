"""``np.roll``: shifted along axes, what leaves at one end comes in at the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from polysched.tensor.arithmetic import BadOperation
from polysched.tensor.calls import MISSING, Call
from polysched.tensor.expr import Expr
from polysched.tensor.size import Size, wrapped
from polysched.tensor.subscripts import read_integer
from polysched.tensor.values import Lazy, Readable, Value


def _roll(call: Call) -> Value:
    given, amount, along = call.bind("a", "shift", "axis", required=2)
    array = call.array(given)
    if along is MISSING and len(array.shape) > 1:
        raise BadOperation("np.roll without axis is taken for vectors only")
    shifts = amount if isinstance(amount, tuple) else (amount,)
    items = along if isinstance(along, tuple) else (along,)
    axes = [0 if k is MISSING else call.axes(k, len(array.shape))[0] for k in items]
    if len(shifts) not in (1, len(axes)):
        raise BadOperation(f"{call.name} has {len(shifts)} shifts for {len(axes)} axes")
    for shift, k in zip(shifts * (len(axes) // len(shifts)), axes, strict=True):
        array = _rolled(call, array, read_integer(shift, "the shift"), k)
    return array


def _rolled(call: Call, array: Readable, shift: Size, k: int) -> Readable:
    """The array shifted along one axis, by at most as many elements as it has."""
    extent, emitter = array.shape[k], call.emitter
    message = f"np.roll by {shift} of {extent} elements"
    emitter.require(shift, "<=", extent, message)
    emitter.require(-extent, "<=", shift, message)
    sign = emitter.facts.ask(shift, ">=", 0)

    def element(indices: tuple[Size, ...]) -> Expr:
        moved = indices[k] - shift
        if sign == "sometimes":
            moved = wrapped(moved, extent)
        if sign != "always":
            moved = moved - extent
        position = wrapped(moved, extent)
        return array.at((*indices[:k], position, *indices[k + 1 :]))

    return Lazy(array.shape, array.dtype, element)


FUNCTIONS: dict[Any, Callable[[Call], Value]] = {np.roll: _roll}
