"""What the planner of device scripts does before it makes kernels."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.transform import Split
from polysched.transform.device_plan import DevicePlanner
from polysched.transform.device_shapes import SHAPES
from polysched.transform.launch import Single
from tests.unit.codegen.cuda.programs import Prepared

CUTTING = next(shape for shape in SHAPES if shape.cuts)
CLOSURE = """for (int k = 0; k < N; k++)
    for (int i = 0; i < N; i++)
      for (int j = 0; j < N; j++) {
        T way = C[i][k] < C[k][j] ? C[i][k] : C[k][j];
        C[i][j] = C[i][j] > way ? C[i][j] : way;
      }"""
REPEATED = """for (int t = 0; t < N; t++)
    for (int i = 0; i < N; i++)
      for (int k = 0; k < N; k++)
        Z[i] = Z[i] / 2 + A[i][k] * X[k];"""


@pytest.mark.parametrize("shape", [CUTTING, SHAPES[0]])
def test_loops_that_wait_for_one_iteration_are_cut(tmp_path: Path, shape) -> None:
    given = Prepared.of(tmp_path, CLOSURE, "float", 1000)
    (draft,) = DevicePlanner(given.scop, given.deps, (shape,)).plan(given.tree)
    cuts = {cut for s in draft.steps if isinstance(s, Split) for cut in s.cuts}
    assert cuts == ({"c0", "1 + c0"} if shape.cuts else set())


def test_a_loop_around_a_kernel_is_the_hosts(tmp_path: Path) -> None:
    """Also where the only kernel copies its terms ahead."""
    given = Prepared.of(tmp_path, REPEATED, "float", 1000)
    (draft,) = DevicePlanner(given.scop, given.deps, SHAPES[:1]).plan(given.tree)
    assert not any(isinstance(s, Single) for s in draft.steps)
    assert "stages=4" in str(draft.steps[-1])
