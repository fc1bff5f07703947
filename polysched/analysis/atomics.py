"""Updates that threads may make in any order, and at the same time."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from math import prod

import islpy as isl

from polysched.analysis.dependences import Dependence, Dependences
from polysched.analysis.reductions import Reduction, match_update
from polysched.ir import (
    Action,
    Assign,
    Binary,
    Cast,
    Const,
    Expr,
    Guard,
    Load,
    ScalarType,
    Scop,
    Unary,
    map_expr,
    types,
)
from polysched.sets import list_sets

_UNSIGNED = {4: types.UINT, 8: types.ULLONG}


@dataclass(frozen=True)
class AtomicUpdate:
    """An update in the form in which a device can make it in one go.

    Attributes
    ----------
    target : Load
        What is updated.
    op : {"+", "min", "max"}
        How; what is subtracted is added with its sign changed.
    value : Expr
        What is put in, of the target's type.
    conditions : tuple of Expr
        On data, under which the update is made, outermost first.
    """

    target: Load
    op: str
    value: Expr
    conditions: tuple[Expr, ...] = ()


def read_atomic(action: Action) -> AtomicUpdate | None:
    """The update that an action makes, if a device can make it in one go.

    Integers of four and eight bytes are added to, and compared with; floating-point
    numbers added to, by terms of their own precision.

    Parameters
    ----------
    action : Action
        The only one of a statement.
    """
    matched = match_update(action)
    if matched is None:
        return None
    target, op, terms = matched
    kind = target.type
    if kind.n_bytes not in _UNSIGNED or op == "*":
        return None
    if op in ("min", "max"):
        return None if kind.is_float else _extremum(action, op, terms[0])
    if any(t.dtype.is_float and t.dtype.n_bytes > kind.n_bytes for t in terms):
        return None
    return _sum(action)


def _extremum(action: Action, op: str, term: Expr) -> AtomicUpdate | None:
    """A minimum or maximum; the comparison with its own element goes."""
    match action:
        case Assign(target, _, _):
            return AtomicUpdate(target, op, Cast(target.type, term))
        case Guard(_, (Assign(target, "=", value),), ()) if value == term:
            return AtomicUpdate(target, op, Cast(target.type, term))
        case Guard(cond, (inner,), ()):
            found = _extremum(inner, op, term)
            return found and replace(found, conditions=(cond, *found.conditions))
    return None


def _sum(action: Action) -> AtomicUpdate | None:
    match action:
        case Guard(cond, (inner,), ()):
            found = _sum(inner)
            return found and replace(found, conditions=(cond, *found.conditions))
        case Assign(target, "+=", value):
            return AtomicUpdate(target, "+", Cast(target.type, value))
        case Assign(target, "-=", value):
            return AtomicUpdate(target, "+", _negative(value, target.type))
        case Assign(target, "=", value):

            def without(expr: Expr) -> Expr | None:
                return _zero(target.type) if expr == target else None

            return AtomicUpdate(
                target, "+", Cast(target.type, map_expr(value, without))
            )
    return None


def _negative(value: Expr, type_: ScalarType) -> Expr:
    """A term with its sign changed; integers wrap."""
    if type_.is_float:
        return Unary("-", Cast(type_, value))
    unsigned = _UNSIGNED[type_.n_bytes]
    zero = Const(0, unsigned, "0ull" if unsigned == types.ULLONG else "0u")
    return Cast(type_, Binary("-", zero, Cast(unsigned, value)))


def _zero(type_: ScalarType) -> Const:
    if type_.is_float:
        return Const(0.0, type_, "0.0f" if type_ == types.FLOAT else "0.0")
    return Const(0, type_, "0")


def find_atomic_updates(
    reductions: Iterable[Reduction],
    arrays: Collection[str],
    statements: Collection[str],
) -> dict[str, Reduction]:
    """Some statements' updates of arrays that come in any order among each other.

    Parameters
    ----------
    reductions : iterable of Reduction
        Those whose terms may be reordered.
    arrays : collection of str
        That are updated.
    statements : collection of str
        To choose from.

    Returns
    -------
    dict of str to Reduction
        By statement. Of an array of which two are of different kinds, or a term reads
        another element, there is none.
    """
    found: dict[str, Reduction] = {}
    for array in arrays:
        own = [r for r in reductions if r.array == array and r.statement in statements]
        kinds = {"+" if r.op == "-" else r.op for r in own}
        if len(kinds) == 1 and not any(r.others for r in own):
            found |= {r.statement: r for r in own}
    return found


def leave_to_atomics(
    node: isl.ScheduleNode, arrays: Collection[str], dependences: Dependences
) -> Dependences:
    """The dependences without those between updates that are made in one go.

    Parameters
    ----------
    node : isl.ScheduleNode
        Above all updates that count.
    arrays : collection of str
        That are updated.
    dependences : Dependences
        With the reductions whose terms may be reordered.
    """
    here = {s.get_tuple_name() for s in list_sets(node.get_domain())}
    gone = find_atomic_updates(dependences.reductions, arrays, here)

    def is_kept(d: Dependence) -> bool:
        ends = (gone.get(d.source), gone.get(d.sink))
        return any(r is None or r.array != d.array for r in ends)

    return replace(dependences, items=tuple(filter(is_kept, dependences.items)))


def updates_alone(
    scop: Scop, array: str, statements: Collection[str], updates: Collection[str]
) -> bool:
    """Whether of some statements only the updates touch an array."""
    return all(
        s.name in updates
        for s, a in scop.iter_accesses()
        if a.array == array and s.name in statements
    )


def count_elements(scop: Scop, name: str) -> int | None:
    """Elements from an array's first to the last one that may be touched, in rows.

    None where no number bounds them, and where an element may lie before the first.
    """
    array = scop.array(name)
    if name in scop.open_arrays:
        return None
    inner = [e.value for e in array.extents[1:] if isinstance(e, Const)]
    if len(inner) + 1 != array.n_dim or array.pitches:
        return None
    context = scop.context.params()
    touched = [
        a.relation.intersect_domain(s.domain).range().intersect_params(context)
        for s, a in scop.iter_accesses()
        if a.array == name
    ]
    lows = [t.dim_min_val(0) for t in touched]
    highs = [t.dim_max_val(0) for t in touched]
    if not all(v.is_int() for v in (*lows, *highs)) or any(v.is_neg() for v in lows):
        return None
    n_rows = max((int(v.to_python()) + 1 for v in highs), default=0)
    return max(1, n_rows * int(prod(inner)))
