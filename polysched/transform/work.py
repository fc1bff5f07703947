"""How the work of a loop is spread over its iterations."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import prod

import islpy as isl

from polysched.analysis import DATA_TURNS, at_likely_sizes, estimate_points
from polysched.machine import Cpu
from polysched.sets import list_maps, param_names
from polysched.transform.band_view import BandView, StatementView, is_rectangular
from polysched.transform.draft import Draft

EVEN = 1.1  # the most work of a thread's part, to the mean of all, that is no matter
WORTH_ASKING = 32768  # instances that take much longer than to ask for the next ones
DATA_CHUNK = 64  # iterations, each with a loop that data end, of a loop of any size
TURNS = 16  # of each thread, for all to end at nearly the same time


@dataclass(frozen=True)
class Work:
    """What threads that share a loop do with its iterations.

    Attributes
    ----------
    is_uneven : bool
        Whether equal parts of the loop are not equal in work.
    grows : bool
        Whether each iteration has the work of the one before it, and more.
    chunk : int
        Iterations to hand out at a time where work is uneven; 0: single ones.
    """

    is_uneven: bool = False
    grows: bool = False
    chunk: int = 0


def spread_work(draft: Draft, band: BandView, member: int, cpu: Cpu) -> Work:
    """How the work of a band is spread over the iterations of one of its loops."""
    if band.has_data_loops:
        return Work(True, False, _choose_data_chunk(band, member, cpu))
    if is_rectangular(band) or _is_even_inside(draft, band, member):
        return Work()
    parts = [_count_parts(draft, band, s, member, cpu.n_cores) for s in band.main]
    known = [p for p in parts if p is not None]
    is_known = len(known) == len(parts)
    totals = [sum(part) for part in zip(*known, strict=True)] if is_known else []
    if is_known and _are_even(totals) and not _is_inside(band):
        return Work()
    grows = all(_grows(draft, band, s, member) for s in band.statements)
    return Work(True, grows, _choose_chunk(band, member, sum(totals), cpu))


def _is_inside(band: BandView) -> bool:
    """Whether other loops run a band.

    What is even in the sum of all its runs need not be so in each, as the updates of a
    factorisation are not.
    """
    return any(
        not m.is_constant for s in band.main for m in s.members[: s.positions[0]]
    )


def _is_even_inside(draft: Draft, band: BandView, member: int) -> bool:
    """Whether all iterations of a loop do the same in each run of the loops around."""
    return _is_inside(band) and all(
        _is_alike(draft, band, s, member) for s in band.statements
    )


def _is_alike(draft: Draft, band: BandView, s: StatementView, member: int) -> bool:
    """Whether a statement does the same at all values of a loop that a run has.

    The value is that of an iterator; what the others have at one they have at all.
    """
    moved = [k for k, c in enumerate(s.members[s.positions[member]].coefficients) if c]
    if len(moved) != 1:
        return False
    instances = isl.UnionSet.from_set(_instances(draft, band, s))
    around = draft.node(band.path).get_prefix_schedule_union_map()
    (runs,) = list_maps(around.intersect_domain(instances))
    dim = isl.dim_type
    n_run, n = runs.dim(dim.out), runs.dim(dim.in_)
    found = runs.move_dims(dim.out, n_run, dim.in_, moved[0], 1)
    found = found.move_dims(dim.out, n_run + 1, dim.in_, 0, n - 1)
    points = found.range().coalesce()  # [run, value, others]
    any_value = points.project_out(dim.set, n_run, 1).insert_dims(dim.set, n_run, 1)
    any_other = points.project_out(dim.set, n_run + 1, n - 1)
    any_other = any_other.insert_dims(dim.set, n_run + 1, n - 1)
    return any_value.intersect(any_other).is_subset(points)


def _are_even(parts: list[float]) -> bool:
    return max(parts, default=0.0) * len(parts) <= EVEN * sum(parts)


def _count_parts(
    draft: Draft, band: BandView, s: StatementView, member: int, n_parts: int
) -> list[float] | None:
    """A statement's instances in each of so many equal parts of a loop's range."""
    instances = at_likely_sizes(band.scop, _instances(draft, band, s))
    space = isl.LocalSpace.from_space(instances.get_space())
    value = isl.Aff.zero_on_domain(space)
    for k, c in enumerate(s.members[s.positions[member]].coefficients):
        value = value.set_coefficient_val(isl.dim_type.in_, k, isl.Val(c))
    first, last = instances.min_val(value), instances.max_val(value)
    if not (first.is_int() and last.is_int()):
        return None
    low, n_values = int(first.to_python()), int(last.sub(first).to_python()) + 1
    cuts = [low + n_values * k // n_parts for k in range(n_parts + 1)]
    found = []
    for start, end in pairwise(cuts):
        above = value.add_constant_val(isl.Val(-start))
        below = value.neg().add_constant_val(isl.Val(end - 1))
        part = instances
        for side in (above, below):
            part = part.add_constraint(isl.Constraint.inequality_from_aff(side))
        found.append(estimate_points(band.scop, part))
    known = [n for n in found if n is not None]
    return known if len(known) == n_parts else None


def _choose_chunk(band: BandView, member: int, n_instances: float, cpu: Cpu) -> int:
    """Iterations to hand out at a time; 0 where single ones are long, or sizes unknown.

    To ask for an iteration, threads write to the same memory.
    """
    extent = band.extent(member)
    if not extent or not n_instances or not _knows_sizes(band):
        return 0
    chunk = int(WORTH_ASKING * extent / n_instances)
    chunk = min(chunk, extent // (TURNS * cpu.n_cores))
    return chunk if chunk > 1 else 0


def _choose_data_chunk(band: BandView, member: int, cpu: Cpu) -> int:
    """Iterations of a loop to hand out at a time that data decide the work of."""
    extents = [band.extent(k) for k in range(band.n_members)]
    known = [n for n in extents if n]
    if len(known) == len(extents) and _knows_sizes(band):
        return _choose_chunk(band, member, float(DATA_TURNS * prod(known)), cpu)
    return DATA_CHUNK if band.n_members == 1 else 0


def _knows_sizes(band: BandView) -> bool:
    """Whether all parameters of the statements have likely values."""
    for s in band.main:
        domain = band.scop.statement(s.name).domain
        sized = domain.intersect_params(band.scop.estimated_context).params()
        for k, name in enumerate(param_names(domain)):
            if domain.involves_dims(isl.dim_type.param, k, 1):
                position = sized.find_dim_by_name(isl.dim_type.param, name)
                value = sized.plain_get_val_if_fixed(isl.dim_type.param, position)
                if value.is_nan():
                    return False
    return True


def _grows(draft: Draft, band: BandView, s: StatementView, member: int) -> bool:
    """Whether each value of a loop has the work of the one before it, and more.

    The value is that of an iterator; what the others have at one value they must have
    at all later ones.
    """
    found = s.members[s.positions[member]]
    moved = [k for k, c in enumerate(found.coefficients) if c]
    if len(moved) != 1 or found.coefficients[moved[0]] < 0:
        return False
    instances = _instances(draft, band, s)
    instances = instances.intersect_params(band.scop.context).coalesce()
    work = isl.Map.from_range(instances.reset_tuple_id())
    work = work.move_dims(isl.dim_type.in_, 0, isl.dim_type.out, moved[0], 1)
    values = work.domain()
    later = isl.Map.lex_le(values.get_space()).intersect_domain(values)
    later = later.intersect_range(values)
    if not later.reverse().apply_range(work).is_subset(work):
        return False
    return not later.apply_range(work).is_subset(work)  # all alike


def _instances(draft: Draft, band: BandView, s: StatementView) -> isl.Set:
    """What a statement runs under a band."""
    space = band.scop.statement(s.name).domain.get_space()
    return draft.node(band.path).get_domain().extract_set(space)
