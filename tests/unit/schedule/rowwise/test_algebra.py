"""Complements, ranks and spans are those of linear algebra over the rationals."""

from __future__ import annotations

import itertools

import pytest

from polysched.schedule.rowwise.algebra import complement, is_spanned, rank


@pytest.mark.parametrize(
    ("rows", "n", "expected"),
    [
        ([], 2, ((1, 0), (0, 1))),
        ([(1, 0, 0)], 3, ((0, 1, 0), (0, 0, 1))),
        ([(2, 1)], 2, ((1, -2),)),
        ([(1, 1, 0), (0, 1, 1)], 3, ((1, -1, 1),)),
        ([(1, 0), (1, 1)], 2, ()),
        ([(0, 0)], 2, ((1, 0), (0, 1))),
    ],
)
def test_complement(
    rows: list[tuple[int, ...]], n: int, expected: tuple[tuple[int, ...], ...]
) -> None:
    assert complement(rows, n) == expected


def test_complement_is_orthogonal_primitive_and_of_full_size() -> None:
    values = range(-2, 3)
    for a in itertools.product(values, repeat=3):
        for b in ((1, 0, 2), (0, 2, -1), (0, 0, 0)):
            basis = complement([a, b], 3)
            assert len(basis) == 3 - rank([a, b], 3)
            for v in basis:
                assert sum(x * y for x, y in zip(a, v, strict=True)) == 0
                assert sum(x * y for x, y in zip(b, v, strict=True)) == 0
            assert rank(basis, 3) == len(basis)


def test_span_is_rational() -> None:
    assert is_spanned((1, 1, 0), [(2, 2, 0)])
    assert is_spanned((0, 0), [])
    assert not is_spanned((1, 0, 1), [(1, 0, 0), (0, 1, 0)])
