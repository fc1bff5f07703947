"""Loops cut into parts keep their order, and are parallel where the planner cuts."""

from __future__ import annotations

import pytest

from polysched.analysis import (
    find_violation,
    loop_is_parallel,
    main_places,
    statement_places,
)
from polysched.cost import predict_seconds
from polysched.ir import Scop
from polysched.schedule import PinParallel, satisfies
from polysched.sets import node_kind
from polysched.transform import (
    PlanShape,
    Split,
    apply_script,
    parse_script,
    plan_script,
    print_script,
)
from polysched.transform.cuts import split_loops
from tests.unit import scops
from tests.unit.schedule.programs import matmul, single
from tests.unit.space.made import MACHINE
from tests.unit.transform.test_conflicts import PATHS, merged

AROUND_K = "split(band=0.0, member=0, cuts=[c0, 1 + c0])"


def line(extent: str, *accesses: str) -> Scop:
    """One loop over one statement."""
    domain = f"{{ S0[i] : 0 <= i < {extent} }}"
    domain = f"[n] -> {domain}" if "n" in extent else domain
    accesses = tuple(a.replace(" ", " [i] -> ", 1) for a in accesses)
    return scops.scop("line", scops.statement("S0", domain, (0, 0), *accesses))


def planned_cuts(program: Scop) -> list[tuple[str, ...]]:
    """Cuts of the planner's splits; all of them make a loop parallel."""
    start = merged(program)
    done = split_loops(start, program)
    assert find_violation(done.tree, done.deps, program) is None
    assert done.tree.map.is_injective()
    splits = [s for s in done.steps if isinstance(s, Split)]
    for _, node in done.tree.bands() if splits else ():
        if node_kind(node.parent()) == "filter":
            assert loop_is_parallel(node, 0, done.deps.validity)
    return [s.cuts for s in splits]


@pytest.mark.parametrize("n", ["1", "2", "17", "n"])
@pytest.mark.parametrize(
    "cuts", ["[c0]", "[c0, 1 + c0]", "[3]", "[3, 2*c0 + 1, c0]", "[2 + c0 mod 2]"]
)
def test_parts_run_every_instance_once_in_the_old_order(n: str, cuts: str) -> None:
    program = scops.gauss_seidel()
    if n != "n":
        program = program.with_parameters_fixed({"n": int(n), "T": 3})
    draft = merged(program)
    step = parse_script(f"split(band=0.0, member=0, cuts={cuts})")[0]
    if step.find_misfit(draft.tree) is not None:
        assert n in "12"  # too small to be cut
        return
    done = step.apply(draft.tree)
    assert find_violation(done, draft.deps, program) is None
    assert done.map.is_injective()
    assert done.map.domain().is_equal(program.domain)
    assert draft.tree.map.lex_lt_union_map(draft.tree.map).is_subset(
        done.map.lex_lt_union_map(done.map)
    )


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        ("split(band=0.0, member=0, cuts=[c1])", "functions of parameters and of 1"),
        ("split(band=0.0, member=1, cuts=[c2])", "functions of parameters and of 2"),
        ("split(band=0.0, member=0, cuts=[m])", "functions of parameters"),
        ("split(band=0.0, member=0, cuts=[c0 : c0 > 1])", "functions of parameters"),
        ("split(band=0.0, member=0, cuts=[c0 or 1])", "functions of parameters"),
        ("split(band=0.0, member=0, cuts=[0, n])", "leave the loop whole"),
        ("split(band=0.0, member=2, cuts=[c0])", "expected 0 to 1"),
        ("split(band=0.0, member=0, cuts=[])", "leave the loop whole"),
    ],
)
def test_cuts_that_cut_nothing_are_refused(step: str, problem: str) -> None:
    draft = merged(single("k i j", *PATHS))
    assert problem in str(parse_script(step)[0].check(draft.tree, draft.deps))


