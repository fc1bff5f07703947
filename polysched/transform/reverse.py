"""Running a loop from its other end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences, loop_is_parallel
from polysched.ir import ScheduleTree
from polysched.transform.band_view import BandView
from polysched.transform.bands import (
    coincident_flags,
    has_isolation,
    member_schedules,
    replace_band,
)
from polysched.transform.draft import Draft
from polysched.transform.step import Step


@dataclass(frozen=True)
class Reverse(Step):
    """Run one member of a band from its last iteration to the first.

    Vector loops that walk through memory backwards turn every vector round after its
    load and before its store. A band stays permutable where the member is coincident.

    Attributes
    ----------
    band : tuple of int
        Path of the band.
    member : int
        Position of the member.
    """

    member: int

    name: ClassVar[str] = "reverse"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        n_members = node.band_n_member()
        if not 0 <= self.member < n_members:
            return f"found member {self.member}, expected 0 to {n_members - 1}"
        if has_isolation(node):
            return "the band or one below it isolates full tiles, which must come last"
        return None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return loop_is_parallel(tree.node(self.band), self.member, deps.validity)

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        members, flags = member_schedules(node), coincident_flags(node)
        members[self.member] = members[self.member].neg()
        stays = len(members) == 1 or flags[self.member]
        permutable = stays and bool(node.band_get_permutable())
        return replace_band(node, members, flags, permutable)


def run_forwards(draft: Draft, band: BandView, member: int) -> Draft:
    """Reverse a member along which most accesses of a band walk backwards."""
    step = Reverse(band.path, member)
    if _walks_backwards(band, member) and step.find_misfit(draft.tree) is None:
        return draft.attempt(step) or draft
    return draft


def _walks_backwards(band: BandView, member: int) -> bool:
    moves = [
        r.moves(direction)[-1]
        for s in band.main
        if (direction := s.direction(member)) is not None
        for r in s.references
        if r.rows and r.stride_class(direction) == "1"
    ]
    return sum(m < 0 for m in moves) > sum(m > 0 for m in moves)
