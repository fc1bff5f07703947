"""Sums whose terms may be added in another order, and the loops that only add terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

import islpy as isl

from polysched.analysis.carried import active_dependences, equal_at
from polysched.analysis.dependences import Dependences
from polysched.analysis.reductions import Reduction, find_reductions
from polysched.ir import Scop
from polysched.ir.types import FLOAT
from polysched.sets import list_sets, node_kind

_NO_NUMBER = "_Bool"  # its sums do not wrap
FloatingPoint = Literal["strict", "promised", "reassociate", "tf32"]
FREEDOMS: tuple[FloatingPoint, ...] = get_args(FloatingPoint)


def allow_reordering(
    dependences: Dependences, scop: Scop, fp: FloatingPoint
) -> Dependences:
    """The dependences, with the reductions whose terms may come in any order.

    Parameters
    ----------
    dependences : Dependences
        Of the SCoP.
    scop : Scop
        What is computed.
    fp : {"strict", "promised", "reassociate", "tf32"}
        With ``strict`` only reductions that give the same bits in any order: of
        integers, which wrap, and minima and maxima of floating-point numbers of which
        that is known (`find_extremum`); of others, NaN and the sign of zeros depend on
        the order. With
        ``promised`` those, too, for which the source promises no order
        (`Statement.is_unordered`). With ``reassociate`` all of them. With ``tf32``
        all of them, and factors of their terms may be rounded to 10 bits of mantissa
        if they are floats: what tensor cores take.
    """
    found = tuple(
        r
        for r in find_reductions(scop)
        if r.target.type.name != _NO_NUMBER and _is_free(r, scop, fp)
    )
    return replace(dependences, reductions=found, may_round=fp == "tf32")


def find_freedom(dependences: Dependences, scop: Scop) -> FloatingPoint:
    """The least that allows the reductions which dependences have."""
    free = [r for r in dependences.reductions if not _is_free(r, scop, "strict")]
    if not free:
        return "strict"
    if dependences.may_round and any(r.target.type == FLOAT for r in free):
        return "tf32"
    is_promised = all(scop.statement(r.statement).is_unordered for r in free)
    return "promised" if is_promised else "reassociate"


def _is_free(reduction: Reduction, scop: Scop, fp: FloatingPoint) -> bool:
    if fp in ("reassociate", "tf32") or not reduction.target.type.is_float:
        return True
    if reduction.extremum is not None:
        return True
    return fp == "promised" and scop.statement(reduction.statement).is_unordered


def find_accumulation(
    node: isl.ScheduleNode, member: int, dependences: Dependences
) -> Reduction | None:
    """The reduction that a band member's loop does, and nothing else.

    One statement runs in the loop; all its iterations accumulate into one element, by
    a reduction whose terms may be reordered, and no term reads that element.

    Parameters
    ----------
    node : isl.ScheduleNode
        A band node with nothing but a leaf below.
    member : int
        Its last member.
    dependences : Dependences
        With the reductions that may be reordered.
    """
    last = node.band_n_member() - 1
    if not dependences.reductions or member != last:
        return None
    if node_kind(node.child(0)) != "leaf":
        return None
    values = node.get_prefix_schedule_union_map().intersect_domain(node.get_domain())
    partial = node.band_get_partial_schedule()
    carried = active_dependences(node, dependences.validity)
    for k in range(member + 1):
        one = partial.get_union_pw_aff(k)
        equal = equal_at(carried, one)
        if k < member:
            carried = equal
            values = values.flat_range_product(isl.UnionMap.from_union_pw_aff(one))
        else:
            carried = carried.subtract(equal)
    return match_accumulation(dependences.reductions, values, carried)


def match_accumulation(
    reductions: Sequence[Reduction], around: isl.UnionMap, carried: isl.UnionMap
) -> Reduction | None:
    """The reduction that explains all dependences that a loop carries.

    Parameters
    ----------
    reductions : sequence of Reduction
        To choose from.
    around : isl.UnionMap
        Instances in the loop to the values of the loops around it.
    carried : isl.UnionMap
        Dependent instances in different iterations of the loop, in one iteration of
        those around it.
    """
    names = {s.get_tuple_name() for s in list_sets(around.domain())}
    found = next((r for r in reductions if {r.statement} == names), None)
    if found is None or found.is_scattered:
        return None
    if not carried.is_subset(isl.UnionMap.from_map(found.relation)):
        return None
    element = isl.UnionMap.from_map(found.element)
    if not around.reverse().apply_range(element).is_single_valued():
        return None
    for other in found.others:
        read = element.apply_range(isl.UnionMap.from_map(other).reverse())
        together = read.apply_domain(around).apply_range(around)
        if not together.intersect(around.range().identity()).is_empty():
            return None
    return found
