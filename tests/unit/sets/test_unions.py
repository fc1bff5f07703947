"""Questions that the union helpers answer about isl's functions."""

from __future__ import annotations

import islpy as isl
import pytest

from polysched.sets import has_quotients, value_range


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("[n] -> { [i] -> [(floor(i/4))] }", True),
        ("{ [i] -> [(i mod 4)] }", True),
        ("{ [i] -> [(i)] : i < 8; [i] -> [(8 + floor(i/3))] : i >= 8 }", True),
        ("{ [i] -> [(i/2)] : i mod 2 = 0 }", True),
        ("{ [i] -> [(3i)] : i mod 2 = 0 }", False),
        ("[n] -> { [i] -> [(n - i)] }", False),
    ],
)
def test_a_function_has_quotients_where_a_piece_divides(text: str, has: bool) -> None:
    assert has_quotients(isl.PwAff(text)) is has


def test_the_range_of_a_function_whose_restriction_has_fractions() -> None:
    domain = isl.Set("[m] -> { [i] : 2i = 1 + m and 7 <= m <= 9 }")
    least, largest = value_range(isl.PwAff("{ [i] -> [(1 + i)] }"), domain)
    assert (least.to_python(), largest.to_python()) == (5, 6)


def test_the_range_on_no_points_is_no_number() -> None:
    least, largest = value_range(
        isl.PwAff("{ [i] -> [(i)] }"), isl.Set("{ [i] : 1 = 0 }")
    )
    assert not least.is_int()
    assert not largest.is_int()
