"""Skewing one member of a permutable band by the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences
from polysched.ir import ScheduleTree
from polysched.transform.bands import (
    coincident_flags,
    has_isolation,
    is_permutable,
    member_schedules,
    replace_band,
)
from polysched.transform.step import Step


@dataclass(frozen=True)
class Skew(Step):
    """Add multiples of the other members to one member of a permutable band.

    With ``j + i`` for ``j``, iterations of one value of the new member that differ in
    ``i`` alone are independent: their copies, jammed, need not wait for each other.

    Attributes
    ----------
    band : tuple of int
        Path of the band.
    member : int
        Position of the member that is changed.
    weights : tuple of int
        One per member, at least 0; the changed member's own must be 0.
    """

    member: int
    weights: tuple[int, ...]

    name: ClassVar[str] = "skew"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        n_members = node.band_n_member()
        if not 0 <= self.member < n_members:
            return f"found member {self.member}, expected 0 to {n_members - 1}"
        if len(self.weights) != n_members:
            return f"found {len(self.weights)} weights for {n_members} band members"
        if min(self.weights) < 0 or not any(self.weights) or self.weights[self.member]:
            return (
                f"found weights {list(self.weights)}, expected none below 0, one above "
                "0, and 0 for the member itself"
            )
        if has_isolation(node):
            return "the band or one below it isolates full tiles, which must come last"
        return None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return is_permutable(tree.node(self.band), deps)

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        members = member_schedules(node)
        flags = coincident_flags(node)
        skewed = members[self.member]
        for k, weight in enumerate(self.weights):
            if weight:
                skewed = skewed.add(members[k].scale_val(isl.Val(weight)))
                flags[self.member] = flags[self.member] and flags[k]
        members[self.member] = skewed
        return replace_band(node, members, flags, bool(node.band_get_permutable()))
