"""A space: legal, distinct, counted, bounded in time, the original always in it."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

import pytest

from polysched.analysis import compute_dependences, find_violation
from polysched.base import CodegenError, Deadline, EmptySpaceError, PolyschedError
from polysched.codegen import (
    CodeMeasurer,
    CodeSize,
    PrintOptions,
    measure_code,
    print_openmp,
)
from polysched.ir import ScheduleTree, Scop
from polysched.machine import Machine
from polysched.policy import find_policy
from polysched.schedule import Core, Recipe, find_core
from polysched.space import ScheduleSpace, SpaceOptions, build_space
from polysched.space.ask import Asker, Candidate
from polysched.space.builder import SpaceBuilder
from polysched.transform import Parallel
from tests.unit import scops


@pytest.fixture(scope="module")
def machine() -> Machine:
    return Machine.detect(calibrated=False)


@pytest.fixture(scope="module")
def space(machine: Machine) -> ScheduleSpace:
    return build_space(scops.gemm(), machine, SpaceOptions(seconds=60))


def test_gemm_has_many_distinct_legal_schedules(space: ScheduleSpace) -> None:
    assert len(space) >= 8
    assert len({s.id for s in space}) == len(space)
    assert len({s.tree.text for s in space}) == len(space)
    for s in space:
        assert s.tree.key == s.id
        assert find_violation(s.tree, space.dependences, space.scop) is None


def test_original_isl_and_feautrier_are_candidates(space: ScheduleSpace) -> None:
    asked = {s.objectives for s in space}
    names = " ".join(d.what for d in space.dropped)
    assert ("original",) in asked
    assert space.original.script == ()
    for name in ("isl", "feautrier"):
        assert (name,) in asked or name in names


def test_every_stage_is_counted_and_nothing_vanishes(space: ScheduleSpace) -> None:
    size = space.size
    assert size.asked >= size.solved > 0
    assert size.kept == len(space) <= size.distinct
    assert all(d.reason for d in space.dropped)


def test_ranking_is_by_predicted_time(space: ScheduleSpace) -> None:
    predicted = [s.predicted_seconds for s in space]
    assert None not in predicted
    assert predicted == sorted(predicted)
    assert space.best is space.schedules[0]


def test_ids_do_not_depend_on_the_run(space: ScheduleSpace, machine: Machine) -> None:
    again = build_space(scops.gemm(), machine, SpaceOptions(seconds=60))
    assert [s.id for s in again] == [s.id for s in space]


def test_json_has_the_keys_of_the_contract(space: ScheduleSpace) -> None:
    data = json.loads(json.dumps(space.to_json()))
    expected = {"scop", "statements", "dependences", "machine", "policy", "size"}
    assert expected | {"schedules"} <= set(data)
    assert set(data["size"]) == {"asked", "solved", "distinct", "kept"}
    keys = {"id", "objectives", "partition", "legal", "features", "tree"}
    assert keys | {"predicted_seconds"} <= set(data["schedules"][0])


def test_find_takes_a_prefix_and_explains_a_miss(space: ScheduleSpace) -> None:
    best = space.best
    assert space.find(best.id[:7]) is best
    assert space.find("original") is space.original
    with pytest.raises(PolyschedError, match="no schedule starts with 'zzz'"):
        space.find("zzz")
    with pytest.raises(PolyschedError, match="several schedules start with ''"):
        space.find("")


@pytest.mark.parametrize("late", [0, 3])
def test_a_miss_tells_whether_time_kept_schedules_out(
    space: ScheduleSpace, late: int
) -> None:
    cut = replace(space, size=replace(space.size, late=late))
    with pytest.raises(PolyschedError) as caught:
        cut.find("zzz")
    assert caught.value.hint is not None
    assert ("time limit kept 3 candidates out" in caught.value.hint) == bool(late)


def test_without_time_the_original_is_left(machine: Machine) -> None:
    space = build_space(scops.jacobi_2d(), machine, SpaceOptions(seconds=0))
    assert [s.objectives for s in space] == [("original",)]
    assert any("not tried" in d.reason for d in space.dropped)


def test_limit_keeps_the_original(machine: Machine) -> None:
    options = SpaceOptions(seconds=60, limit=2, policy="minimal")
    space = build_space(scops.gemm(), machine, options)
    assert len(space) == 2
    assert space.original in space.schedules
    assert any("limit of 2" in d.reason for d in space.dropped)


def names_found(space: ScheduleSpace) -> set[str]:
    """Reference schedules that are kept, under their own name or an equal one's."""
    kept = {">".join(s.objectives) for s in space}
    for d in space.dropped:
        first = d.reason.removeprefix("same schedule as ").split()[0]
        if d.reason.startswith("same schedule") and first in kept:
            kept.add(d.what)
    return kept & {"pluto-rows", "pluto-rows+max", "isl", "feautrier"}


