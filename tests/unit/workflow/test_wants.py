"""What a schedule would have to give up, in values, words and JSON."""

from __future__ import annotations

import json

import pytest

from polysched.base import CodegenError, PinError
from polysched.testing import ScopBuilder
from polysched.workflow import ProgramSpace, build_space, read_header


def build(**options) -> ProgramSpace:
    b = ScopBuilder("sums", ["n"])
    b.array("A", "double[n][n]")
    b.array("s", "double[n]")
    b.statement("i", "0 <= i < n", "s[i] = 0", position=(0, 0))
    b.statement(
        "i, j", "0 <= i < n and 0 <= j < n", "s[i] += A[i][j]", position=(1, 0, 0)
    )
    return build_space(b.build(), seconds=30, policy="parallelism", **options)


@pytest.fixture(scope="module")
def space() -> ProgramSpace:
    return build()


def test_open_wants_are_sequential_loops_and_pairs_that_are_apart(space) -> None:
    explanation = space.variant("original").explain()
    assert [str(p) for p in explanation.open_wants] == [
        "parallel:S1.1",
        "fuse:S0,S1@1",
    ]
    assert explanation.wants == ()


def test_all_prices_every_open_want(space) -> None:
    explanation = space.variant("original").explain(["all"], 60)
    sequential, fused = explanation.wants
    assert sequential.price.conflict is None
    assert "no objective asked for this schedule" in "\n".join(sequential.lines())
    assert "loop i" in fused.outline
    text = str(explanation)
    assert "parallel:S1.1: possible" in text


def test_schedule_with_a_list_says_which_objectives_it_loses(space) -> None:
    asked = next(s for s in space if s.objectives[0] == "OP")
    explanation = space.variant(asked.id).explain(["row:S1.0=j"], 60)
    (want,) = explanation.wants
    told = {c.name: c for c in want.price.losses}
    assert told["OP"].before == -2
    assert told["OP"].after == -1
    (line, *_) = want.lines()
    assert line.startswith("row:S1.0=j: OP gets worse, from -2 to -1")


def test_met_and_impossible_wants_say_so(space) -> None:
    explanation = space.variant("original").explain(
        ["parallel:S1.0", "separate:S0,S1", "row:S1.0=-j"], 60
    )
    met, apart, backward = explanation.wants
    assert met.is_met
    assert apart.is_met
    assert next(met.lines()) == "parallel:S1.0: nothing, the schedule obeys it"
    assert "cannot be had, pin row:S1.0=-j conflicts with the bounds" in next(
        backward.lines()
    )
    data = json.loads(json.dumps(explanation.to_json()))
    assert [w["met"] for w in data["wants"]] == [True, True, False]
    kinds = [g["kind"] for g in data["wants"][2]["conflict"]["groups"]]
    assert kinds == ["pin", "bounds"]


def test_bad_want_is_refused(space) -> None:
    with pytest.raises(PinError, match="no statement named 'S5'"):
        space.variant("original").explain(["parallel:S5.0"])


def test_pins_are_in_the_text_and_so_in_the_records_key(space) -> None:
    pinned = build(pins=["parallel:S1.0"])
    common = {s.id for s in pinned} & {s.id for s in space}
    assert common
    for schedule_id in common:
        text = pinned.variant(schedule_id).region_text()
        assert "pins: parallel:S1.0" in text
        assert text != space.variant(schedule_id).region_text()
        assert read_header(text).schedule == schedule_id


def test_source_order_that_breaks_pins_is_not_chosen_for_printing() -> None:
    pinned = build(pins=["row:S1.0=j"])
    variant, _ = pinned.first_printable()
    assert variant.schedule.broken_pins == ()
    alone = pinned.original
    assert alone.broken_pins
    only = ProgramSpace(
        **{
            **{f: getattr(pinned, f) for f in pinned.__dataclass_fields__},
            "schedules": (alone,),
        }
    )
    with pytest.raises(CodegenError, match=r"does not obey the pin row:S1\.0=j"):
        only.first_printable()
