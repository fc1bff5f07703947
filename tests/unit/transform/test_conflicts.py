"""Strips where one iteration of a loop holds up all others, and nowhere else."""

from __future__ import annotations

import pytest

from polysched.analysis import compute_dependences, find_violation, set_band_flags
from polysched.ir import Scop, original_tree
from polysched.transform import plan_scripts, print_script
from polysched.transform.arrange import merge_bands
from polysched.transform.conflicts import strip_conflicts
from polysched.transform.draft import Draft
from tests.unit import scops
from tests.unit.schedule.programs import matmul, single
from tests.unit.space.made import MACHINE

PATHS = ("r A[i, j]", "r A[i, k]", "r A[k, j]", "w A[i, j]")


def merged(program: Scop) -> Draft:
    deps = compute_dependences(program)
    return merge_bands(Draft(set_band_flags(original_tree(program), deps), deps))


def strips(program: Scop) -> str:
    start = merged(program)
    done = strip_conflicts(start, program)
    assert find_violation(done.tree, done.deps) is None
    return print_script(done.steps[len(start.steps) :])


def test_shortest_paths_wait_for_one_iteration() -> None:
    assert strips(single("k i j", *PATHS)) == "tile(band=0.0, sizes=[0, 32])"


@pytest.mark.parametrize(
    "program",
    [
        single("k j i", *PATHS),  # strides
        matmul("i j k"),  # every iteration of a sum waits
        matmul("i k j"),  # none waits
        scops.gauss_seidel(),
        scops.jacobi_1d(),
    ],
    ids=["strides", "sum", "parallel", "seidel", "jacobi"],
)
def test_other_loops_stay_whole(program: Scop) -> None:
    assert strips(program) == ""


def test_strips_are_among_the_planned_scripts() -> None:
    program = single("k i j", *PATHS)
    draft = merged(program)
    scripts = plan_scripts(draft.tree, program, draft.deps, MACHINE.cpu)
    assert any("sizes=[0, 32]" in print_script(s) for s in scripts)
