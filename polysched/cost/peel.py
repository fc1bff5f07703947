"""Short loops that the compiler unrolls completely, by the model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import islpy as isl

from polysched.analysis import (
    Member,
    member_directions,
    operation_count,
    references,
)
from polysched.ir import Scop, Statement
from polysched.sets import n_dims

MAX_TRIPS = 16  # of a loop that gcc unrolls completely
MAX_PEELED = 200  # instructions of all its iterations


def peel(members: tuple[Member, ...], scop: Scop, name: str) -> tuple[Member, ...]:
    """The loops of a statement, innermost ones of few iterations unrolled.

    The loop around them is then the innermost one, which the compiler runs in vector
    lanes if it can: with one more short loop in it as well, if its own iterations do
    not wait for each other. Only loops count whose number of iterations is a constant
    of the program, whatever the sizes are; of several, only those around which a loop
    runs along neighbours in memory.

    Parameters
    ----------
    members : tuple of Member
        Those that move the statement, outermost first.
    scop, name : Scop, str
        The statement.
    """
    if any(m.unrolled for m in members):
        return members
    statement = scop.statement(name)
    n_rolled = len(members)
    for n in _ways_to_peel(members, statement):
        if n == len(members) - 1 or _has_neighbours(members[:n], scop, name):
            n_rolled = n
    unrolled = (replace(m, unrolled=True) for m in members[n_rolled:])
    return (*members[:n_rolled], *unrolled)


def _ways_to_peel(members: tuple[Member, ...], statement: Statement) -> Iterator[int]:
    """How many loops may be left: all but one, all but two, and so on."""
    size = 1
    for n in reversed(range(1, len(members))):
        trips = _short_trips(members[: n + 1], statement)
        if trips is None:
            return
        size *= trips
        is_innermost = n == len(members) - 1
        if size * _instructions(statement, is_innermost) > MAX_PEELED:
            if not is_innermost and members[n - 1].coincident:
                yield n
            return
        yield n


def _short_trips(members: tuple[Member, ...], statement: Statement) -> int | None:
    """Iterations of the last loop, if the compiler may unroll it."""
    last = members[-1]
    if last.kind != "point" or last.is_vector or last.is_parallel:
        return None
    if member_directions(members)[-1] is None or _is_tiled(members):
        return None
    trips = constant_trips(statement, last.coefficients)
    return trips if trips is not None and 1 < trips <= MAX_TRIPS else None


def _has_neighbours(members: tuple[Member, ...], scop: Scop, name: str) -> bool:
    """Whether the last loop moves every access to a neighbour, or not at all."""
    direction = member_directions(members)[-1]
    return direction is not None and all(
        r.stride_class(direction) != "N" for r in references(scop)[name]
    )


def _instructions(statement: Statement, is_innermost: bool) -> float:
    """Of one instance, as gcc estimates them.

    Of loops around unrolled ones it knows what is left: operations, and loads of what
    is not the result, a third of which it expects to find superfluous.
    """
    if is_innermost:
        return 2.0 * len(statement.accesses)
    results = {a.array for a in statement.accesses if a.is_write}
    loads = sum(not a.is_write and a.array not in results for a in statement.accesses)
    return (loads + sum(map(operation_count, statement.body))) * 2 / 3


def _is_tiled(members: tuple[Member, ...]) -> bool:
    *outer, last = members
    return any(m.function == last.coefficients for m in outer)


@lru_cache(maxsize=256)
def constant_trips(statement: Statement, row: tuple[int, ...]) -> int | None:
    """Iterations of a loop over one iterator, where its bounds are numbers."""
    moved = [k for k, c in enumerate(row) if c]
    if len(moved) != 1:
        return None
    (own,) = moved
    domain = statement.domain.simple_hull()
    low, high = None, None
    for c in domain.get_constraints():
        if not c.involves_dims(isl.dim_type.set, own, 1):
            continue
        others = [k for k in range(n_dims(domain)) if k != own]
        if any(c.involves_dims(isl.dim_type.set, k, 1) for k in others):
            return None
        if c.is_equality() or _n_parameters(c):
            return None
        factor = int(c.get_coefficient_val(isl.dim_type.set, own).to_python())
        constant = int(c.get_constant_val().to_python())
        if factor > 0:
            low = -(constant // factor)
        else:
            high = constant // -factor
    return None if low is None or high is None else high - low + 1


def _n_parameters(c: isl.Constraint) -> int:
    n = c.get_space().dim(isl.dim_type.param)
    return sum(c.involves_dims(isl.dim_type.param, k, 1) for k in range(n))
