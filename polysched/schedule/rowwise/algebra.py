"""Exact linear algebra on the few small rows of a statement."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd, lcm

Vector = tuple[int, ...]


def complement(rows: Sequence[Sequence[int]], n: int) -> tuple[Vector, ...]:
    """A basis of the integer vectors that are orthogonal to all rows.

    Parameters
    ----------
    rows : sequence of sequence of int, shape (n_rows, n)
        Possibly dependent; possibly none.
    n : int
        Length of the vectors.

    Returns
    -------
    tuple of tuple of int
        n minus the rank of the rows many, without common factors, the first entry
        that is not zero positive.

    Examples
    --------
    >>> complement([(1, 1, 0)], 3)
    ((1, -1, 0), (0, 0, 1))
    """
    reduced = _reduce(rows, n)
    pivots = {next(k for k, v in enumerate(row) if v): row for row in reduced}
    found = []
    for free in range(n):
        if free in pivots:
            continue
        vector = [Fraction(0)] * n
        vector[free] = Fraction(1)
        for column, row in pivots.items():
            vector[column] = -row[free]
        found.append(_primitive(vector))
    return tuple(found)


def rank(rows: Sequence[Sequence[int]], n: int) -> int:
    """Rank of rows of length `n` over the rationals."""
    return len(_reduce(rows, n))


def is_spanned(target: Sequence[int], rows: Sequence[Sequence[int]]) -> bool:
    """Whether a vector is a rational combination of rows."""
    n = len(target)
    return rank([*rows, target], n) == rank(rows, n)


def _reduce(rows: Sequence[Sequence[int]], n: int) -> list[list[Fraction]]:
    """The rows of the reduced echelon form that are not zero."""
    left = [[Fraction(v) for v in row] for row in rows]
    done: list[list[Fraction]] = []
    for column in range(n):
        pivot = next((row for row in left if row[column]), None)
        if pivot is None:
            continue
        left.remove(pivot)
        unit = [v / pivot[column] for v in pivot]
        left = [_without(row, unit, column) for row in left]
        done = [_without(row, unit, column) for row in done] + [unit]
    return done


def _without(row: list[Fraction], unit: list[Fraction], column: int) -> list[Fraction]:
    factor = row[column]
    return [a - factor * b for a, b in zip(row, unit, strict=True)] if factor else row


def _primitive(vector: Sequence[Fraction]) -> Vector:
    scale = lcm(*(v.denominator for v in vector))
    whole = [int(v * scale) for v in vector]
    common = gcd(*whole)
    if next(v for v in whole if v) < 0:
        common = -common
    return tuple(v // common for v in whole)
