"""Storage of private arrays under a schedule, by the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from polysched.analysis import Member, Reference, Vector, rank, walked_subscripts
from polysched.cost.nest import Nest
from polysched.cost.reuse import common_depth


def lay_out_copies(nests: Sequence[Nest]) -> list[Nest]:
    """The nests with the copies of private arrays as elements that lie in memory.

    An expanded array has a copy for every iteration of some loops. Where all its users
    run within one of these iterations, one copy is made and used again; subscripts
    that the loops around all users do not fix have a dimension in storage::

        for i { for j: w = ...; for j: ... = w; }       w needs no dimension for i
        for i, j: w = ...;  for i, j: ... = w           one element for each i, j

    Parameters
    ----------
    nests : sequence of Nest
        All statements.
    """
    depths = _shared_depths(nests)
    last = walked_subscripts((nest.members, nest.references) for nest in nests)
    return [_lay_out(nest, depths, last) for nest in nests]


def fresh_bytes(nests: Sequence[Nest], line_bytes: int) -> float:
    """Bytes of private arrays, each of which is touched for the first time once.

    Parameters
    ----------
    nests : sequence of Nest
        All statements, from `lay_out_copies`.
    line_bytes : int
        Cache line.
    """
    largest: dict[str, int] = {}
    for nest in nests:
        for name, _ in nest.stored:
            found = nest.footprint(0, line_bytes, name)
            largest[name] = max(found, largest.get(name, 0))
    return float(sum(largest.values()))


def _shared_depths(nests: Sequence[Nest]) -> dict[str, int]:
    """How many loops the users of each expanded array share, a copy in one turn."""
    users: dict[str, list[Nest]] = {}
    for nest in nests:
        for name in sorted({r.array for r in nest.references}):
            if nest.scop.array(name).n_expanded:
                users.setdefault(name, []).append(nest)
    return {
        name: min(
            _fixed_depth(found[0], other, other.scop.array(name).n_expanded)
            for other in found
        )
        for name, found in users.items()
    }


def _fixed_depth(one: Nest, other: Nest, n_expanded: int) -> int:
    """How many loops two users share of which a copy fixes the iteration.

    Where a schedule shifts one user by a step, or a loop runs over other iterators
    than those that number the copies, a copy is used in several iterations.
    """
    depth = common_depth(one, other)
    for k, (a, b) in enumerate(zip(one.members[:depth], other.members, strict=False)):
        at = _iteration(a, n_expanded)
        if at is None or at != _iteration(b, n_expanded):
            return k
    return depth


def _iteration(member: Member, n_expanded: int) -> object | None:
    """The iteration as a function of the copy; None where it is none."""
    rows = [row for row, _ in member.summed] or [member.coefficients]
    if any(any(row[n_expanded:]) for row in rows):
        return None
    leading = tuple(row[:n_expanded] for row in rows)
    return leading, member.constant, member.size, member.parameters


def _lay_out(nest: Nest, depths: Mapping[str, int], last: Mapping[str, int]) -> Nest:
    laid = tuple(
        _with_copies(nest, r, depths[r.array], last.get(r.array))
        if r.array in depths
        else r
        for r in nest.references
    )
    used = sorted({r.array for r in laid} & depths.keys())
    if not used:
        return nest
    return replace(
        nest, references=laid, stored=tuple((name, depths[name]) for name in used)
    )


def _with_copies(
    nest: Nest, reference: Reference, depth: int, last: int | None
) -> Reference:
    """The reference with the subscripts of expansion that the loops do not fix.

    The one that innermost loops walk along comes last, as in generated code.
    """
    fixed: list[Vector] = [
        m.coefficients for m in nest.members[:depth] if m.kind == "point"
    ]
    n_expanded = len(reference.expanded)
    rows = (*reference.expanded, *reference.rows)
    offsets = (*(0 for _ in reference.expanded), *reference.offsets)
    kept = [
        k
        for k, row in enumerate(rows)
        if k >= n_expanded or rank([*fixed, row]) > rank(fixed)
    ]
    if last in kept:
        kept.remove(last)
        kept.append(last)
    if kept == list(range(n_expanded, len(rows))):
        return reference
    return replace(
        reference,
        rows=tuple(rows[k] for k in kept),
        offsets=tuple(offsets[k] for k in kept),
        expanded=(),
    )
