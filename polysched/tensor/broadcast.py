"""Shapes that meet: NumPy's broadcasting, and operations on elements."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from polysched.tensor.emitter import Emitter
from polysched.tensor.expr import Expr
from polysched.tensor.size import Size, as_size
from polysched.tensor.values import Indices, Lazy, Pending, Readable, View, axis, remap

Operand = Expr | View | Lazy
ONE = as_size(1)


def text_of(shape: Sequence[Size]) -> str:
    """A shape as NumPy prints it."""
    inner = ", ".join(str(s) for s in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


def common_shape(
    emitter: Emitter, shapes: Sequence[tuple[Size, ...]]
) -> tuple[Size, ...]:
    """The shape to which all broadcast; sizes that must agree are demanded to."""
    rank = max((len(s) for s in shapes), default=0)
    result = []
    for k in range(rank):
        sizes = [s[k - rank + len(s)] for s in shapes if k - rank + len(s) >= 0]
        wide = [s for s in sizes if s != ONE]
        first = min(wide, key=_complexity, default=ONE)
        for other in wide:
            _require_equal(emitter, first, other, shapes)
        result.append(first)
    return tuple(result)


def _complexity(size: Size) -> int:
    """Numbers come first, then sizes as they were given, then ends of cut slices."""
    return 0 if size.is_constant else 1 + size.has_extreme


def _require_equal(
    emitter: Emitter, one: Size, two: Size, shapes: Sequence[tuple[Size, ...]]
) -> None:
    if one != two:
        texts = " and ".join(text_of(s) for s in shapes)
        emitter.require(
            one, "==", two, f"the shapes {texts} do not fit together",
            "NumPy broadcasts axes of one element only",
        )  # fmt: skip


def broadcast(view: Readable, shape: Sequence[Size]) -> Readable:
    """The view repeated along axes of one element and new leading axes."""
    if view.shape == tuple(shape):
        return view
    gap = len(shape) - len(view.shape)
    indices = tuple(
        as_size(0) if size == ONE and shape[k + gap] != ONE else axis(k + gap)
        for k, size in enumerate(view.shape)
    )
    return remap(view, shape, indices)


def operand(emitter: Emitter, value: Expr | View | Lazy | Pending) -> Operand:
    """A value whose elements can be read; one without axes becomes a number."""
    if isinstance(value, Expr):
        return value
    settled = emitter.settle(value)
    return settled if settled.shape else settled.at(())


def elementwise(
    emitter: Emitter,
    function: Callable[..., Expr],
    *values: Expr | View | Lazy | Pending,
) -> Expr | Lazy:
    """A function of numbers on numbers or, element by element, on arrays."""
    operands = [operand(emitter, v) for v in values]
    shapes = [o.shape for o in operands if not isinstance(o, Expr)]
    if not shapes:
        return function(*operands)
    shape = common_shape(emitter, shapes)
    parts = [o if isinstance(o, Expr) else broadcast(o, shape) for o in operands]

    def element(indices: Indices) -> Expr:
        return function(*(p if isinstance(p, Expr) else p.at(indices) for p in parts))

    result = Lazy(shape, "", element)
    return Lazy(shape, emitter.probe(result).dtype, element)
