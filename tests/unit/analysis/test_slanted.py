"""What the sides of a box add to a function's range."""

from __future__ import annotations

from polysched.analysis import box_terms


def test_a_side_without_values_adds_nothing() -> None:
    terms = box_terms((1, 0), {(2, 1): 0, (2, -1): 9})
    assert terms == {(2, 1): 0.0, (2, -1): 2.0}
    assert box_terms((1, 0), {(1, 0): 0}) == {(1, 0): 0.0}
