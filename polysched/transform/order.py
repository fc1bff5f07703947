"""Interchange of the members of a permutable band."""

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
class Order(Step):
    """Reorder the members of a band.

    Attributes
    ----------
    band : tuple of int
        Path of the band.
    members : tuple of int
        Present positions of the members in their new order: ``[0, 2, 1]`` swaps the
        last two of three.
    """

    members: tuple[int, ...]

    name: ClassVar[str] = "order"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        n_members = node.band_n_member()
        if sorted(self.members) != list(range(n_members)):
            return (
                f"found the order {list(self.members)}, expected each of 0 to "
                f"{n_members - 1} once"
            )
        if has_isolation(node):
            return "the band or one below it isolates full tiles, which must come last"
        return None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return is_permutable(tree.node(self.band), deps)

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        members = member_schedules(node)
        flags = coincident_flags(node)
        return replace_band(
            node,
            [members[k] for k in self.members],
            [flags[k] for k in self.members],
            bool(node.band_get_permutable()),
        )
