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
GPU = Gpu.named("h200")


def predicted(
    folder: Path, tile: tuple[int, int, int], threads: tuple[int, int], rows: int
) -> tuple[float, list[float]]:
    """Milliseconds of all launches, and what a warp asks for per point."""
    given = Prepared.of(folder, SWEEPS, "float", N).in_band(BAND)
    node = given.tree.root.child(0).band_set_permutable(1)
    draft = Draft(ScheduleTree(node.get_schedule()), given.deps)
    shape = TimeShape(tile[0], ((8,), tile[1:]), ((8,), threads), rows)
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


def test_rows_of_a_thread_share_what_they_read(tmp_path: Path) -> None:
    one, _ = predicted(tmp_path, (8, 32, 64), (8, 32), 1)
    four, asked = predicted(tmp_path, (8, 32, 64), (8, 32), 4)
    assert asked == pytest.approx([4.5, 4.5])  # fourteen loads for four points
    assert 0.5 * one < four < 0.9 * one
