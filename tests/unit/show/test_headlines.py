"""Values print themselves in one line each; their fields would be pages."""

from __future__ import annotations

from polysched.analysis import compute_dependences
from polysched.ir import Program, original_tree
from tests.unit import scops
from tests.unit.show.made import program_space, tuned_gemm
from tests.unit.space.made import MACHINE


def test_programs() -> None:
    scop = scops.gemm()
    assert repr(Program("a.c", b"", (scop,))) == "<Program a.c: 1 scop, 0 refused>"
    assert repr(scop) == "<Scop gemm: 2 statements, 3 arrays, 1 parameters>"
    assert repr(scop.statements[1]).startswith("<Statement S1[i, k, j]: ")
    assert repr(compute_dependences(scop)).startswith("<Dependences: ")
    tree = original_tree(scop)
    assert repr(tree) == f"<ScheduleTree {tree.key}: {len(tree.bands())} bands>"


def test_spaces() -> None:
    space = program_space()
    best, variant = space.best, space.variant()
    n = len(space)
    told = f"<ProgramSpace of gemm: {n} schedules, policy {space.policy}>"
    assert repr(space) == told
    script = "tile 32x16x64, parallel"
    told = f"<Schedule {best.id}: OP, predicted 50 ms, script {script}>"
    assert repr(best) == told
    assert repr(variant) == f"<Variant {variant.id} of gemm>"
    told = f"<Explanation of schedule {variant.id} of gemm>"
    assert repr(variant.explain()) == told
    assert max(len(repr(s)) for s in space) < 300


def test_tunings_and_machines() -> None:
    tuned = tuned_gemm()
    assert tuned.best is not None
    told = f"<Tuned gemm: {len(tuned.candidates)} measured, best {tuned.best.id}, "
    assert repr(tuned).startswith(told)
    assert repr(MACHINE) == "<Machine x, 4 cores, detected>"
