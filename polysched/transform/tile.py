"""Tiling of permutable bands and wavefronts of tiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences
from polysched.ir import MARK_TILE, MARK_WAVEFRONT, ScheduleTree
from polysched.transform.bands import (
    coincident_flags,
    has_isolation,
    insert_band,
    insert_mark,
    is_permutable,
    member_schedules,
    member_step,
    replace_band,
    tile_member,
)
from polysched.transform.step import Step


@dataclass(frozen=True)
class Tile(Step):
    """Tile a permutable band.

    Above the band comes a mark ``tile`` and a band of tile loops, one per tiled member,
    whose values are the tiles' first points (multiples of the size). The point band
    keeps its members and their values. Applied again it gives further levels.

    Attributes
    ----------
    band : tuple of int
        Path of the band.
    sizes : tuple of int
        One per member, in values of that member; 0 leaves it untiled.
    """

    sizes: tuple[int, ...]

    name: ClassVar[str] = "tile"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        n_members = node.band_n_member()
        if len(self.sizes) != n_members:
            return f"found {len(self.sizes)} tile sizes for {n_members} band members"
        if any(s < 0 for s in self.sizes) or not any(self.sizes):
            return f"found tile sizes {list(self.sizes)}, expected one above 0"
        return _find_isolation(node)

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return is_permutable(tree.node(self.band), deps)

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        members = member_schedules(node)
        flags = coincident_flags(node)
        tiled = [k for k, size in enumerate(self.sizes) if size]
        node = insert_band(
            node,
            [tile_member(members[k], self.sizes[k]) for k in tiled],
            [flags[k] for k in tiled],
            permutable=True,
        )
        return insert_mark(node, MARK_TILE)


@dataclass(frozen=True)
class Wavefront(Step):
    r"""Run the tiles of a permutable band in wavefronts.

    The first member becomes the sum of the first `members` tile numbers; no dependence
    then stays within one value of it but those inside one tile, so the other summed
    members are parallel::

        t1 |  \  \  \        one wave = one diagonal
           |   \  \  \
           +------------ t0

    Attributes
    ----------
    band : tuple of int
        Path of the tile band.
    members : int
        How many leading members are summed, at least 2.
    """

    members: int = 2

    name: ClassVar[str] = "wavefront"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        n_members = node.band_n_member()
        if not 2 <= self.members <= n_members:
            return (
                f"found a wavefront of {self.members} members, expected 2 to the "
                f"{n_members} of the band"
            )
        return _find_isolation(node)

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return is_permutable(tree.node(self.band), deps)

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        members = member_schedules(node)
        flags = coincident_flags(node)
        numbers = [_tile_number(m) for m in members[: self.members]]
        wave = numbers[0]
        for number in numbers[1:]:
            wave = wave.add(number)
        summed = all(flags[: self.members])
        permutable = bool(node.band_get_permutable())
        node = replace_band(
            node, [wave, *members[1:]], [summed, *flags[1:]], permutable
        )
        return insert_mark(node, MARK_WAVEFRONT)


def _tile_number(member: isl.UnionPwAff) -> isl.UnionPwAff:
    return member.scale_down_val(isl.Val(member_step(member)))


def _find_isolation(node: isl.ScheduleNode) -> str | None:
    if has_isolation(node):
        return "the band or one below it isolates full tiles, which must come last"
    return None
