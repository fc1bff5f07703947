"""Where an extremum is found, beside the extremum: choices in statements of their own.

An argmax keeps the greatest term and its place under one condition. As two choices it
runs in lanes, along the loops that lead to another maximum, and each is one assignment
to whatever holds elements in registers::

    for (j ...)                             for (j ...)
      for (i ...)                             for (i ...) {
        if (A[i][j] > best[j]) {                at[j] = A[i][j] > best[j] ? i : at[j];
          best[j] = A[i][j];        ==>         best[j] = A[i][j] > best[j] ? A[i][j]
          at[j] = i;                                                        : best[j];
        }                                     }

A single maximum stays as it is: there are no lanes, and a processor that guesses that
terms are rarely greater need not wait for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce

from polysched.analysis.extrema import match_guarded
from polysched.analysis.guarded_sums import with_parts_apart
from polysched.ir import (
    Access,
    Assign,
    Cast,
    Element,
    Expr,
    Guard,
    Iter,
    Load,
    Scop,
    Select,
    Statement,
    action_expressions,
    walk,
)


@dataclass(frozen=True)
class _Found:
    """An extremum and what is kept beside it, under one condition."""

    cond: Expr
    extremum: Assign
    beside: tuple[Assign, ...]


def choose_arguments(scop: Scop) -> Scop:
    """Give extrema, and what is kept beside them, statements that choose.

    Results do not change, bit for bit: what is kept beside does not depend on the
    extremum, which is chosen last.

    Parameters
    ----------
    scop : Scop
        Any SCoP.

    Returns
    -------
    Scop
        With the choices in the place of the statements that they are taken from; those
        of places are numbered behind all others.
    """
    return with_parts_apart(
        scop,
        {
            s.name: [_choice(s, f.cond, a) for a in (*f.beside, f.extremum)]
            for s in scop.statements
            if (f := _find(scop, s)) is not None
        },
    )


def _find(scop: Scop, s: Statement) -> _Found | None:
    """The extremum of a statement that keeps more beside it, None without such."""
    match s.body:
        case (Guard(cond, then, ()),) if len(then) > 1:
            actions = [a for a in then if isinstance(a, Assign) and a.op == "="]
            if len(actions) < len(then) or s.has_data_loops:
                return None
        case _:
            return None
    extrema = [a for a in actions if match_guarded(Guard(cond, (a,), ())) is not None]
    if len(extrema) != 1:
        return None
    (extremum,) = extrema
    beside = tuple(a for a in actions if a is not extremum)
    targets = [a.target.array for a in actions]
    if len(set(targets)) < len(targets) or not _has_lanes(s, extremum.target):
        return None
    mentioned = {e.array for a in actions for e in _elements(a.value)}
    mentioned |= {e.array for a in actions for x in a.target.subscripts
                  for e in walk(x) if isinstance(e, Element)}  # fmt: skip
    asked = {e.array for e in _elements(cond)}
    for action in beside:
        name = action.target.array
        if name in mentioned | asked or not _exists(scop, s, action.target):
            return None
    if extremum.target.array in mentioned:
        return None
    return _Found(cond, extremum, beside)


def _elements(expr: Expr) -> Iterator[Element]:
    return (e for e in walk(expr) if isinstance(e, Element))


def _has_lanes(s: Statement, target: Load) -> bool:
    """Whether some of the loops lead to other extrema, and some do not."""
    parts = (e for subscript in target.subscripts for e in walk(subscript))
    moving = {e.name for e in parts if isinstance(e, Iter)}
    return bool(moving) and not moving.issuperset(s.iterators)


def _exists(scop: Scop, s: Statement, target: Load) -> bool:
    """Whether an element may be written with what it holds, whatever data say.

    That of a private array may, and one that the region writes in any case.
    """
    if scop.array(target.array).storage == "scop":
        return True
    written = [
        a.relation.intersect_domain(other.domain).range()
        for other in scop.statements
        for a in other.writes
        if a.array == target.array and a.kind == "must_write"
    ]
    own = (a.relation.intersect_domain(s.domain) for a in s.writes)
    here = [r.range() for r in own if r.range().get_tuple_name() == target.array]
    if not written or not here:
        return False
    every = reduce(lambda a, b: a.union(b), written)
    context = scop.context.params()
    return all(r.intersect_params(context).is_subset(every) for r in here)


def _choice(s: Statement, cond: Expr, action: Assign) -> Statement:
    """The statement with one of its assignments, as a choice."""
    target, value = action.target, action.value
    if value.dtype != target.type:
        value = Cast(target.type, value)
    body = (Assign(target, "=", Select(cond, value, target)),)
    arrays = {
        e.array
        for top in action_expressions(body[0])
        for e in walk(top)
        if isinstance(e, Element)
    }
    return replace(s, body=body, accesses=tuple(_accesses(s, target.array, arrays)))


def _accesses(s: Statement, target: str, arrays: set[str]) -> Iterator[Access]:
    """The accesses to some arrays; the target is read and written for certain."""
    for access in s.accesses:
        if access.array == target and access.kind == "may_write":
            yield Access(target, "read", access.relation)
            yield replace(access, kind="must_write")
        elif access.kind == "read" and access.array in arrays - {target}:
            yield access
