"""Pins in a space: everything obeys them but the source order; or nothing is built."""

from __future__ import annotations

import json

import pytest

from polysched.base import ConflictError, EmptySpaceError, PinError
from polysched.machine import Machine
from polysched.schedule import broken_pins, parse_pins
from polysched.space import ScheduleSpace, SpaceOptions, build_space
from tests.unit import scops


@pytest.fixture(scope="module")
def machine() -> Machine:
    return Machine.detect(calibrated=False)


def build(machine: Machine, program, *pins: str, **options) -> ScheduleSpace:
    given = {"seconds": 60, "policy": "locality", "pins": parse_pins(pins), **options}
    return build_space(program, machine, SpaceOptions(**given))


@pytest.fixture(scope="module")
def space(machine: Machine) -> ScheduleSpace:
    return build(machine, scops.gemm(), "row:S1.0=j", "fuse:S0,S1@1")


def test_final_trees_obey_the_pins_after_tiling_and_mapping(space) -> None:
    others = [s for s in space if s is not space.original]
    assert any(s.script for s in others)
    for s in others:
        for tree in (s.tree, s.affine):
            broken = broken_pins(tree, space.pins, space.scop, space.dependences)
            assert broken == ()
        assert s.broken_pins == ()


def test_source_order_stays_last_and_is_marked(space) -> None:
    assert space.schedules[-1] is space.original
    assert [str(p) for p in space.original.broken_pins] == ["row:S1.0=j"]
    assert space.original.pins_text == "row:S1.0=j (not obeyed), fuse:S0,S1@1"
    assert space.best is not space.original


def test_what_does_not_obey_is_dropped_with_the_pin(space) -> None:
    reasons = {d.reason for d in space.dropped if d.what.startswith("isl")}
    assert "does not obey row:S1.0=j" in reasons


def test_json_lists_the_pins(space) -> None:
    data = json.loads(json.dumps(space.to_json()))
    assert data["pins"] == ["row:S1.0=j", "fuse:S0,S1@1"]
    by_id = {s["id"]: s for s in data["schedules"]}
    assert by_id[space.original.id]["broken_pins"] == ["row:S1.0=j"]
    assert by_id[space.best.id]["pins"] == data["pins"]
    assert by_id[space.best.id]["broken_pins"] == []


def test_policy_without_recipes_solves_for_the_pins_all_the_same(machine) -> None:
    space = build(machine, scops.gauss_seidel(), "parallel:S0.1", policy="minimal")
    assert any(s.objectives == ("MIC",) and s.shape == "upper" for s in space)


def test_conflict_is_raised_and_named(machine) -> None:
    with pytest.raises(ConflictError, match=r"pin parallel:S0\.0 conflicts") as caught:
        build(machine, scops.gauss_seidel(), "parallel:S0.0")
    assert caught.value.is_irreducible


def test_unknown_statement_is_refused_before_the_work(machine) -> None:
    with pytest.raises(PinError, match="no statement named 'S9'"):
        build(machine, scops.gemm(), "parallel:S9.0", seconds=0)


def test_without_time_nothing_that_obeys_is_found(machine) -> None:
    with pytest.raises(EmptySpaceError, match=r"row:S1\.0=j was found within 0 s"):
        build(machine, scops.gemm(), "row:S1.0=j", seconds=0)


def test_limit_of_one_leaves_one_that_obeys_beside_the_source_order(machine) -> None:
    space = build(machine, scops.gemm(), "row:S1.0=j", limit=1)
    assert [bool(s.broken_pins) for s in space] == [False, True]


def test_pins_that_the_source_obeys_leave_it_unmarked(machine) -> None:
    space = build(machine, scops.gemm(), "parallel:S1.0", policy="minimal")
    assert space.original.broken_pins == ()
