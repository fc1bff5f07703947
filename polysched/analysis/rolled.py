"""What a rolling loop leaves in registers, and whether anybody misses it in memory.

A mark ``roll:0:B`` stands above a loop over rows. What the loop has computed of ``B``
stays in registers for as many iterations as it reads it, and is not stored but for as
many rows at the end. Whatever else is read of these rows, or is left of them behind the
region, must have been written again.
"""

from __future__ import annotations

import islpy as isl

from polysched.analysis.carried import active_dependences
from polysched.analysis.dependences import Dependence, Dependences
from polysched.ir import Rolled, Scop
from polysched.sets import list_maps, list_sets, node_kind, union_of_maps


def find_lost(
    mark: isl.ScheduleNode, dependences: Dependences
) -> tuple[Dependence, isl.Map] | None:
    """A value that a rolling loop does not store and should have, or None.

    Parameters
    ----------
    mark : isl.ScheduleNode
        Names the arrays of which only the last rows are stored.
    dependences : Dependences
        Of the SCoP in its original order, with it.

    Returns
    -------
    tuple of Dependence and isl.Map, or None
        A flow of such a value, or an output dependence of instances on themselves that
        leave it behind the region.
    """
    band, scop = mark.child(0), dependences.scop
    rolled = Rolled.of_mark(str(mark.mark_get_id().get_name()))
    for array in rolled.arrays if rolled else ():
        flows = [d for d in dependences.of_kind("flow") if d.array == array]
        if scop is None or node_kind(band) != "band" or band.band_n_member() != 1:
            return next(((d, d.relation) for d in flows), None)
        pairs = union_of_maps([d.relation for d in flows])
        carried = active_dependences(band, pairs)
        unstored = _but_last(band, _reach(band, carried))
        lost = pairs.intersect_domain(unstored).subtract(carried)
        for d in flows:
            some = isl.UnionMap.from_map(d.relation).intersect(lost)
            if not some.is_empty():
                return d, list_maps(some)[0]
        left = left_behind(scop, array, unstored, dependences)
        if left is not None:
            return left
    return None


def _reach(band: isl.ScheduleNode, carried: isl.UnionMap) -> int:
    """For how many iterations of the band values are read; 0 where none are."""
    time = isl.UnionMap.from_union_pw_aff(
        band.band_get_partial_schedule().get_union_pw_aff(0)
    )
    distances = carried.apply_domain(time).apply_range(time).deltas()
    values = [s.dim_max_val(0) for s in list_sets(distances)]
    return max((int(v.to_python()) for v in values if v.is_int()), default=0)


def _but_last(band: isl.ScheduleNode, n: int) -> isl.UnionSet:
    """Instances below a band but those of its last `n` values."""
    values = band.get_prefix_schedule_union_map().flat_range_product(
        isl.UnionMap.from_union_pw_aff(
            band.band_get_partial_schedule().get_union_pw_aff(0)
        )
    )
    values = values.intersect_domain(band.get_domain())
    (reached,) = list_sets(values.range())
    depth = reached.dim(isl.dim_type.set)
    names = ", ".join(f"c{k}" for k in range(depth))
    *outer, last = names.split(", ")
    moved = ", ".join([*outer, f"{last} + {n}"])
    ahead = isl.Map(f"{{ [{names}] -> [{moved}] }}").align_params(reached.get_space())
    inside = reached.intersect(ahead.intersect_range(reached).domain())
    return values.intersect_range(isl.UnionSet.from_set(inside)).domain()


def left_behind(
    scop: Scop, array: str, unstored: isl.UnionSet, dependences: Dependences
) -> tuple[Dependence, isl.Map] | None:
    """Instances whose values nothing surely overwrites, though they are live behind."""
    if not scop.array(array).live_out:
        return None
    sure = {
        s.name
        for s in scop.statements
        if all(a.kind == "must_write" for a in s.writes if a.array == array)
    }
    again = union_of_maps(
        [
            d.relation
            for d in dependences.of_kind("output")
            if d.array == array and d.sink in sure
        ]
    )
    for instances in list_sets(unstored.subtract(again.domain())):
        name = instances.get_tuple_name()
        if any(a.array == array for a in scop.statement(name).writes):
            same = isl.Map.identity(instances.get_space().map_from_set())
            same = same.intersect_domain(instances)
            return Dependence("output", array, name, name, same), same
    return None
