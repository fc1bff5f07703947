"""Private scalars are computed where one statement, or some of a sweep, read them."""

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
    Binary,
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
MAX_FACTOR = 2  # operations of a factor that every term of a sum computes


def substitute_scalars(scop: Scop) -> Scop:
    """Compute private scalars where they are read.

    ``double up = A[i - 1]; B[i] = up + A[i];`` becomes ``B[i] = A[i - 1] + A[i];``: one
    statement in place of two that a schedule could move apart, with an array between
    them. Results do not change: the value is converted to the scalar's type. A short
    value may be read several times, as in ``best = b < best ? b : best``; compilers
    compute once what stands in a statement twice. It may be read by several statements
    where a loop around them changes what it is made of, as time steps of two fields do
    that react with each other.

    Parameters
    ----------
    scop : Scop
        With private scalars expanded, see `privatize`.

    Returns
    -------
    Scop
        Rewritten for every expanded scalar that one plain assignment sets and that the
        bodies of other statements of the same loops mention, one if nothing comes
        round, once if the value is long or calls something, where nothing in between
        writes what the assignment reads. A short factor of sums in inner loops, too, if
        the region writes nothing that it is made of.
    """
    for array in scop.arrays:
        if array.is_private and array.is_scalar and array.n_expanded:
            uses = _find_uses(scop, array)
            if uses is not None:
                scop = _substitute(scop, array, uses)
    return scop


@dataclass(frozen=True, eq=False)
class _Uses:
    """The statement that sets a scalar, what to, and those that read it."""

    writer: Statement
    assign: Assign
    readers: tuple[Statement, ...]


def _find_uses(scop: Scop, scalar: Array) -> _Uses | None:
    users = [
        s for s in scop.statements if any(a.array == scalar.name for a in s.accesses)
    ]
    if len(users) < 2:
        return None
    writer, *readers = users
    others = (s for s in scop.statements if not any(s is u for u in users))
    if any(True for s in others for _ in _loads(s, scalar.name)):
        return None  # in a branch that is never taken
    assign = writer.body[0] if len(writer.body) == 1 else None
    if not isinstance(assign, Assign) or assign.op != "=":
        return None
    uses = _Uses(writer, assign, tuple(readers))
    if _is_factor(scop, scalar, uses):
        return uses
    n_places = [sum(1 for _ in _loads(r, scalar.name)) for r in readers]
    is_sound = (
        assign.target.array == scalar.name
        and not any(a.array == scalar.name for a in writer.reads)
        and not any(a.array == scalar.name for r in readers for a in r.writes)
        and scalar.n_expanded == writer.n_loops
        and all(r.iterators == writer.iterators for r in readers)
        and all(_is_inside(writer, r) for r in readers)
        and all(n_places)
        and _may_stand_in(scalar, assign, sum(n_places))
        and (len(readers) == 1 or _comes_round(scop, writer))
        and not any(_is_disturbed(scop, writer, r) for r in readers)
    )
    return uses if is_sound else None


def _is_factor(scop: Scop, scalar: Array, uses: _Uses) -> bool:
    """Whether sums of inner loops have the scalar for a factor, which stays.

    ``double t = w[i] * A[i][j]; for (...) G[j][k] += t * A[i][k];`` is a product of
    matrices. With `t` an array of all values stands between them, or `i` outermost; a
    term that computes the factor has it held before the loop, or packed.
    """
    writer, value = uses.writer, uses.assign.value
    parts = list(walk(value))
    written = {a.array for s in scop.statements for a in s.writes}
    loads = [e for e in parts if isinstance(e, Load)]
    return (
        uses.assign.target.array == scalar.name
        and scalar.n_expanded == writer.n_loops
        and any(r.n_loops > writer.n_loops for r in uses.readers)
        and all(_sums_products_of(scalar.name, r) for r in uses.readers)
        and all(_is_inside(writer, r) for r in uses.readers)
        and bool(loads)
        and not any(isinstance(e, Call | Lookup | Select) for e in parts)
        and not any(isinstance(e, Binary) and e.op in "/%" for e in parts)
        and not any(e.dtype.n_bytes < scalar.type.n_bytes for e in loads)
        and expression_operations(value) <= MAX_FACTOR
        and not any(a.array in written for a in writer.reads)
    )


