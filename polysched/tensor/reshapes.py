"""``reshape``, ``ravel`` and ``flatten``: the elements in order under other axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from polysched.tensor.arithmetic import BadOperation
from polysched.tensor.broadcast import ONE, text_of
from polysched.tensor.calls import Call
from polysched.tensor.environment import Restart
from polysched.tensor.flat import count
from polysched.tensor.size import Size, as_size, floor_div, modulo
from polysched.tensor.subscripts import read_integer
from polysched.tensor.values import (
    Lazy,
    Readable,
    Value,
    View,
    axis,
    flat,
    remap,
    unfold,
)


def _reshape(call: Call) -> Value:
    given, target = call.with_one_tuple().bind("a", "shape", required=2)
    items = target if isinstance(target, tuple) else (target,)
    shape = [read_integer(v, "a size", call.emitter) for v in items]
    return _reshaped(call, call.array(given), shape)


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
    unfold = _unfolded(call, array, shape)
    if unfold is not None:
        return unfold
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
        found, total = _flatten_new(some_old, some_new, front + other.start)
        if found is None or total is None:
            _flatten_argument(call, array)
            raise BadOperation(
                f"the reshape of {text_of(old)} to {text_of(shape)} is not affine", hint
            )
        sizes, position = found
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


def _unfolded(call: Call, array: Readable, shape: list[Size]) -> Readable | None:
    """The elements in order where only products of sizes say where they are.

    None for what is no vector, and no argument that can be one in C, and where other
    ways are simpler.
    """
    is_flat = isinstance(array, View) and bool(array.storage.shape) and array.is_whole
    inner = [s for s in (*array.shape[1:], *shape[1:]) if not s.is_constant]
    if not inner or (len(array.shape) != 1 and not is_flat):
        return None
    if is_flat:
        assert isinstance(array, View)
        array = flat(array.storage)
    if shape == [as_size(-1)]:
        return array
    total, position = count(call.emitter, shape), unfold(shape)
    if total is None or position is None or as_size(-1) in shape:
        return None
    call.emitter.require(
        array.shape[0], "==", total,
        f"cannot reshape {text_of(array.shape)} to {text_of(shape)}",
    )  # fmt: skip
    view = remap(array, shape, (position,))
    if isinstance(view, View) and not array_is_packed(array):
        return Lazy(view.shape, view.dtype, view.at)  # NumPy copies here
    return view


def _flatten_argument(call: Call, array: Readable) -> None:
    """Read the function again with an argument that is a vector in C."""
    if not isinstance(array, View) or array.storage.kind != "argument":
        return
    storage, memory = array.storage, call.evaluator.reader.session.memory
    if array.is_whole and not storage.shape and len(storage.extents) > 1:
        memory.flattened.add(storage.name)
        raise Restart


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
    if not isinstance(array, View):
        return False
    vector = flat(array.storage)
    is_vector = (array.shape, array.subscripts) == (vector.shape, vector.subscripts)
    return is_vector or array.is_whole


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
        if size == ONE:  # its index is zero
            continue
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
    np.reshape: _reshape,
    np.ravel: _ravel,
}
METHODS: dict[str, Callable[[Call], Value]] = {
    "reshape": _reshape,
    "ravel": _ravel,
    "flatten": _flatten,
}
