"""Offsets of short integers that are taken to be small, and asked about.

Quantised networks add a zero point to each value before they multiply::

    acc += (input[b][d] + input_offset) * weights[c][d];

Such a factor fits two bytes, as instructions that add up several products want it,
where the offset is a small number. Nobody says that in C, so generated code that counts
on it asks first, and runs the original for others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from polysched.ir import (
    Assign,
    Binary,
    Bounded,
    Expr,
    Iter,
    Load,
    Local,
    Range,
    Scop,
    range_of,
    types,
    walk,
)

LIMIT = 1 << 14  # with a byte it is still far from the end of two bytes
_SHORT = Range(-(1 << 15), (1 << 15) - 1)


def bound_factors(scop: Scop) -> Scop:
    """The SCoP with `Scop.bounded`: scalars that make short factors of long ones.

    Of sums of products of integers, where both factors fit two bytes if the scalars
    in them, which the SCoP only reads, are small.
    """
    written = {a.array for s in scop.statements for a in s.writes}
    found: dict[str, None] = {}
    for s in scop.statements:
        match s.body:
            case (Assign(target, "+=", Binary("*", left, right) as term),) if (
                target.type == term.dtype == types.INT
            ):
                found |= dict.fromkeys(_scalars((left, right), written))
    return replace(scop, bounded=tuple(Bounded(name, LIMIT) for name in found))


def _scalars(factors: tuple[Expr, Expr], written: set[str]) -> Iterator[str]:
    """Scalars that both factors of a product need small, if that is enough."""
    needed: list[str] = []
    for factor in factors:
        if _fits(factor, {}):
            continue
        names = [
            e.array
            for e in walk(factor)
            if isinstance(e, Load) and not e.subscripts and not e.type.is_float
            and e.array not in written
        ]  # fmt: skip
        loads = any(isinstance(e, Load) and e.subscripts for e in walk(factor))
        small: dict[str | Local | Iter, Range] = dict.fromkeys(
            names, Bounded("", LIMIT).range
        )
        if not loads or not _fits(factor, small):
            return
        needed += names
    yield from needed


def _fits(factor: Expr, known: Mapping[str | Local | Iter, Range]) -> bool:
    found = range_of(factor, known)
    return found is not None and _SHORT.holds(found)
