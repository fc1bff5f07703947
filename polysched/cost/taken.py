"""How often statements run that data guard, by the model: nobody knows, but not always.

A branch that compares two numbers for equality goes the other way in most programs
that have been counted, others go either way: Ball and Larus, "Branch prediction for
free", PLDI 1993.
"""

from __future__ import annotations

from functools import lru_cache

from polysched.cost.calls import N_CACHED
from polysched.ir import (
    Binary,
    Const,
    Expr,
    Guard,
    Load,
    Scop,
    assignments,
    depends_on_data,
)

EQUAL_SHARE = 0.25  # of the times that two numbers are asked for, they are equal
TAKEN_SHARE = 0.5


@lru_cache(maxsize=N_CACHED)
def taken_share(scop: Scop, name: str) -> float:
    """The share of a statement's instances that do something, as data may have it.

    1 where it does something in any case.
    """
    body = scop.statement(name).body
    if not body or any(not isinstance(a, Guard) or a.other for a in body):
        return 1.0
    return max(_share(scop, a.cond) for a in body if isinstance(a, Guard))


def _share(scop: Scop, cond: Expr) -> float:
    asked = _meaning(scop, cond)
    if not depends_on_data(asked):
        return 1.0
    match asked:
        case Binary("==", _, _):
            return EQUAL_SHARE
        case Binary("!=", _, _):
            return 1.0 - EQUAL_SHARE
    return TAKEN_SHARE


def _meaning(scop: Scop, cond: Expr) -> Expr:
    """What a condition asks, where a variable of one value for all times holds it."""
    if isinstance(cond, Load):
        written = [
            a.value
            for s in scop.statements
            for action in s.body
            for a in assignments(action)
            if a.target.array == cond.array
        ]
        cond = written[0] if len(written) == 1 else cond
    match cond:
        case Binary("!=", inner, Const(value=0)) if isinstance(inner, Binary):
            return inner
    return cond
