"""Sums of which threads add up parts of their own, and what that leaves to prove."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

import islpy as isl

from polysched.analysis.carried import active_dependences
from polysched.analysis.dependences import Dependence, Dependences
from polysched.analysis.reductions import Reduction
from polysched.sets import list_maps, list_sets, map_names, union_of_maps


def find_copied_reduction(
    node: isl.ScheduleNode,
    array: str,
    dependences: Dependences,
    *,
    on_device: bool = False,
) -> Reduction | None:
    """The sum or product below a node that may go into a copy for each thread.

    Parameters
    ----------
    node : isl.ScheduleNode
        Below the mark; a band whose first member is the loop that threads share.
    array : str
        What accumulates.
    dependences : Dependences
        With the reductions whose terms may be reordered.
    on_device : bool
        Whether the threads are a device's. Their parts begin with the element itself,
        and not with a number that changes nothing, so that minima and maxima count
        whatever their terms are; of elements that data choose they hold none.

    Returns
    -------
    Reduction or None
        None where no statement below, or more than one, accumulates there, or its
        terms have an order to keep.
    """
    here = {s.get_tuple_name() for s in list_sets(node.get_domain())}
    return choose_copied(dependences.reductions, array, here, on_device=on_device)


def choose_copied(
    reductions: Iterable[Reduction],
    array: str,
    statements: Collection[str],
    *,
    on_device: bool = False,
) -> Reduction | None:
    """The only one of some statements' reductions on an array, if copies suit it."""
    found = [r for r in reductions if r.array == array and r.statement in statements]
    if len(found) != 1:
        return None
    (reduction,) = found
    if on_device:
        return None if reduction.is_scattered else reduction
    is_whole = reduction.extremum is not None or not reduction.target.type.is_float
    suits = reduction.has_identity or (is_whole and not reduction.is_scattered)
    return reduction if suits else None


def runs_over_terms(node: isl.ScheduleNode, member: int, reduction: Reduction) -> bool:
    """Whether a member of a band runs over terms of one element of a sum.

    Parameters
    ----------
    node : isl.ScheduleNode
        A band with all terms of the sum below it.
    member : int
        Position.
    reduction : Reduction
        The sum.
    """
    name = reduction.statement

    def of(relation: isl.UnionMap) -> isl.Map:
        return next(m for m in list_maps(relation) if map_names(m)[0] == name)

    outer = of(node.get_prefix_schedule_union_map())
    value = node.band_get_partial_schedule().get_union_pw_aff(member)
    element = reduction.element.intersect_domain(outer.domain())
    homes = outer.range_product(element)
    values = homes.reverse().apply_range(of(isl.UnionMap.from_union_pw_aff(value)))
    return not values.is_single_valued()


def leave_to_copies(
    node: isl.ScheduleNode,
    arrays: Collection[str],
    dependences: Dependences,
    *,
    on_device: bool = False,
) -> Dependences:
    """The dependences without those between terms that go into threads' copies.

    Only pairs of terms of one element of one sum go; whatever else touches the array
    keeps its order.
    """
    gone = {
        r.statement: r
        for array in arrays
        if (r := find_copied_reduction(node, array, dependences, on_device=on_device))
        is not None
    }
    kept = [_without_terms(d, gone.get(d.source)) for d in dependences.items]
    return replace(
        dependences, items=tuple(d for d in kept if not d.relation.is_empty())
    )


def find_outsider(
    node: isl.ScheduleNode, arrays: Collection[str], dependences: Dependences
) -> tuple[Dependence, isl.Map] | None:
    """A dependence on a copied array, in one run of a loop, that is not its sum's own.

    Whoever is at one end of it would not find in the array what is in the copies.

    Parameters
    ----------
    node : isl.ScheduleNode
        Below the mark; a band whose first member is the loop that threads share.
    arrays : collection of str
        Of which each thread has a copy.
    dependences : Dependences
        What is left by `leave_to_copies`.
    """
    for d in dependences.items:
        if not d.orders or d.array not in arrays:
            continue
        inside = active_dependences(node, union_of_maps([d.relation]))
        if not inside.is_empty():
            return d, list_maps(inside)[0]
    return None


def _without_terms(dependence: Dependence, reduction: Reduction | None) -> Dependence:
    d = dependence
    if reduction is None or d.sink != d.source or d.array != reduction.array:
        return d
    return replace(d, relation=d.relation.subtract(reduction.relation))
