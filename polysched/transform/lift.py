"""Rows of equal parts of a loop: the layout in which neighbours are whole vectors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences, loop_is_parallel
from polysched.ir import MARK_LIFT, NodePath, ScheduleTree
from polysched.sets import node_kind
from polysched.transform.bands import (
    has_isolation,
    insert_mark,
    member_schedules,
    replace_band,
)
from polysched.transform.draft import has_band_below
from polysched.transform.step import Step


@dataclass(frozen=True)
class Lift(Step):
    """Cut the innermost loops below a band in parts of one size that run side by side.

    A loop over ``i`` becomes one over its place ``i mod size`` in a part around one
    over the parts, which are the lanes of vectors::

        for t:                            lift:250
          for i: B[i] = f(A[i - 1],         for t:
                 A[i], A[i + 1])    ==>       for r = i mod 250:
                                                for p = floor(i / 250): ...

    A mark ``lift:250`` above the band says that below it arrays of one dimension lie
    in an order of their own, element ``e`` at ``[e mod 250][floor(e / 250)]``, copied
    in front of the band and back behind it. Neighbours of the elements in a row are the
    elements in the rows beside it: what a stencil reads are whole vectors, each of
    which begins at a multiple of its length (dimension-lifted transposition, [1]_).
    Only where parts meet does a row read from another lane; `Split` cuts those off.

    Attributes
    ----------
    band : tuple of int
        Path of the band; every band below it that is innermost has one member.
    size : int
        Iterations of a part, and elements.

    References
    ----------
    .. [1] Henretty, Stock, Pouchet, Franchetti, Ramanujam, Sadayappan, "Data Layout
       Transformation for Stencil Computations on Short-Vector SIMD Architectures",
       CC 2011.
    """

    size: int

    name: ClassVar[str] = "lift"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        if self.size < 2:
            return f"found parts of {self.size}, expected 2 or more iterations"
        if has_isolation(node):
            return "the band or one below it isolates full tiles, which must come last"
        if not has_band_below(node):
            return "found no loops below the band"
        if any(node_kind(n) == "mark" for _, n in _descend(node)):
            return "found a mark below the band, expected plain loops"
        if any(n.band_n_member() != 1 for _, n in _innermost(node)):
            return "an innermost band has several members"
        return None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        node = tree.node(self.band)
        return all(loop_is_parallel(n, 0, deps.validity) for _, n in _innermost(node))

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        paths = [path for path, _ in _innermost(node)]
        for path in paths:
            inner = node
            for position in path:
                inner = inner.child(position)
            node = self._lift(inner).ancestor(len(path))
        return insert_mark(node, f"{MARK_LIFT}:{self.size}")

    def _lift(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        """The band ``[x mod size, floor(x / size)]`` in place of ``[x]``."""
        (member,) = member_schedules(node)
        flag = bool(node.band_member_get_coincident(0))
        size = isl.Val(self.size)
        part = member.scale_down_val(size).floor()
        row = member.sub(part.scale_val(size))
        return replace_band(node, [row, part], [flag, flag], permutable=flag)


def _descend(node: isl.ScheduleNode) -> Iterator[tuple[NodePath, isl.ScheduleNode]]:
    """All nodes below a node, and their paths from there."""
    for k in range(node.n_children()):
        child = node.child(k)
        yield (k,), child
        yield from (((k, *path), below) for path, below in _descend(child))


def _innermost(node: isl.ScheduleNode) -> list[tuple[NodePath, isl.ScheduleNode]]:
    """The bands below a node that no band is below of."""
    return [
        (path, below)
        for path, below in _descend(node)
        if node_kind(below) == "band" and not has_band_below(below)
    ]
