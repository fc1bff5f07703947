"""Plots of spaces and tunings: every schedule once, units, nothing on top of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polysched.base import AnalysisError
from polysched.cost import predict_traffic
from polysched.ir import original_tree
from polysched.show import (
    memory_traffic,
    parallel_coordinates,
    predicted_measured,
    roofline,
    scatter,
    tuning_curve,
)
from polysched.show.picture import Picture
from polysched.show.roofline import find_spots, find_work
from polysched.space import ExpressionError, ScheduleSpace
from polysched.workflow import ProgramSpace, Tuned
from tests.unit.show.made import program_space, tuned_gemm
from tests.unit.show.pages import (
    SVG,
    check_inside,
    check_no_overlap,
    drawn_texts,
    read_svg,
)
from tests.unit.space.made import gemm_space


@pytest.fixture(scope="module")
def space() -> ProgramSpace:
    return program_space()


@pytest.fixture(scope="module")
def tuned() -> Tuned:
    return tuned_gemm()


def _titles(picture: Picture) -> list[str]:
    """What is shown when something is pointed at."""
    root = read_svg(picture._repr_svg_())
    return [e.text or "" for e in root.iter(f"{SVG}title")][1:]


def test_every_plot_is_well_formed_with_texts_apart(
    space: ProgramSpace, tuned: Tuned
) -> None:
    pictures = [
        scatter(space),
        scatter(space, "depth", "n_lines"),
        parallel_coordinates(space),
        tuning_curve(tuned.result),
        predicted_measured(tuned.result),
        roofline(space),
        roofline(space, tuned.result),
        memory_traffic(space),
    ]
    for picture in pictures:
        root = read_svg(picture._repr_svg_())
        check_inside(root)
        check_no_overlap(root)
        assert picture.inline in picture._repr_html_()


def test_scatter_has_a_point_per_schedule_and_time_with_units(
    space: ProgramSpace,
) -> None:
    picture = scatter(space)
    assert len(_titles(picture)) == len(space)
    texts = drawn_texts(read_svg(picture._repr_svg_()))
    assert "predicted time" in texts
    assert any(t.endswith(" ms") for t in texts)


def test_scatter_refuses_what_no_schedule_has(space: ProgramSpace) -> None:
    with pytest.raises(ExpressionError, match="no feature named 'dept'"):
        scatter(space, "dept")
    with pytest.raises(AnalysisError, match="no schedule has both"):
        scatter(space.filter("depth > 99"), "depth", "n_lines")


def test_better_is_up_on_every_axis_of_parallel_coordinates(
    space: ProgramSpace,
) -> None:
    names = ["predicted_seconds", "outer_parallel"]
    root = read_svg(parallel_coordinates(space, names)._repr_svg_())
    heights = {}
    for group in root.iter(f"{SVG}g"):
        title, lines = group.find(f"{SVG}title"), group.find(f"{SVG}polyline")
        if title is not None and lines is not None:
            spots = (lines.get("points") or "").split()
            heights[(title.text or "")[:10]] = [float(p.split(",")[1]) for p in spots]
    assert set(heights) == {s.id for s in space}
    ranked = sorted(space, key=lambda s: s.predicted_seconds or 0.0)
    ups = [heights[s.id][0] for s in ranked]
    assert ups == sorted(ups)
    by_parallel = sorted(space, key=lambda s: -s.features["outer_parallel"])
    ups = [heights[s.id][1] for s in by_parallel]
    assert ups == sorted(ups)


def test_curve_has_times_in_order_and_failures_apart(tuned: Tuned) -> None:
    told = _titles(tuning_curve(tuned.result))
    assert told[0].endswith("51 ms, 5.98 x")
    assert sum("compile: error: <b>no</b>" in t for t in told) == 1
    assert sum("results differ" in t for t in told) == 1
    assert len(told) == len(tuned.result.variants)


def test_model_is_compared_with_right_results_only(tuned: Tuned) -> None:
    told = _titles(predicted_measured(tuned.result))
    assert len(told) == 4
    nothing = replace(tuned.result, variants=())
    with pytest.raises(AnalysisError, match="no variant has a predicted"):
        predicted_measured(nothing)
    assert len(_titles(tuning_curve(nothing))) == 0


def test_spots_under_the_roof_are_operations_over_time_and_bytes(
    space: ProgramSpace, tuned: Tuned
) -> None:
    work = find_work(space)
    assert work.operations >= 2 * 1000**3
    spots = {s.id: s for s in find_spots(space, tuned.result)}
    best = tuned.result.variants[0]
    assert spots[best.id].is_measured
    assert spots[best.id].rate == pytest.approx(work.operations / 0.051)
    wrong = tuned.result.variants[2]
    assert not spots[wrong.id].is_measured
    assert all(
        s.intensity <= work.operations / work.traffic_bytes for s in spots.values()
    )


def test_roof_needs_sizes() -> None:
    space: ScheduleSpace = gemm_space()
    with pytest.raises(AnalysisError, match="are all sizes known"):
        roofline(space)


def test_ceilings_of_the_processor_are_not_drawn_over_kernels(
    space: ProgramSpace,
) -> None:
    device = replace(space, target="cuda")
    for draw in (roofline, memory_traffic):
        with pytest.raises(AnalysisError, match="for a graphics processor"):
            draw(device)


def test_traffic_has_a_row_per_schedule_and_levels_that_move_less(
    space: ProgramSpace,
) -> None:
    texts = drawn_texts(read_svg(memory_traffic(space, n_rows=3)._repr_svg_()))
    assert [t for t in texts if t in {s.id for s in space}] == [
        s.id for s in space.schedules[:3]
    ]
    assert "inputs and outputs once" in texts
    with pytest.raises(AnalysisError, match="no traffic"):
        memory_traffic(space.filter("depth > 99"))


def test_tree_of_the_source_order_has_traffic(space: ProgramSpace) -> None:
    found = predict_traffic(
        original_tree(space.scop), space.scop, space.machine, {"n": 1000}
    )
    assert found is not None
    assert found.l2_bytes >= found.l3_bytes >= found.memory_bytes > 0