def test_a_parameter_named_like_a_loop_is_left_alone() -> None:
    program = scops.scop(
        "line",
        scops.statement(
            "S0",
            "[c0] -> { S0[i] : 0 <= i < c0 }",
            (0, 0),
            "r [i] -> A[0]",
            "w [i] -> A[i]",
        ),
    )
    assert planned_cuts(program) == []
    draft = merged(program)
    step = Split((0,), 0, ("1",))
    assert "name of a loop" in str(step.check(draft.tree, draft.deps))


def test_shortest_paths_are_cut_before_and_after_the_iterations_that_hold_them_up() -> (
    None
):
    program = single("k i j", *PATHS)
    assert planned_cuts(program) == [("c0", "1 + c0")] * 3


@pytest.mark.parametrize(
    ("program", "cuts"),
    [
        (line("n", "r A[0]", "r A[i]", "w A[i]"), [("1",)]),
        (line("n", "r A[n - 1]", "w A[i]"), [("-1 + n",)]),
        (line("n", "r A[0]", "r A[n - 1]", "w A[i]"), [("1", "-1 + n")]),
        (line("100", "r A[99 - i]", "w A[i]"), [("50",)]),
        (line("n", "r A[n - 1 - i]", "w A[i]"), [("n - floor((n)/2)",)]),
        (line("100", "r A[20]", "r A[40]", "r A[60]", "w A[i]"), []),
        (line("12", "r A[0]", "w A[i]"), []),
        (line("n", "r A[i - 1]", "w A[i]"), []),
        (matmul("i j k"), []),
        (scops.jacobi_1d(), []),
        (scops.gauss_seidel(), []),
    ],
    ids=[
        "first", "last", "both", "mirrored", "halves", "three", "short", "chain", "sum",
        "parallel", "seidel",
    ],
)  # fmt: skip
def test_cuts_are_read_from_the_dependences(
    program: Scop, cuts: list[tuple[str, ...]]
) -> None:
    assert planned_cuts(program) == cuts


def test_planned_parts_get_threads_register_tiles_and_vectors() -> None:
    program = single("k i j", *PATHS)
    draft = merged(program)
    shape = PlanShape(jam=True, split=True)
    done = plan_script(draft.tree, program, draft.deps, MACHINE.cpu, shape)
    assert find_violation(done.tree, draft.deps, program) is None
    text = print_script(done.steps)
    assert [text.count(w) for w in ("parallel(", "jam(", "vector(")] == [4, 4, 4]
    again = apply_script(draft.tree, parse_script(text), draft.deps)
    assert again.text == done.tree.text


def test_a_split_statement_stands_at_several_places() -> None:
    program = single("k i j", *PATHS)
    draft = merged(program)
    done = draft.do(parse_script(AROUND_K)[0])
    assert [p.path for p in statement_places(done.tree)] == [
        (0, 0, k, 0, 0) for k in range(3)
    ]
    assert [p.path[2] for p in main_places(done.tree)["S0"]] == [0, 2]
    assert [len(p.members) for p in statement_places(done.tree)] == [3, 3, 3]


def test_a_pin_holds_where_every_large_part_obeys() -> None:
    program = single("k i j", *PATHS)
    draft = merged(program)
    pin = PinParallel("S0", 1)
    cut = apply_script(draft.tree, parse_script(AROUND_K), draft.deps)
    assert satisfies(cut, pin, program, draft.deps)
    assert not satisfies(draft.tree, pin, program, draft.deps)
    low = parse_script("split(band=0.0, member=0, cuts=[c0])")
    half = apply_script(draft.tree, low, draft.deps)
    assert not satisfies(half, pin, program, draft.deps)


def test_the_model_prefers_parts_that_run_in_lanes() -> None:
    program = single("k i j", *PATHS)
    draft = merged(program)
    shape = PlanShape(threads=False, split=True)
    done = plan_script(draft.tree, program, draft.deps, MACHINE.cpu, shape)
    seconds = [
        predict_seconds(tree, program, draft.deps, MACHINE, {"n": 2000})
        for tree in (draft.tree, done.tree)
    ]
    assert seconds[0] is not None
    assert seconds[1] is not None
    assert seconds[1] < seconds[0] / 2
