"""Neighbours that hand a private matrix on run a few rows at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import set_band_flags
from polysched.codegen import print_openmp
from polysched.frontend import parse_c
from polysched.ir import Scop, original_tree
from polysched.testing import Candidate, Candidates, check_program, prepare
from polysched.transform import (
    Distribute,
    FuseTiles,
    Parallel,
    PlanShape,
    Script,
    apply_script,
    plan_script,
)
from tests.unit.transform.test_plan import CPU

PROGRAM = """
#include <stdio.h>
#define T 70
#define D 37
static float x[T][D], dy[T][D], m[T], dx[T][D], dw[D];
static void init(void) {
    for (int i = 0; i < T; i++) {
        m[i] = i % 5;
        for (int j = 0; j < D; j++) {
            x[i][j] = (3 * i + j) % 7 / 4.0f;
            dy[i][j] = (i + 5 * j) % 11 / 8.0f;
        }
    }
}
int main(void) {
    init();
#pragma scop
    for (int i = 0; i < T; i++) {
        float h[D], s = 0.0f;
        for (int j = 0; j < D; j++)
            h[j] = x[i][j] - m[i];
        for (int j = 0; j < D; j++)
            s += dy[i][j] * h[j];
        for (int j = 0; j < D; j++)
            TOTAL += dy[i][j] * h[j];
        for (int j = 0; j < D; j++)
            dx[i][j] = dy[i][j] - s * h[j];
    }
#pragma endscop
    return 0;
}
"""


SHAPE = PlanShape(threads=False, jam=True, passes=True)


def steps_of(scop: Scop) -> tuple[Candidates, Script]:
    """A candidate in strips, from loops of its own for every statement."""
    scop, deps = prepare(scop)
    tree = set_band_flags(original_tree(scop), deps)
    alone = Distribute((0,), 0, tuple(range(len(scop.statements))))
    tree = set_band_flags(apply_script(tree, (alone,), deps), deps)
    steps = plan_script(tree, scop, deps, CPU, SHAPE).steps
    done = apply_script(tree, steps, deps)
    return Candidates(scop, deps, (Candidate(done, "strips"),)), steps


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize(("total", "is_shared"), [("dw[j]", False), ("dx[i][j]", True)])
def test_strips_keep_a_private_matrix_small(total: str, is_shared: bool) -> None:
    """Threads share them where no sum goes on from row to row."""
    found: list[Script] = []
    texts: list[str] = []

    def schedules(scop: Scop) -> Candidates:
        candidates, steps = steps_of(scop)
        found.append(steps)
        texts.append(print_openmp(candidates.scop, candidates.listed[0].tree))
        return candidates

    report = check_program(PROGRAM.replace("TOTAL", total), schedules)
    assert not report.mismatches, "\n".join(str(m) for m in report.mismatches)
    assert report.n_trees == 1
    ((fused,),) = ([s for s in steps if isinstance(s, FuseTiles)] for steps in found)
    assert fused.size == 64
    assert any(isinstance(s, Parallel) for s in found[0]) == is_shared
    assert "float h[64][37];" in texts[0]


def test_without_a_private_matrix_nothing_is_fused(tmp_path: Path) -> None:
    file = tmp_path / "public.c"
    file.write_text(PROGRAM.replace("TOTAL", "dw[j]").replace("h[j]", "dx[i][j]"))
    (scop,) = parse_c(str(file)).scops
    assert steps_of(scop)[1] == ()
