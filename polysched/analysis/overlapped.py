"""Overlapped tiles: which instances each block computes, and who misses a value.

A launch under the mark ``overlap`` runs several sweeps, of which it stores the last.
Its blocks share no value of the others: what two of them need both compute.
"""

from __future__ import annotations

from collections.abc import Sequence

import islpy as isl

from polysched.analysis.dependences import Dependence, Dependences
from polysched.analysis.rolled import left_behind
from polysched.ir import Overlap
from polysched.sets import list_maps, node_kind


def find_unstored(
    mark: isl.ScheduleNode, dependences: Dependences
) -> tuple[Dependence, isl.Map] | None:
    """A value that a launch computes, does not store and should have, or None.

    Parameters
    ----------
    mark : isl.ScheduleNode
        Of overlapped tiles; the band below numbers the sweeps of a launch.
    dependences : Dependences
        Of the SCoP in its original order, with it.

    Returns
    -------
    tuple of Dependence and isl.Map, or None
        A flow of such a value out of the launch, or an output dependence of instances
        on themselves that leave it behind the region.
    """
    overlap = Overlap.of_mark(str(mark.mark_get_id().get_name()))
    assert overlap is not None
    band, scop = mark.child(0), dependences.scop
    flows = dependences.of_kind("flow")
    if scop is None or node_kind(band) != "band" or band.band_n_member() != 1:
        return next(((d, d.relation) for d in flows), None)
    inside = mark.get_domain()
    unstored = inside.intersect(_sweeps(band, 0, overlap.n_sweeps - 2))
    outer = mark.get_prefix_schedule_union_map().intersect_domain(inside)
    together = outer.apply_range(outer.reverse())
    for d in flows:
        some = isl.UnionMap.from_map(d.relation).intersect_domain(unstored)
        lost = some.subtract(together)
        if not lost.is_empty():
            return d, list_maps(lost)[0]
    for array in dict.fromkeys(d.array for d in flows):
        left = left_behind(scop, array, unstored, dependences)
        if left is not None:
            return left
    return None


def _sweeps(band: isl.ScheduleNode, first: int, last: int) -> isl.UnionSet:
    """Instances of some sweeps of a launch, in or out of it."""
    numbers = isl.UnionMap.from_union_pw_aff(
        band.band_get_partial_schedule().get_union_pw_aff(0)
    )
    wanted = isl.UnionSet(f"{{ [u] : {first} <= u <= {last} }}")
    return numbers.intersect_range(wanted).domain()


def computed_by_block(
    band: isl.ScheduleNode,
    overlap: Overlap,
    radius: Sequence[int],
    blocks: Sequence[str],
) -> list[isl.UnionSet]:
    """Instances, or what would be some, whose values a block has right, per sweep.

    Parameters
    ----------
    band : isl.ScheduleNode
        Numbers the sweeps; the band below it has the points.
    overlap : Overlap
        Shape of the tiles.
    radius : sequence of int
        How far a sweep reads, per loop over space.
    blocks : sequence of str
        Names of parameters for the first point of a block's tile.

    Returns
    -------
    list of isl.UnionSet
        For the first sweep, the second, and so on; the last is what the block stores.
    """
    points = band.child(0).band_get_partial_schedule_union_map()
    n = len(overlap.tile)
    dims = [f"x{k}" for k in range(n)]
    found = []
    for number in range(overlap.n_sweeps):
        left = overlap.n_sweeps - 1 - number
        bounds = " and ".join(
            f"{b} - {r * left} <= {x} < {b} + {size + r * left}"
            for b, x, r, size in zip(blocks, dims, radius, overlap.tile, strict=True)
        )
        text = f"[{', '.join(blocks)}] -> {{ [{', '.join(dims)}] : {bounds} }}"
        own = points.intersect_range(isl.UnionSet(text)).domain()
        found.append(own.intersect(_sweeps(band, number, number)))
    return found
