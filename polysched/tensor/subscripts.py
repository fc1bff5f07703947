"""Subscripts and slices as affine maps, with Python's rules for negative ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from polysched.tensor.arithmetic import BadOperation
from polysched.tensor.chosen import (
    has_short,
    is_by_data,
    is_plain_element,
    read_chosen,
    require_inside,
)
from polysched.tensor.dtypes import is_integer
from polysched.tensor.emitter import Emitter
from polysched.tensor.expr import Const, Expr, as_index
from polysched.tensor.flat import is_curved, require_inside_flat
from polysched.tensor.gathers import Gather, gathered
from polysched.tensor.size import Size, as_size, extreme, floor_div, wrapped
from polysched.tensor.values import (
    Lazy,
    Object,
    Pending,
    Readable,
    Value,
    View,
    axis,
    is_array,
    remap,
)


@dataclass(frozen=True)
class Slice:
    """``start:stop:step``; None where nothing is written."""

    start: Size | None
    stop: Size | None
    step: int = 1


Item = Size | Slice | Gather | None


def read_items(
    emitter: Emitter, items: Sequence[Value | Slice], is_read: bool = False
) -> list[Item | str]:
    """Evaluated subscripts as integers, slices, new axes (None) and "...".

    Where elements are read, arrays of integers are among them.
    """
    result: list[Item | str] = []
    for item in items:
        if isinstance(item, Slice):
            result.append(item)
        elif isinstance(item, Object) and item.value is None:
            result.append(None)
        elif isinstance(item, Object) and item.value is Ellipsis:
            result.append("...")
        elif is_read and is_array(item) and is_integer(getattr(item, "dtype", "")):
            assert isinstance(item, (View, Lazy, Pending))
            result.append(Gather(emitter.settle(item)))
        else:
            result.append(read_integer(item, "a subscript", emitter))
    return result


def read_integer(value: object, what: str, emitter: Emitter | None = None) -> Size:
    """A value that has to be a quasi-affine integer.

    With an emitter it may be one that elements of index arrays are part of.
    """
    if is_array(value):
        is_mask = getattr(value, "dtype", "") == "bool"
        raise BadOperation(
            f"found {'a mask' if is_mask else 'an array'} as {what}",
            "a mask chooses what is assigned: x[m] = y[m] + 1; to read, use "
            "np.where(mask, value, other)" if is_mask else "np.add.at(h, idx, v) "
            "counts an element each time that it comes, h[idx] += v once",
        )  # fmt: skip
    if isinstance(value, tuple):
        raise BadOperation(f"found a list or tuple as {what}", "use slices")
    if not isinstance(value, Expr):
        raise BadOperation(f"{what} has to be an integer")
    if value.dtype.startswith("float"):
        raise BadOperation(f"{what} has to be an integer, found {value.dtype}")
    size = as_index(value) if emitter is None else read_chosen(emitter, value)
    if size is None:
        raise NotAffineValue(what)
    return size


def read_end(emitter: Emitter, value: object) -> Size:
    """The end of a slice: quasi-affine, or with products of sizes and iterators."""
    found = read_integer(value, "the end of a slice", emitter)
    if found.chosen:
        raise NotAffineValue("the end of a slice")
    return found


def read_bound(emitter: Emitter, value: object) -> Size:
    """The bound of a loop: quasi-affine, or made of elements of index arrays."""
    size = read_integer(value, "the bound of a loop", emitter)
    if has_short(emitter, size) and not is_plain_element(size):
        raise BadOperation(
            "found a bound of a loop that int32 may be too short for",
            "use an array of int64, or its elements as they are",
        )
    return size


class NotAffineValue(BadOperation):
    """An integer that depends on data or is no affine function."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} is not affine: it has to be a sum of multiples of loop "
            "variables, sizes and constants",
            "products of variables, and numbers that data make, cannot address an "
            "array or bound a loop; elements of integer arrays can that are arguments "
            "and only read",
        )


def subscript(
    emitter: Emitter, view: Readable, items: Sequence[Item | str]
) -> Readable:
    """A view's part; an element is a view without axes."""
    taken = sum(1 for i in items if i is not None and i != "...")
    rank = len(view.shape)
    if taken > rank:
        raise BadOperation(
            f"found {taken} subscripts for an array of {rank} dimension"
            f"{'s' if rank != 1 else ''}"
        )
    if list(items).count("...") > 1:
        raise BadOperation("found '...' twice in one subscript")
    fill: list[Item | str] = [Slice(None, None)] * (rank - taken)
    position = list(items).index("...") if "..." in items else len(items)
    full = [*items[:position], *fill, *items[position + 1 :]]
    shape: list[Size] = []
    indices: list[Size] = []
    _check_neighbours(full)
    chosen: list[tuple[int, Gather]] = []
    for item in full:
        if item is None:
            shape.append(as_size(1))
            continue
        assert not isinstance(item, str)
        extent = view.shape[len(indices)]
        if isinstance(item, Gather):
            chosen.append((len(shape), item))
            item = Slice(None, None)
        if isinstance(item, Slice):
            start, count = _slice(emitter, item, extent)
            indices.append(start + axis(len(shape)) * item.step)
            shape.append(count)
        else:
            indices.append(element_index(emitter, item, extent))
    found = remap(view, shape, tuple(indices))
    return gathered(emitter, found, chosen) if chosen else found


