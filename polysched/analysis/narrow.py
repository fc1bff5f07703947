"""Private integers whose values are small get a type of fewer bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod

from polysched.analysis.spans import loop_spans
from polysched.ir import (
    Array,
    Assign,
    Binary,
    Cast,
    Const,
    Element,
    Expr,
    Iter,
    Load,
    Local,
    Range,
    ScalarType,
    Scop,
    Select,
    Statement,
    Unary,
    assignments,
    map_action,
    range_of,
    range_of_type,
    types,
    walk,
)
from polysched.ir.expr import COMPARISONS, LOGICAL

_SHORTER = types.UCHAR, types.SCHAR, types.USHORT, types.SHORT


def narrow_scalars(scop: Scop) -> Scop:
    """Let private `int` scalars that hold small values be short, or bytes.

    ``int s = 0; for 81 taps: s += picture[..]`` of bytes is at most 20655: vectors of
    two bytes hold twice as many sums as those of four. C computes with shorter integers
    as with `int`, so that results do not change.

    Parameters
    ----------
    scop : Scop
        With private scalars expanded, see `privatize`.

    Returns
    -------
    Scop
        With other types for expanded scalars of type `int` that are set to expressions
        of short integers and numbers, and added to a known number of times.
    """
    known: dict[str | Local | Iter, Range] = {}
    for array in scop.arrays:
        if not (array.is_private and array.is_scalar and array.n_expanded):
            continue
        found = _values(scop, array, known) if array.type == types.INT else None
        if found is None:
            continue
        known[array.name] = found
        shorter = [t for t in _SHORTER if range_of_type(t).holds(found)]
        if shorter:
            scop = _retype(scop, array, shorter[0])
    return scop


def _values(
    scop: Scop, scalar: Array, known: dict[str | Local | Iter, Range]
) -> Range | None:
    """What one copy of a scalar may hold, None where that is not known."""
    begun: Range | None = None
    added, again = Range(0, 0), list[Assign]()
    for statement, assign in _changes(scop, scalar.name):
        if assign.op == "=" and _reads(assign, scalar.name):
            again.append(assign)
            continue
        value = _short_range(assign.value, known)
        if value is None:
            return None
        if assign.op == "=":
            begun = value if begun is None else begun.joined(value)
            continue
        more = _added(statement, assign, value, scalar.n_expanded)
        if more is None:
            return None
        added = Range(added.low + more.low, added.high + more.high)
    if begun is None or (again and added != Range(0, 0)):
        return None
    total = Range(begun.low + added.low, begun.high + added.high)
    closed = _closed(total, again, scalar.name, known)
    return closed if closed and range_of_type(types.INT).holds(closed) else None


def _closed(
    start: Range,
    again: list[Assign],
    scalar: str,
    known: dict[str | Local | Iter, Range],
) -> Range | None:
    """The values that assignments which read a scalar leave it within."""
    found = start
    for _ in range(2):  # a choice between itself and others takes one round
        later = [_short_range(a.value, {**known, scalar: found}) for a in again]
        joined = found
        for value in later:
            if value is None:
                return None
            joined = joined.joined(value)
        if joined == found:
            return found
        found = joined
    return None


def _short_range(expr: Expr, known: dict[str | Local | Iter, Range]) -> Range | None:
    """The values of an expression that lanes can compute with short integers."""
    if not _is_short(expr, known):
        return None
    found = range_of(expr, known)
    return found if found and range_of_type(types.INT).holds(found) else None


def _is_short(expr: Expr, known: dict[str | Local | Iter, Range]) -> bool:
    match expr:
        case Const(int(), type_, _):
            return type_ == types.INT
        case Element(name, _, type_):
            return name in known or _has_short_values(type_)
        case Cast(type_, _) if _has_short_values(type_):
            return True
        case Binary(op) if op in COMPARISONS or op in LOGICAL:
            return True
        case Select(_, then, other):
            return _is_short(then, known) and _is_short(other, known)
        case Binary("/" | ">>", left, Const(int(by))) if by > 0:
            return _is_short(left, known)
        case Unary("-") | Binary("+" | "-" | "*"):
            return all(_is_short(e, known) for e in expr.operands)
    return False


def computed_bytes(statement: Statement) -> int | None:
    """Bytes of the shortest integers that hold all that a statement computes.

    Compilers compute in lanes of so many bytes, whatever C promotes to, but divide
    what it promotes to. None there, and where values are not known to be small.
    """
    needed = 1
    for action in statement.body:
        if not isinstance(action, Assign):
            return None
        for expr in _operations(action.value):
            found = _short_range(expr, {})
            if found is None or (isinstance(expr, Binary) and expr.op == "/"):
                return None
            fitting = [t.n_bytes for t in _SHORTER if range_of_type(t).holds(found)]
            needed = max(needed, min(fitting, default=types.INT.n_bytes))
    return needed


def _operations(expr: Expr) -> Iterator[Expr]:
    """The nodes of an expression that compute something, outside of subscripts."""
    if isinstance(expr, Element | Const):
        return
    yield expr
    for operand in expr.operands:
        yield from _operations(operand)


def _has_short_values(type_: ScalarType) -> bool:
    return not type_.is_float and type_.n_bytes < types.INT.n_bytes


def _changes(scop: Scop, scalar: str) -> Iterator[tuple[Statement, Assign]]:
    for statement in scop.statements:
        for action in statement.body:
            for assign in assignments(action):
                if assign.target.array == scalar:
                    yield statement, assign


def _reads(assign: Assign, scalar: str) -> bool:
    return any(isinstance(e, Load) and e.array == scalar for e in walk(assign.value))


def _added(
    statement: Statement, assign: Assign, value: Range, depth: int
) -> Range | None:
    """What a statement adds at most in one iteration of its outer loops."""
    times = _times(statement, depth)
    if times is None or statement.has_data_loops or assign.op not in ("+=", "-="):
        return None
    signed = value if assign.op == "+=" else Range(-value.high, -value.low)
    return Range(times * min(0, signed.low), times * max(0, signed.high))


def _times(statement: Statement, depth: int) -> int | None:
    """How often a statement runs at most in one iteration of its outer loops."""
    spans = loop_spans(statement.domain)[depth:]
    known = [1 + span for span in spans if span is not None]
    return prod(known) if len(known) == len(spans) else None


def _retype(scop: Scop, scalar: Array, type_: ScalarType) -> Scop:
    def shorter(e: Expr) -> Expr | None:
        if isinstance(e, Load) and e.array == scalar.name:
            return replace(e, type=type_)
        return None

    statements = tuple(
        replace(s, body=tuple(map_action(a, shorter) for a in s.body))
        if any(access.array == scalar.name for access in s.accesses)
        else s
        for s in scop.statements
    )
    arrays = tuple(replace(a, type=type_) if a == scalar else a for a in scop.arrays)
    return replace(scop, statements=statements, arrays=arrays)
