"""Distances of dependences along the loops that source and sink share."""

from __future__ import annotations

import islpy as isl

from polysched.analysis.dependences import Dependence
from polysched.base import LimitError
from polysched.ir import Scop, Statement
from polysched.sets import n_dims, operation_limit

MAX_OPERATIONS = 100_000  # of isl, some tenths of a second
DistanceRange = tuple[int | None, int | None]


def shared_loops(first: Statement, second: Statement) -> int:
    """How many of the outer loops two statements are in together."""
    deepest = min(first.n_loops, second.n_loops)
    for level in range(deepest):
        if first.position[: level + 1] != second.position[: level + 1]:
            return level
    return deepest


def dependence_distance(
    dependence: Dependence, scop: Scop
) -> tuple[DistanceRange, ...]:
    """Least and greatest difference of each shared iterator, sink minus source.

    Parameters
    ----------
    dependence : Dependence
    scop : Scop
        Where its statements are.

    Returns
    -------
    tuple of (int or None, int or None)
        One pair per shared loop, outermost first; None where the difference grows with
        the parameters, or is not found within `MAX_OPERATIONS`. Differences are those
        of the C iterators, so a loop that counts down gives negative ones.
    """
    source, sink = scop.statement(dependence.source), scop.statement(dependence.sink)
    shared = shared_loops(source, sink)
    relation = dependence.relation
    inner = source.n_loops - shared
    relation = relation.project_out(isl.dim_type.in_, shared, inner)
    inner = sink.n_loops - shared
    relation = relation.project_out(isl.dim_type.out, shared, inner)
    anonymous = relation.reset_tuple_id(isl.dim_type.in_)
    deltas = anonymous.reset_tuple_id(isl.dim_type.out).deltas()
    return tuple(set_range(deltas, k) for k in range(shared))


def own_distance(dependence: Dependence) -> tuple[DistanceRange, ...]:
    """`dependence_distance` of a statement that depends on itself: along all its loops.

    Nothing for a dependence between two statements, whose shared loops only their SCoP
    knows.
    """
    if dependence.source != dependence.sink:
        return ()
    deltas = dependence.relation.deltas()
    return tuple(set_range(deltas, k) for k in range(n_dims(deltas)))


def set_range(s: isl.Set, k: int) -> DistanceRange:
    """Least and greatest value of one dimension; None where there is none.

    Or where isl needs more than `MAX_OPERATIONS` for it, as behind many remainders.
    """
    try:
        with operation_limit(s.get_ctx(), MAX_OPERATIONS):
            return _finite(s.dim_min_val(k)), _finite(s.dim_max_val(k))
    except LimitError:
        return None, None


def print_distance(distance: tuple[DistanceRange, ...]) -> str:
    """The distance as a vector: ``(0, 1)``, ``(1.., *)``, ``(-1..1, 2)``."""
    return f"({', '.join(_print_range(low, high) for low, high in distance)})"


def _print_range(low: int | None, high: int | None) -> str:
    if low is None and high is None:
        return "*"
    if low == high:
        return str(low)
    return f"{'' if low is None else low}..{'' if high is None else high}"


def _finite(value: isl.Val) -> int | None:
    return int(value.to_python()) if value.is_int() else None
