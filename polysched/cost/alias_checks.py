"""How often compilers would have to ask whether arrays overlap, by the model.

Of pointers that a function is given a compiler does not know whether they overlap.
Before it runs a loop in lanes that nothing says are independent, it asks for each two
runs of memory that might; where that is too often, the loop stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from math import prod

from polysched.analysis import Member, Reference, member_directions, references
from polysched.cost.peel import constant_trips
from polysched.ir import Array, Const, Scop

MAX_CHECKS = 10  # of gcc at -O3, `vect-max-version-for-alias-checks`

Run = tuple[str, tuple[Member, ...]]


def asks_too_often(runs: Iterable[Run], scop: Scop) -> bool:
    """Whether a compiler gives a loop up that might be run in lanes.

    Parameters
    ----------
    runs : iterable of (str, tuple of Member)
        Statements that the innermost loop runs, with their loops, short ones unrolled.
    scop : Scop
        Their SCoP.
    """
    pieces: dict[str, dict[object, int]] = {}
    written: set[str] = set()
    for name, members in runs:
        for reference in references(scop)[name]:
            array = scop.array(reference.array)
            if array.storage == "scop":
                continue
            key, n = _pieces(reference, array, name, members, scop)
            known = pieces.setdefault(array.name, {})
            known[key] = max(n, known.get(key, 0))
            if reference.is_write:
                written.add(array.name)
    sizes = {name: sum(known.values()) for name, known in pieces.items()}
    n_checks = sum(
        sizes[a] * sizes[b]
        for a, b in combinations(sizes, 2)
        if written & {a, b} and _may_overlap(scop.array(a), scop.array(b))
    )
    return n_checks > MAX_CHECKS


def _pieces(
    reference: Reference, array: Array, name: str, members: tuple[Member, ...],
    scop: Scop,
) -> tuple[object, int]:  # fmt: skip
    """What tells an access's runs of memory from others, and how many it has.

    Rows that lie a known distance apart are one run.
    """
    if all(isinstance(e, Const) for e in array.extents[1:]):
        return reference.rows, 1
    statement, directions = scop.statement(name), member_directions(members)
    trips = (
        constant_trips(statement, m.coefficients) or 1
        for m, along in zip(members, directions, strict=True)
        if m.unrolled and along is not None and any(reference.moves(along)[:-1])
    )
    return (reference.rows, reference.offsets[:-1]), prod(trips)


def _may_overlap(one: Array, other: Array) -> bool:
    """Whether a compiler has to ask: bytes may lie where anything does."""
    if "parameter" not in {one.storage, other.storage}:
        return False
    types = one.type, other.type
    if any(t.n_bytes == 1 for t in types):
        return True
    return types[0].n_bytes == types[1].n_bytes and (
        types[0].is_float == types[1].is_float
    )
