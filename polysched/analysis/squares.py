"""Whether blocks of a matrix may be worked on square by square.

A mark ``squares:8`` stands between a band ``[it, j]`` and the rows ``[i]`` of its
blocks. A square is some rows by as many columns; the statements of the band run in it
one after the other, each along its rows or along its columns. Every dependence inside a
block of rows must therefore stay within one statement, and all of a statement's either
within rows or within columns.
"""

from __future__ import annotations

import islpy as isl

from polysched.analysis.carried import active_dependences, equal_at
from polysched.analysis.dependences import Dependence, Dependences
from polysched.sets import list_maps, node_kind, union_of_maps


def find_torn(
    mark: isl.ScheduleNode, dependences: Dependences
) -> tuple[Dependence, isl.Map] | None:
    """A dependence that squares would not respect, with some of its pairs, or None.

    Parameters
    ----------
    mark : isl.ScheduleNode
        Names squares.
    dependences : Dependences
        Of the SCoP in its original order.
    """
    block = mark.parent()
    inside = [
        (d, pairs)
        for d in dependences.items
        if d.orders and not (pairs := _within(block, d)).is_empty()
    ]
    for d, pairs in inside:
        if d.source != d.sink:
            return d, list_maps(pairs)[0]
    if not inside:
        return None
    if node_kind(block) != "band" or node_kind(mark.child(0)) != "band":
        return inside[0][0], list_maps(inside[0][1])[0]
    along = _last(block), _last(mark.child(0))
    for name in {d.source for d, _ in inside}:
        own = [(d, pairs) for d, pairs in inside if d.source == name]
        torn = [_first_outside(own, member) for member in along]
        if all(torn):
            return torn[0]
    return None


def _within(block: isl.ScheduleNode, d: Dependence) -> isl.UnionMap:
    """Pairs of a dependence whose instances lie in the same block of rows."""
    active = active_dependences(block, union_of_maps([d.relation]))
    if node_kind(block) != "band":
        return active
    partial = block.band_get_partial_schedule()
    for k in range(block.band_n_member() - 1):
        active = equal_at(active, partial.get_union_pw_aff(k))
    return active


def _last(band: isl.ScheduleNode) -> isl.UnionPwAff:
    partial = band.band_get_partial_schedule()
    return partial.get_union_pw_aff(band.band_n_member() - 1)


def _first_outside(
    own: list[tuple[Dependence, isl.UnionMap]], member: isl.UnionPwAff
) -> tuple[Dependence, isl.Map] | None:
    """One whose pairs do not all have equal values of a member."""
    for d, pairs in own:
        rest = pairs.subtract(equal_at(pairs, member))
        if not rest.is_empty():
            return d, list_maps(rest)[0]
    return None
