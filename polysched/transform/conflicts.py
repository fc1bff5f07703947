"""Strips of an innermost loop that waits for one of its own iterations only."""

from __future__ import annotations

import islpy as isl

from polysched.analysis import active_dependences
from polysched.ir import NodePath, Scop
from polysched.sets import list_basic_maps, list_maps
from polysched.transform.band_view import view_band
from polysched.transform.bands import member_schedules
from polysched.transform.draft import Draft
from polysched.transform.tile import Tile

STRIP_WIDTH = 32  # iterations: a few vectors, of which one strip stays scalar


def strip_conflicts(draft: Draft, scop: Scop) -> Draft:
    """Strips of unit-stride innermost loops in which one iteration holds up the rest.

    In ``path[i][j] = min(path[i][j], path[i][k] + path[k][j])`` only ``j == k`` and the
    others wait for each other. Compilers guard such a loop with a run-time test for
    overlap, which fails for the whole loop and holds for all strips but one.
    """
    for path in draft.innermost_paths():
        band = view_band(draft, scop, path)
        last = band.n_members - 1
        strides = {c for _, _, c in band.stride_classes(last)}
        if band.is_thin or not band.permutable or band.coincident[last]:
            continue
        if strides - {"0", "1"}:
            continue
        if _waits_for_one(draft, path):
            draft = draft.do(Tile(path, (*(0 for _ in range(last)), STRIP_WIDTH)))
    return draft


def _waits_for_one(draft: Draft, path: NodePath) -> bool:
    """Whether each dependence along the last member starts or ends at one iteration."""
    node = draft.node(path)
    *outer, last = map(isl.MultiUnionPwAff.from_union_pw_aff, member_schedules(node))
    around = node.get_prefix_schedule_union_map()
    active = active_dependences(node, draft.deps.validity)
    for member in outer:
        around = around.range_product(isl.UnionMap.from_multi_union_pw_aff(member))
        active = active.eq_at_multi_union_pw_aff(member)
    active = active.subtract(active.eq_at_multi_union_pw_aff(last))
    value = isl.UnionMap.from_multi_union_pw_aff(last)

    def is_one(instances: isl.Set) -> bool:
        inside = around.intersect_domain(isl.UnionSet.from_set(instances))
        return bool(inside.reverse().apply_range(value).is_single_valued())

    parts = [p for m in list_maps(active) for p in list_basic_maps(m)]
    ends = [
        (isl.Map.from_basic_map(p).domain(), isl.Map.from_basic_map(p).range())
        for p in parts
    ]
    return bool(ends) and all(is_one(s) or is_one(t) for s, t in ends)
