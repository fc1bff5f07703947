"""Axes: slices, transpositions, other shapes, and arrays put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from polysched.torch.graph import Ref, Tensor
from polysched.torch.writer import (
    ATOM,
    COMPARE,
    Value,
    Writer,
    constant,
    elementwise,
    join,
    numpy_name,
    view,
)

Handler = Callable[[Writer], "Value | tuple[Value | None, ...]"]


def subscripted(text: str, parts: Sequence[str]) -> str:
    """An array with subscripts; whole axes at the end are left out."""
    kept = list(parts)
    while kept and kept[-1] == ":":
        kept.pop()
    return f"{text}[{', '.join(kept)}]" if kept else text


def slice_text(start: int, stop: int, step: int, size: int) -> str:
    """A slice with the bounds that say something; ":" for a whole axis."""
    first = "" if start == 0 else str(start)
    last = "" if stop >= size else str(stop)
    return f"{first}:{last}" if step == 1 else f"{first}:{last}:{step}"


def new_array(w: Writer, name: str, tensor: Tensor, fill: float | None = None) -> None:
    """A line that makes an array, filled with a number or not."""
    dtype = f"np.{numpy_name(tensor.dtype)}"
    shape = f"({join(tensor.shape)})"
    if fill is None:
        w.line(f"{name} = np.empty({shape}, {dtype})")
    elif fill == 0:
        w.line(f"{name} = np.zeros({shape}, {dtype})")
    else:
        w.line(f"{name} = np.full({shape}, {constant(fill)}, {dtype})")


def _transposed(w: Writer) -> Value:
    value = w.array(w.argument("self"))
    rank = len(value.tensor.shape)
    order = tuple(k % rank for k in w.integers("dims"))
    if order == tuple(range(rank)):
        return value
    if order == (1, 0):
        return view(f"{value.text}.T", w.node.tensor)
    return view(f"np.transpose({value.text}, ({join(order)}))", w.node.tensor)


def _ranges(w: Writer, axis: int, size: int) -> str:
    start, end, step = (w.argument(n, d) for n, d in (("start", 0), ("end", None),
                                                      ("step", 1)))  # fmt: skip
    bounds = slice(start, end, step).indices(size)
    return slice_text(*bounds, size)


def _slice(w: Writer) -> Value:
    value = w.array(w.argument("self"))
    axis = w.axis("dim", len(value.tensor.shape))
    text = _ranges(w, axis, value.tensor.shape[axis])
    if text == ":":
        return value
    return view(subscripted(value.text, [":"] * axis + [text]), w.node.tensor)


def _select(w: Writer) -> Value:
    value = w.array(w.argument("self"))
    axis = w.axis("dim", len(value.tensor.shape))
    index = w.integer("index") % value.tensor.shape[axis]
    parts = [":"] * axis + [str(index)]
    return view(subscripted(value.text, parts), w.node.tensor)


def _split(w: Writer) -> tuple[Value, ...]:
    value = w.array(w.argument("self"))
    axis = w.axis("dim", len(value.tensor.shape))
    size, start, found = value.tensor.shape[axis], 0, []
    for length, tensor in zip(w.integers("split_sizes"), w.node.results, strict=True):
        text = slice_text(start, start + length, 1, size)
        found.append(view(subscripted(value.text, [":"] * axis + [text]), tensor))
        start += length
    return tuple(found)


def _written(w: Writer, parts: Callable[[int, int], list[str]]) -> Value:
    """A copy of an array with some elements written: functional assignment."""
    value, name = w.array(w.argument("self")), w.node.name
    axis = w.axis("dim", len(value.tensor.shape))
    w.line(f"{name} = {value.text}.copy()")
    source = w.operand(w.argument("src"), COMPARE, value.tensor.dtype)
    place = f"{name}[{', '.join(parts(axis, value.tensor.shape[axis]))}]"
    w.line(f"{place} = {source}")
    return Value(name, value.tensor)


def _slice_scatter(w: Writer) -> Value:
    return _written(w, lambda axis, size: [":"] * axis + [_ranges(w, axis, size)])


def _select_scatter(w: Writer) -> Value:
    index = w.integer("index")
    return _written(w, lambda axis, size: [":"] * axis + [str(index % size)])


def _unsqueezed(w: Writer) -> Value:
    value = w.array(w.argument("self"))
    axis = w.axis("dim", len(value.tensor.shape) + 1)
    if not value.tensor.shape:
        return _broadcast(w, value, w.node.tensor)
    parts = [":"] * axis + ["None"]
    return view(f"{value.text}[{', '.join(parts)}]", w.node.tensor)


def _squeezed(w: Writer) -> Value:
    value = w.array(w.argument("self"))
    shape = value.tensor.shape
    axes = w.axes("dim", len(shape))
    gone = [k for k in axes if shape[k] == 1]
    if not gone:
        return value
    parts = ["0" if k in gone else ":" for k in range(len(shape))]
    return view(subscripted(value.text, parts), w.node.tensor)


def _expanded(w: Writer) -> Value:
    value = w.array(w.argument("self"))
    if value.tensor.shape == w.node.tensor.shape:
        return value
    return _broadcast(w, value, w.node.tensor)


def _broadcast(w: Writer, value: Value, tensor: Tensor) -> Value:
    """An array repeated along axes; as it costs nothing, it may be read often."""
    shape = f"({join(tensor.shape)})"
    if not value.tensor.shape:
        name = w.node.name
        new_array(w, name, tensor)
        w.line(f"{name}[:] = {value.text}")
        return Value(name, tensor)
    return elementwise(f"np.broadcast_to({value.text}, {shape})", tensor)


def _copied(w: Writer) -> Value:
    """``copy``: the source with the target's shape and type."""
    source = w.array(w.argument("src"))
    result = w.node.tensor
    if source.tensor == result:
        return source
    return _broadcast(w, source, result)


