"""Predicted time tiles beside what an H200 took for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.cost import predict_on_device, read_kernels
from polysched.cost.warps import WARP
from polysched.ir import ScheduleTree
from polysched.machine import Gpu
from polysched.transform import Draft
from polysched.transform.time_tiles import TimeShape, tile_time
from tests.unit.codegen.cuda.programs import Prepared

N = 8192
SWEEPS = """for (int t = 0; t < 64; t++) {
    for (int i = 1; i < N - 1; i++)
      for (int j = 1; j < N - 1; j++)
        C[i][j] = (T)0.2 * (W[i][j] + W[i][j - 1] + W[i][j + 1] + W[i + 1][j] +
                            W[i - 1][j]);
    for (int i = 1; i < N - 1; i++)
      for (int j = 1; j < N - 1; j++)
        W[i][j] = (T)0.2 * (C[i][j] + C[i][j - 1] + C[i][j + 1] + C[i + 1][j] +
                            C[i - 1][j]);
  }"""
BAND = (
    "[{ S0[t, i, j] -> [(t)]; S1[t, i, j] -> [(t)] }, "
    "{ S0[t, i, j] -> [(2t + i)]; S1[t, i, j] -> [(2t + i + 1)] }, "
    "{ S0[t, i, j] -> [(2t + j)]; S1[t, i, j] -> [(2t + j + 1)] }]"
)
CUBE = """typedef %s T;
static T V[N][N][N], U[N][N][N];
void sweeps(void) {
#pragma scop
  for (int t = 0; t < 32; t++) {
    for (int i = 1; i < N - 1; i++)
      for (int j = 1; j < N - 1; j++)
        for (int k = 1; k < N - 1; k++)
          U[i][j][k] = V[i - 1][j][k] + V[i][j - 1][k] + V[i][j][k - 1] + V[i][j][k] +
                       V[i + 1][j][k] + V[i][j + 1][k] + V[i][j][k + 1];
    for (int i = 1; i < N - 1; i++)
      for (int j = 1; j < N - 1; j++)
        for (int k = 1; k < N - 1; k++)
          V[i][j][k] = U[i - 1][j][k] + U[i][j - 1][k] + U[i][j][k - 1] + U[i][j][k] +
                       U[i + 1][j][k] + U[i][j + 1][k] + U[i][j][k + 1];
  }
#pragma endscop
}
"""
CUBE_BAND = "[{}]".format(
    ", ".join(
        f"{{ S0[t, i, j, k] -> [({first})]; S1[t, i, j, k] -> [({second})] }}"
        for first, second in [
            ("t", "t"), *((f"2t + {x}", f"2t + {x} + 1") for x in "ijk"),
        ]
    )
)  # fmt: skip
GPU = Gpu.named("h200")


def predicted(
    folder: Path,
    tile: tuple[int, ...],
    threads: tuple[int, ...],
    rows: int,
) -> tuple[float, list[float]]:
    """Milliseconds of all launches, and what a warp asks for per point."""
    if len(threads) == 2:
        given = Prepared.of(folder, SWEEPS, "float", N).in_band(BAND)
    else:
        given = Prepared.of_text(folder, CUBE % "float", 384).in_band(CUBE_BAND)
    node = given.tree.root.child(0).band_set_permutable(1)
    draft = Draft(ScheduleTree(node.get_schedule()), given.deps)
    before = ((8,),) * (len(threads) - 1)
    shape = TimeShape(tile[0], (*before, tile[1:]), (*before, threads), rows)
    tiled = tile_time(draft, given.scop, shape, (0,))
    assert tiled is not None
    found = predict_on_device(tiled.tree, given.scop, GPU)
    assert found is not None
    (kernel,) = read_kernels(tiled.tree, given.scop)
    asked = [WARP * s.n_requests / s.n_instances for s in kernel.statements]
    return found.kernel_seconds * 1e3, asked


@pytest.mark.parametrize(
    ("tile", "threads", "measured_ms"),
    [((8, 32, 64), (8, 32), 19.95), ((8, 32, 128), (8, 64), 18.60)],
)
def test_tiles_take_what_was_measured(
    tmp_path: Path,
    tile: tuple[int, int, int],
    threads: tuple[int, int],
    measured_ms: float,
) -> None:
    """With one row at once, as there were none with several when it was measured."""
    found, asked = predicted(tmp_path, tile, threads, 1)
    assert found == pytest.approx(measured_ms, rel=0.3)
    assert asked == pytest.approx([6, 6])  # five loads, a store


def test_tiles_that_the_first_cache_does_not_hold(tmp_path: Path) -> None:
    """Eight blocks on an SM with 147 KB each; 12 ms if it held them."""
    found, _ = predicted(tmp_path, (4, 8, 8, 64), (2, 4, 32), 1)
    assert found == pytest.approx(18.41, rel=0.25)


def test_rows_of_a_thread_share_what_they_read(tmp_path: Path) -> None:
    one, _ = predicted(tmp_path, (8, 32, 64), (8, 32), 1)
    four, asked = predicted(tmp_path, (8, 32, 64), (8, 32), 4)
    assert asked == pytest.approx([4.5, 4.5])  # fourteen loads for four points
    assert 0.5 * one < four < 0.9 * one
