"""How far each access moves along the band members around a statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import islpy as isl

from polysched.analysis.places import (
    Member,
    MemberKind,
    aff_coefficients,
    aff_constant,
    read_fraction,
)
from polysched.analysis.rationals import Rational, Vector, dot, rank, solve
from polysched.ir import Scop
from polysched.sets import component_functions

LONG_STEP = 16  # iterations for which a rounded division counts as a constant
StrideClass = Literal["0", "1", "N"]


@dataclass(frozen=True)
class Reference:
    """The linear part of an access.

    Attributes
    ----------
    array : str
        Name of the array.
    is_write : bool
        Whether it writes.
    rows : tuple of vectors
        One per subscript of the C array (expanded ones are left out), over the
        statement's iterators.
    offsets : tuple of int or Fraction
        Constant part of each subscript; parameters do not count.
    expanded : tuple of vectors
        The same as `rows` for the subscripts that expansion has added. They have a
        dimension in storage only where several copies live at once.
    """

    array: str
    is_write: bool
    rows: tuple[Vector, ...]
    offsets: Vector
    expanded: tuple[Vector, ...] = ()

    def moves(self, direction: Vector) -> Vector:
        """Change of every subscript along a direction in iteration space."""
        return subscript_moves(self.rows, direction)

    def goes_on(self, direction: Vector) -> bool:
        """Whether it is to another element then, or another copy of a private one."""
        return any(subscript_moves((*self.expanded, *self.rows), direction))

    def rank_along(self, directions: Sequence[Vector]) -> int:
        """Dimensions of the array that moving along all the directions spans."""
        moves = [self.moves(d) for d in directions]
        return rank(moves) if self.rows else 0

    def stride_class(self, direction: Vector) -> StrideClass:
        """Invariant, contiguous (either way), or anything else along a direction.

        Copies of a private array lie behind each other, those of a scalar in registers.
        """
        if self.rows and any(subscript_moves(self.expanded, direction)):
            return "N"
        moves = self.moves(direction)
        if not any(moves):
            return "0"
        if not any(moves[:-1]) and abs(moves[-1]) == 1:
            return "1"
        return "N"

    def walked_subscript(self, direction: Vector) -> int | None:
        """The only subscript that a direction moves, if by one; expanded ones first."""
        moves = subscript_moves((*self.expanded, *self.rows), direction)
        moving = [k for k, move in enumerate(moves) if move]
        return moving[0] if len(moving) == 1 and abs(moves[moving[0]]) == 1 else None


@lru_cache(maxsize=65536)
def subscript_moves(rows: tuple[Vector, ...], direction: Vector) -> Vector:
    """Change of every subscript along a direction in iteration space."""
    return tuple(dot(row, direction) for row in rows)


def member_directions(members: Sequence[Member]) -> list[Vector | None]:
    """How the statement's iterators move per step of each point member.

    All other point members stand still. None for tiles, waves, and members that
    do not move the statement. A step of 1 in a schedule that is not unimodular may be a
    fraction of an iteration; one of a member that numbers runs of values is a whole
    run, inside of which another one goes on by single values.
    """
    return list(_directions(tuple((m.kind, m.coefficients, m.size) for m in members)))


def function_directions(rows: Sequence[tuple[int, ...]]) -> list[Vector | None]:
    """How the iterators move per step of each function, where the others stand still.

    None for a function that those before it determine.
    """
    return list(_directions(tuple(("point", row, 1) for row in rows)))


@lru_cache(maxsize=1024)
def _directions(
    functions: tuple[tuple[MemberKind, tuple[int, ...], int], ...],
) -> tuple[Vector | None, ...]:
    chosen: dict[tuple[int, ...], list[int]] = {}
    for k, (kind, row, size) in enumerate(functions):
        if kind != "point":
            continue
        if rank([*chosen, row]) > len(chosen):
            chosen[row] = [k]
        elif row in chosen and size < functions[chosen[row][-1]][2]:
            chosen[row].append(k)
    directions: list[Vector | None] = [None] * len(functions)
    for position, members in enumerate(chosen.values()):
        unit = [int(p == position) for p in range(len(chosen))]
        step = solve(list(chosen), unit)
        for k in members:
            size = functions[k][2]
            directions[k] = step and tuple(size * moved for moved in step)
    return tuple(directions)


@lru_cache(maxsize=64)
def references(scop: Scop) -> dict[str, tuple[Reference, ...]]:
    """The accesses of every statement in linear form; not affine ones are left out."""
    found: dict[str, tuple[Reference, ...]] = {}
    for statement in scop.statements:
        listed = []
        for access in statement.accesses:
            array = scop.array(access.array)
            matrix = _subscript_rows(access.relation)
            if matrix is not None:
                n, rows = array.n_expanded, tuple(r for r, _ in matrix)
                offsets = tuple(c for _, c in matrix[n:])
                listed.append(
                    Reference(array.name, access.is_write, rows[n:], offsets, rows[:n])
                )
        found[statement.name] = tuple(listed)
    return found


def _subscript_rows(relation: isl.Map) -> list[tuple[Vector, Rational]] | None:
    """Rows and constants of an access; a floor counts as the division it rounds.

    One by `LONG_STEP` or more is a constant: it stays the same for so long, and
    ``i % 1024`` steps as i does.
    """
    affs = component_functions(relation)
    if affs is None:
        return None
    return [(_smooth_row(aff), aff_constant(aff)) for aff in affs]


def _smooth_row(aff: isl.Aff) -> Vector:
    row = list(aff_coefficients(aff))
    for k in range(aff.dim(isl.dim_type.div)):
        factor = read_fraction(aff.get_coefficient_val(isl.dim_type.div, k))
        if factor:  # a division lists all divisions, but uses only earlier ones
            steps = _smooth_row(aff.get_div(k))
            if max(abs(float(c)) for c in steps) * LONG_STEP <= 1:
                continue
            for p, c in enumerate(steps):
                row[p] += factor * c
    return tuple(row)