def reshape(w: Writer, value: Value, name: str, tensor: Tensor) -> Value:
    """The elements of an array in order, under another shape.

    An axis that is split needs no copy. Axes that become one are copied, through a
    finer shape of which both are made, so that every subscript stays affine.
    """
    old, new = value.tensor.shape, tensor.shape
    if old == new:
        return value
    if not old or not new:
        return _of_one(w, value, name, tensor)
    finest = refine(old, new)
    if finest == new:
        return view(f"np.reshape({value.text}, ({join(new)}))", tensor)
    if finest is None:
        return view(f"np.reshape({value.text}, ({join(new)}))", tensor)
    given = value.text
    if finest != old:
        given = f"np.reshape({value.text}, ({join(finest)}))"
    new_array(w, name, tensor)
    w.line(f"np.reshape({name}, ({join(finest)}))[:] = {given}")
    return Value(name, tensor)


def _of_one(w: Writer, value: Value, name: str, tensor: Tensor) -> Value:
    """A number as an array of one element, or the other way round."""
    if value.tensor.shape:
        zeros = ", ".join("0" for _ in value.tensor.shape)
        return view(f"{value.text}[{zeros}]", tensor)
    new_array(w, name, tensor)
    w.line(f"{name}[:] = {value.text}")
    return Value(name, tensor)


