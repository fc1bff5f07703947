"""Joining nested bands into one permutable band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences
from polysched.ir import ScheduleTree
from polysched.sets import node_kind
from polysched.transform.bands import (
    coincident_flags,
    has_isolation,
    insert_band,
    is_permutable,
    is_tile_mark,
    member_schedules,
)
from polysched.transform.step import Step


@dataclass(frozen=True)
class Merge(Step):
    """Join a band with the band directly below it into one permutable band.

    The order of instances stays as it is; what is gained is that later steps may tile
    or reorder the members together. Of two bands of tile loops the inner mark goes.

    Attributes
    ----------
    band : tuple of int
        Path of the outer band.
    """

    name: ClassVar[str] = "merge"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        below = _band_below(node)
        if node_kind(below) != "band":
            return f"found a {node_kind(below)} node below the band, expected a band"
        if has_isolation(node):
            return "the band or one below it isolates full tiles, which must come last"
        return None

    def check(self, tree: ScheduleTree, deps: Dependences) -> str | None:
        reason = self.find_misfit(tree)
        if reason is None and not self.is_surely_legal(tree, deps):
            return "the joined band is not permutable"
        return reason

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return is_permutable(self.apply(tree).node(self.band), deps)

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        below = _band_below(node)
        members = [*member_schedules(node), *member_schedules(below)]
        flags = [*coincident_flags(node), *(False for _ in member_schedules(below))]
        node = node.delete()
        if node_kind(node) == "mark":
            node = node.delete()
        return insert_band(node.delete(), members, flags, permutable=True)


def _band_below(node: isl.ScheduleNode) -> isl.ScheduleNode:
    """The next node, or behind the mark of tile loops the node below that."""
    below = node.child(0)
    is_tiles_in_tiles = is_tile_mark(below) and is_tile_mark(node.parent())
    return below.child(0) if is_tiles_in_tiles else below
