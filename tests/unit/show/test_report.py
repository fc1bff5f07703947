"""The page of a space: whole, escaped, alone, with every schedule and reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polysched.show import spaces_report, tuned_report
from polysched.show.markup import Html
from polysched.show.schedules import DetailBudget
from polysched.space import Dropped, ExpressionError, ScheduleSpace
from tests.unit.show.made import tuned_gemm
from tests.unit.show.pages import Page, check_alone
from tests.unit.space.made import gemm_space


@pytest.fixture(scope="module")
def space() -> ScheduleSpace:
    return gemm_space()


def test_every_schedule_has_a_row_and_details_that_points_lead_to(
    space: ScheduleSpace,
) -> None:
    page = Page(space.to_html())
    anchors = {f"s0-{s.id}" for s in space}
    folded = {a["id"] for a in page.all("details") if "id" in a}
    assert folded == anchors
    assert {a["href"] for a in page.all("a")} == {f"#{name}" for name in anchors}
    points = [
        c for c in page.all("circle") if (c["class"] or "").endswith(("point", "front"))
    ]
    assert len(points) == len(space)


def test_sizes_and_reasons_are_told(space: ScheduleSpace) -> None:
    text = Page(space.filter("is_tiled").to_html()).text
    for told in ("scop gemm", "policy by hand", "asked 3", "distinct 7", "kept 3"):
        assert told in text
    assert "filtered out: 4, same schedule: 2, illegal: 1" in text
    assert "flow dependence on C violated" in text


def test_columns_are_explained_and_hold_numbers_to_sort_by(
    space: ScheduleSpace,
) -> None:
    page = Page(space.to_html())
    titles = [h["title"] for h in page.all("th") if h.get("title")]
    assert "share of the statements whose outermost loop is parallel" in titles
    values = [c["data-value"] for c in page.all("td") if "data-value" in c]
    per_row = len(values) // len(space)
    assert len(values) == per_row * len(space)
    assert len(page.all("button")) == per_row
    assert float(values[1] or "nan") == space.schedules[0].predicted_seconds


def test_page_loads_nothing(space: ScheduleSpace) -> None:
    text = space.to_html()
    page = Page(text)
    assert "default-src 'none'" in (page.all("meta")[1]["content"] or "")
    check_alone(text, page)
    assert {tag for tag, _ in page.found}.isdisjoint({"link", "img", "iframe"})


def test_what_comes_from_a_program_is_escaped(space: ScheduleSpace) -> None:
    evil = "<script>alert(1)</script>\"'&"
    bad = replace(
        space,
        policy=evil,
        scop=replace(
            space.scop,
            name=evil,
            statements=tuple(replace(s, text=evil) for s in space.scop.statements),
        ),
        dropped=(Dropped(evil, evil),),
        schedules=tuple(
            replace(s, objectives=(evil,), features={**s.features, evil: k})
            for k, s in enumerate(space)
        ),
    )
    page = Page(spaces_report([bad], (evil, "depth"), evil))
    assert len(page.all("script")) == 1
    assert evil in page.words
    assert all(not name.startswith("on") for _, a in page.found for name in a)


def test_axes_can_be_chosen_and_are_checked(space: ScheduleSpace) -> None:
    page = Page(space.to_html(("depth", "n_loops")))
    assert "n loops over depth" in [a["aria-label"] for a in page.all("svg")]
    assert any(c["class"] == "f1 front" for c in page.all("circle"))
    words = Page(space.to_html(("depth", "value_OP"))).text
    assert "6 schedules, 1 without values" in words
    with pytest.raises(ExpressionError, match="no feature named 'deepness'"):
        space.to_html(("deepness", "depth"))


def test_empty_space_has_no_table(space: ScheduleSpace) -> None:
    page = Page(space.filter("depth > 99").to_html())
    assert [t for t in page.all("table") if t.get("class") == "sortable"] == []
    assert "kept" in page.words


def test_details_end_where_a_page_has_no_more_room() -> None:
    budget = DetailBudget(left=10)
    assert budget.take(lambda: Html("1234567"), "gone") == "1234567"
    assert "gone" in budget.take(lambda: Html("1234567"), "gone")
    assert "gone" in budget.take(lambda: pytest.fail("is not made any more"), "gone")


def test_tuning_is_told_with_what_was_measured() -> None:
    tuned = tuned_gemm()
    text = tuned_report([tuned], "<t>")
    page = Page(text)
    check_alone(text, page)
    for told in ("5.98 times faster", "6 tried, 1 failed", "compile: error: <b>no</b>"):
        assert told in page.text
    heads = [w for w in page.words if w == "measured_seconds"]
    assert len(heads) == 1
    labels = [a["aria-label"] or "" for a in page.all("svg")]
    for start in ("6 trials of gemm", "measured over predicted", "roofline of"):
        assert any(label.startswith(start) for label in labels), start
    folded = " ".join(page.words)
    assert "50 ms predicted, 51 ms measured" in folded.replace(" ,", ",")
    assert "results differ" in folded
    assert "compile failed" in folded


def test_several_spaces_share_a_page_without_sharing_anchors(
    space: ScheduleSpace,
) -> None:
    page = Page(spaces_report([space, space]))  # ids are checked to be unique
    assert len(page.all("details")) > 2 * len(space)
