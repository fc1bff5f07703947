"""Predicted kernels of sums that blocks and threads share."""

from __future__ import annotations

import re
from math import prod
from pathlib import Path

import pytest

from polysched.codegen.cuda import print_cuda
from polysched.cost import predict_on_device, read_kernels
from polysched.cost.device import kernel_work
from polysched.machine import Gpu
from polysched.transform import apply_script, parse_script
from tests.unit.codegen.cuda.programs import Prepared

GPU = Gpu.named("h200")
DOT = "for (int i = 0; i < 4000000; i++) C[0][0] += X[i] * Y[i];"
WHOLE = "launch_sum(band=0, tile=[0], threads=[256], arrays=[C], parts=[256, 1])"
SPLIT = WHOLE.replace("tile=[0]", "tile=[4096]")


TWO = """for (int i = 0; i < 4000000; i++) {
    T x = X[i] * Y[i];
    C[0][0] += x;
    W[0][0] += x * x;
  }"""
BOTH = SPLIT.replace("[C]", "[C, W]")


def given(folder: Path, body: str = DOT) -> Prepared:
    return Prepared.of(folder, body, "double", fp="reassociate")


@pytest.mark.parametrize(
    ("body", "script", "n_kernels"), [(DOT, WHOLE, 1), (DOT, SPLIT, 2), (TWO, BOTH, 3)]
)
def test_as_many_kernels_as_are_printed(
    tmp_path: Path, body: str, script: str, n_kernels: int
) -> None:
    program = given(tmp_path, body)
    tree = apply_script(program.tree, parse_script(script), program.deps)
    assert len(read_kernels(tree, program.scop)) == n_kernels
    assert print_cuda(program.scop, tree).device.count("__global__") == n_kernels


def test_blocks_that_share_a_sum_read_at_the_speed_of_memory(tmp_path: Path) -> None:
    program = given(tmp_path)
    seconds = []
    for script in ("single(band=0)", WHOLE, SPLIT):
        tree = apply_script(program.tree, parse_script(script), program.deps)
        found = predict_on_device(tree, program.scop, GPU)
        assert found is not None
        seconds.append(found.kernel_seconds)
    single, one_block, blocks = seconds
    assert single > 20 * one_block > 20 * blocks
    least = 2 * 4_000_000 * 8 / GPU.memory_bytes_per_second
    assert least < blocks < 3 * least


def test_sums_of_one_loop_read_their_operands_once(tmp_path: Path) -> None:
    program = given(tmp_path, TWO)
    tree = apply_script(program.tree, parse_script(BOTH), program.deps)
    both, *parts = read_kernels(tree, program.scop)
    n_bytes = sum(s.memory_bytes for s in both.statements)
    assert n_bytes == pytest.approx(2 * 4_000_000 * 8, rel=1e-3)
    assert [p.statements[0].n_instances for p in parts] == [977, 977]


def test_what_blocks_found_is_read_once(tmp_path: Path) -> None:
    program = given(tmp_path)
    tree = apply_script(program.tree, parse_script(SPLIT), program.deps)
    first, second = read_kernels(tree, program.scop)
    (load,) = second.statements
    assert (first.n_blocks, load.n_instances) == (977, 977)
    assert load.memory_bytes == 977 * 8


ROWS = """for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++)
      C[i][0] += A[i][j];"""
COLUMNS = """for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      C[0][j] += B[i][j];"""
MET = re.compile(r"__shared__ double \w+((?:\[\d+\])+);")


@pytest.mark.parametrize(
    ("body", "tile", "threads", "arrays", "parts"),
    [
        (DOT, "0", "256", "C", "256, 1"),
        (DOT, "4096", "256", "C", "256, 1"),
        (DOT, "4096", "32", "C", "8, 1"),  # one warp, then no whole one
        (TWO, "4096", "256", "C, W", "256, 1"),
        (ROWS, "1,0", "1,128", "C", "32, 1"),
        (ROWS, "2,32", "2,32", "C", "8, 16"),
        (ROWS, "8,0", "8,16", "C", "8, 16"),
        (ROWS, "8,0", "2,64", "C", "8, 16"),
        (COLUMNS, "16,32", "8,32", "C", "2, 32"),
        (COLUMNS, "0,8", "32,4", "C", "2, 32"),
    ],
)
def test_shared_memory_of_sums_is_that_of_the_text(
    tmp_path: Path, body: str, tile: str, threads: str, arrays: str, parts: str
) -> None:
    program = given(tmp_path, body)
    script = (
        f"launch_sum(band=0, tile=[{tile}], threads=[{threads}], arrays=[{arrays}], "
    )
    merge = "merge(band=0); " if "," in tile else ""
    steps = parse_script(f"{merge}{script}parts=[{parts}])")
    tree = apply_script(program.tree, steps, program.deps)
    kernels = print_cuda(program.scop, tree).device.split("__global__")[1:]
    found = [
        sum(8 * prod(map(int, re.findall(r"\d+", e))) for e in MET.findall(k))
        for k in kernels
    ]
    loads = read_kernels(tree, program.scop)
    assert [kernel_work(k).shared_bytes_per_block for k in loads] == found
