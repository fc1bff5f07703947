"""A space as CSV, JSON and data frame, and its schedules compared in words."""

from __future__ import annotations

import csv
import io
import json
import sys
from dataclasses import replace

import pytest

from polysched.analysis import FEATURES
from polysched.base import PolyschedError
from polysched.space import ScheduleSpace, better_direction, fact_sentence
from polysched.space.frame import make_frame
from tests.unit.space.made import gemm_space


@pytest.fixture(scope="module")
def space() -> ScheduleSpace:
    return gemm_space()


def test_csv_has_a_row_per_schedule_and_every_feature(space: ScheduleSpace) -> None:
    rows = list(csv.DictReader(io.StringIO(space.to_csv())))
    assert [r["id"] for r in rows] == [s.id for s in space]
    start = ["scop", "id", "objectives", "partition", "script", "predicted_seconds"]
    assert list(rows[0])[: len(start)] == start
    assert set(FEATURES) <= set(rows[0])
    assert not any("seconds" in name for name in rows[0] if "predicted" not in name)
    plain = next(r for r in rows if r["objectives"] == "original")
    assert (plain["scop"], plain["value_OP"], plain["script"]) == ("gemm", "", "")
    assert {r["value_OP"] for r in rows} == {"", "-2.0"}


def test_json_holds_what_csv_does_and_the_trees(space: ScheduleSpace) -> None:
    data = json.loads(json.dumps(space.to_json(), allow_nan=False))
    first = data["schedules"][0]
    assert first["features"] == space.best.features
    assert first["affine"] == space.best.affine.text
    assert first["stages"][0] == {
        "name": "OP", "value": -2, "bound": -2.0, "seconds": 0.25, "status": "optimal"
    }  # fmt: skip
    assert data["size"] == {"asked": 3, "solved": 2, "distinct": 7, "kept": 7}


def test_facts_are_features_prediction_and_objectives(space: ScheduleSpace) -> None:
    facts = space.best.facts
    assert facts["predicted_seconds"] == space.best.predicted_seconds
    assert (facts["n_objectives"], facts["n_proven"]) == (1, 1)
    assert (facts["value_OP"], facts["bound_OP"], facts["seconds_OP"]) == (-2, -2, 0.25)
    assert set(facts) <= set(space.fact_names)
    stage = replace(space.best.stages[0], name="SO plain rows", bound=None)
    odd = replace(space.best, stages=(stage,), predicted_seconds=None)
    assert "value_SO_plain_rows" in odd.facts
    assert {"bound_SO_plain_rows", "predicted_seconds"}.isdisjoint(odd.facts)


def test_every_fact_has_a_sentence_and_a_direction(space: ScheduleSpace) -> None:
    for name in space.fact_names:
        assert better_direction(name) in ("low", "high")
        assert fact_sentence(name) != name
    assert (
        better_direction("value_OP") == better_direction("predicted_seconds") == "low"
    )
    assert better_direction("outer_parallel") == "high"


def test_data_frames(space: ScheduleSpace) -> None:
    pytest.importorskip("pandas", reason="pandas is an optional extra")
    frame = space.features()
    assert list(frame.index) == [s.id for s in space]
    assert frame.loc[space.best.id, "depth"] == space.best.features["depth"]
    assert frame["value_OP"].isna().sum() == 1
    table = space.to_pandas()
    assert table.loc[space.original.id, "objectives"] == "original"


def test_frames_without_pandas_say_what_to_install(
    space: ScheduleSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    for ask in (space.features, space.to_pandas):
        with pytest.raises(PolyschedError, match="data frames need pandas") as error:
            ask()
        assert "polysched[notebook]" in str(error.value)


def test_frames_are_made_of_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    class Frame:
        def __init__(self, table: dict[str, list[object]]) -> None:
            self.table = table

        def set_index(self, name: str) -> tuple[str, dict[str, list[object]]]:
            return name, self.table

    fake = type(sys)("pandas")
    monkeypatch.setattr(fake, "DataFrame", Frame, raising=False)
    monkeypatch.setitem(sys.modules, "pandas", fake)
    made = make_frame(("id", "a"), [{"id": "x", "a": 1}, {"id": "y"}])
    assert made == ("id", {"id": ["x", "y"], "a": [1, None]})


def test_difference_of_two_schedules_in_words(space: ScheduleSpace) -> None:
    plain = next(s for s in space if s.objectives == ("OP",) and not s.script)
    shared = next(s for s in space if s.script_text.startswith("parallel"))
    only = f"in {shared.id} only"
    assert space.difference(shared, plain.id[:6]) == (
        f"threads share loop i of S0 and S1 {only}",
    )
    assert space.difference(plain, plain) == ()


def test_profile_by_id(space: ScheduleSpace) -> None:
    assert space.profile("original").partition == "((S0) ((S1)))"
    assert space.profile(space.best).distances
