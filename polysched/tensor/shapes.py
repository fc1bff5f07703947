"""Axes: transposition, reshaping, reversal, and what an array says of itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from polysched.tensor.arithmetic import BadOperation, constant, index
from polysched.tensor.broadcast import ONE, broadcast, text_of
from polysched.tensor.calls import MISSING, Call
from polysched.tensor.creation import read_shape
from polysched.tensor.evaluate import Evaluator
from polysched.tensor.expr import Expr
from polysched.tensor.size import Size, as_size
from polysched.tensor.values import (
    Lazy,
    Object,
    Pending,
    Value,
    View,
    axis,
    remap,
    transposed,
    with_axis,
)
from polysched.tensor.words import kind_of


def attribute(evaluator: Evaluator, base: Any, name: str) -> Value | None:
    """shape, ndim, size, dtype and T; None for another attribute."""
    if isinstance(base, (Object, tuple)):
        return None
    shape: tuple[Size, ...] = () if isinstance(base, Expr) else base.shape
    if name == "shape":
        return tuple(index(evaluator.emitter.extent(s)) for s in shape)
    if name == "ndim":
        return constant(len(shape))
    if name == "size":
        result: Expr = constant(1)
        for size in shape:
            factor = index(evaluator.emitter.extent(size))
            result = evaluator.emitter.arithmetic.binary("*", result, factor)
        return result
    if name == "dtype":
        return Object(np.dtype(base.dtype))
    if name == "T":
        if isinstance(base, Expr):
            return base
        view = evaluator.emitter.settle(base)
        return transposed(view, range(len(shape))[::-1])
    return None


def _length(call: Call) -> Value:
    (value,) = call.bind("x", required=1)
    if isinstance(value, tuple):
        return constant(len(value))
    if isinstance(value, (View, Lazy, Pending)) and value.shape:
        return index(call.emitter.extent(value.shape[0]))
    raise BadOperation(f"len of {kind_of(value)}")


def _shape(call: Call) -> Value:
    (value,) = call.bind("a", required=1)
    return attribute(call.evaluator, value, "shape") or ()


def _ndim(call: Call) -> Value:
    (value,) = call.bind("a", required=1)
    return attribute(call.evaluator, value, "ndim") or constant(0)


def _transpose(call: Call) -> Value:
    given, order = call.with_one_tuple().bind("a", "axes", required=1)
    array = call.array(given)
    rank = len(array.shape)
    if order is MISSING or (isinstance(order, Object) and order.value is None):
        return transposed(array, range(rank)[::-1])
    items = order if isinstance(order, tuple) else (order,)
    numbers = [call.integer(v, "axes") % rank for v in items]
    if sorted(numbers) != list(range(rank)):
        raise BadOperation(
            f"the axes {numbers} do not fit an array of {rank} dimensions"
        )
    return transposed(array, numbers)


def _swap_axes(call: Call) -> Value:
    given, one, two = call.bind("a", "axis1", "axis2", required=3)
    array = call.array(given)
    order = list(range(len(array.shape)))
    a, b = (call.axes(v, len(order))[0] for v in (one, two))
    order[a], order[b] = order[b], order[a]
    return transposed(array, order)


def _move_axis(call: Call) -> Value:
    given, source, target = call.bind("a", "source", "destination", required=3)
    array = call.array(given)
    rank = len(array.shape)
    sources, targets = (
        [call.axes(v, rank)[0] for v in (part if isinstance(part, tuple) else (part,))]
        for part in (source, target)
    )
    if len(sources) != len(targets) or len({*sources}) != len({*targets}):
        raise BadOperation(f"the axes of {call.name} do not fit each other")
    order = [k for k in range(rank) if k not in sources]
    for place, old in sorted(zip(targets, sources, strict=True)):
        order.insert(place, old)
    return transposed(array, order)


def _flip(call: Call) -> Value:
    given, along = call.bind("m", "axis", required=1)
    array = call.array(given)
    flipped = call.axes(along, len(array.shape))
    indices = tuple(
        array.shape[k] - 1 - axis(k) if k in flipped else axis(k)
        for k in range(len(array.shape))
    )
    return remap(array, array.shape, indices)


def _expand(call: Call) -> Value:
    given, where = call.bind("a", "axis", required=2)
    array = call.array(given)
    return with_axis(array, call.axes(where, len(array.shape) + 1)[0])


def _squeeze(call: Call) -> Value:
    given, where = call.bind("a", "axis", required=1)
    array = call.array(given)
    gone = [k for k, s in enumerate(array.shape) if s == ONE]
    if where is not MISSING:
        gone = list(call.axes(where, len(array.shape)))
        if any(array.shape[k] != ONE for k in gone):
            raise BadOperation("cannot squeeze an axis of more than one element")
    kept = [k for k in range(len(array.shape)) if k not in gone]
    indices = tuple(
        axis(kept.index(k)) if k in kept else as_size(0)
        for k in range(len(array.shape))
    )
    view = remap(array, [array.shape[k] for k in kept], indices)
    return view if view.shape else view.at(())


def _broadcast_to(call: Call) -> Value:
    given, target = call.bind("array", "shape", required=2)
    array, shape = call.array(given), read_shape(target)
    for one, two in zip(reversed(array.shape), reversed(shape), strict=False):
        if one not in (ONE, two):
            call.emitter.require(
                one,
                "==",
                two,
                f"cannot broadcast {text_of(array.shape)} to {text_of(shape)}",
            )
    return broadcast(array, shape)


FUNCTIONS: dict[Any, Callable[[Call], Value]] = {
    len: _length,
    np.shape: _shape,
    np.ndim: _ndim,
    np.transpose: _transpose,
    np.swapaxes: _swap_axes,
    np.moveaxis: _move_axis,
    np.flip: _flip,
    np.expand_dims: _expand,
    np.squeeze: _squeeze,
    np.broadcast_to: _broadcast_to,
}
METHODS: dict[str, Callable[[Call], Value]] = {
    "transpose": _transpose,
    "swapaxes": _swap_axes,
    "squeeze": _squeeze,
}
