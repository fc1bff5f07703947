"""Taking guards out of loop bodies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences
from polysched.ir import ScheduleTree
from polysched.transform.step import Step


@dataclass(frozen=True)
class Separate(Step):
    """Cut one loop's range where the set of statements that run changes.

    Fused statements with shifted domains share a loop in which each is guarded; cut
    into head, core and tail every part runs without guards (isl's `separate` option).

    Attributes
    ----------
    band : tuple of int
        Path of the band.
    member : int
        Position of the loop to cut; one loop only, since every cut multiplies the code.
    """

    member: int = 0

    name: ClassVar[str] = "separate"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        n_members = node.band_n_member()
        if not 0 <= self.member < n_members:
            return f"found member {self.member}, expected 0 to {n_members - 1}"
        return None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return True

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        return node.band_member_set_ast_loop_type(
            self.member, isl.ast_loop_type.separate
        )
