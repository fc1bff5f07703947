"""Running a nest one iteration of the loop around it ahead, together with the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences
from polysched.ir import ScheduleTree
from polysched.sets import node_kind
from polysched.transform.bands import (
    has_isolation,
    insert_band,
    is_permutable,
    member_schedules,
)
from polysched.transform.step import Step


@dataclass(frozen=True)
class Shift(Step):
    """Fuse two nests under a loop, the first for the iteration after the second's.

    ::

        for k:                          for k, from one before the first:
          for i: sum(k, i)                for i: update(k, i)
          for i: update(k, i)      →             sum(k + 1, i)

    Within an iteration the second nest waits for all of the first; the first of the
    next iteration may follow it row by row. Both then pass over the data once [1]_.

    Attributes
    ----------
    band : tuple of int
        Path of a band of one member, above a sequence of two bands with nothing below.

    References
    ----------
    .. [1] Darte and Huard, "Loop shifting for loop compaction", LCPC 1999.
    """

    name: ClassVar[str] = "shift"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        if node.band_n_member() != 1:
            return f"found {node.band_n_member()} members, expected one"
        if has_isolation(node):
            return "the band or one below it isolates full tiles, which must come last"
        below = node.child(0)
        if node_kind(below) != "sequence" or below.n_children() != 2:
            return "expected a sequence of two nests below the band"
        bands = _nests(below)
        if any(node_kind(b) != "band" for b in bands):
            return "expected a band in each nest"
        if any(node_kind(b.child(0)) != "leaf" for b in bands):
            return "found something below the bands of the nests, expected nothing"
        if len({b.band_n_member() for b in bands}) > 1:
            return "the bands of the nests differ in their numbers of members"
        return None

    def check(self, tree: ScheduleTree, deps: Dependences) -> str | None:
        reason = super().check(tree, deps)
        if reason is not None:
            return reason
        fused = self.apply(tree).node((*self.band, 0))
        return None if is_permutable(fused, deps) else "the fused loops do not permute"

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return False

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        first, second = (node.child(0).child(k).filter_get_filter() for k in (0, 1))
        (outer,) = member_schedules(node)
        ahead = isl.UnionPwAff.val_on_domain(first, isl.Val.one(node.get_ctx()))
        members = [
            a.intersect_domain(first).union_add(b.intersect_domain(second))
            for a, b in zip(*map(member_schedules, _nests(node.child(0))), strict=True)
        ]
        filters = isl.UnionSetList.alloc(node.get_ctx(), 2).add(second).add(first)
        early = outer.intersect_domain(first).sub(ahead)
        outer = early.union_add(outer.intersect_domain(second))
        node = node.child(0).cut().insert_sequence(filters)
        node = insert_band(node, members, [False] * len(members), permutable=True)
        return insert_band(node.parent().delete(), [outer], [False], permutable=True)


def _nests(sequence: isl.ScheduleNode) -> list[isl.ScheduleNode]:
    return [sequence.child(k).child(0) for k in range(sequence.n_children())]
