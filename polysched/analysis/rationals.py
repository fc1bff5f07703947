"""Exact linear algebra on small systems."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

Rational = int | Fraction  # whole numbers stay ints: arithmetic on them is far faster
Vector = tuple[Rational, ...]


def _quotient(a: Rational, b: Rational) -> Rational:
    """The exact quotient, an int where it is whole."""
    found = Fraction(a) / b
    return found.numerator if found.denominator == 1 else found


def dot(row: Vector, direction: Vector) -> Rational:
    """The inner product of two vectors."""
    return sum(a * b for a, b in zip(row, direction, strict=True) if a and b)


def rank(rows: Sequence[Vector]) -> int:
    """How many of the rows are independent."""
    return len(_reduce(tuple(rows)))


def solve(rows: Sequence[Vector], right: Sequence[Rational]) -> Vector:
    """One solution of a system of independent rows; free unknowns are zero."""
    n_unknowns = len(rows[0])
    augmented = tuple((*row, value) for row, value in zip(rows, right, strict=True))
    solution: list[Rational] = [0] * n_unknowns
    for row in _reduce(augmented):
        pivot = next(k for k, c in enumerate(row) if c)
        solution[pivot] = row[-1]
    return tuple(solution)


def combination(rows: Sequence[Vector], row: Vector) -> Vector | None:
    """Weights with which the rows add up to another one; None where none do."""
    columns = zip(*rows, strict=True)
    system = tuple((*column, c) for column, c in zip(columns, row, strict=True))
    weights: list[Rational] = [0] * len(rows)
    for reduced in _reduce(system):
        pivot = next(k for k, c in enumerate(reduced) if c)
        if pivot == len(rows):
            return None
        weights[pivot] = reduced[-1]
    return tuple(weights)


@lru_cache(maxsize=16384)
def _reduce(rows: tuple[Vector, ...]) -> tuple[Vector, ...]:
    """Reduced echelon form without zero rows; the same few systems come up often."""
    done: list[Vector] = []
    left = list(rows)
    n_columns = len(rows[0]) if rows else 0
    for column in range(n_columns):
        found = next((k for k, r in enumerate(left) if r[column]), None)
        if found is None:
            continue
        pivot = left.pop(found)
        if pivot[column] != 1:
            pivot = tuple(_quotient(c, pivot[column]) for c in pivot)
        left = [_cleared(r, pivot, column) for r in left]
        done = [*(_cleared(r, pivot, column) for r in done), pivot]
    return tuple(done)


def _cleared(row: Vector, pivot: Vector, column: int) -> Vector:
    factor = row[column]
    if not factor:
        return row
    return tuple(a - factor * b if b else a for a, b in zip(row, pivot, strict=True))
