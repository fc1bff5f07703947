"""Register tiles of explicit vectors around the loops of a reduction."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences, loop_is_parallel
from polysched.ir import MARK_REGISTERS, RowsAhead, ScheduleTree
from polysched.sets import list_sets
from polysched.transform.bands import (
    coincident_flags,
    has_isolation,
    insert_band,
    insert_mark,
    is_permutable,
    member_schedules,
    replace_band,
    tile_member,
)
from polysched.transform.jam import find_full_tiles, isolate_tiles
from polysched.transform.step import Step, option

MAX_POINTS = 1024


@dataclass(frozen=True)
class Registers(Step):
    """Hold a tile of a permutable point band in vector registers.

    ``[i, k, j]`` with factors ``[6, 1, 8]`` and 4 lanes becomes a band of register
    tiles ``[6*floor(i/6), 8*floor(j/8), k]`` over the points ``[i, j]`` under a mark
    ``registers:4``::

        for it, jt:                        c[6][2] = vectors of C[i][j], loaded
          for k:                           6 * 2 multiply-adds of vectors
            registers:4  for i, j          c stored

    Members with the factor 1 become the loops inside a tile, along which what is
    computed stays in registers where it does not move. Full tiles are isolated; what
    is left over runs in ordinary loops. Later steps above the band would invalidate
    the isolation.

    Attributes
    ----------
    band : tuple of int
        Path of the band.
    factors : tuple of int
        One per member; 1 for those inside the tile. The last factor above 1 is a
        multiple of the lanes.
    lanes : int
        Elements per vector, 1 for scalars.
    ahead : int
        Where rows are turned, those that lie so many further on are asked for ahead;
        0 for none.
    asked : int
        Of as many rows as there are lanes, only so many of the first are asked for, or
        of the last where negative; 0 for all.
    terms : int
        Terms of an integer sum that one instruction adds up, where operands are packed
        in groups of so many: 2 or 4; 1 for others.
    in_turn : bool
        Whether the terms of an update are added one after the other, ``c += a*b + d*e``
        as two multiply-adds: for sums whose terms may come in any order.
    """

    factors: tuple[int, ...]
    lanes: int = 1
    ahead: int = option(0)
    asked: int = option(0)
    terms: int = option(1)
    in_turn: bool = option(False)

    name: ClassVar[str] = "registers"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        n_members = node.band_n_member()
        if len(self.factors) != n_members:
            return f"found {len(self.factors)} factors for {n_members} band members"
        n_points = prod(self.factors)
        if min(self.factors) < 1 or not 2 <= n_points <= MAX_POINTS:
            return f"found {n_points} points, expected 2 to {MAX_POINTS}"
        if self.lanes < 1 or self.lanes & (self.lanes - 1):
            return f"found {self.lanes} lanes, expected a power of two"
        if self.ahead < 0 or abs(self.asked) >= self.lanes > 1:
            return f"found {self.asked} of {self.lanes} rows, {self.ahead} ahead"
        if self.terms not in (1, 2, 4) or (self.terms > 1 and self.ahead):
            return f"found {self.terms} terms at a time, {self.ahead} rows ahead"
        if self.in_turn and (self.terms > 1 or self.ahead):
            return "terms are added in turn in tiles that do nothing else"
        width = self.factors[self._tiled[-1]]
        if width % self.lanes:
            return f"found {width} points for vectors of {self.lanes}"
        if has_isolation(node):
            return "the band or one below it isolates full tiles already"
        if find_full_tiles(self._arranged(node), self._sizes).is_empty():
            return f"no register tile of the shape {list(self.factors)} is full"
        return None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        node = tree.node(self.band)
        if not is_permutable(node, deps):
            return False
        free = {r.statement for r in deps.reductions}
        here = {s.get_tuple_name() for s in list_sets(node.get_domain())}
        if self.in_turn and not here <= free:
            return False
        if self.lanes == 1:
            return True
        changed = self.change(node)
        points = changed.child(0).child(0)
        last = points.band_n_member() - 1
        return loop_is_parallel(points, last, deps.validity)

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        node = self._arranged(node)
        members = member_schedules(node)
        flags = coincident_flags(node)
        full = find_full_tiles(node, self._sizes)
        n_tiled = len(self._tiled)
        points = replace_band(node, members[:n_tiled], flags[:n_tiled], True)
        starts = [
            tile_member(m, size) if size > 1 else m
            for m, size in zip(members, self._sizes, strict=True)
        ]
        marked = insert_mark(points, self._mark)
        node = insert_band(marked, starts, flags, permutable=True)
        return node.band_set_ast_build_options(isolate_tiles(full))

    @property
    def _mark(self) -> str:
        asked = RowsAhead(self.ahead, self.asked)
        terms = f"x{self.terms}" if self.terms > 1 else "+" if self.in_turn else ""
        return f"{MARK_REGISTERS}:{self.lanes}{terms}{asked.words}"

    @property
    def _tiled(self) -> list[int]:
        return [k for k, factor in enumerate(self.factors) if factor > 1]

    @property
    def _order(self) -> list[int]:
        inside = [k for k, factor in enumerate(self.factors) if factor == 1]
        return [*self._tiled, *inside]

    @property
    def _sizes(self) -> tuple[int, ...]:
        return tuple(self.factors[k] for k in self._order)

    def _arranged(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        """The band with its tiled members first."""
        members = member_schedules(node)
        flags = coincident_flags(node)
        return replace_band(
            node,
            [members[k] for k in self._order],
            [flags[k] for k in self._order],
            True,
        )
