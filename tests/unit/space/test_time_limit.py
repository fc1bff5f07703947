"""A space ends at its time limit, whatever takes long; time here is the tests' own."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from polysched.analysis import Dependences, compute_dependences, find_violation
from polysched.base import (
    Deadline,
    InfeasibleError,
    LimitError,
    check_time,
    lend_baton,
)
from polysched.ir import Scop, original_tree
from polysched.machine import Machine
from polysched.schedule import Recipe, Solved, find_core
from polysched.schedule.solve import _solve_soft
from polysched.space import SpaceOptions, build_space
from polysched.space.ask import Asker
from tests.unit import scops
from tests.unit.clock import Clock
from tests.unit.handmade import write_program


@pytest.fixture(scope="module")
def machine() -> Machine:
    return Machine.detect(calibrated=False)


def test_when_one_schedule_takes_longer_than_is_left_no_other_is_looked_at(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch, "polysched.space.builder")

    def describe(*_: object) -> dict[str, float]:
        clock.pass_seconds(6.0)
        return {}

    monkeypatch.setattr("polysched.space.describe.schedule_features", describe)
    space = build_space(scops.jacobi_2d(), machine, SpaceOptions(seconds=15))
    assert [s.objectives for s in space] == [("original",)]
    assert {d.reason for d in space.dropped} == {"no time left: not tried"}
    assert space.size.late == len(space.dropped) == space.to_json()["late"]
    assert clock.now < 1000.0 + 15.0 + 2.0


def test_out_of_time_a_device_gets_the_source_order(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = write_program(tmp_path)
    clock = Clock(monkeypatch, "polysched.space.builder")

    def describe(*_: object) -> dict[str, float]:
        clock.pass_seconds(6.0)
        return {}

    monkeypatch.setattr("polysched.space.describe.schedule_features", describe)
    options = SpaceOptions(seconds=15, target="cuda")
    space = build_space(program.scops[0], machine, options)
    assert [s.objectives for s in space] == [("original",)] * 2
    assert [bool(s.script) for s in space] == [True, False]


def test_isl_is_not_looked_at_once_a_step_would_exceed_the_limit(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    core = find_core(scops.gemm(), compute_dependences(scops.gemm()))
    asker = Asker(core, (), 60.0, rowwise=())
    found = {c.what: c for c in asker.candidates(lambda: clock.now > 1000.0)}
    assert found["isl"].solved is not None
    asker.close()
    clock.pass_seconds(1.0)
    asker = Asker(core, (), 60.0, rowwise=())
    found = {c.what: c for c in asker.candidates(lambda: clock.now > 1000.0)}
    assert found["isl"].reason == "no time left: not shaped"
    asker.close()


def test_a_solver_that_does_not_stop_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, stopped, seen = threading.Event(), threading.Event(), []

    def solve(*_: object) -> Solved:
        with lend_baton():
            begun.set()
            stopped.wait()
        seen.append("went on")
        raise InfeasibleError("none")

    monkeypatch.setattr("polysched.space.ask.solve_recipe", solve)
    monkeypatch.setattr("polysched.space.ask.Asker._share", lambda _: Deadline())
    core = find_core(scops.gemm(), compute_dependences(scops.gemm()))
    recipe = Recipe(("MIC",))
    asker = Asker(core, (recipe,), 0.0, (), rowwise=())
    try:
        assert begun.wait(60)
        reasons = {c.what: c.reason for c in asker.candidates()}
        asker.close()  # would wait for ever
    finally:
        stopped.set()
    assert reasons[str(recipe)] == "no time left: not solved"
    asker._pool.shutdown(wait=True)
    assert not seen


def test_out_of_time_nothing_is_given_up_to_try_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    solved = []

    def lexmin(*_: object, **__: object) -> None:
        solved.append("once")
        raise InfeasibleError("no schedule was found in time")

    problem = SimpleNamespace(lexmin=lexmin, is_feasible=lambda *_, **__: True)
    model = SimpleNamespace(problem=problem, soft_groups=["SDO"])
    for deadline, times in ((Deadline.after(0.0), 1), (Deadline(), 2)):
        solved.clear()
        with pytest.raises(InfeasibleError):
            _solve_soft(model, (), deadline)
        assert len(solved) == times


def test_a_step_that_does_not_end_is_given_up(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch, "polysched.space.builder")
    proven = []

    def find_violation(*_: object) -> None:
        proven.append(clock.now)
        while len(proven) > 1:  # all but the source order take for ever
            clock.pass_seconds(0.5)
            check_time()

    monkeypatch.setattr("polysched.space.builder.Prover.find_violation", find_violation)
    options = SpaceOptions(seconds=15, policy="minimal", isl_variants=(), rowwise=())
    space = build_space(scops.gemm(), machine, options)
    assert [s.objectives for s in space] == [("original",)]
    assert len(proven) == 2
    assert "no time left: not shaped" in {d.reason for d in space.dropped}
    assert clock.now <= 1000.0 + 15.0 + 1.5


def test_past_the_grace_even_the_analysis_is_given_up(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)

    def compute(scop: Scop) -> Dependences:
        clock.pass_seconds(4.0)
        check_time()
        return compute_dependences(scop)

    monkeypatch.setattr("polysched.space.build.compute_dependences", compute)
    options = SpaceOptions(seconds=2, grace_seconds=1)
    with pytest.raises(LimitError, match="dependences of gemm were not analysed"):
        build_space(scops.gemm(), machine, options)
    patient = build_space(scops.gemm(), machine, SpaceOptions(seconds=2))
    assert [s.objectives for s in patient] == [("original",)]


def test_a_proof_can_be_given_up_between_two_dependences(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scop = scops.gemm()
    dependences = compute_dependences(scop)
    n_relations = dependences.validity.n_map()
    points = []
    monkeypatch.setattr(
        "polysched.analysis.legality.check_time", lambda: points.append("asked")
    )
    assert find_violation(original_tree(scop), dependences) is None
    assert len(points) == n_relations > 1
