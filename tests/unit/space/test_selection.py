"""Walking a space: what is left out is counted, and the rest stays what it was."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polysched.base import EmptySpaceError, PolyschedError
from polysched.space import ExpressionError, ScheduleSpace, better_direction
from tests.unit.space.made import gemm_space


@pytest.fixture(scope="module")
def space() -> ScheduleSpace:
    return gemm_space()


def _ids(space: ScheduleSpace) -> list[str]:
    return [s.id for s in space]


def test_filter_keeps_what_satisfies_and_counts_the_rest(space: ScheduleSpace) -> None:
    found = space.filter("is_tiled and outer_parallel == 1")
    assert _ids(found) == [s.id for s in space if s.features["is_tiled"]]
    assert (found.size.kept, found.size.distinct) == (len(found), space.size.distinct)
    lost = found.dropped[len(space.dropped) :]
    assert len(lost) == len(space) - len(found) == 4
    assert {d.reason for d in lost} == {
        "filtered out by is_tiled and outer_parallel == 1"
    }
    assert found.scop is space.scop
    assert len(space) == 7


def test_filter_takes_predictions_objectives_and_functions(
    space: ScheduleSpace,
) -> None:
    limit = space.schedules[2].predicted_seconds
    assert len(space.filter(f"predicted_seconds <= {limit!r}")) == 3
    assert len(space.filter("value_OP == -2")) == 6
    assert len(space.filter("n_objectives == 0")) == 1

    def is_plain(schedule: object) -> bool:
        return not schedule.script  # type: ignore[attr-defined]

    plain = space.filter(is_plain)
    assert {s.objectives for s in plain} == {("OP",), ("original",)}
    assert plain.dropped[-1].reason == "filtered out by is_plain"


def test_unknown_prediction_satisfies_no_condition(space: ScheduleSpace) -> None:
    blind = space.with_schedules(
        [replace(s, predicted_seconds=None) for s in space], ()
    )
    assert len(blind.filter("predicted_seconds < 1e9")) == 0
    assert len(blind.filter("predicted_seconds >= 0 or depth > 0")) == 7


def test_errors_of_conditions_name_schedule_and_close_names(
    space: ScheduleSpace,
) -> None:
    with pytest.raises(ExpressionError, match="did you mean stride_score"):
        space.filter("stride_scor < 2")
    with pytest.raises(ExpressionError, match=r"divides by zero for schedule \w{10}"):
        space.filter("1 / is_tiled > 0")
    assert len(space.filter("is_tiled and 1 / is_tiled > 0")) == 3


def test_sort_puts_the_better_first(space: ScheduleSpace) -> None:
    by_stride = [s.features["stride_score"] for s in space.sort("stride_score")]
    assert by_stride == sorted(by_stride)
    by_band = [s.features["max_band_depth"] for s in space.sort("max_band_depth")]
    assert by_band == sorted(by_band, reverse=True)
    up = space.sort("max_band_depth", descending=False)
    assert [s.features["max_band_depth"] for s in up] == sorted(by_band)


def test_sort_by_formula_or_function_and_unknowns_last(space: ScheduleSpace) -> None:
    by_formula = space.sort("-predicted_seconds")
    assert _ids(by_formula) == _ids(space.sort(lambda s: -s.predicted_seconds))
    assert _ids(by_formula) == _ids(space)[::-1]
    # only schedules from an objective list have a value
    assert space.sort("value_OP").schedules[-1] is space.original
    assert space.sort("value_OP", descending=True).schedules[-1] is space.original
    assert sorted(_ids(by_formula)) == sorted(_ids(space))


def test_pareto_front_respects_directions(space: ScheduleSpace) -> None:
    front = space.pareto("is_tiled", "stride_score", "outer_parallel")
    assert front.size.kept == len(front) < len(space)
    names = ("is_tiled", "stride_score", "outer_parallel")

    def cost(schedule: object) -> list[float]:
        features = schedule.features  # type: ignore[attr-defined]
        signs = {"low": 1, "high": -1}
        return [signs[better_direction(n)] * features[n] for n in names]

    for s in space:
        beaten = any(
            all(a <= b for a, b in zip(cost(t), cost(s), strict=True))
            and cost(t) != cost(s)
            for t in space
        )
        assert (s in front.schedules) == (not beaten)


def test_pareto_needs_known_features(space: ScheduleSpace) -> None:
    with pytest.raises(PolyschedError, match="needs features, found none"):
        space.pareto()
    with pytest.raises(ExpressionError, match="no feature named 'speed'"):
        space.pareto("speed")


def test_schedules_without_a_value_are_not_on_the_front(space: ScheduleSpace) -> None:
    front = space.pareto("value_OP")
    assert space.original.id not in _ids(front)
    assert len(front) == 6


def test_diverse_sample_holds_the_fastest_and_the_farthest(
    space: ScheduleSpace,
) -> None:
    two = space.sample(2)
    assert two.schedules[0] is space.best
    assert [s for s in space if s in two.schedules] == list(two)
    assert _ids(space.sample(2, seed=5)) == _ids(two)
    far = space.neighbours(space.best).schedules[-1]
    assert far in two.schedules
    assert two.dropped[-1].reason == "not sampled: 2 are spread over the features"
    three = space.sample(3)
    assert set(_ids(two)) <= set(_ids(three))


def test_random_sample_depends_on_the_seed_alone(space: ScheduleSpace) -> None:
    drawn = [tuple(_ids(space.sample(3, diverse=False, seed=k))) for k in range(8)]
    assert drawn == [
        tuple(_ids(space.sample(3, diverse=False, seed=k))) for k in range(8)
    ]
    assert len(set(drawn)) > 1


def test_sample_of_all_and_of_none(space: ScheduleSpace) -> None:
    assert space.sample(100) is space
    with pytest.raises(PolyschedError, match="found a sample of 0"):
        space.sample(0)


def test_neighbours_by_features_affine_and_step(space: ScheduleSpace) -> None:
    tiled = next(s for s in space if "sizes=[8" in s.script_text and len(s.script) == 2)
    near = space.neighbours(tiled, 1)
    assert near.schedules[0].script_text.startswith("tile(band=0, sizes=[32")
    assert len(space.neighbours(tiled.id[:6], by="features")) == 6
    same = space.neighbours(tiled, by="affine")
    assert {s.objectives for s in same} == {("OP",)}
    assert len(same) == 5
    steps = {s.script_text for s in space.neighbours(tiled, by="step")}
    assert len(steps) == 1
    assert steps.pop().startswith("tile(band=0, sizes=[32, 16, 64]); parallel(")
    plain = next(s for s in space if s.objectives == ("OP",) and not s.script)
    assert len(space.neighbours(plain, by="step")) == 3
    with pytest.raises(PolyschedError, match="found neighbours by 'luck'"):
        space.neighbours(plain, by="luck")  # type: ignore[arg-type]


def test_nothing_left_is_an_empty_space_that_says_why(space: ScheduleSpace) -> None:
    none = space.filter("depth > 99")
    assert (len(none), none.size.kept) == (0, 0)
    with pytest.raises(EmptySpaceError, match="no schedule of gemm is left") as error:
        _ = none.best
    assert "7 filtered out" in str(error.value)
    with pytest.raises(PolyschedError, match="source order of gemm is not among"):
        _ = none.original
    for selected in (none.sort("depth"), none.pareto("depth"), none.sample(3)):
        assert len(selected) == 0


def test_reasons_are_counted_by_kind(space: ScheduleSpace) -> None:
    assert space.drop_counts() == {"same schedule": 2, "illegal": 1}
    found = space.filter("is_tiled").sample(1).pareto("stride_score")
    assert found.drop_counts() == {
        "filtered out": 4,
        "same schedule": 2,
        "not sampled": 2,
        "illegal": 1,
    }


def test_summary_and_ranges(space: ScheduleSpace) -> None:
    summary = space.summary()
    assert (summary["asked"], summary["kept"], summary["illegal"]) == (3, 7, 1)
    assert summary["legal_share"] == 7 / 8
    assert summary["distinct_vectors"] == 7
    ranges = space.ranges()
    assert ranges["is_tiled"] == (0, 1)
    assert "is_wavefront" not in ranges
