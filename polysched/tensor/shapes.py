"""Axes: transposition, reshaping, reversal, and what an array says of itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from polysched.tensor.arithmetic import BadOperation, constant, index
from polysched.tensor.broadcast import ONE, broadcast, text_of
from polysched.tensor.calls import MISSING, Call
from polysched.tensor.creation import read_shape
from polysched.tensor.evaluate import Evaluator
from polysched.tensor.expr import Expr
from polysched.tensor.size import Size, as_size, floor_div, modulo
from polysched.tensor.values import (
    Lazy,
    Object,
    Pending,
    Readable,
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
    args = call.args
    if len(args) > 2:
        args = [args[0], tuple(args[1:])]
    call = Call(
        call.evaluator, call.node, call.name, call.function, args, call.keywords
    )
    given, order = call.bind("a", "axes", required=1)
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
    view = broadcast(array, shape)
    return Lazy(view.shape, view.dtype, view.at)  # it is read-only


def _reshape(call: Call) -> Value:
    args = call.args
    if len(args) > 2:
        args = [args[0], tuple(args[1:])]
    call = Call(
        call.evaluator, call.node, call.name, call.function, args, call.keywords
    )
    given, target = call.bind("a", "shape", required=2)
    items = target if isinstance(target, tuple) else (target,)
    return _reshaped(call, call.array(given), list(read_shape(items)))


def _ravel(call: Call) -> Value:
    (given,) = call.bind("a", required=1)
    return _reshaped(call, call.array(given), [as_size(-1)])


def _flatten(call: Call) -> Value:
    view: Any = _ravel(call)
    return Lazy(view.shape, view.dtype, view.at)


def _reshaped(call: Call, array: Readable, shape: list[Size]) -> Readable:
    """The elements in order under other axes, if groups of axes become one or more."""
    old = list(array.shape)
    hint = "take slices, or np.newaxis, or write a loop over the new axes"
    unknown = [k for k, s in enumerate(shape) if s == as_size(-1)]
    if len(unknown) > 1:
        raise BadOperation("reshape takes -1 once")
    indices: list[Size | None] = [None] * len(old)
    # axes that agree at both ends are kept
    front = 0
    while front < min(len(old), len(shape)) and old[front] == shape[front]:
        indices[front] = axis(front)
        front += 1
    back = 0
    while (
        back < min(len(old), len(shape)) - front and old[-1 - back] == shape[-1 - back]
    ):
        indices[len(old) - 1 - back] = axis(len(shape) - 1 - back)
        back += 1
    middle_old = old[front : len(old) - back]
    middle_new = shape[front : len(shape) - back]
    for part, other in _groups(middle_old, middle_new):
        some_old, some_new = middle_old[part], middle_new[other]
        flat, total = _flatten_new(some_old, some_new, front + other.start)
        if flat is None or total is None:
            raise BadOperation(
                f"the reshape of {text_of(old)} to {text_of(shape)} is not affine", hint
            )
        sizes, position = flat
        middle_new[other] = sizes
        for k, index_of in enumerate(_split(position, some_old, total)):
            indices[front + part.start + k] = index_of
    shape[front : len(shape) - back] = middle_new
    call.emitter.require(
        _product(middle_old) or as_size(0), "==", _product(middle_new) or as_size(0),
        f"cannot reshape {text_of(old)} to {text_of(shape)}",
    )  # fmt: skip
    if any(i is None for i in indices):
        raise BadOperation(f"the reshape to {text_of(shape)} is not affine", hint)
    view = remap(array, shape, tuple(i for i in indices if i is not None))
    if isinstance(view, View) and not array_is_packed(array):
        return Lazy(view.shape, view.dtype, view.at)  # NumPy copies here
    return view


def _groups(old: list[Size], new: list[Size]) -> list[tuple[slice, slice]]:
    """Axes that become other axes on their own: the fewer together, the simpler.

    Axes of known sizes are a group as soon as they have as many elements as the new
    axes at the same place. An axis that is split then needs no division.
    """
    whole = [(slice(0, len(old)), slice(0, len(new)))]
    if not all(s.is_constant and s.constant > 0 for s in (*old, *new)):
        return whole
    found, first, second = [], 0, 0
    while first < len(old) or second < len(new):
        end, other = _group_ends(old[first:], new[second:])
        if (end, other) == (0, 0):
            return whole
        found.append((slice(first, first + end), slice(second, second + other)))
        first, second = first + end, second + other
    return found


def _group_ends(old: list[Size], new: list[Size]) -> tuple[int, int]:
    """How many of the first axes have equally many elements; (0, 0) if none have."""
    is_one = [bool(sizes) and sizes[0] == ONE for sizes in (old, new)]
    if any(is_one):
        return (int(is_one[0]), int(is_one[1]))
    if not old or not new:
        return (0, 0)
    end, other = 1, 1
    one, two = old[0].constant, new[0].constant
    while one != two:
        if one < two and end < len(old):
            one, end = one * old[end].constant, end + 1
        elif two < one and other < len(new):
            two, other = two * new[other].constant, other + 1
        else:
            return (0, 0)
    return (end, other)


def array_is_packed(array: Readable) -> bool:
    """Whether the elements lie in order, so that NumPy's reshape is a view."""
    return isinstance(array, View) and array.is_whole


