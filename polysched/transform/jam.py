"""Unroll-and-jam: register tiles inside the vector loop."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences
from polysched.ir import ScheduleTree
from polysched.sets import list_basic_sets, list_maps, list_sets
from polysched.transform.bands import (
    coincident_flags,
    has_isolation,
    insert_band,
    is_permutable,
    member_schedules,
    replace_band,
    tile_member,
)
from polysched.transform.step import Step

MAX_COPIES = 64


@dataclass(frozen=True)
class Jam(Step):
    """Unroll members of a permutable point band and jam the copies innermost.

    ``[i, k, j]`` with factors ``[4, 2, 1]`` becomes a band of register tiles
    ``[4*floor(i/4), 2*floor(k/2), j]`` over the fully unrolled ``[i, k]``: eight copies
    of the body for each j. Full register tiles are isolated, so that only they are
    unrolled; what is left over runs in ordinary loops. Later steps above the band
    would invalidate the isolation: jam last, then mark loops.

    Attributes
    ----------
    band : tuple of int
        Path of the band.
    factors : tuple of int
        One per member; 1 leaves it alone. At most 64 copies in all.
    """

    factors: tuple[int, ...]

    name: ClassVar[str] = "jam"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        n_members = node.band_n_member()
        if len(self.factors) != n_members:
            return f"found {len(self.factors)} factors for {n_members} band members"
        n_copies = 1
        for factor in self.factors:
            n_copies *= factor
        if min(self.factors) < 1 or not 2 <= n_copies <= MAX_COPIES:
            return f"found {n_copies} copies of the body, expected 2 to {MAX_COPIES}"
        if has_isolation(node):
            return "the band or one below it is jammed already"
        if find_full_tiles(node, self.factors).is_empty():
            return f"no register tile of the shape {list(self.factors)} is full"
        return None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return is_permutable(tree.node(self.band), deps)

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        members = member_schedules(node)
        flags = coincident_flags(node)
        full = find_full_tiles(node, self.factors)
        jammed = [k for k, factor in enumerate(self.factors) if factor > 1]
        points = replace_band(
            node, [members[k] for k in jammed], [flags[k] for k in jammed], True
        )
        starts = [
            tile_member(m, f) if f > 1 else m
            for m, f in zip(members, self.factors, strict=True)
        ]
        node = insert_band(points, starts, flags, permutable=True)
        points = node.child(0)
        points = points.band_set_ast_build_options(unroll_isolated(full, len(jammed)))
        node = points.parent()
        return node.band_set_ast_build_options(isolate_tiles(full))


def find_full_tiles(
    node: isl.ScheduleNode, factors: tuple[int, ...], *, with_gaps: bool = False
) -> isl.Map:
    """Outer schedule values to the register tiles whose points all run.

    A tile is taken as full when its corners run, exact for convex domains; elsewhere
    the unrolled copies are guarded. Where the tiles that are full for all statements
    are none or few (an initialisation runs for one value of a member only), those are
    taken that are full for some and hold nothing of the others. With gaps, statements
    that run for values of one remainder count as if they ran for all between the ends.
    """
    outer = node.get_prefix_schedule_union_map()
    inner = node.band_get_partial_schedule_union_map()
    both = outer.range_product(inner).intersect_domain(node.get_domain())
    if both.is_empty():  # where cuts of several loops leave nothing
        return isl.Map("{ [] -> [] : false }")
    tile = _tile_map(inner, factors)
    return _full_tiles(_Question(str(both), factors, with_gaps, both, tile))


@dataclass(frozen=True)
class _Question:
    """Which register tiles are full; the same one has the same text.

    Attributes
    ----------
    text : str
        Of `both`.
    factors : tuple of int
    with_gaps : bool
    both : isl.UnionMap
        Instances to outer values and band values.
    tile : isl.Map
        Band values to register tiles.
    """

    text: str
    factors: tuple[int, ...]
    with_gaps: bool
    both: isl.UnionMap = field(compare=False)
    tile: isl.Map = field(compare=False)


@lru_cache(maxsize=64)
def _full_tiles(asked: _Question) -> isl.Map:
    """Asked for when a step is checked, when it is applied, and by the next plan."""
    factors = asked.factors
    tiles, full = [], []
    for statement in list_maps(asked.both):
        points = statement.range().unwrap()
        points = points.remove_divs() if asked.with_gaps else points
        tiles.append(points.apply_range(asked.tile))
        full.append(_with_full_corners(points, factors))
    everywhere = tiles[0]
    for some in tiles[1:]:
        everywhere = everywhere.union(some)
    together, apart = everywhere, everywhere
    for one, some in zip(full, tiles, strict=True):
        together = together.intersect(one)
        apart = apart.intersect(one.union(everywhere.subtract(some)))
    if _n_equalities(together) > _n_equalities(apart):
        together = apart
    return _simplify(together, everywhere)


def _tile_map(inner: isl.UnionMap, factors: tuple[int, ...]) -> isl.Map:
    """Band values to the register tile they lie in."""
    space = list_sets(inner.range())[0].get_space()
    multi = isl.MultiAff.identity_on_domain_space(space)
    for k, factor in enumerate(factors):
        value = isl.Val(factor)
        aff = multi.get_aff(k).scale_down_val(value).floor().scale_val(value)
        multi = multi.set_aff(k, aff)
    return isl.Map.from_multi_aff(multi)


def _with_full_corners(points: isl.Map, factors: tuple[int, ...]) -> isl.Map:
    full = points
    for corner in product(*(sorted({0, f - 1}) for f in factors)):
        full = full.intersect(_shift_range(points, corner))
    return full


def _simplify(full: isl.Map, tiles: isl.Map) -> isl.Map:
    """The full tiles as one convex set: their hull where exact, else the largest part.

    More than one part would multiply the code around the isolated one.
    """
    within = tiles.wrap()
    flat = full.wrap().intersect(within).coalesce()
    parts = list_basic_sets(flat)
    if len(parts) > 1:
        hull = isl.Set.from_basic_set(flat.simple_hull())
        if hull.intersect(within).is_subset(flat):
            flat = hull
        else:
            largest = min(parts, key=lambda p: (_rank_lost(p), str(p)))
            flat = isl.Set.from_basic_set(largest)
    return flat.gist(within).coalesce().unwrap()


def _n_equalities(relation: isl.Map) -> int:
    """Equalities of the least constrained part of a relation; many if it is empty."""
    parts = list_basic_sets(relation.wrap().coalesce())
    return min((_rank_lost(part) for part in parts), default=MAX_COPIES)


def _rank_lost(part: isl.BasicSet) -> int:
    return sum(1 for c in part.get_constraints() if c.is_equality())


def _shift_range(relation: isl.Map, offset: tuple[int, ...]) -> isl.Map:
    """Pairs whose second element lands in the relation once `offset` is added."""
    space = relation.get_space().range()
    shift = isl.MultiAff.identity_on_domain_space(space)
    for k, amount in enumerate(offset):
        shift = shift.set_aff(k, shift.get_aff(k).add_constant_val(isl.Val(-amount)))
    return relation.apply_range(isl.Map.from_multi_aff(shift))


def isolate_tiles(full: isl.Map) -> isl.UnionSet:
    """AST build options of a tile band that set its full tiles apart."""
    return isl.UnionSet.from_set(full.wrap().set_tuple_name("isolate"))


def unroll_isolated(full: isl.Map, n_inner: int) -> isl.UnionSet:
    """Options of the copies' band: isolate the full tiles, unroll in them."""
    flat = full.wrap().flatten()
    inner = isl.Space.set_alloc(flat.get_ctx(), 0, n_inner)
    target = isl.Set.universe(inner.align_params(flat.get_space().params()))
    isolate = isl.Map.from_domain_and_range(flat, target).wrap()
    options = isl.UnionSet.from_set(isolate.set_tuple_name("isolate"))
    unroll = isl.UnionSet(f"{{ [isolate[] -> unroll[k]] : 0 <= k < {n_inner} }}")
    return options.union(unroll)
