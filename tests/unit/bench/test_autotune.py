"""A search over a tool's modes and tile sizes finds what measures best."""

from __future__ import annotations

import math

import pytest

from polysched.bench.autotune import Point, search_point

PLAIN = (("--notile",),)
TILED = (("--smart",), ("--max",), ("--no",))
BEST = (64, 4, 512)


def _bowl(point: Point) -> float | None:
    """Fastest with one mode and sides; a mode is wrong, every size of it."""
    if point.options == ("--no",):
        return None
    if point.options in PLAIN:
        return 30.0
    sides = point.sizes or (32, 32, 32)
    away = sum(
        abs(math.log2(s) - math.log2(b)) for s, b in zip(sides, BEST, strict=True)
    )
    return 1.0 + away + (0.5 if point.options == ("--max",) else 0.0)


def test_the_best_sides_are_walked_to() -> None:
    found = search_point(_bowl, PLAIN, TILED, 3, 100)
    assert found == Point(("--smart",), BEST)


@pytest.mark.parametrize("most", [1, 2, 5, 17])
def test_no_more_than_the_budget_is_measured_and_nothing_twice(most: int) -> None:
    seen: list[Point] = []

    def measure(point: Point) -> float | None:
        seen.append(point)
        return _bowl(point)

    found = search_point(measure, PLAIN, TILED, 3, most)
    assert len(seen) == len(set(seen)) == most
    known = {p: s for p in seen if (s := _bowl(p)) is not None}
    assert found == min(known, key=known.__getitem__)


def test_a_mode_without_tiles_may_win() -> None:
    found = search_point(
        lambda p: 2.0 if p.options in TILED else 1.0, PLAIN, TILED, 2, 50
    )
    assert found == Point(PLAIN[0])


def test_both_sides_of_a_diamond_change_together() -> None:
    """Unequal first sides lose the start of all tiles at once."""

    def measure(point: Point) -> float | None:
        a, b = point.sizes or (32, 32)
        return 10.0 if a != b else 1.0 + abs(math.log2(a) - 10)

    found = search_point(measure, (), TILED, 2, 60)
    assert found is not None
    assert found.sizes == (1024, 1024)


def test_nothing_right_is_nothing_found() -> None:
    assert search_point(lambda _: None, PLAIN, TILED, 3, 20) is None