def _product(sizes: Sequence[Size]) -> Size | None:
    """The number of elements; None if it is not affine."""
    result = as_size(1)
    for size in sizes:
        if size.is_constant:
            result = result * size.constant
        elif result.is_constant:
            result = size * result.constant
        else:
            return None
    return result


def _flatten_new(
    old: list[Size], new: list[Size], first: int
) -> tuple[tuple[list[Size], Size] | None, Size | None]:
    """New sizes with -1 filled in, and the flat position of a new index."""
    total = _product(old)
    if total is None:
        return None, None
    sizes = list(new)
    for k, size in enumerate(sizes):
        if size == as_size(-1):
            rest = _product([s for j, s in enumerate(sizes) if j != k])
            quotient = None if rest is None else _quotient(total, rest)
            if quotient is None:
                return None, None
            sizes[k] = quotient
    position = Size()
    for k, size in enumerate(sizes):
        if size.is_constant:
            position = position * size.constant + axis(first + k)
        elif position == Size():
            position = axis(first + k)
        else:
            return None, None
    return (sizes, position), total


def _quotient(total: Size, part: Size) -> Size | None:
    if total == part:
        return ONE
    if part.is_constant and part.constant:
        exact = floor_div(total, part.constant)
        return exact if exact * part.constant == total else None
    if not part.is_constant:
        for k in range(2, 65):
            if part * k == total:
                return as_size(k)
    return None


def _split(position: Size, old: list[Size], total: Size) -> list[Size]:
    """Indices of the old axes at a flat position."""
    result: list[Size] = []
    for k in range(len(old)):
        inner = _product(old[k + 1 :])
        assert inner is not None
        if not inner.is_constant:
            # a constant number of rows of symbolic length
            result.append(position if old[k] == ONE else _row(position, inner))
            continue
        part = floor_div(position, inner.constant, is_plain=True)
        if k and old[k].is_constant:
            part = modulo(part, old[k].constant, is_plain=True)
        result.append(part)
    return result


def _row(position: Size, length: Size) -> Size:
    raise BadOperation(
        f"the reshape divides {position} by {length}, which is not affine",
        "take slices, or write a loop over the new axes",
    )


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
    np.reshape: _reshape,
    np.ravel: _ravel,
}
METHODS: dict[str, Callable[[Call], Value]] = {
    "transpose": _transpose,
    "swapaxes": _swap_axes,
    "squeeze": _squeeze,
    "reshape": _reshape,
    "ravel": _ravel,
    "flatten": _flatten,
}
