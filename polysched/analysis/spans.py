"""How far loops reach within one run of the loops around them."""

from __future__ import annotations

from math import prod

import islpy as isl

from polysched.analysis.footprint import LARGE_EXTENT
from polysched.analysis.places import Place
from polysched.ir import ScheduleTree
from polysched.sets import list_maps, map_names, n_dims


def loop_spans(times: isl.Set) -> list[int | None]:
    """For every loop the largest difference of two of its values in one run.

    Parameters
    ----------
    times : isl.Set
        Values of nested loops, outermost first, at which something runs.

    Returns
    -------
    list of int or None
        None where there is no bound; an upper bound where the times are not convex.
    """
    hull = isl.Set.from_basic_set(times.simple_hull())
    n = n_dims(hull)
    found: list[int | None] = []
    for k in range(n):
        upto = isl.Map.from_range(hull.project_out(isl.dim_type.set, k + 1, n - k - 1))
        run = upto.move_dims(isl.dim_type.in_, 0, isl.dim_type.out, 0, k)
        largest = run.reverse().apply_range(run).deltas().dim_max_val(0)
        found.append(int(largest.to_python()) if largest.is_int() else None)
    return found


def place_size(tree: ScheduleTree, place: Place) -> float:
    """Instances at a place, as if each loop were as long as its longest run.

    None at a place where cuts of several loops leave nothing of the statement.
    """
    leaf = tree.node(place.path)
    times = leaf.get_prefix_schedule_union_map().intersect_domain(leaf.get_domain())
    own = next((m for m in list_maps(times) if map_names(m)[0] == place.name), None)
    if own is None:
        return 0.0
    spans = loop_spans(own.range())
    return prod(
        1.0 + (LARGE_EXTENT if span is None else span) // member.size
        for span, member in zip(spans, place.members, strict=True)
    )
