"""Short loops that the compiler unrolls completely, by the model."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import islpy as isl

from polysched.analysis import Member, member_directions
from polysched.ir import Scop, Statement
from polysched.sets import n_dims

MAX_TRIPS = 16  # of a loop that gcc unrolls completely
MAX_PEELED = 200  # instructions of all its iterations


def peel(members: tuple[Member, ...], scop: Scop, name: str) -> tuple[Member, ...]:
    """The loops of a statement, an innermost one of few iterations unrolled.

    The loop around it is then the innermost one, which the compiler runs in vector
    lanes if it can. Only loops count whose number of iterations is a constant of the
    program, whatever the sizes are.

    Parameters
    ----------
    members : tuple of Member
        Those that move the statement, outermost first.
    scop, name : Scop, str
        The statement.
    """
    if len(members) < 2 or any(m.unrolled for m in members):
        return members
    last, statement = members[-1], scop.statement(name)
    if last.kind != "point" or last.is_vector or last.is_parallel:
        return members
    if member_directions(members)[-1] is None or _is_tiled(members):
        return members
    trips = _constant_trips(statement, last.coefficients)
    if trips is None or not 1 < trips <= MAX_TRIPS:
        return members
    if trips * len(statement.accesses) * 2 > MAX_PEELED:
        return members
    return (*members[:-1], replace(last, unrolled=True))


def _is_tiled(members: tuple[Member, ...]) -> bool:
    *outer, last = members
    return any(m.function == last.coefficients for m in outer)


@lru_cache(maxsize=256)
def _constant_trips(statement: Statement, row: tuple[int, ...]) -> int | None:
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
