"""Diamond tiles: time tiles of a stencil that all start at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import islpy as isl

from polysched.analysis import (
    Dependence,
    Dependences,
    active_dependences,
    describe_violation,
)
from polysched.ir import MARK_DIAMOND, MARK_TILE, ScheduleTree
from polysched.sets import list_maps, list_sets
from polysched.transform.bands import (
    has_isolation,
    insert_band,
    insert_mark,
    is_permutable,
    member_schedules,
    tile_member,
)
from polysched.transform.step import Step


@dataclass(frozen=True)
class Diamond(Step):
    r"""Tile time and space in diamonds that do not wait for each other.

    Of a permutable band ``[t, x, ...]`` the tiles are cut by ``x`` and by
    ``slope * t - x``, whose sum is a multiple of ``t``: with as many values of either
    in a tile, the tiles of a wavefront stand side by side in space, at the same time.
    No wave waits for the ones before it to fill (concurrent start, [1]_)::

        t |/\/\/\/\        |/  /  /  /      time tiles in wavefronts: the first and
          |\/\/\/\/        /  /  /  /       the last waves have few tiles
          |/\/\/\/\       |  /  /  /
          +--------- x    +--------- x

    Members behind the first two are tiled as `Tile` does it. Inside a tile the points
    keep their order.

    Attributes
    ----------
    band : tuple of int
        Path of the band, with time as its first member.
    sizes : tuple of int
        One per member; the first two are those of the diamond, and equal. 0 leaves a
        later member untiled.
    slope : int
        How many values of the second member a time step is worth.
    shifts : tuple of int
        For every statement under the band, by ascending number, what is added to
        ``slope * t - x``.

    References
    ----------
    .. [1] Bondhugula, Bandishti, Pananilath, "Diamond Tiling: Tiling Techniques to
       Maximize Parallelism for Stencil Computations", TPDS 2017.
    """

    sizes: tuple[int, ...]
    slope: int
    shifts: tuple[int, ...]

    name: ClassVar[str] = "diamond"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        n_members, sizes = node.band_n_member(), self.sizes
        if n_members < 2 or len(sizes) != n_members:
            return (
                f"found {len(sizes)} tile sizes for {n_members} band members, "
                "expected one for each of two or more"
            )
        if min(sizes) < 0 or sizes[0] != sizes[1] or sizes[0] < 2:
            return (
                f"found tile sizes {list(sizes)}, expected two that are equal and "
                "above 1 first, and none below 0"
            )
        if self.slope < 1:
            return f"found slope {self.slope}, expected 1 or more"
        n_statements = len(band_domains(node))
        if len(self.shifts) != n_statements:
            return f"found {len(self.shifts)} shifts for {n_statements} statements"
        if has_isolation(node):
            return "the band or one below it isolates full tiles, which must come last"
        return None

    def check(self, tree: ScheduleTree, deps: Dependences) -> str | None:
        """Why the step may not be applied, with a witness; None when it is legal."""
        reason = self.find_misfit(tree)
        if reason is None and not self.is_surely_legal(tree, deps):
            reason = self._find_witness(tree.node(self.band), deps)
        return reason

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        node = tree.node(self.band)
        return is_permutable(node, deps) and is_permutable(self._sides(node), deps)

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        sides = member_schedules(self._sides(node))
        tiles = [
            tile_member(side, size)
            for side, size in zip(sides, self.sizes, strict=True)
            if size
        ]
        node = insert_band(node, tiles, [False] * len(tiles), permutable=True)
        return insert_mark(insert_mark(node, MARK_TILE), MARK_DIAMOND)

    def _sides(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        """The band above a node that its tiles are cut by."""
        _, *others = member_schedules(node)
        members = [second_side(node, self.slope, self.shifts), *others]
        return insert_band(node, members, [False] * len(members), permutable=True)

    def _find_witness(self, node: isl.ScheduleNode, deps: Dependences) -> str:
        """A pair that one of the sides takes backwards."""
        sides = self._sides(node)
        for one, what in ((node, "the band"), (sides, "a side of the tiles")):
            for dependence in deps.items:
                bad = _find_backward(one, dependence)
                if bad is not None:
                    reason = f"{what} goes from the later to the earlier"
                    return str(describe_violation(dependence, bad, deps.scop, reason))
        raise AssertionError("every dependence moves forward")


def second_side(
    node: isl.ScheduleNode, slope: int, shifts: Sequence[int]
) -> isl.UnionPwAff:
    """``slope * t - x`` of a band ``[t, x, ...]``, shifted statement by statement."""
    time, space, *_ = member_schedules(node)
    side = time.scale_val(isl.Val(slope)).sub(space)
    total: isl.UnionPwAff | None = None
    for domain, shift in zip(band_domains(node), shifts, strict=True):
        universe = isl.UnionSet.from_set(isl.Set.universe(domain.get_space()))
        one = side.intersect_domain(universe)
        one = one.add(isl.UnionPwAff.val_on_domain(universe, isl.Val(shift)))
        total = one if total is None else total.union_add(one)
    assert total is not None
    return total


def band_domains(node: isl.ScheduleNode) -> list[isl.Set]:
    """The instances under a band, one set per statement, by ascending number."""
    found = [s for s in list_sets(node.get_domain()) if not s.is_empty()]
    return sorted(found, key=lambda s: int(s.get_tuple_name()[1:]))


def _find_backward(node: isl.ScheduleNode, dependence: Dependence) -> isl.Map | None:
    """The pairs of a dependence that some member of a band orders the other way."""
    if not dependence.orders:
        return None
    pairs = isl.UnionMap.from_map(dependence.relation)
    active = active_dependences(node, pairs)
    for member in member_schedules(node):
        time = isl.MultiUnionPwAff.from_union_pw_aff(member)
        bad = active.subtract(active.lex_lt_at_multi_union_pw_aff(time))
        bad = bad.subtract(active.eq_at_multi_union_pw_aff(time))
        if not bad.is_empty():
            return list_maps(bad)[0]
    return None
