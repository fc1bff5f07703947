"""Kernels of sums: what the step accepts, and which ones a plan has."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import FloatingPoint
from polysched.base import IllegalScheduleError
from polysched.transform import (
    DevicePlanner,
    LaunchSum,
    apply_script,
    parse_script,
    print_script,
)
from tests.unit.codegen.cuda.programs import Prepared

STEP = "launch_sum(band=0, tile=[1, 16], threads=[1, 8], arrays=[C], parts=[4, 8])"
ROWS = """for (int i = 0; i < 40; i++)
    for (int j = 0; j < 5000; j++)
      C[i][0] += A[i][j];"""
COLUMNS = """for (int j = 0; j < 100; j++)
    for (int i = 0; i < 2000; i++)
      C[0][j] += A[i][j];"""
DOT = "for (int i = 0; i < 1000000; i++) C[0][0] += X[i] * Y[i];"


TOGETHER = """for (int i = 0; i < 1000000; i++) {
    T x = X[i] * Y[i];
    C[0][0] += x;
    W[0][0] += x * x;
    Z[i] = x;
  }"""
CROSSED = """for (int i = 0; i < 40; i++)
    for (int j = 0; j < 5000; j++) {
      C[i][0] += A[i][j];
      W[0][j] += A[i][j];
    }"""


def planned(folder: Path, body: str, fp: FloatingPoint) -> list[LaunchSum]:
    """The sums that threads share in the first script for a program."""
    given = Prepared.of(folder, body, "double", fp=fp)
    (first,) = DevicePlanner(given.scop, given.deps).plan(given.tree, limit=1)
    return [s for s in first.steps if isinstance(s, LaunchSum)]


def test_step_is_read_back() -> None:
    (step,) = parse_script(STEP)
    assert parse_script(print_script((step,))) == (step,)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("tile=[1, 16]", "tile=[1, 12]", "found 8 threads for 12 values"),
        ("tile=[1, 16]", "tile=[16]", "found 2 thread counts for 1 tile sizes"),
        ("parts=[4, 8]", "parts=[4]", "thread counts over parts and results"),
        ("parts=[4, 8]", "parts=[64, 64]", "more than 1024 threads"),
        ("arrays=[C]", "arrays=[B]", "grid loop leaves their order open"),
        ("arrays=[C]", "arrays=[C, C]", "one of them twice"),
        ("band=0", "band=0, member=1", "expected 1 to 1"),
    ],
)
def test_misfits_are_named(tmp_path: Path, old: str, new: str, reason: str) -> None:
    given = Prepared.of(tmp_path, ROWS, "int")
    script = parse_script(f"merge(band=0); {STEP.replace(old, new)}")
    with pytest.raises(IllegalScheduleError, match=reason):
        apply_script(given.tree, script, given.deps)


def test_rows_have_a_block_each_and_few_rows_several(tmp_path: Path) -> None:
    (step,) = planned(tmp_path, ROWS, "reassociate")
    assert step.threads == (1, 128)
    assert step.tile == (1, 1024)  # 8 terms of a thread: 40 rows fill no processor


def test_columns_keep_neighbouring_results_side_by_side(tmp_path: Path) -> None:
    (step,) = planned(tmp_path, COLUMNS, "reassociate")
    assert step.threads == (8, 32)
    assert (step.tile[0] % 8, step.tile[1]) == (0, 32)


def test_a_long_sum_is_shared_by_blocks(tmp_path: Path) -> None:
    (step,) = planned(tmp_path, DOT, "reassociate")
    assert (step.threads, step.parts) == ((128,), (128, 1))
    assert 1_000_000 / step.tile[0] == pytest.approx(1024, rel=0.1)


def test_sums_of_one_loop_are_one_kernels(tmp_path: Path) -> None:
    (step,) = planned(tmp_path, TOGETHER, "reassociate")
    assert (step.arrays, step.threads) == (("C", "W"), (128,))


def test_sums_along_different_loops_are_not_shared_together(tmp_path: Path) -> None:
    given = Prepared.of(tmp_path, CROSSED, "int")
    script = parse_script(f"merge(band=0); {STEP.replace('[C]', '[C, W]')}")
    with pytest.raises(IllegalScheduleError, match="run along different members"):
        apply_script(given.tree, script, given.deps)
    assert planned(tmp_path, CROSSED, "reassociate") == []


@pytest.mark.parametrize("body", [ROWS, DOT])
def test_sums_that_have_an_order_stay_whole(tmp_path: Path, body: str) -> None:
    assert planned(tmp_path, body, "strict") == []
