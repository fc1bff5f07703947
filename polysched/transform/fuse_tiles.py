"""Running the tiles of two loop nests in turn, so that the second finds its data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences
from polysched.ir import MARK_TILE, ScheduleTree
from polysched.sets import node_kind
from polysched.transform.bands import (
    has_isolation,
    insert_band,
    insert_mark,
    member_schedules,
)
from polysched.transform.step import Step, find_node


@dataclass(frozen=True)
class FuseTiles(Step):
    """Fuse neighbours of a sequence tile by tile along one loop of each.

    ``sequence [i, j] A; [j, i] B`` becomes one loop over tiles of ``i`` around
    ``sequence [i, j] A; [j, i] B``, each nest within one tile: loops that cannot be
    fused iteration by iteration, or lose vectors or threads by it, still meet in a
    cache. The nests keep their own order, register tiles and threads.

    Attributes
    ----------
    band : tuple of int
        Path of the sequence node.
    children : tuple of int
        Positions of the nests in the sequence, ascending; what stands between them
        runs before them all, but for what `after` names.
    members : tuple of int
        For each, the member of its band that is cut into tiles.
    size : int
        Values of that member per tile.
    after : tuple of int
        Positions between the nests of what runs after them all.
    """

    children: tuple[int, ...]
    members: tuple[int, ...]
    size: int
    after: tuple[int, ...] = ()

    name: ClassVar[str] = "fuse_tiles"

    def find_misfit(self, tree: ScheduleTree) -> str | None:
        node = find_node(tree, self.band)
        if node is None or node_kind(node) != "sequence":
            found = "nothing" if node is None else f"a {node_kind(node)} node"
            return f"{self.name}: found {found}, expected a sequence"
        if len(self.children) < 2 or len(self.members) != len(self.children):
            return f"{self.name}: expected two or more nests and a member of each"
        if sorted(set(self.children)) != list(self.children) or self.size < 2:
            return f"{self.name}: expected ascending positions and a size above 1"
        between = set(range(self.children[0], self.children[-1])) - {*self.children}
        if sorted(set(self.after) & between) != list(self.after):
            return f"{self.name}: expected ascending positions between the nests"
        for position, member in zip(self.children, self.members, strict=True):
            reason = _find_nest_misfit(node, position, member)
            if reason is not None:
                return f"{self.name}: {reason}"
        return None

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        return None  # the node is no band; `find_misfit` has said all

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return False

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        tiles: isl.UnionPwAff | None = None
        for position, member in zip(self.children, self.members, strict=True):
            band = node.child(position).child(0)
            one = _tile_starts(band, member, self.size)
            tiles = one if tiles is None else tiles.union_add(one)
        assert tiles is not None
        if len(self.children) < node.n_children():
            node, at = _group(node, self.children, self.after)
            node = node.child(at).child(0)
        return insert_mark(insert_band(node, [tiles], [False], True), MARK_TILE)


def _find_nest_misfit(node: isl.ScheduleNode, position: int, member: int) -> str | None:
    if not 0 <= position < node.n_children():
        return f"found position {position} in a sequence of {node.n_children()}"
    band = node.child(position).child(0)
    if node_kind(band) != "band":
        return f"found a {node_kind(band)} node at position {position}, expected a band"
    if not 0 <= member < band.band_n_member():
        return f"found member {member} of a band of {band.band_n_member()}"
    if has_isolation(band):
        return "a band isolates full tiles, which must come last"
    return None


def _tile_starts(band: isl.ScheduleNode, member: int, size: int) -> isl.UnionPwAff:
    value = isl.Val(size)
    schedule = member_schedules(band)[member]
    schedule = schedule.intersect_domain(band.get_domain())
    return schedule.scale_down_val(value).floor().scale_val(value)


def _group(
    node: isl.ScheduleNode, children: tuple[int, ...], after: tuple[int, ...]
) -> tuple[isl.ScheduleNode, int]:
    """A sequence around the sequence in which some children have become one.

    Returns the new sequence and the group's position.
    """
    filters_of = [node.child(k).filter_get_filter() for k in range(node.n_children())]
    group = reduce(lambda a, b: a.union(b), (filters_of[k] for k in children))
    last = children[-1]
    moved = {*children, *after}
    before = [f for k, f in enumerate(filters_of[:last]) if k not in moved]
    behind = [filters_of[k] for k in after]
    found, at = [*before, group, *behind, *filters_of[last + 1 :]], len(before)
    filters = isl.UnionSetList.alloc(node.get_ctx(), len(found))
    for one in found:
        filters = filters.add(one)
    return node.insert_sequence(filters), at
