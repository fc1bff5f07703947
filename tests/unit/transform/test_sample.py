"""Scripts drawn at random: legal, all different, the same again, good and bad ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import (
    compute_dependences,
    find_violation,
    set_band_flags,
    statement_members,
)
from polysched.frontend import parse_c
from polysched.ir import MARK_PARALLEL, ScheduleTree, original_tree
from polysched.transform import (
    Split,
    apply_script,
    print_script,
    sample_scripts,
)
from tests.unit import scops
from tests.unit.space.made import MACHINE
from tests.unit.transform import trees

GEMM = Path(__file__).parents[3] / "examples" / "gemm.c"
MAKERS = {
    "gemm": (scops.gemm, trees.gemm),
    "jacobi": (scops.jacobi_2d, trees.jacobi),
    "seidel": (scops.gauss_seidel, trees.seidel),
}


def draw(name: str, limit: int, seed: int = 0) -> list[str]:
    make_scop, make_tree = MAKERS[name]
    tree, deps = make_tree()
    scripts = sample_scripts(
        tree, make_scop(), deps, MACHINE.cpu, limit=limit, seed=seed
    )
    return [print_script(s) for s in scripts]


@pytest.mark.long
@pytest.mark.parametrize("name", MAKERS)
def test_every_script_is_legal_and_no_two_do_the_same(name: str) -> None:
    make_scop, make_tree = MAKERS[name]
    tree, deps = make_tree()
    scripts = sample_scripts(tree, make_scop(), deps, MACHINE.cpu, limit=10, seed=3)
    final = [apply_script(tree, script, deps) for script in scripts]
    assert len({t.key for t in final}) == len(final) == 10
    assert [find_violation(t, deps, make_scop()) for t in final] == [None] * 10


def test_a_seed_gives_the_same_scripts_again() -> None:
    first = draw("gemm", 6, seed=5)
    assert first == draw("gemm", 6, seed=5)
    assert first[:3] == draw("gemm", 3, seed=5)
    assert not set(first) <= set(draw("gemm", 6, seed=6))


def test_squares_are_drawn_where_statements_share_a_band() -> None:
    box = "0 <= i < 100 and 0 <= j < 100"
    sums = [
        scops.statement(
            name, f"{{ {name}[i, j] : {box} }}", (0, 0, k), "r [i, j] -> A[i, j]",
            f"r [i, j] -> {target}", f"w [i, j] -> {target}",
        )
        for k, (name, target) in enumerate([("S0", "y[i]"), ("S1", "z[j]")])
    ]  # fmt: skip
    scop = scops.scop("sums", *sums)
    rows, columns = (f"S0[i, j] -> [({k})]; S1[i, j] -> [({k})]" for k in "ij")
    tree, deps = trees.one_band(scop, f"[{{ {rows} }}, {{ {columns} }}]")
    scripts = sample_scripts(tree, scop, deps, MACHINE.cpu, limit=10)
    assert any("squares(" in print_script(s) for s in scripts)


def test_good_loop_orders_come_out_and_bad_ones() -> None:
    tree, deps = trees.gemm()
    scripts = sample_scripts(tree, scops.gemm(), deps, MACHINE.cpu, limit=30)
    final = [apply_script(tree, script) for script in scripts]
    inner = {statement_members(t)["S1"][-1].coefficients for t in final}
    assert {(0, 0, 1), (1, 0, 0)} <= inner  # along rows; down columns of A and C
    assert {MARK_PARALLEL in t.text for t in final} == {True, False}


def test_every_step_of_planned_scripts_is_drawn() -> None:
    """What the planner can do, a walk can: the comparison is between choices alone."""
    scop = parse_c(str(GEMM)).scops[0]
    deps = compute_dependences(scop)
    apart = set_band_flags(original_tree(scop), deps)
    drawn = {
        step.name
        for tree in (apart, trees.gemm()[0])
        for seed in range(4)
        for script in sample_scripts(tree, scop, deps, MACHINE.cpu, limit=8, seed=seed)
        for step in script
    }
    planned = "order tile split distribute parallel registers pack vector jam separate"
    assert set(planned.split()) <= drawn


def test_a_part_without_instances_is_left_alone() -> None:
    scop = scops.gemm()
    _, deps = trees.gemm()
    loops = ", ".join(f"{{ S1[i, j, k] -> [({v})] }}" for v in "ikj")
    inner = f'{{ schedule: "[{loops}]", permutable: 1 }}'
    parts = ", ".join(
        f'{{ filter: "[n] -> {{ S1[i, j, k] : {which} }}", child: {inner} }}'
        for which in ("i >= 0", "i < 0")
    )
    box = "0 <= i < n and 0 <= j < n and 0 <= k < n"
    domain = f'"[n] -> {{ S1[i, j, k] : {box} }}"'
    tree = ScheduleTree.parse(
        f"{{ domain: {domain}, child: {{ sequence: [ {parts} ] }} }}"
    )
    assert sample_scripts(tree, scop, deps, MACHINE.cpu, limit=10)
    split = Split((0, 1, 0), 0, ("5",))
    assert split.find_misfit(tree) == "no instance runs in the loop"
