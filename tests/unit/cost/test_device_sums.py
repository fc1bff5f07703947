"""Predicted kernels of sums that blocks and threads share."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.codegen.cuda import print_cuda
from polysched.cost import predict_on_device, read_kernels
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
