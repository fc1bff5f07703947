"""Schedules put together: bands, marks, one part behind the other."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

import islpy as isl

from polysched.codegen.cuda.sum_terms import n_out
from polysched.sets import union_of_maps


def add_band(schedule: isl.Schedule, parts: Iterable[isl.Map]) -> isl.Schedule:
    """The schedule below a band, given by a function for each statement."""
    whole = union_of_maps(parts)
    return schedule.insert_partial_schedule(isl.MultiUnionPwAff.from_union_map(whole))


def add_mark(schedule: isl.Schedule, name: str) -> isl.Schedule:
    """The schedule below a mark."""
    top = schedule.get_root().child(0)
    return top.insert_mark(isl.Id(name, context=top.get_ctx())).get_schedule()


def nest(domain: isl.Set, bands: Iterable[isl.Map]) -> isl.Schedule:
    """A statement's instances in the order of some bands, outermost first."""
    schedule = isl.Schedule.from_domain(isl.UnionSet.from_set(domain))
    return reduce(
        lambda s, band: add_band(s, [band]) if n_out(band) else s,
        reversed(list(bands)),
        schedule,
    )


def in_sequence(parts: Iterable[isl.Schedule]) -> isl.Schedule:
    """Schedules one after the other."""
    return reduce(lambda a, b: a.sequence(b), parts)
