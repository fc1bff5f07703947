"""Reads with arrays as subscripts: ``table[idx]``, ``A[:, idx]``, ``A[i, idx]``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from polysched.tensor.arithmetic import BadOperation
from polysched.tensor.chosen import read_chosen, require_inside
from polysched.tensor.emitter import Emitter
from polysched.tensor.expr import Expr
from polysched.tensor.size import Size
from polysched.tensor.values import Indices, Lazy, Readable, axes

_HINT = (
    "an index array is an argument of integers that is only read: pass it, or write a "
    "loop"
)


@dataclass(frozen=True, eq=False)
class Gather:
    """An array of integers as a subscript: a part of an index array."""

    index: Readable

    @property
    def shape(self) -> tuple[Size, ...]:
        """How many elements are chosen, per axis."""
        return self.index.shape

    def at(self, emitter: Emitter, indices: Indices) -> Size:
        """The subscript at an index of the array."""
        found = read_chosen(emitter, self.index.at(indices))
        if found is None or not found.chosen:
            raise BadOperation(
                "found an array as a subscript that is no index array", _HINT
            )
        return found


def gathered(
    emitter: Emitter, view: Readable, chosen: Sequence[tuple[int, Gather]]
) -> Lazy:
    """The elements that arrays choose from neighbouring axes, computed where used.

    Parameters
    ----------
    emitter : Emitter
        Takes what is demanded of the arrays.
    view : Readable
        What is read.
    chosen : sequence of (int, Gather)
        Axes of `view`, ascending, and what is chosen from each.
    """
    first, shape = chosen[0][0], chosen[0][1].shape
    for k, (position, part) in enumerate(chosen):
        if position != first + k or len(part.shape) != len(shape):
            raise BadOperation(
                "found arrays as subscripts that differ in dimensions or stand apart",
                "subscripts of one shape, side by side, are taken",
            )
        for one, two in zip(part.shape, shape, strict=True):
            emitter.require(one, "==", two, "subscripts are arrays of different shapes")
        extent = view.shape[position]
        index = part.at(emitter, axes(len(shape)))
        require_inside(
            emitter, index, extent,
            f"the index {part_text(index)} is out of bounds for an axis of {extent} "
            "elements",
        )  # fmt: skip
    end = first + len(shape)

    def element(indices: Indices) -> Expr:
        inner = indices[first:end]
        found = tuple(part.at(emitter, inner) for _, part in chosen)
        return view.at((*indices[:first], *found, *indices[end:]))

    rest = view.shape[first + len(chosen) :]
    return Lazy((*view.shape[:first], *shape, *rest), view.dtype, element)


def part_text(index: Size) -> str:
    """An index over the axes of an array, as somebody would write it."""
    return str(index).replace("$", "i")
