"""Private scalars that one statement reads are computed there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import islpy as isl

from polysched.analysis.coalesce import merge_accesses
from polysched.analysis.program_features import expression_operations
from polysched.ir import (
    Access,
    Array,
    Assign,
    Call,
    Cast,
    Expr,
    Load,
    Lookup,
    Scop,
    Select,
    Statement,
    action_expressions,
    assignments,
    map_action,
    walk,
)

MAX_REPEATED = 6  # operations of a value that stands in a statement several times


def substitute_scalars(scop: Scop) -> Scop:
    """Compute private scalars that one statement reads in that statement.

    ``double up = A[i - 1]; B[i] = up + A[i];`` becomes ``B[i] = A[i - 1] + A[i];``: one
    statement in place of two that a schedule could move apart, with an array between
    them. Results do not change: the value is converted to the scalar's type. A short
    value may be read several times, as in ``best = b < best ? b : best``; compilers
    compute once what stands in a statement twice.

    Parameters
    ----------
    scop : Scop
        With private scalars expanded, see `privatize`.

    Returns
    -------
    Scop
        Rewritten for every expanded scalar that one plain assignment sets and that the
        body of one other statement of the same loops mentions, once if the value is
        long or calls something, where nothing in between writes what the assignment
        reads.
    """
    for array in scop.arrays:
        if array.is_private and array.is_scalar and array.n_expanded:
            pair = _find_pair(scop, array)
            if pair is not None:
                scop = _substitute(scop, array, pair)
    return scop


@dataclass(frozen=True, eq=False)
class _Pair:
    """The statement that sets a scalar, what to, and the one that reads it."""

    writer: Statement
    assign: Assign
    reader: Statement


def _find_pair(scop: Scop, scalar: Array) -> _Pair | None:
    users = [
        s for s in scop.statements if any(a.array == scalar.name for a in s.accesses)
    ]
    if len(users) != 2:
        return None
    writer, reader = users
    assign = writer.body[0] if len(writer.body) == 1 else None
    if not isinstance(assign, Assign) or assign.op != "=":
        return None
    pair = _Pair(writer, assign, reader)
    is_sound = (
        assign.target.array == scalar.name
        and not any(a.array == scalar.name for a in writer.reads)
        and not any(a.array == scalar.name for a in reader.writes)
        and scalar.n_expanded == writer.n_loops
        and _share_loops(writer, reader)
        and _may_stand_in(scalar, assign, sum(1 for _ in _loads(reader, scalar.name)))
        and not _is_disturbed(scop, pair)
    )
    return pair if is_sound else None


def _share_loops(writer: Statement, reader: Statement) -> bool:
    """Whether the reader runs in the writer's iterations, behind it."""
    n = writer.n_loops
    return (
        writer.iterators == reader.iterators
        and writer.position[:n] == reader.position[:n]
        and writer.position[n] < reader.position[n]
        and reader.domain.reset_tuple_id().is_subset(writer.domain.reset_tuple_id())
    )


def _may_stand_in(scalar: Array, assign: Assign, n_places: int) -> bool:
    """Whether the value may be computed wherever the scalar is read.

    What holds small integers stays a scalar, whose type may be shorter.
    """
    if n_places == 1:
        return True
    parts = list(walk(assign.value))
    is_plain = not any(isinstance(e, Call | Lookup | Select) for e in parts)
    loads = (e for e in parts if isinstance(e, Load))
    is_small = any(e.dtype.n_bytes < scalar.type.n_bytes for e in loads)
    n_operations = n_places * expression_operations(assign.value)
    return is_plain and not is_small and n_operations <= MAX_REPEATED


def _loads(statement: Statement, array: str) -> Iterator[Load]:
    for action in statement.body:
        for top in action_expressions(action):
            for expr in walk(top):
                if isinstance(expr, Load) and expr.array == array:
                    yield expr


def _is_disturbed(scop: Scop, pair: _Pair) -> bool:
    """Whether something that the value is made of may change before it is read."""
    n = pair.writer.n_loops
    first, last = pair.writer.position, pair.reader.position
    used = {a.array for a in pair.writer.reads}
    for s in scop.statements:
        between = s.position[:n] == first[:n] and first[n] < s.position[n] <= last[n]
        if not between or not any(a.array in used for a in s.writes):
            continue
        if s is not pair.reader or not _writes_last(s):
            return True
    return False


def _writes_last(statement: Statement) -> bool:
    """Whether a statement has read all that it reads when it writes."""
    if statement.has_data_loops:
        return False
    return sum(1 for a in statement.body for _ in assignments(a)) == 1


def _substitute(scop: Scop, scalar: Array, pair: _Pair) -> Scop:
    """The SCoP in which the value takes the scalar's place."""
    value = pair.assign.value
    if value.dtype != scalar.type:
        value = Cast(scalar.type, value)

    def put_value(expr: Expr) -> Expr | None:
        is_scalar = isinstance(expr, Load) and expr.array == scalar.name
        return value if is_scalar else None

    reader = replace(
        pair.reader,
        body=tuple(map_action(a, put_value) for a in pair.reader.body),
        accesses=merge_accesses(_accesses(scalar, pair)),
    )
    kept = (s for s in scop.statements if s is not pair.writer)
    return replace(
        scop,
        statements=tuple(reader if s is pair.reader else s for s in kept),
        arrays=tuple(a for a in scop.arrays if a.name != scalar.name),
    )


def _accesses(scalar: Array, pair: _Pair) -> Iterator[Access]:
    """What writer and reader touch besides the scalar, reads before writes."""
    for access in pair.writer.reads:
        relation = access.relation.set_tuple_name(isl.dim_type.in_, pair.reader.name)
        moved = relation.intersect_domain(pair.reader.domain)
        yield replace(access, relation=moved)
    yield from (a for a in pair.reader.accesses if a.array != scalar.name)