def _check_neighbours(items: Sequence[Item | str]) -> None:
    """Arrays and integers side by side, where there is an array: NumPy moves others."""
    if not any(isinstance(i, Gather) for i in items):
        return
    at = [k for k, i in enumerate(items) if isinstance(i, (Gather, Size))]
    if at[-1] - at[0] >= len(at):
        raise BadOperation(
            "found a slice or new axis between subscripts that are arrays and integers",
            "NumPy would move their axes to the front: write a loop, or transpose",
        )


def element_index(emitter: Emitter, index: Size, extent: Size) -> Size:
    """The position that a subscript means: negative ones count from the end."""
    facts = emitter.facts
    message = f"the index {index} is out of bounds for an axis of {extent} elements"
    if is_by_data(emitter, index):
        require_inside(emitter, index, extent, message)
        return index
    if is_curved(emitter, index):
        if not require_inside_flat(emitter, index, extent, message):
            raise NotAffineValue("a subscript")
        return index
    emitter.require(index, "<", extent, message)
    sign = facts.ask(index, ">=", 0)
    if sign == "always":
        return index
    emitter.require(index, ">=", -extent, message)
    return index + extent if sign == "never" else wrapped(index, extent)


def _slice(emitter: Emitter, item: Slice, extent: Size) -> tuple[Size, Size]:
    """First position and number of elements."""
    given = [s for s in (item.start, item.stop, extent) if s is not None]
    if all(s.is_constant for s in given):
        start = None if item.start is None else item.start.constant
        stop = None if item.stop is None else item.stop.constant
        found = range(*slice(start, stop, item.step).indices(extent.constant))
        return as_size(found.start), as_size(len(found))
    ends = [s for s in (item.start, item.stop) if s is not None]
    if any(is_curved(emitter, e) for e in ends):
        return _flat_slice(emitter, item, extent)
    if item.step > 0:
        first = _end(emitter, item.start, extent, as_size(0))
        last = _end(emitter, item.stop, extent, extent)
        _require_start(emitter, item.start, first)
        last = _at_most(emitter, last, extent, last - first)
        return first, _count(emitter, last - first, item.step)
    first = _end(emitter, item.start, extent, extent - 1)
    last = _end(emitter, item.stop, extent, as_size(-1))
    first = _at_most(emitter, first, extent - 1, first - last)
    if item.stop is not None:
        _require_start(emitter, item.stop, last)
    return first, _count(emitter, first - last, -item.step)


def _flat_slice(emitter: Emitter, item: Slice, extent: Size) -> tuple[Size, Size]:
    """A slice between products of iterators and sizes, which has to fit: a row."""
    first = as_size(0) if item.start is None else item.start
    last = extent if item.stop is None else item.stop
    message = f"the slice {first}:{last} leaves an axis of {extent} elements"
    is_known = item.step == 1 and require_inside_flat(
        emitter, first, extent + 1, message
    )
    if not is_known or not require_inside_flat(emitter, last, extent + 1, message):
        raise NotAffineValue("the end of a slice")
    return first, last - first


def _require_start(emitter: Emitter, written: Size | None, first: Size) -> None:
    if written is not None:
        emitter.require(
            first, ">=", 0, f"the slice begins at {written}, before the first element",
            "NumPy would move it to the end of the array: write max()",
        )  # fmt: skip


def _at_most(emitter: Emitter, end: Size, limit: Size, span: Size) -> Size:
    """The end of a slice, cut off as NumPy does where it may lie behind its axis.

    A window of as many elements as sizes of arrays say keeps its shape instead, and
    its end is checked at the call: it is meant to fit.
    """
    found = emitter.facts.condition_for(end, "<=", limit)
    if found is True:
        return end
    if found is False or not emitter.facts.sizes.issuperset(span.symbols()):
        return extreme("min", (end, limit))
    emitter.require(
        end, "<=", limit, f"the slice of {span} elements ends behind the last of its "
        "axis", "NumPy would cut it off: write min()",
    )  # fmt: skip
    return end


def _end(emitter: Emitter, end: Size | None, extent: Size, default: Size) -> Size:
    if end is None:
        return default
    sign = emitter.facts.ask(end, ">=", 0)
    if sign == "never":
        return end + extent
    if sign == "sometimes" and end.constant <= 0 and all(f < 0 for _, f in end.terms):
        emitter.require(
            end, "<", 0, f"the end {end} of a slice is not negative for some sizes or "
            "iterations and would count from the beginning",
            "write bounds that keep it negative",
        )  # fmt: skip
        return end + extent
    if sign == "sometimes":
        emitter.require(
            end, ">=", 0, f"the end {end} of a slice is negative for some sizes or "
            "iterations and would count from the end",
            "write bounds that keep it positive",
        )  # fmt: skip
    return end


def _count(emitter: Emitter, span: Size, step: int) -> Size:
    if set(span.symbols()) <= {*emitter.facts.parameters} and (
        emitter.facts.ask(span, ">", 0) == "never"
    ):
        return as_size(0)
    if step == 1:
        return span
    is_plain = emitter.facts.is_certain(span + (step - 1), ">=", 0)
    return floor_div(span + (step - 1), step, is_plain)


def read_step(value: Value | None) -> int:
    """The step of a slice or range: a constant that is not zero."""
    if value is None or (isinstance(value, Object) and value.value is None):
        return 1
    if isinstance(value, Const) and isinstance(value.value, int) and value.value:
        return int(value.value)
    if isinstance(value, Const):
        raise BadOperation(
            "found a step of zero"
            if not value.value
            else "found a step that is no integer"
        )
    raise BadOperation("the step has to be a constant", "use a number such as 2 or -1")
