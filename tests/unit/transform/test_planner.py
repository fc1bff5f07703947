"""Planning by parts gives the scripts of the whole, and no nest is planned twice."""

from __future__ import annotations

import pytest

from polysched.analysis import compute_dependences, find_violation, set_band_flags
from polysched.base import Deadline
from polysched.ir import ScheduleTree
from polysched.machine import Machine
from polysched.transform import Draft, Parallel, ScriptPlanner, apply_script, planner
from tests.unit import scops
from tests.unit.transform import trees

CPU = Machine.detect(calibrated=False).cpu


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the statements in each tree that a shape was planned for."""
    found: list[str] = []
    plan_shape = planner.plan_shape

    def note(draft: Draft, *given: object) -> Draft | None:
        found.append("".join(sorted(planner._names(draft.tree))))
        return plan_shape(draft, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(planner, "plan_shape", note)
    return found


def gemm_in_sequence() -> tuple[ScheduleTree, ScriptPlanner]:
    scop = scops.gemm()
    deps = compute_dependences(scop)
    tree = set_band_flags(trees.in_sequence(scop, "S0", "S1"), deps)
    return ScheduleTree.sequence(tree.parts()), ScriptPlanner(scop, deps, CPU)


def test_steps_on_parts_are_steps_on_the_whole() -> None:
    tree, plans = gemm_in_sequence()
    drafts = plans.plan(tree, limit=6)
    assert len(drafts) > 3
    for draft in drafts:
        assert apply_script(tree, draft.steps).text == draft.tree.text
        assert find_violation(draft.tree, plans.deps, plans.scop) is None
    assert any({s.band[1] for s in d.steps} == {0, 1} for d in drafts)


def test_nests_are_planned_once(planned: list[str]) -> None:
    tree, plans = gemm_in_sequence()
    plans.plan(tree)
    assert {"S0", "S1"} <= set(planned)
    n_before = planned.count("S1")
    plans.plan(tree.parts()[1])
    n_after = n_before + 4  # strips of three kinds and blocks ask for neighbours first
    assert planned.count("S1") == n_after
    plans.plan(tree)
    assert planned.count("S1") == n_after


def test_time_ends_planning(planned: list[str]) -> None:
    tree, plans = gemm_in_sequence()

    class Soon(Deadline):
        """Expires once a nest was planned behind the strips."""

        expired = property(lambda self: "S0S1" in planned and planned[-1] == "S1")

    assert len(plans.plan(tree, deadline=Soon())) == 1
    assert set(planned) == {"S0S1", "S0", "S1"}
    assert planned.count("S0S1") == 4  # no shape is begun after the first found
    n_before = len(planned)
    assert plans.plan(tree, deadline=Deadline.after(0.0)) == []
    assert len(planned) == n_before


def test_register_tiles_alone_copy_and_tile_nothing() -> None:
    tree, plans = gemm_in_sequence()
    script = plans.plan_in_registers(tree)
    names = {step.name for step in script}
    assert "registers" in names
    assert names.isdisjoint({"pack", "tile"})
    held = apply_script(tree, script)
    assert find_violation(held, plans.deps, plans.scop) is None


def test_alone_nothing_is_shared() -> None:
    tree, plans = gemm_in_sequence()
    drafts = plans.plan_alone(tree)
    assert 1 < len({draft.tree.text for draft in drafts}) == len(drafts) <= 4
    for draft in drafts:
        assert not any(isinstance(step, Parallel) for step in draft.steps)
        assert apply_script(tree, draft.steps).text == draft.tree.text
        assert find_violation(draft.tree, plans.deps, plans.scop) is None
    assert plans.plan_alone(tree, deadline=Deadline.after(0.0)) == []


def test_nests_have_shapes_of_their_own() -> None:
    """Threads that one nest makes are there for the others."""
    tree, plans = gemm_in_sequence()

    def price(part: ScheduleTree, has_team: bool) -> float:
        (name,) = planner._names(part)
        gain = {"S0": 1.0, "S1": 9.0}[name]
        making = 0.0 if has_team else 5.0
        return making - gain if "parallel" in part.text else 0.0

    draft = plans.plan_by_parts(tree, price)
    assert draft is not None
    assert apply_script(tree, draft.steps).text == draft.tree.text
    assert find_violation(draft.tree, plans.deps, plans.scop) is None
    shared = {s.band[1] for s in draft.steps if isinstance(s, Parallel)}
    assert shared == {0, 1}  # the second pays for the threads of both

    def worth(name: str) -> set[int]:
        _, fresh = gemm_in_sequence()

        def price(part: ScheduleTree, _: bool) -> float:
            return ("parallel" in part.text) != (planner._names(part) == {name})

        draft = fresh.plan_by_parts(tree, price)
        assert draft is not None
        return {s.band[1] for s in draft.steps if isinstance(s, Parallel)}

    assert worth("S0") == {0}
    assert worth("S1") == {1}
    assert worth("none") == set()


def test_one_nest_has_no_parts() -> None:
    tree, plans = gemm_in_sequence()
    assert plans.plan_by_parts(tree.parts()[0], lambda *_: 0.0) is None
    expired = Deadline.after(0.0)
    assert plans.plan_by_parts(tree, lambda *_: 0.0, deadline=expired) is None
