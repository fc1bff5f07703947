"""Loops over the halves of a range that do the same become one loop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import islpy as isl

from polysched.ir import Access, Scop, Statement


def join_loops(scop: Scop) -> Scop:
    """Let a loop and the next one be one loop where the next goes on with the same.

    An LU factorisation by rows changes what lies left of the diagonal in one loop, and
    the rest of the row in another, by the same terms::

        for j < i: { for k < j: A[i][j] -= A[i][k] * A[k][j];  A[i][j] /= A[j][j]; }
        for j >= i:  for k < i: A[i][j] -= A[i][k] * A[k][j];

    As one statement over ``k < min(i, j)`` the update is a matrix product with a
    rectangle behind every block of the diagonal, in place of two triangles. The order
    of instances stays as it is.

    Parameters
    ----------
    scop : Scop
        Any SCoP.

    Returns
    -------
    Scop
        Two neighbouring loops are joined where, in each iteration of the loops around
        them, all values of the first lie in front of those of the second, all
        statements of one of them stand in the other one, too, and such a pair has a
        convex domain together. The statement of the first loop stays.
    """
    found = next(_joined(scop), None)
    while found is not None:
        scop = found
        found = next(_joined(scop), None)
    return scop


def _joined(scop: Scop) -> Iterator[Scop]:
    """The SCoP with two neighbouring loops joined, for all that can be."""
    loops = sorted(
        {s.position[: k + 1] for s in scop.statements for k in range(s.n_loops)}
    )
    for loop in loops:
        depth = len(loop) - 1
        behind = [
            s.position[depth]
            for s in scop.statements
            if s.position[:depth] == loop[:-1] and s.position[depth] > loop[-1]
        ]
        if not behind:
            continue
        first = _under(scop, loop)
        second = _under(scop, (*loop[:-1], min(behind)))
        merged = _join(scop, first, second, depth)
        if merged is not None:
            own = {s.name for s in (*first, *second)}
            rest = [s for s in scop.statements if s.name not in own]
            ordered = sorted((*rest, *merged), key=lambda s: s.position)
            yield replace(scop, statements=tuple(ordered))


def _under(scop: Scop, position: tuple[int, ...]) -> list[Statement]:
    """Statements in a loop, or the one at a position."""
    n = len(position)
    return [s for s in scop.statements if s.position[:n] == position]


def _join(
    scop: Scop, first: list[Statement], second: list[Statement], depth: int
) -> list[Statement] | None:
    """What the joined loop holds, None where two loops cannot be joined."""
    if any(s.n_loops <= depth or s.directions[depth] != 1 for s in (*first, *second)):
        return None
    found = {s.position[depth + 1 :]: s for s in first}
    others = {s.position[depth + 1 :]: s for s in second}
    common = found.keys() & others.keys()
    if not common or len(common) < min(len(found), len(others)):
        return None
    merged = [_merge(found[p], others[p]) for p in sorted(common)]
    if None in merged or not _follow(scop, first, second, depth):
        return None
    head = first[0].position[: depth + 1]
    rest = [s for p, s in (found | others).items() if p not in common]
    moved = [replace(s, position=(*head, *s.position[depth + 1 :])) for s in rest]
    return [s for s in merged if s is not None] + moved


def _merge(one: Statement, other: Statement) -> Statement | None:
    """One statement over both domains, None where they differ or are not convex."""
    if (one.iterators, one.directions, one.body, one.is_unordered) != (
        other.iterators,
        other.directions,
        other.body,
        other.is_unordered,
    ):
        return None
    domain = one.domain.union(other.domain.set_tuple_name(one.name)).coalesce()
    hull = isl.Set.from_basic_set(domain.simple_hull())
    if not hull.is_subset(domain) or len(one.accesses) != len(other.accesses):
        return None
    pairs = list(zip(one.accesses, other.accesses, strict=True))
    if any((a.array, a.kind) != (b.array, b.kind) for a, b in pairs):
        return None
    accesses = tuple(_unite(a, b, one.name) for a, b in pairs)
    return replace(one, domain=hull, accesses=accesses)


def _unite(one: Access, other: Access, name: str) -> Access:
    """The same access by the instances of both."""
    relation = other.relation.set_tuple_name(isl.dim_type.in_, name)
    if relation.is_equal(one.relation):
        return one
    return replace(one, relation=one.relation.union(relation).coalesce())


def _follow(
    scop: Scop, first: list[Statement], second: list[Statement], depth: int
) -> bool:
    """Whether each value of the second loop is above all of the first."""
    ahead, behind = (_values(scop, part, depth) for part in (first, second))
    above = isl.Map.lex_ge(ahead.get_space())
    for k in range(depth):
        above = above.equate(isl.dim_type.in_, k, isl.dim_type.out, k)
    return bool(above.intersect_domain(ahead).intersect_range(behind).is_empty())


def _values(scop: Scop, statements: list[Statement], depth: int) -> isl.Set:
    """Values of the first iterators, up to a depth, of any of some statements."""
    parts = [
        s.domain.intersect_params(scop.context)
        .project_out(isl.dim_type.set, depth + 1, s.n_loops - depth - 1)
        .set_tuple_name("")
        for s in statements
    ]
    union = parts[0]
    for part in parts[1:]:
        union = union.union(part)
    return union
