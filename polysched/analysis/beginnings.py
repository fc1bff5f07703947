"""Elements that begin with the least of several terms begin with one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import islpy as isl

from polysched.analysis.coalesce import merge_accesses
from polysched.analysis.guarded_sums import rename_statement
from polysched.analysis.operands import load_relations
from polysched.analysis.reductions import ReductionOp, match_update
from polysched.base import AnalysisError
from polysched.ir import (
    Access,
    Assign,
    Binary,
    Expr,
    Load,
    Lookup,
    Scop,
    Select,
    Statement,
    original_tree,
    walk,
)

_COMPARED: dict[ReductionOp, str] = {"min": "<", "max": ">"}
_OPERATORS: dict[str, ReductionOp] = {"<": "min", "<=": "min", ">": "max", ">=": "max"}


@dataclass(frozen=True)
class Beginning:
    """A statement that was split, and the names of its parts."""

    whole: Statement
    first: str
    update: str


def split_beginnings(scop: Scop) -> tuple[Scop, tuple[Beginning, ...]]:
    """Let an element that begins with the least of several terms begin with one.

    ``x[i][j] = min(x[i+1][j], x[i][j-1]); for k: x[i][j] = min(x[i][j], ...)`` becomes
    ``x[i][j] = x[i+1][j]; x[i][j] = min(x[i][j], x[i][j-1]); for k: ...``: the second
    term, which is known last, is an update that may come behind the others. Results do
    not change, as the terms are integers of the element's type that are compared as
    such.

    Parameters
    ----------
    scop : Scop
        With private scalars in their final place.

    Returns
    -------
    Scop
        With every such statement in two, if a later one of the same iteration updates
        the element by the same operator.
    tuple of Beginning
        What was split.
    """
    found: list[Beginning] = []
    for name in [s.name for s in scop.statements]:
        statement = scop.statement(name)
        parts = _take_apart(scop, statement)
        if parts is not None:
            scop = _put_in(scop, statement, parts)
            found.append(Beginning(statement, parts[0].name, parts[1].name))
    return scop, tuple(found)


def join_beginnings(scop: Scop, split: Sequence[Beginning]) -> Scop:
    """The same with statements put together whose parts stayed side by side."""
    for beginning in split:
        first = scop.statement(beginning.first)
        update = scop.statement(beginning.update)
        depth = len(first.position) - 1
        between = [
            s
            for s in scop.statements
            if s.position[:depth] == first.position[:depth]
            and first.position[depth] < s.position[depth] < update.position[depth]
        ]
        if not between:
            whole = replace(beginning.whole, position=first.position)
            kept = (s for s in scop.statements if s is not update)
            statements = tuple(whole if s is first else s for s in kept)
            scop = replace(scop, statements=statements)
    return scop


def _take_apart(scop: Scop, s: Statement) -> tuple[Statement, Statement] | None:
    """A statement that begins an element, and one that updates it by the last term."""
    action = s.body[0] if len(s.body) == 1 else None
    if not isinstance(action, Assign) or action.op != "=":
        return None
    op, terms = _terms(action.value)
    target = action.target
    if op is None or target.type.is_float or target.is_chosen_by_data:
        return None
    nodes = [e for t in terms for e in walk(t)]
    if target in nodes or any(isinstance(e, Lookup) for e in nodes):
        return None
    is_plain = all(t.dtype == target.type for t in terms)
    if not is_plain or not _is_updated(scop, s, target.array, op):
        return None
    last = _known_last(scop, s, target, terms)
    if last is None:
        return None
    others = [t for t in terms if t != last]
    begin = Assign(target, "=", reduce(lambda a, b: _extremum(op, a, b), others))
    update = Assign(target, "=", _extremum(op, target, last))
    number = 1 + max(int(o.name[1:]) for o in scop.statements)
    parts = _with_body(scop, s, begin), _with_body(scop, s, update)
    if parts[0] is None or parts[1] is None:
        return None
    return parts[0], rename_statement(parts[1], f"S{number}")


def _terms(value: Expr) -> tuple[ReductionOp | None, list[Expr]]:
    """The operator and all terms of nested extrema; none where it is no extremum."""
    match value:
        case Select(Binary(sign, a, b), then, other) if sign in _OPERATORS:
            op = _OPERATORS[sign]
            if (then, other) == (b, a):
                op = "max" if op == "min" else "min"
            elif (then, other) != (a, b):
                return None, [value]
            terms = []
            for part in (a, b):
                inner, below = _terms(part)
                terms += below if inner == op else [part]
            return op, list(dict.fromkeys(terms))
    return None, [value]


def _extremum(op: ReductionOp, one: Expr, other: Expr) -> Expr:
    return Select(Binary(_COMPARED[op], one, other), one, other)


def _is_updated(scop: Scop, s: Statement, array: str, op: ReductionOp) -> bool:
    """Whether something behind a statement updates its array by an operator."""
    depth = len(s.position) - 1
    for other in scop.statements:
        is_behind = other.position[:depth] == s.position[:depth]
        if is_behind and other.position[depth] > s.position[depth]:
            matched = match_update(other.body[0]) if len(other.body) == 1 else None
            if matched is not None and (matched[0].array, matched[1]) == (array, op):
                return True
    return False


def _known_last(
    scop: Scop, s: Statement, target: Load, terms: Sequence[Expr]
) -> Expr | None:
    """The one term that reads what the statement began after what all others read."""
    (write,) = s.writes
    time = isl.Map.from_union_map(
        original_tree(scop).map.intersect_domain(isl.UnionSet.from_set(s.domain))
    )
    began = write.relation.reverse().apply_range(time)
    known: list[tuple[Expr, isl.Map]] = []
    for term in terms:
        reads = _relations(scop, s, term)
        if reads is None:
            return None
        own = [r for load, r in reads if load.array == target.array]
        if own:
            known.append((term, reduce(isl.Map.union, own).apply_range(began).lexmax()))
    for term, late in known:
        others = [early for other, early in known if other is not term]
        if others and all(_is_before(early, late) for early in others):
            return term
    return None


def _is_before(one: isl.Map, other: isl.Map) -> bool:
    """Whether one is known before the other in some instance, and later in none."""
    return _some_before(one, other) and not _some_before(other, one)


def _some_before(one: isl.Map, other: isl.Map) -> bool:
    pairs = one.lex_lt_map(other)
    return not pairs.intersect(isl.Map.identity(pairs.get_space())).is_empty()


def _relations(
    scop: Scop, s: Statement, expr: Expr
) -> list[tuple[Load, isl.Map]] | None:
    """What an expression reads; None where its subscripts are not understood."""
    try:
        return [
            (load, relation.intersect_domain(s.domain))
            for load, relation in load_relations(scop, expr, s.iterators, s.name)
        ]
    except AnalysisError:
        return None


def _with_body(scop: Scop, s: Statement, action: Assign) -> Statement | None:
    """The statement with another assignment, and those of its accesses that are left.

    None where some are not found again.
    """
    read = _relations(scop, s, action.value)
    if read is None:
        return None
    accesses: list[Access] = []
    for load, relation in read:
        same = [
            a
            for a in s.accesses
            if a.array == load.array and a.relation.is_equal(relation)
        ]
        if not same:
            return None
        accesses.append(replace(same[0], kind="read"))
    accesses += s.writes
    return replace(s, body=(action,), accesses=merge_accesses(accesses))


def _put_in(scop: Scop, s: Statement, parts: tuple[Statement, Statement]) -> Scop:
    """The SCoP with two statements in place of one, and room for the second."""
    depth = len(s.position) - 1
    place = s.position[depth]
    statements: list[Statement] = []
    for other in scop.statements:
        position = other.position
        if other is s:
            behind = (*position[:depth], place + 1)
            statements += [parts[0], replace(parts[1], position=behind)]
        elif position[:depth] == s.position[:depth] and position[depth] > place:
            moved = (*position[:depth], position[depth] + 1, *position[depth + 1 :])
            statements.append(replace(other, position=moved))
        else:
            statements.append(other)
    return replace(scop, statements=tuple(statements))
