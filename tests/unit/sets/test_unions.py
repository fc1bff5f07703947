"""Questions that the union helpers answer about isl's functions."""

from __future__ import annotations

import islpy as isl
import pytest

from polysched.sets import has_quotients, merge_parts, plain_bounds, value_range


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


def test_a_window_that_two_borders_cut_off_is_one_part() -> None:
    inside = "0 < i, j < 9"
    rows = "2i - 1 <= a <= 2i + 1 and 2j - 1 <= b <= 2j + 1"
    first = "i = 0 and 0 < j < 9 and 0 <= a <= 1 and 2j - 1 <= b <= 2j + 1"
    side = "j = 0 and 0 < i < 9 and 0 <= b <= 1 and 2i - 1 <= a <= 2i + 1"
    corner = "i = 0 and j = 0 and 0 <= a <= 1 and 0 <= b <= 1"
    text = "; ".join(
        f"[i, j, a, b] : {part}"
        for part in (f"{inside} and {rows}", first, side, corner)
    )
    window = isl.Set(f"{{ {text} }}")
    assert window.coalesce().n_basic_set() > 1
    merged = merge_parts(window)
    assert merged.n_basic_set() == 1
    assert merged.is_equal(window)


def test_parts_with_a_gap_stay_apart() -> None:
    ends = isl.Set("[n] -> { [i] : 0 <= i < 3; [i] : n <= i < n + 3 and n > 9 }")
    assert merge_parts(ends).n_basic_set() == 2


def test_bounds_of_a_dimension_without_floors() -> None:
    text = "[n] -> { [i, j] : i - 1 <= j <= n and 2j <= 3i and 3j >= i }"
    found = plain_bounds(isl.BasicSet(text), 1)
    assert {(str(aff).split("->")[-1], *ends) for aff, *ends in found} == {
        (" [(-1 + i)] }", True, False),
        (" [(n)] }", False, True),
    }
    ((only, *ends),) = plain_bounds(isl.BasicSet("{ [i, j] : j = i + 2 }"), 1)
    assert ends == [True, True]
    assert only.plain_is_equal(isl.Aff("{ [i, j] -> [(i + 2)] }"))