def _sums_products_of(scalar: str, statement: Statement) -> bool:
    """Whether it adds a product to an element, of which a scalar is a factor."""
    match statement.body:
        case (Assign(_, "+=" | "-=", Binary("*") as product),):
            factors = _factors(product)
            n_here = sum(
                1 for f in factors if isinstance(f, Load) and f.array == scalar
            )
            return n_here == sum(1 for _ in _loads(statement, scalar)) == 1
    return False


def _factors(expr: Expr) -> list[Expr]:
    """What a product is made of."""
    if isinstance(expr, Binary) and expr.op == "*":
        return [*_factors(expr.left), *_factors(expr.right)]
    return [expr]


def _is_inside(writer: Statement, reader: Statement) -> bool:
    """Whether the reader runs in the writer's iterations, or in loops inside."""
    n = writer.n_loops
    outer = reader.domain.project_out(
        isl.dim_type.set, n, max(0, reader.n_loops - n)
    ).reset_tuple_id()
    return (
        reader.n_loops >= n
        and writer.iterators == reader.iterators[:n]
        and writer.position[:n] == reader.position[:n]
        and writer.position[n] < reader.position[n]
        and outer.is_subset(writer.domain.reset_tuple_id())
    )


def _comes_round(scop: Scop, writer: Statement) -> bool:
    """Whether a loop around it changes what a statement reads, as sweeps do.

    A schedule may run the readers of a scalar some sweeps later then, with an array of
    all its values between. Other private values come from the same iteration.
    """
    used = {a.array for a in writer.reads if not scop.array(a.array).is_private}
    return any(
        s.n_loops and s.position[:1] == writer.position[:1]
        for s in scop.statements
        if any(a.array in used for a in s.writes)
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


def _is_disturbed(scop: Scop, writer: Statement, reader: Statement) -> bool:
    """Whether something that the value is made of may change before it is read."""
    n = writer.n_loops
    first, last = writer.position, reader.position
    used = {a.array for a in writer.reads}
    for s in scop.statements:
        between = s.position[:n] == first[:n] and first[n] < s.position[n] <= last[n]
        if not between or not any(a.array in used for a in s.writes):
            continue
        if s is not reader or not _writes_last(s):
            return True
    return False


def _writes_last(statement: Statement) -> bool:
    """Whether a statement has read all that it reads when it writes."""
    if statement.has_data_loops:
        return False
    return sum(1 for a in statement.body for _ in assignments(a)) == 1


def _substitute(scop: Scop, scalar: Array, uses: _Uses) -> Scop:
    """The SCoP in which the value takes the scalar's place."""
    value = uses.assign.value
    if value.dtype != scalar.type:
        value = Cast(scalar.type, value)

    def put_value(expr: Expr) -> Expr | None:
        is_scalar = isinstance(expr, Load) and expr.array == scalar.name
        return value if is_scalar else None

    def rewrite(statement: Statement) -> Statement:
        if not any(statement is r for r in uses.readers):
            return statement
        return replace(
            statement,
            body=tuple(map_action(a, put_value) for a in statement.body),
            accesses=merge_accesses(_accesses(scalar, uses.writer, statement)),
        )

    kept = (s for s in scop.statements if s is not uses.writer)
    return replace(
        scop,
        statements=tuple(map(rewrite, kept)),
        arrays=tuple(a for a in scop.arrays if a.name != scalar.name),
    )


def _accesses(scalar: Array, writer: Statement, reader: Statement) -> Iterator[Access]:
    """What writer and reader touch besides the scalar, reads before writes."""
    n_more = reader.n_loops - writer.n_loops
    for access in writer.reads:
        relation = access.relation.insert_dims(
            isl.dim_type.in_, writer.n_loops, n_more
        ).set_tuple_name(isl.dim_type.in_, reader.name)
        yield replace(access, relation=relation.intersect_domain(reader.domain))
    yield from (a for a in reader.accesses if a.array != scalar.name)
