"""Rows through shared memory: what the model makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.cost import predict_on_device, read_kernels
from polysched.cost.device import kernel_work
from polysched.ir import ScheduleTree
from polysched.machine import Gpu
from polysched.transform import apply_script, parse_script
from tests.unit.codegen.cuda.programs import Prepared

GPU = Gpu.named("h200")
ROWS = """for (int i = 0; i < N; i++)
    for (int k = 0; k < N; k++)
      Z[i] += A[i][k] * X[k];"""
TURN = """for (int j = 0; j < N; j++)
    for (int i = 0; i < N; i++)
      C[j][i] = A[i][j];"""


def apply(given: Prepared, step: str) -> ScheduleTree:
    return apply_script(given.tree, parse_script(f"merge(band=0); {step}"), given.deps)


def seconds(tmp_path: Path, body: str, step: str, n: int) -> float:
    given = Prepared.of(tmp_path, body, "double", n)
    found = predict_on_device(apply(given, step), given.scop, GPU)
    assert found is not None
    return found.kernel_seconds


def test_terms_copied_ahead_come_as_fast_as_memory_does(tmp_path: Path) -> None:
    n = 8192
    ahead = "contract(band=0, tile=[32,64], threads=[32], runs=[1], stages=4)"
    alone = "launch(band=0, tile=[128], threads=[128])"
    moved = n * n * 8 / GPU.memory_bytes_per_second
    assert seconds(tmp_path, ROWS, ahead, n) == pytest.approx(moved, rel=0.25)
    assert seconds(tmp_path, ROWS, alone, n) > 5 * moved


def test_squares_read_rows_and_write_rows(tmp_path: Path) -> None:
    n = 8192
    squares = "contract(band=0, tile=[32,32], threads=[8,32], runs=[2,1])"
    alone = "launch(band=0, tile=[8,32], threads=[8,32])"
    moved = 2 * n * n * 8 / GPU.memory_bytes_per_second
    assert seconds(tmp_path, TURN, squares, n) == pytest.approx(moved, rel=0.25)
    assert seconds(tmp_path, TURN, alone, n) > 1.5 * moved
    given = Prepared.of(tmp_path, TURN, "double", n)
    (load,) = read_kernels(apply(given, squares), given.scop)
    work = kernel_work(load)
    assert work.shared_bytes_per_block == 32 * 34 * 8
    assert work.load_sectors == work.store_sectors == 32 * 32 * 8 / 32


MEANS = """for (int i = 0; i < N; i++) {
    T s = 0;
    for (int j = 0; j < N; j++)
      s += A[i][j];
    for (int j = 0; j < N; j++)
      C[i][j] = A[i][j] - s;
  }"""


def test_a_row_is_read_from_memory_once(tmp_path: Path) -> None:
    """Of a kernel that reads it twice, as long as a block finds it in its cache."""
    for n, n_reads in ((1024, 1), (1 << 15, 2)):
        given = Prepared.of(tmp_path, MEANS, "float", n, "reassociate")
        script = "launch_rows(band=0, members=1, threads=[256], arrays=[s], parts=[1])"
        tree = apply_script(given.tree, parse_script(script), given.deps)
        (load,) = read_kernels(tree, given.scop)
        moved = kernel_work(load).memory_bytes / (n * n * 4)
        assert moved == pytest.approx(n_reads + 1, rel=0.1)
        assert load.n_barriers == 6  # the beginning, the sum with four, the rest


def test_places_of_private_scalars_are_a_part_of_a_tile(tmp_path: Path) -> None:
    body = """for (int i = 0; i < N; i++) {
        T s = A[i][0] + 1;
        for (int k = 0; k < N; k++)
          Z[k] += A[i][k] * s;
      }"""
    given = Prepared.of(tmp_path, body, "double", 1024)
    script = (
        "distribute(band=0, member=0, statements=[0, 1]); "
        "merge(band=0.1.0); order(band=0.1.0, members=[1, 0]); "
        "contract(band=0.1.0, tile=[32,64], threads=[32], runs=[1], stages=4); "
        "launch(band=0.0.0, tile=[32], threads=[32])"
    )
    tree = apply_script(given.tree, parse_script(script), given.deps)
    _, load = read_kernels(tree, given.scop)
    assert kernel_work(load).shared_bytes_per_block == 4 * (32 * 64 + 64) * 8
