"""Canonical rows: equal orders look equal."""

from __future__ import annotations

from polysched.ir import LinearRow, Rows
from polysched.schedule import canonical_rows


def rows(betas: tuple[int, ...], *constants: int) -> Rows:
    linear = tuple(LinearRow((1,), c) for c in constants)
    return Rows(("i",), betas, linear)


def test_betas_are_renumbered_and_common_shifts_removed() -> None:
    given = {"S0": rows((3, 5), 4), "S1": rows((3, 9), 6), "S2": rows((7, 2), 1)}
    assert canonical_rows(given) == {
        "S0": rows((0, 0), 0),
        "S1": rows((0, 1), 2),
        "S2": rows((1, 0), 0),
    }


def test_canonical_rows_are_a_fixed_point() -> None:
    given = {"S0": rows((2, 0), 1), "S1": rows((1, 0), 0)}
    once = canonical_rows(given)
    assert canonical_rows(once) == once


def test_no_statements() -> None:
    assert canonical_rows({}) == {}
