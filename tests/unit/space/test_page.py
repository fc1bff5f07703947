"""The page of a space: whole, escaped, alone, with every schedule and reason."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from polysched.space import Dropped, ExpressionError, ScheduleSpace, spaces_page
from polysched.space.scatter import HEIGHT, WIDTH, Mark, scatter_svg
from tests.unit.space.made import gemm_space

_VOID = {"meta", "line"}


class _Page(HTMLParser):
    """Collects elements and text, and checks that tags are balanced."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(scope="module")
def space() -> ScheduleSpace:
    return gemm_space()


def test_every_schedule_has_a_row_and_a_point_that_leads_there(
    space: ScheduleSpace,
) -> None:
    page = _Page(space.to_html())
    anchors = {f"s0-{s.id}" for s in space}
    assert {row["id"] for row in page.all("tr") if "id" in row} == anchors
    assert {a["href"] for a in page.all("a")} == {f"#{name}" for name in anchors}
    assert len(page.all("circle")) == len(space)


def test_sizes_and_reasons_are_told(space: ScheduleSpace) -> None:
    text = " ".join(_Page(space.filter("is_tiled").to_html()).words)
    for told in ("scop gemm", "policy by hand", "asked 3", "distinct 7", "kept 3"):
        assert told in text
    assert "filtered out: 4, same schedule: 2, illegal: 1" in text
    assert "flow dependence on C violated" in text


def test_columns_are_explained_and_hold_numbers_to_sort_by(
    space: ScheduleSpace,
) -> None:
    page = _Page(space.to_html())
    titles = [h["title"] for h in page.all("th") if h.get("title")]
    assert "share of the statements whose outermost loop is parallel" in titles
    values = [c["data-value"] for c in page.all("td") if "data-value" in c]
    per_row = len(values) // len(space)
    assert len(values) == per_row * len(space)
    assert len(page.all("button")) == per_row
    assert float(values[1] or "nan") == space.schedules[0].predicted_seconds


def test_page_loads_nothing(space: ScheduleSpace) -> None:
    text = space.to_html()
    page = _Page(text)
    assert "default-src 'none'" in (page.all("meta")[1]["content"] or "")
    assert not re.search(r"https?:|\bsrc=|@import|url\(", text)
    assert {tag for tag, _ in page.found}.isdisjoint({"link", "img", "iframe"})


def test_what_comes_from_a_program_is_escaped(space: ScheduleSpace) -> None:
    evil = "<script>alert(1)</script>\"'&"
    bad = replace(
        space,
        policy=evil,
        scop=replace(space.scop, name=evil),
        dropped=(Dropped(evil, evil),),
        schedules=tuple(
            replace(s, objectives=(evil,), features={**s.features, evil: k})
            for k, s in enumerate(space)
        ),
    )
    page = _Page(spaces_page([bad], (evil, "depth"), evil))
    assert len(page.all("script")) == 1
    assert evil in page.words
    assert all(not name.startswith("on") for _, a in page.found for name in a)


def test_axes_can_be_chosen_and_are_checked(space: ScheduleSpace) -> None:
    page = _Page(space.to_html(("depth", "n_loops")))
    assert page.all("svg")[0]["aria-label"] == "n_loops over depth"
    assert any(c["class"] == "front" for c in page.all("circle"))
    words = " ".join(_Page(space.to_html(("depth", "value_OP"))).words)
    assert "6 schedules, 1 without values" in words
    with pytest.raises(ExpressionError, match="no feature named 'deepness'"):
        space.to_html(("deepness", "depth"))


def test_empty_space_has_no_table(space: ScheduleSpace) -> None:
    page = _Page(space.filter("depth > 99").to_html())
    assert page.all("svg") == []
    assert "kept" in page.words


@pytest.mark.parametrize(
    "points", [[(1, 1)], [(0, 5), (0, 5)], [(1e-6, 1), (2.0, -3)], [(1, 1e9), (7, 2)]]
)
def test_points_lie_inside_the_picture(points: list[tuple[float, float]]) -> None:
    marks = [Mark(x, y, "t", "a", False) for x, y in points]
    svg = scatter_svg(marks, "x", "y")
    places = re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', svg)
    assert len(places) == len(points)
    for x, y in places:
        assert 0 < float(x) < WIDTH
        assert 0 < float(y) < HEIGHT
    assert "<text" in svg


def test_larger_values_are_right_and_up() -> None:
    marks = [Mark(1, 1, "", "a", False), Mark(2, 3, "", "b", True)]
    svg = scatter_svg(marks, "x", "y")
    (x1, y1), (x2, y2) = re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', svg)
    assert float(x2) > float(x1)
    assert float(y2) < float(y1)