def refine(one: Sequence[int], two: Sequence[int]) -> tuple[int, ...] | None:
    """The coarsest shape of which two shapes with equal products are made.

    Examples
    --------
    >>> refine((2, 16), (8, 4)), refine((6, 4), (24,)), refine((6, 4), (4, 6))
    ((2, 4, 4), (6, 4), None)
    """
    ends = sorted({e for shape in (one, two) for e in _ends(shape)})
    if ends[0] == 0:
        return None
    found: list[int] = []
    last = 1
    for end in ends:
        if end % last:
            return None
        found.insert(0, end // last)
        last = end
    sizes = [f for f in found if f != 1]
    return _with_ones(tuple(sizes), one, two)


def _ends(shape: Sequence[int]) -> list[int]:
    """Products of the last axes, one for each number of them."""
    found, last = [1], 1
    for size in reversed(shape):
        last *= size
        found.append(last)
    return found


def _with_ones(
    sizes: tuple[int, ...], one: Sequence[int], two: Sequence[int]
) -> tuple[int, ...]:
    """The shape itself where it is one of the two but for axes of one element."""
    for shape in (two, one):
        if tuple(s for s in shape if s != 1) == sizes:
            return tuple(shape)
    return sizes


def _viewed(w: Writer) -> Value:
    return reshape(w, w.array(w.argument("self")), w.node.name, w.node.tensor)


def _concatenated(w: Writer) -> Value:
    tensors = w.argument("tensors")
    assert isinstance(tensors, tuple)
    result, name = w.node.tensor, w.node.name
    axis, start = w.axis("dim", len(result.shape)), 0
    new_array(w, name, result)
    for part in tensors:
        tensor = w.tensor(part)
        if tensor is None or tensor.shape == (0,):
            continue
        stop = start + tensor.shape[axis]
        text = slice_text(start, stop, 1, result.shape[axis])
        place = ", ".join([":"] * axis + [text])
        source = w.operand(part, COMPARE, result.dtype, tensor.shape)
        w.line(f"{name}[{place}] = {source}")
        start = stop
    return Value(name, result)


def _repeated(w: Writer) -> Value:
    """Copies side by side: every axis of the result is split in two, then written."""
    value, result, name = w.array(w.argument("self")), w.node.tensor, w.node.name
    repeats = w.integers("repeats")
    missing = len(repeats) - len(value.tensor.shape)
    shape = (1,) * missing + value.tensor.shape
    split = [n for pair in zip(repeats, shape, strict=True) for n in pair]
    parts = ["None"] * (2 * missing) + [p for _ in value.tensor.shape
                                        for p in ("None", ":")]  # fmt: skip
    new_array(w, name, result)
    place = f"np.reshape({name}, ({join(split)}))[:]"
    w.line(f"{place} = {value.text}[{', '.join(parts)}]")
    return Value(name, result)


def _upsampled(w: Writer) -> Value:
    """Nearest neighbours, for factors that are whole numbers."""
    value, result, name = w.array(w.argument("input")), w.node.tensor, w.node.name
    old = value.tensor.shape
    factors = [new // size for new, size in zip(result.shape, old, strict=True)]
    if any(f * s != n for f, s, n in zip(factors, old, result.shape, strict=True)):
        w.refuse(f"found the sizes {old} and {result.shape}", "whole factors are taken")
    split = [*old[:2], *(n for k in range(2, len(old)) for n in (old[k], factors[k]))]
    parts = [":", ":", *(p for _ in old[2:] for p in (":", "None"))]
    new_array(w, name, result)
    place = f"np.reshape({name}, ({join(split)}))[:]"
    w.line(f"{place} = {value.text}[{', '.join(parts)}]")
    return Value(name, result)


def _flipped(w: Writer) -> Value:
    value = w.array(w.argument("self"))
    rank = len(value.tensor.shape)
    axes = w.axes("dims", rank)
    parts = ["::-1" if k in axes else ":" for k in range(rank)]
    return view(subscripted(value.text, parts), w.node.tensor)


def _rolled(w: Writer) -> Value:
    value = w.array(w.argument("self"))
    shifts, axes = w.integers("shifts"), w.integers("dims")
    if len(shifts) != 1 or len(axes) != 1:
        w.refuse("found a roll over several axes", "one axis at a time is taken")
    rank = len(value.tensor.shape)
    axis = axes[0] % rank
    shift = shifts[0] % value.tensor.shape[axis]
    text = f"np.roll({value.text}, {shift}, axis={axis})"
    return elementwise(text, w.node.tensor, ATOM)


def _item(w: Writer) -> Value:
    """One of several results."""
    of, index = w.argument("of"), w.integer("index")
    assert isinstance(of, Ref)
    found = w.values[of.name]
    assert isinstance(found, tuple)
    value = found[index]
    if value is None:
        w.refuse(
            f"found result {index} of {of.name!r}",
            "only the values are taken, no positions or saved statistics",
        )
    return value


HANDLERS: dict[str, Handler] = {
    "getitem": _item,
    "permute.default": _transposed,
    "slice.Tensor": _slice,
    "select.int": _select,
    "split_with_sizes.default": _split,
    "slice_scatter.default": _slice_scatter,
    "select_scatter.default": _select_scatter,
    "unsqueeze.default": _unsqueezed,
    "squeeze.default": _squeezed,
    "squeeze.dim": _squeezed,
    "squeeze.dims": _squeezed,
    "expand.default": _expanded,
    "copy.default": _copied,
    "view.default": _viewed,
    "_unsafe_view.default": _viewed,
    "cat.default": _concatenated,
    "repeat.default": _repeated,
    "upsample_nearest1d.vec": _upsampled,
    "upsample_nearest2d.vec": _upsampled,
    "flip.default": _flipped,
    "roll.default": _rolled,
}
