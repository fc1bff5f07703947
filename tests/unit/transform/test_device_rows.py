"""Which bands become kernels whose blocks have rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import FloatingPoint
from polysched.transform import LaunchRows
from polysched.transform.device_plan import DevicePlanner
from polysched.transform.device_shapes import SHAPES
from tests.unit.codegen.cuda.programs import Prepared

ROWS = next(shape for shape in SHAPES if shape.rows is not None)
SOFTMAX = """for (int i = 0; i < N; i++) {
    T m = A[i][0], s = 0;
    for (int j = 1; j < N; j++)
      m = A[i][j] > m ? A[i][j] : m;
    for (int j = 0; j < N; j++)
      s += A[i][j] - m;
    for (int j = 0; j < N; j++)
      C[i][j] = s;
  }"""
BEFORE = """for (int b = 0; b < 3; b++)
    for (int i = 0; i < N; i++) {
      E[b][i][0] = 0;
      for (int j = 0; j < 40; j++)
        E[b][i][0] += D[b][i][j];
    }"""
PLANES = """for (int i = 0; i < N; i++) {
    T s = 0;
    for (int b = 0; b < 3; b++)
      for (int j = 0; j < 56; j++)
        s += D[b][i][j];
    for (int b = 0; b < 3; b++)
      for (int j = 0; j < 56; j++)
        E[b][i][j] = s;
  }"""
SEQUENTIAL = """for (int i = 0; i < N; i++) {
    W[i][0] = 1;
    for (int j = 1; j < N; j++)
      W[i][j] = W[i][j - 1] / 2 + A[i][j];
    for (int j = 1; j < N; j++)
      C[i][j] = W[i][j];
  }"""


def plan(
    tmp_path: Path, body: str, n: int = 1000, fp: FloatingPoint = "reassociate"
) -> list[LaunchRows]:
    given = Prepared.of(tmp_path, body, "float", n, fp)
    (draft,) = DevicePlanner(given.scop, given.deps, (ROWS,)).plan(given.tree)
    return [step for step in draft.steps if isinstance(step, LaunchRows)]


@pytest.mark.parametrize(("n", "threads"), [(1000, 128), (100, 64), (40, 32)])
def test_blocks_have_as_many_threads_as_rows_keep_busy(
    tmp_path: Path, n: int, threads: int
) -> None:
    (step,) = plan(tmp_path, SOFTMAX, n)
    assert (step.members, step.threads) == (1, (threads,))
    assert dict(zip(step.arrays, step.parts, strict=True)) == {"m": 2, "s": 3}


def test_rows_of_several_loops(tmp_path: Path) -> None:
    (step,) = plan(tmp_path, BEFORE)
    assert (step.members, step.threads, step.arrays) == (2, (32,), ("E",))


def test_loops_of_a_part_are_shared_together(tmp_path: Path) -> None:
    (step,) = plan(tmp_path, PLANES)
    assert step.threads == (2, 32)
    assert (step.arrays, step.parts) == (("s",), (1,))


@pytest.mark.parametrize(
    ("body", "n", "fp"),
    [
        (SOFTMAX, 1000, "strict"),  # one thread adds up
        (SOFTMAX, 20, "reassociate"),  # blocks for few rows leave a device idle
        (SEQUENTIAL, 1000, "reassociate"),
    ],
)
def test_others_have_a_kernel_for_each_loop(
    tmp_path: Path, body: str, n: int, fp: FloatingPoint
) -> None:
    assert plan(tmp_path, body, n, fp) == []
