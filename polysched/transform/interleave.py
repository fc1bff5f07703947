"""A few iterations in one, so that remainders of an iterator are known in each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences
from polysched.ir import ScheduleTree
from polysched.transform.bands import (
    coincident_flags,
    has_isolation,
    insert_band,
    member_schedules,
)
from polysched.transform.jam import find_full_tiles, isolate_tiles, unroll_isolated
from polysched.transform.step import Step

MAX_PERIOD = 8


@dataclass(frozen=True)
class Interleave(Step):
    """Run so many iterations of a loop, one after the other, in one of a shorter loop.

    With the period 2, ``x`` is ``2 * u`` and then ``2 * u + 1``: what the iterations
    of one remainder do is printed for itself::

        for x: a[x] += b[x / 2]        for u: a[2 * u] += b[u]
               if (x % 2) c[x] = 0            a[2 * u + 1] += b[u]
                                              c[2 * u + 1] = 0

    The order stays as it is. Iterations at the ends that are no whole period run in
    loops of their own. Later steps above the band would invalidate that: interleave
    outer loops first, and mark loops last.

    Attributes
    ----------
    band : tuple of int
        Path of the band.
    member : int
        Position of the loop; members before and behind it are split off.
    period : int
        Iterations in one.
    """

    member: int
    period: int

    name: ClassVar[str] = "interleave"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        n_members = node.band_n_member()
        if not 0 <= self.member < n_members:
            return f"found member {self.member}, expected 0 to {n_members - 1}"
        if not 2 <= self.period <= MAX_PERIOD:
            return f"found the period {self.period}, expected 2 to {MAX_PERIOD}"
        if has_isolation(node):
            return "the band or one below it isolates full tiles, which must come last"
        if self._find_full(self._loop(node)).is_empty():
            return f"the loop has no {self.period} iterations that begin a period"
        return None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return True

    def _loop(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        """The member in a band of its own."""
        if self.member:
            node = node.band_split(self.member).child(0)
        return node.band_split(1) if node.band_n_member() > 1 else node

    def _find_full(self, node: isl.ScheduleNode) -> isl.Map:
        return find_full_tiles(node, (self.period,), with_gaps=True)

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        node = self._loop(node)
        (member,), flags = member_schedules(node), coincident_flags(node)
        full = self._find_full(node)
        rounds = member.scale_down_val(isl.Val(self.period)).floor()
        full = _in_rounds(full, self.period)
        points = insert_band(node, [rounds], flags, permutable=True).child(0)
        points = points.band_set_ast_build_options(unroll_isolated(full, 1))
        node = points.parent()
        return node.band_set_ast_build_options(isolate_tiles(full))


def _in_rounds(full: isl.Map, period: int) -> isl.Map:
    """The numbers of periods for the values that they begin with."""
    space = full.get_space().range()
    number = isl.MultiAff.identity_on_domain_space(space)
    value = isl.Val(period)
    number = number.set_aff(0, number.get_aff(0).scale_down_val(value).floor())
    return full.apply_range(isl.Map.from_multi_aff(number))
