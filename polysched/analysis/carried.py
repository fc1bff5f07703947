"""Which dependences a loop carries."""

from __future__ import annotations

import islpy as isl

_ZERO = isl.Set("{ [0] }")


def loop_is_parallel(
    node: isl.ScheduleNode, member: int, validity: isl.UnionMap
) -> bool:
    """Whether the loop of a band member carries no dependence.

    Dependences carried by outer nodes or by earlier members of the band do not count.
    """
    return bool(loop_distances(node, member, validity).is_subset(_ZERO))


def loop_distances(
    node: isl.ScheduleNode, member: int, validity: isl.UnionMap
) -> isl.Set:
    """Distances along the loop of a band member, as a one-dimensional set.

    Of dependences that neither outer nodes nor earlier members of the band carry.
    """
    active = active_dependences(node, validity)
    partial = node.band_get_partial_schedule()
    for outer in range(member):
        active = equal_at(active, partial.get_union_pw_aff(outer))
    return member_distances(node, member, active)


def active_dependences(node: isl.ScheduleNode, validity: isl.UnionMap) -> isl.UnionMap:
    """Dependences between instances that reach a node together."""
    here = node.get_domain()
    inside = validity.intersect_domain(here).intersect_range(here)
    prefix = node.get_prefix_schedule_multi_union_pw_aff()
    if prefix.dim(isl.dim_type.out) == 0 or inside.is_empty():
        return inside
    return inside.eq_at_multi_union_pw_aff(prefix)


def member_distances(
    node: isl.ScheduleNode, member: int, active: isl.UnionMap
) -> isl.Set:
    """All distances of dependences along one band member, as a one-dimensional set."""
    time = isl.UnionMap.from_union_pw_aff(
        node.band_get_partial_schedule().get_union_pw_aff(member)
    )
    moved = active.apply_domain(time).apply_range(time)
    if moved.is_empty():
        return isl.Set("{ [d] : false }")
    return isl.Set.from_union_set(moved.deltas()).reset_tuple_id()


def equal_at(relation: isl.UnionMap, member: isl.UnionPwAff) -> isl.UnionMap:
    """The pairs that one function gives the same value."""
    return relation.eq_at_multi_union_pw_aff(
        isl.MultiUnionPwAff.from_union_pw_aff(member)
    )
