"""Loops whose iterations run in part side by side, in part one after the other.

A mark ``parallel:ordered`` says that threads share a loop; what is marked ``ordered``
below runs in the order of its iterations all the same.
"""

from __future__ import annotations

from dataclasses import replace

import islpy as isl

from polysched.analysis.dependences import Dependence, Dependences
from polysched.ir import MARK_ORDERED
from polysched.sets import node_kind


def leave_in_order(node: isl.ScheduleNode, dependences: Dependences) -> Dependences:
    """The dependences without those that the order of a loop's parts respects.

    Parameters
    ----------
    node : isl.ScheduleNode
        The mark of the loop.
    dependences : Dependences
        Of the SCoP in its original order.
    """
    ordered = _find_ordered(node)
    kept = tuple(_without(d, ordered) for d in dependences.items)
    return replace(dependences, items=tuple(d for d in kept if d is not None))


def _find_ordered(node: isl.ScheduleNode) -> isl.UnionSet:
    """Instances below the marks of what keeps its order."""
    if node_kind(node) == "mark" and node.mark_get_id().get_name() == MARK_ORDERED:
        return node.get_domain()
    found = isl.UnionSet("{ }")
    for k in range(node.n_children()):
        found = found.union(_find_ordered(node.child(k)))
    return found


def _without(d: Dependence, ordered: isl.UnionSet) -> Dependence | None:
    """A dependence but for pairs of which both ends keep their order."""
    source = ordered.extract_set(d.relation.domain().get_space())
    sink = ordered.extract_set(d.relation.range().get_space())
    inside = d.relation.intersect_domain(source).intersect_range(sink)
    rest = d.relation.subtract(inside)
    return None if rest.is_empty() else replace(d, relation=rest)
