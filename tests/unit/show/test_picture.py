"""Axes with round ticks, texts that do not touch, files that are well-formed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from polysched.show.markup import Html
from polysched.show.picture import Axis, Frame, Picture, clip_text, legend, line
from polysched.show.scatter import HEIGHT, WIDTH, Mark, scatter_picture
from tests.unit.show.pages import check_no_overlap, read_svg

RANGES = [(0.0, 1.0), (3.0, 3.0), (1e-6, 2.0), (-3.0, 1e9), (0.9, 1.1), (2e-3, 3e-3)]


@pytest.mark.parametrize("ends", RANGES)
def test_ticks_are_few_inside_and_ascending(ends: tuple[float, float]) -> None:
    axis = Axis.around(ends, 0.0, 400.0)
    ticks = axis.ticks()
    assert 1 <= len(ticks) <= 10
    assert ticks == sorted(set(ticks))
    assert all(axis.low <= t <= axis.high for t in ticks)
    assert all(0 <= axis.pixel(v) <= 400 for v in ends)


def test_wide_positive_ranges_are_logarithmic_others_are_not() -> None:
    assert Axis.around((1e-6, 1.0), 0, 1).is_log
    assert not Axis.around((0.0, 1.0), 0, 1).is_log
    assert not Axis.around((1.0, 2.0), 0, 1).is_log
    assert Axis.around((1.0, 2.0), 0, 1, log=True).ticks()[0] == 1.0


@pytest.mark.parametrize(
    "points", [[(1, 1)], [(0, 5), (0, 5)], [(1e-6, 1), (2.0, -3)], [(1, 1e9), (7, 2)]]
)
def test_points_lie_inside_and_texts_apart(points: list[tuple[float, float]]) -> None:
    marks = [Mark(x, y, "t", "a", False) for x, y in points]
    svg = scatter_picture(marks, "x", "y")._repr_svg_()
    places = re.findall(r'class="f0 point" cx="([\d.]+)" cy="([\d.]+)"', svg)
    assert len(places) == len(points)
    for x, y in places:
        assert 0 < float(x) < WIDTH
        assert 0 < float(y) < HEIGHT
    check_no_overlap(read_svg(svg))


def test_larger_values_are_right_and_up() -> None:
    marks = [Mark(1, 1, "", "a", False), Mark(2, 3, "", "b", True)]
    svg = scatter_picture(marks, "x", "y")._repr_svg_()
    places = re.findall(r'(?:point|front)" cx="([\d.]+)" cy="([\d.]+)"', svg)
    (x1, y1), (x2, y2) = places
    assert float(x2) > float(x1)
    assert float(y2) < float(y1)


def test_ticks_that_have_no_room_keep_their_line_but_not_their_text() -> None:
    x = Axis(0.0, 10.0, 0.0, 60.0)
    frame = Frame(x, Axis(0.0, 1.0, 100.0, 0.0), "x", "y", lambda v: "long text")
    drawn = frame.draw()
    assert drawn.count("long text") == 1
    assert drawn.count("<line") > 3


def test_saved_picture_is_the_one_shown(tmp_path: Path) -> None:
    picture = Picture('a < b & "c"', 10, 10, line(0, 0, 1, 1))
    picture.save(tmp_path / "p.svg")
    text = (tmp_path / "p.svg").read_text(encoding="utf-8")
    assert text == picture._repr_svg_() + "\n"
    assert read_svg(text).get("aria-label") == 'a < b & "c"'


def test_legend_and_long_texts() -> None:
    told = legend(0, 0, [(Html(""), "first"), (Html(""), "second")])
    places = [float(x) for x in re.findall(r'text class="m" x="([\d.]+)"', told)]
    assert places[1] > places[0] + 30
    assert clip_text("abcdef", 4) == "abc…"
    assert clip_text("abcd", 4) == "abcd"
