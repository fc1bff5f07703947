"""What the planner of device scripts does before it makes kernels."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.transform import Contract, LaunchSum, Split
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


@pytest.mark.parametrize(
    ("body", "n", "tile", "threads"),
    [
        # as many blocks as fill a device, each of several rows
        ("for (int i = 0; i < N; i++) for (int j = 0; j < N; j++) Z[0] += A[i][j];",
         8192, (8, 0), (1, 128)),
        # rows are too few: each in parts
        ("for (int i = 0; i < 8; i++) for (int j = 0; j < N; j++) Z[0] += B[i][j];",
         1 << 20, (1, 8192), (1, 128)),
        # results are not shared
        ("""for (int b = 0; b < 3; b++)
              for (int i = 0; i < N; i++)
                for (int j = 0; j < 28; j++)
                  Z[b] += D[b][i][j];""", 1000, (1, 40, 0), (1, 4, 32)),
    ],
)  # fmt: skip
def test_sums_over_several_loops_are_shared_along_all_of_them(
    tmp_path: Path,
    body: str,
    n: int,
    tile: tuple[int, ...],
    threads: tuple[int, ...],
) -> None:
    given = Prepared.of(tmp_path, body, "int", n)
    (draft,) = DevicePlanner(given.scop, given.deps, SHAPES[:1]).plan(given.tree)
    (step,) = (s for s in draft.steps if isinstance(s, LaunchSum))
    assert (step.tile, step.threads) == (tile, threads)


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


PADDED = """for (int b = 0; b < 3; b++)
    for (int i = 0; i < N; i++)
      for (int j = 0; j < N; j++)
        for (int k = 0; k < 3; k++)
          for (int r = 0; r < 3; r++)
            if (i + k >= 1 && i + k <= N && j + r >= 1 && j + r <= N)
              E[b][i][j] += D[0][i + k - 1][j + r - 1] * B[k][b + r];"""


def test_a_window_whose_sum_keeps_its_order_is_a_tile(tmp_path: Path) -> None:
    """Its loops are bands of their own, and no step reorders them."""
    given = Prepared.of(tmp_path, PADDED, "float", 64)
    (draft,) = DevicePlanner(given.scop, given.deps, SHAPES[:1]).plan(given.tree)
    (step,) = (s for s in draft.steps if isinstance(s, Contract))
    assert step.tile[-2:] == (3, 3)
    assert len(step.threads) == 3
    text = given.print("; ".join(map(str, draft.steps))).device
    assert "D_tile[3][" in text
