"""What compilers leave as it is in a loop, and not in vector lanes, by the model."""

from __future__ import annotations

from functools import lru_cache

from polysched.analysis import call_count
from polysched.cost.nest import Nest
from polysched.ir import (
    Call,
    Guard,
    Load,
    Lookup,
    Select,
    Statement,
    action_expressions,
    walk,
)

N_CACHED = 1024  # statements, of which each schedule asks the same
INLINED_OPERATIONS = 32  # of a function that compilers inline without being told
CALL_CYCLES = 15.0  # of `expf` and its kin, which neighbouring calls overlap
EXTRA_OPERATIONS = 3
GATHERED_BYTES = 4  # no processor gathers shorter elements by places in a vector
_SEVERAL = frozenset(
    name + suffix
    for name in (
        "fmin", "fmax", "floor", "ceil", "trunc", "round", "lround", "llround",
    )
    for suffix in ("", "f")
)  # fmt: skip


def n_calls(nest: Nest) -> int:
    """Calls in one instance that keep its loop out of lanes."""
    return _n_calls(nest.statement)


@lru_cache(maxsize=N_CACHED)
def _n_calls(statement: Statement) -> int:
    return sum(call_count(action) for action in statement.body)


@lru_cache(maxsize=N_CACHED)
def call_cycles(statement: Statement) -> float:
    """Cycles of one instance's calls, beside the operations that they take.

    Of those to the library; a short function of the file is put in their place.
    """
    inlined = sum(
        isinstance(e, Call) and e.is_own and e.n_operations <= INLINED_OPERATIONS
        for action in statement.body
        for top in action_expressions(action)
        for e in walk(top)
    )
    return CALL_CYCLES * max(0, _n_calls(statement) - inlined)


@lru_cache(maxsize=N_CACHED)
def n_extra_operations(statement: Statement) -> int:
    """Operations of one instance that calls take beyond one each.

    A lesser of two that may be no number takes two comparisons and a choice, rounding
    to an integer the nearest one, a comparison and the choice of that beside it.
    """
    return sum(
        EXTRA_OPERATIONS
        for action in statement.body
        for top in action_expressions(action)
        for e in walk(top)
        if isinstance(e, Call) and not e.is_own and e.name in _SEVERAL
    )


def n_lookups(statement: Statement) -> int:
    """Elements that one instance looks up."""
    return len(_lookups(statement))


@lru_cache(maxsize=N_CACHED)
def stops_lanes(statement: Statement) -> bool:
    """Whether compilers put no loop that runs a statement in vector lanes."""
    narrow = any(e.dtype.n_bytes < GATHERED_BYTES for e in _lookups(statement))
    if narrow or statement.has_data_loops or any(map(call_count, statement.body)):
        return True
    return any(isinstance(a, Guard) and _chooses_places(a) for a in statement.body)


def _chooses_places(guard: Guard) -> bool:
    """Whether places that a choice finds are read under a condition, as `taper[d]`.

    Of neighbours in lanes these are anywhere, and the condition keeps compilers from
    reading them one by one.
    """
    return any(
        isinstance(e, Load) and any(isinstance(x, Select) for x in walk(e))
        for action in (*guard.then, *guard.other)
        for top in action_expressions(action)
        for e in walk(top)
    )


@lru_cache(maxsize=N_CACHED)
def _lookups(statement: Statement) -> tuple[Lookup, ...]:
    return tuple(
        e
        for action in statement.body
        for top in action_expressions(action)
        for e in walk(top)
        if isinstance(e, Lookup)
    )
