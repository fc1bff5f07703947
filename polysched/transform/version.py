"""What a loop over tiles holds, once for its full tiles and once for the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences
from polysched.ir import NodePath, ScheduleTree
from polysched.sets import isolates, list_maps, list_sets, n_dims, node_kind
from polysched.transform.bands import member_schedules
from polysched.transform.draft import has_band_below
from polysched.transform.jam import isolate_tiles
from polysched.transform.step import Step, option


@dataclass(frozen=True)
class Version(Step):
    """Two versions of what a loop over tiles holds: for full tiles, and for the others.

    Where points of a tile were sunk below other loops, these are told apart on the
    outside, once for a tile::

        for it in tiles:                      for it in tiles:
          for k:                                if (it is full)
            for i in tile, as far as n:   ==>     for k:
              ...                                   for i in tile: ...
                                                else ...

    so that no inner loop asks, and compilers know how often those over points run:
    what a tile keeps in arrays of its own may then stay in registers. Later steps
    above or below the band would invalidate that: version last, then mark loops.

    Attributes
    ----------
    band : tuple of int
        Path of the band whose last member runs over tiles.
    size : int
        Of these tiles.
    behind : int
        Members that the innermost bands below have behind the one over the points.
    """

    size: int
    behind: int = option(0)

    name: ClassVar[str] = "version"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        if self.size < 2:
            return f"found size {self.size}, expected 2 or more"
        if self.behind < 0:
            return f"found {self.behind} members behind the points, expected 0 or more"
        if not has_band_below(node):
            return "found no loop over the points of tiles below the band"
        below = [_descend(node, path) for path in _outermost_below(node)]
        if any(map(isolates, below)):
            return "a band below it isolates full tiles already"
        if not self._full_tiles(node):
            return f"no tile of size {self.size} is full"
        return None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return True

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        for path, full in self._full_tiles(node).items():
            band = _descend(node, path)
            partial = band.band_get_partial_schedule_union_map()
            own = isl.Set.universe(list_sets(partial.range())[0].get_space())
            isolated = isl.Map.from_domain_and_range(full, own)
            node = band.band_set_ast_build_options(isolate_tiles(isolated))
            node = node.ancestor(len(path))
        return node

    def _full_tiles(self, node: isl.ScheduleNode) -> dict[NodePath, isl.Set]:
        """For the paths of the first bands below a node, the tiles full in them."""
        found = {
            path: find_full_tiles(_descend(node, path), self.size, self.behind)
            for path in _outermost_below(node)
        }
        return {path: full for path, full in found.items() if not full.is_empty()}


def find_full_tiles(node: isl.ScheduleNode, size: int, behind: int = 0) -> isl.Set:
    """Values of the loops around a band, the last over tiles, whose tiles are full.

    For every statement, and for some values of the loops between the tile and its
    points: that is what is known outside of these. Where one of them keeps the points
    to a few of the tile's, as ``for x in window(i)`` does, no tile is full.
    """
    outer = node.get_prefix_schedule_union_map().intersect_domain(node.get_domain())
    if outer.is_empty():  # nothing runs there: isl knows no space of it
        return isl.Set.empty(
            isl.Space.set_alloc(node.get_ctx(), 0, node.get_schedule_depth())
        )
    runs = isl.Set.from_union_set(outer.range())
    full = runs
    for leaf in _innermost(node):
        members = member_schedules(leaf)
        if behind >= len(members):
            return full.subtract(full)
        points = isl.UnionMap.from_union_pw_aff(members[-1 - behind])
        between = leaf.get_prefix_schedule_union_map()
        both = between.range_product(points).intersect_domain(leaf.get_domain())
        for statement in list_maps(both):
            found = _ends_run(statement.range().unwrap(), size, n_dims(runs))
            full = full.intersect(found)
    return full.gist(runs).coalesce() if not full.is_empty() else full


def _ends_run(points: isl.Map, size: int, depth: int) -> isl.Set:
    """Starts of tiles, behind outer values, whose first and last point both run.

    In one run of the loops between, which follow the first `depth` values.
    """
    starts = points.domain()
    identity = isl.MultiAff.identity_on_domain_space(starts.get_space())
    start = identity.get_aff(depth - 1)
    for offset in (0, size - 1):
        end = isl.Map.from_aff(start.add_constant_val(isl.Val(offset)))
        starts = starts.intersect(points.intersect(end).domain())
    n_between = n_dims(starts) - depth
    return starts.project_out(isl.dim_type.set, depth, n_between)


def _outermost_below(node: isl.ScheduleNode, path: NodePath = ()) -> Iterator[NodePath]:
    """From a node to the first bands below it."""
    for k in range(node.n_children()):
        child = node.child(k)
        if node_kind(child) == "band":
            yield (*path, k)
        else:
            yield from _outermost_below(child, (*path, k))


def _innermost(node: isl.ScheduleNode) -> Iterator[isl.ScheduleNode]:
    """The bands at or below a node that hold no other."""
    if node_kind(node) == "band" and not has_band_below(node):
        yield node
    for k in range(node.n_children()):
        yield from _innermost(node.child(k))


def _descend(node: isl.ScheduleNode, path: NodePath) -> isl.ScheduleNode:
    for position in path:
        node = node.child(position)
    return node