@pytest.mark.long
def test_references_are_kept_however_they_rank(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are asked for early, and here the later one is always the better."""
    times = itertools.count(1000, -1)
    monkeypatch.setattr(
        "polysched.space.describe.Describer.predict", lambda *_: float(next(times))
    )
    options = SpaceOptions(seconds=60, shapes_per_schedule=6)
    full = build_space(scops.gemm(), machine, options)
    assert "pluto-rows" in names_found(full)
    assert "pluto-rows" not in {s.objectives[0] for s in full.schedules[:16]}
    space = build_space(scops.gemm(), machine, replace(options, limit=16))
    assert len(space) == 16
    assert names_found(space) == names_found(full)
    assert [s.predicted_seconds for s in space] == sorted(
        s.predicted_seconds for s in space
    )


def test_a_reference_whose_shapes_cannot_be_printed_is_kept_plain(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit = CodeMeasurer.submit

    def refuse(measurer: CodeMeasurer, tree: ScheduleTree) -> Future[CodeSize]:
        if "mark" not in tree.text:
            return submit(measurer, tree)
        refused: Future[CodeSize] = Future()
        refused.set_exception(CodegenError("planted"))
        return refused

    monkeypatch.setattr(CodeMeasurer, "submit", refuse)
    options = SpaceOptions(seconds=60, policy="minimal")
    space = build_space(scops.gemm(), machine, options)
    assert "pluto-rows" in names_found(space)
    assert "feautrier" in names_found(space)
    assert {s.script for s in space} == {()}


def test_the_source_order_is_kept_even_where_nothing_can_be_printed(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(measurer: CodeMeasurer, tree: ScheduleTree) -> Future[CodeSize]:
        refused: Future[CodeSize] = Future()
        refused.set_exception(CodegenError("planted"))
        return refused

    monkeypatch.setattr(CodeMeasurer, "submit", refuse)
    options = SpaceOptions(seconds=60, policy="minimal")
    space = build_space(scops.gemm(), machine, options)
    assert {s.objectives for s in space} == {("original",)}
    assert space.best.script == ()


def test_statement_free_scop_is_refused(machine: Machine) -> None:
    empty = replace(scops.gemm(), statements=())
    with pytest.raises(EmptySpaceError, match="no statements"):
        build_space(empty, machine)


def test_unknown_policy_lists_the_known_ones(machine: Machine) -> None:
    with pytest.raises(PolyschedError, match=r"no policy named 'x'.*balanced"):
        build_space(scops.gemm(), machine, SpaceOptions(policy="x"))


@pytest.mark.long
def test_what_cannot_be_printed_is_not_in_the_space(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited = PrintOptions(max_nodes=12)
    scop = scops.gemm()

    def submit(_: object, tree: ScheduleTree) -> Future[CodeSize]:
        future: Future[CodeSize] = Future()
        try:
            future.set_result(measure_code(scop, tree, limited))
        except CodegenError as error:
            future.set_exception(error)
        return future

    monkeypatch.setattr("polysched.codegen.CodeMeasurer.submit", submit)
    space = build_space(scop, machine, SpaceOptions(seconds=60))
    assert any("explodes" in d.reason for d in space.dropped)
    for s in space:
        print_openmp(space.scop, s.tree, limited)


def test_an_error_while_shaping_ends_the_solvers(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("planted")

    monkeypatch.setattr("polysched.space.builder.Prover.find_violation", fail)
    with pytest.raises(RuntimeError, match="planted"):
        build_space(scops.gemm(), machine, SpaceOptions(seconds=60))
    assert not [t for t in threading.enumerate() if "ThreadPool" in t.name]


def test_isl_is_in_however_late_it_is(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Spent(Deadline):
        """Time for solving, none for shaping."""

        expired = property(lambda self: True)

    def plan(*_: object, **__: object) -> None:
        raise AssertionError("planned after the deadline")

    monkeypatch.setattr("polysched.space.build.Deadline", Spent)
    monkeypatch.setattr("polysched.space.builder.ScriptPlanner.plan", plan)
    space = build_space(scops.jacobi_2d(), machine, SpaceOptions(seconds=60))
    asked = {s.objectives for s in space}
    assert {("original",), ("isl",), ("feautrier",)} <= asked
    assert asked <= {("original",), ("isl",), ("isl+serial",), ("feautrier",)}
    assert any("not shaped" in d.reason for d in space.dropped)


def test_code_that_is_not_built_in_time_is_not_waited_for(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> Future[CodeSize]:
        return Future()

    monkeypatch.setattr("polysched.codegen.CodeMeasurer.submit", never)
    monkeypatch.setattr("polysched.space.builder._GRACE_SECONDS", 0.0)
    options = SpaceOptions(seconds=3, policy="minimal")
    space = build_space(scops.gemm(), machine, options)
    assert space.original in space.schedules
    assert all(not s.script for s in space)
    assert any("code was not built" in d.reason for d in space.dropped)


@pytest.mark.long
@pytest.mark.parametrize("make", [scops.gemm, scops.jacobi_1d, scops.gauss_seidel])
def test_plutos_schedule_is_in_under_its_name_or_another(
    machine: Machine, make: Callable[[], Scop]
) -> None:
    space = build_space(make(), machine, SpaceOptions(seconds=60))
    asked = {s.objectives for s in space}
    same = {d.what.split()[0] for d in space.dropped if d.reason.startswith("same")}
    for name in ("pluto-rows", "isl", "feautrier"):
        assert (name,) in asked or name in same


def test_a_program_with_too_many_dependences_is_scheduled_row_by_row(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("polysched.space.ask.MAX_PIECES", 3)
    space = build_space(scops.jacobi_2d(), machine, SpaceOptions(seconds=60))
    untried = [d.what for d in space.dropped if "too many" in d.reason]
    assert untried == [str(r) for r in find_policy("balanced").recipes(
        space.scop, space.dependences
    )]  # fmt: skip
    names = {s.objectives[0] for s in space}
    same = {d.what for d in space.dropped if "same schedule as" in d.reason}
    for name in ("pluto-rows", "pluto-rows+none", "feautrier-rows", "isl-rows"):
        assert name in names | same


def test_a_program_without_instances_has_a_space(machine: Machine) -> None:
    """isl does not cut an empty schedule into parts; each would be all of it again."""
    names = [f"S{k}" for k in range(6)]
    statements = [
        scops.statement(s, f"{{ {s}[i] : 0 <= i < 0 }}", (k, 0), "w [i] -> A[i]")
        for k, s in enumerate(names)
    ]
    space = build_space(
        scops.scop("nothing", *statements), machine, SpaceOptions(seconds=60)
    )
    assert space.original in space.schedules
    assert all(s.tree.schedule.get_domain().is_empty() for s in space)
    assert max(len(s.tree.text) for s in space) < 10_000


@pytest.mark.long
@pytest.mark.parametrize("comes_first", [True, False])
def test_names_do_not_depend_on_when_isl_is_done(
    space: ScheduleSpace,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    *,
    comes_first: bool,
) -> None:
    taken: list[str] = []
    real = SpaceBuilder.take

    def take(builder: SpaceBuilder, candidate: Candidate, core: Core) -> None:
        taken.append(candidate.what)
        real(builder, candidate, core)

    monkeypatch.setattr(SpaceBuilder, "take", take)
    monkeypatch.setattr(Asker, "_is_isl_due", lambda *_: comes_first)
    again = build_space(scops.gemm(), machine, SpaceOptions(seconds=60))
    recipes = [position for position, what in enumerate(taken) if ">MIC (" in what]
    assert (taken.index("isl") < min(recipes)) == comes_first
    told = [(s.id, s.objectives, s.partition, s.script, s.shape) for s in space]
    assert told == [(s.id, s.objectives, s.partition, s.script, s.shape) for s in again]
    assert space.size == again.size
    assert len(space.dropped) == len(again.dropped)


def test_short_regions_have_more_shapes_for_one_thread(machine: Machine) -> None:
    taps = scops.scop(
        "taps",
        scops.statement(
            "S0",
            "[n] -> { S0[i, k] : 0 <= i < n and 0 <= k < 5 }",
            (0, 0, 0),
            "r [i, k] -> A[i + k]",
            "r [i, k] -> B[i]",
            "w [i, k] -> B[i]",
        ),
    )

    def n_alone(size: int) -> int:
        options = SpaceOptions(
            seconds=60, policy="parallelism", parameters={"n": size}, limit=100
        )
        found = build_space(taps, machine, options)
        return sum(
            bool(s.script) and not any(isinstance(p, Parallel) for p in s.script)
            for s in found
        )

    assert n_alone(4000) > n_alone(40_000_000)


@pytest.mark.long
def test_many_straight_lines_are_also_solved_as_one_statement(
    machine: Machine,
) -> None:
    steps = 18
    lines = tuple(
        scops.statement(
            f"S{k}",
            f"[n] -> {{ S{k}[t, i] : 0 <= t < n and 1 <= i < n - 1 }}",
            (0, 0, k),
            *(
                ("r [t, i] -> u[t, i - 1]", "r [t, i] -> u[t, i + 1]")
                if k == 0
                else (f"r [t, i] -> x{k - 1}[t, i]",)
            ),
            f"w [t, i] -> {'u[t + 1, i]' if k == steps - 1 else f'x{k}[t, i]'}",
        )
        for k in range(steps)
    )
    scop = scops.scop("lines", *lines)
    core = find_core(scop, compute_dependences(scop))
    asker = Asker(core, (Recipe(("OP", "MIC")),), 60.0)
    try:
        found = {c.what: c.solved for c in asker.candidates()}
    finally:
        asker.close()
    joined = found["OP>MIC (unit) joined"]
    assert joined is not None
    assert joined.rows is not None
    assert len(joined.rows) == steps
    assert found["pluto-rows joined"] is not None


@pytest.mark.parametrize(
    ("source", "is_joined"), [("u[t - 1, i + 1]", True), ("u[t, i]", False)]
)
def test_a_few_lines_that_wait_in_both_loops_have_tiles_as_one_statement(
    source: str, is_joined: bool
) -> None:
    box = "[n] -> {{ {}[t, i] : 1 <= t < n and 1 <= i < n - 1 }}"
    scop = scops.scop(
        "spread",
        scops.statement(
            "S0",
            box.format("S0"),
            (0, 0, 0),
            f"r [t, i] -> {source}",
            "w [t, i] -> x[t, i]",
        ),
        scops.statement(
            "S1",
            box.format("S1"),
            (0, 0, 1),
            "r [t, i] -> x[t, i]",
            "w [t, i] -> u[t, i]",
        ),
    )
    core = find_core(scop, compute_dependences(scop))
    recipes = (Recipe(("OP", "MIC")), Recipe(("BAND", "PROX", "MIC"), "lower"))
    asker = Asker(core, recipes, 60.0)
    try:
        found = [c.what for c in asker.candidates() if c.what.endswith(") joined")]
    finally:
        asker.close()
    assert found == (["BAND>PROX>MIC (lower) joined"] if is_joined else [])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"fp": "nosuch"}, "fp is 'nosuch', expected one of 'strict'"),
        ({"target": "nosuch"}, "target is 'nosuch', expected one of 'openmp', 'cuda'"),
        ({"seconds": float("nan")}, "the time limit is nan s"),
    ],
)
def test_options_that_mean_nothing_are_refused(options, words) -> None:
    with pytest.raises(PolyschedError, match=words):
        SpaceOptions(**options)
