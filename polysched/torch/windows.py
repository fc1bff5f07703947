"""Windows that slide over images: convolution, pooling, padding.

A window's offsets become loops, what lies under one offset is a slice. So every line
computes all positions of one offset, and every subscript is affine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from polysched.torch.axes import new_array, slice_text
from polysched.torch.graph import Tensor
from polysched.torch.writer import (
    MUL,
    Value,
    Writer,
    elementwise,
    join,
)

Handler = Callable[[Writer], "Value | tuple[Value | None, ...]"]

_OFFSETS = "rst"  # names of the loops over a window
_INNER = 2  # images and channels come before the axes that windows slide over


class _Window:
    """Sizes of a window that slides over the last axes of an input."""

    def __init__(self, w: Writer, sizes: Sequence[int], result: Tensor) -> None:
        n = len(sizes)
        self.writer = w
        self.sizes = tuple(sizes)
        self.outer = result.shape[-n:]
        self.stride = w.integers("stride", (), n) or self.sizes
        self.padding = w.integers("padding", (0,), n)
        self.dilation = w.integers("dilation", (1,), n)

    @property
    def loops(self) -> list[tuple[str, int]]:
        """Variable and size of the loops over offsets; a size of 1 needs none."""
        return [(_OFFSETS[k], n) for k, n in enumerate(self.sizes) if n > 1]

    @property
    def offset(self) -> str:
        """Subscripts of an element of the window."""
        return ", ".join(
            _OFFSETS[k] if n > 1 else "0" for k, n in enumerate(self.sizes)
        )

    @property
    def under(self) -> str:
        """Slices of the input that lie under one offset, one for each axis."""
        return ", ".join(self._slice(k) for k in range(len(self.sizes)))

    def _slice(self, k: int) -> str:
        step, reach = self.stride[k], self.stride[k] * (self.outer[k] - 1) + 1
        tail = f":{step}" if step > 1 else ""
        if self.sizes[k] == 1:
            return f":{reach}{tail}"
        apart = self.dilation[k]
        start = _OFFSETS[k] if apart == 1 else f"{apart} * {_OFFSETS[k]}"
        return f"{start}:{start} + {reach}{tail}"

    def padded(self, value: Value, fill: float) -> Value:
        """The input with a border."""
        if not any(self.padding):
            return value
        rank = len(value.tensor.shape)
        n_before = rank - len(self.padding)
        borders = [(0, 0)] * n_before + [(p, p) for p in self.padding]
        return pad(self.writer, value, self.writer.new_name("padded"), borders, fill)


def pad(
    w: Writer,
    value: Value,
    name: str,
    borders: Sequence[tuple[int, int]],
    fill: float,
) -> Value:
    """An array with a border of some width before and after along each axis."""
    shape = tuple(
        n + a + b for n, (a, b) in zip(value.tensor.shape, borders, strict=True)
    )
    tensor = Tensor(value.tensor.dtype, shape)
    new_array(w, name, tensor, fill)
    inner = [
        slice_text(a, a + n, 1, size)
        for n, (a, _), size in zip(value.tensor.shape, borders, shape, strict=True)
    ]
    w.line(f"{name}[{', '.join(inner)}] = {value.text}")
    return Value(name, tensor)


def _loops(w: Writer, loops: Sequence[tuple[str, int]], depth: int = 0) -> int:
    """Heads of nested loops; how deep their body is."""
    for variable, size in loops:
        w.line(f"for {variable} in range({size}):", depth)
        depth += 1
    return depth


def _convolution(w: Writer) -> Value:
    w.expect("transposed", False)
    result, name = w.node.tensor, w.node.name
    weight = w.array(w.argument("weight"))
    n_out, n_in, *sizes = weight.tensor.shape
    if len(sizes) > len(_OFFSETS) or len(result.shape) != len(sizes) + _INNER:
        w.refuse(f"found a result of shape {result.shape}", "batches of one to three "
                 "axes beside the channels are taken")  # fmt: skip
    window = _Window(w, sizes, result)
    given = window.padded(w.array(w.argument("input")), 0)
    groups = w.integer("groups", 1)
    new_array(w, name, result, None if w.has("bias") else 0)
    if w.has("bias"):
        ones = ", ".join(["None"] * len(sizes))
        bias = w.array(w.argument("bias")).text
        w.line(f"{name}[:] = {bias}[:, {ones}]")
    outer = [("n", result.shape[0])]
    outer += [("g", groups)] if groups > 1 else []
    outer += [("o", n_out // groups)]
    outer += [("c", n_in)] if n_in > 1 else []
    depth = _loops(w, [*outer, *window.loops])
    o = f"{n_out // groups} * g + o" if groups > 1 else "o"
    o = "g" if n_out == groups and groups > 1 else o
    in_group = "c" if n_in > 1 else "0"
    c = f"{n_in} * g + {in_group}" if groups > 1 and n_in > 1 else in_group
    c = "g" if groups > 1 and n_in == 1 else c
    factor = f"{weight.text}[{o}, {in_group}, {window.offset}]"
    w.line(f"{name}[n, {o}] += {factor} * {given.text}[n, {c}, {window.under}]", depth)
    return Value(name, result)


def _max_pool(w: Writer) -> tuple[Value | None, ...]:
    w.expect("ceil_mode", False)
    n = 2
    result, name = w.node.tensor, w.new_name("values")
    window = _Window(w, w.integers("kernel_size", (), n), result)
    given = window.padded(w.array(w.argument("self")), float("-inf"))
    new_array(w, name, result, float("-inf"))
    depth = _loops(w, window.loops)
    under = f"{given.text}[..., {window.under}]"
    w.line(f"{name}[:] = np.maximum({name}, {under})", depth)
    return (Value(name, result), None)


def _average_pool(w: Writer) -> Value:
    w.expect("ceil_mode", False)
    n = 2 if w.node.operator.startswith("aten.avg_pool2d") else 1
    result, name = w.node.tensor, w.new_name("sum")
    window = _Window(w, w.integers("kernel_size", (), n), result)
    if any(window.padding):
        w.expect("count_include_pad", True)
    given = window.padded(w.array(w.argument("self")), 0)
    new_array(w, name, result, 0)
    depth = _loops(w, window.loops)
    w.line(f"{name}[:] += {given.text}[..., {window.under}]", depth)
    count = 1
    for size in window.sizes:
        count *= size
    divisor = (
        w.integer("divisor_override", count) if w.has("divisor_override") else count
    )
    return elementwise(f"{name} / {divisor}", result, MUL)


def _adaptive_average_pool(w: Writer) -> Value:
    """Windows that do not overlap: axes are split in two, the inner ones averaged."""
    value, result = w.array(w.argument("self")), w.node.tensor
    n = len(w.integers("output_size"))
    old, new = value.tensor.shape[-n:], result.shape[-n:]
    if any(a % b for a, b in zip(old, new, strict=True)):
        w.refuse(f"found the sizes {old} and {new}", "sizes that divide are taken")
    head = value.tensor.shape[:-n]
    split = [*head, *(m for a, b in zip(old, new, strict=True) for m in (b, a // b))]
    axes = [len(head) + 2 * k + 1 for k in range(n)]
    name = w.node.name
    text = f"np.reshape({value.text}, ({join(split)}))"
    w.line(f"{name} = np.mean({text}, axis=({join(axes)}))")
    return Value(name, result)


def _constant_pad(w: Writer) -> Value:
    value = w.array(w.argument("self"))
    widths = w.integers("pad")
    if any(width < 0 for width in widths):
        w.refuse(f"found pad={widths}", "widths that are not negative are taken")
    pairs = [(widths[k], widths[k + 1]) for k in range(0, len(widths), 2)]
    rank = len(value.tensor.shape)
    borders = [(0, 0)] * (rank - len(pairs)) + pairs[::-1]
    return pad(w, value, w.node.name, borders, w.number("value", 0))


HANDLERS: dict[str, Handler] = {
    "convolution.default": _convolution,
    "max_pool2d_with_indices.default": _max_pool,
    "avg_pool1d.default": _average_pool,
    "avg_pool2d.default": _average_pool,
    "_adaptive_avg_pool2d.default": _adaptive_average_pool,
    "constant_pad_nd.default": _constant_pad,
}
