"""Tile shapes keep a processor's limits, and the first are what experts choose."""

from __future__ import annotations

import pytest

from polysched.base import PolyschedError
from polysched.cost.gpu import (
    Contraction,
    RankedShape,
    ShapeOptions,
    TileShape,
    compute_occupancy,
    contraction_work,
    enumerate_shapes,
    pick_different,
)
from polysched.machine import Gpu, known_gpus

GPUS = known_gpus()
FEW = ShapeOptions(
    block_sizes=(32, 64, 128), thread_sizes=(4, 8, 16), step_sizes=(8, 32)
)
SQUARE = Contraction(4096, 4096, 4096)


@pytest.fixture(scope="module")
def square_on_h200() -> tuple[RankedShape, ...]:
    return enumerate_shapes(SQUARE, Gpu.named("h200"))


def slower_than_best(ranked: tuple[RankedShape, ...], wanted: TileShape) -> float:
    """Predicted time of a block and thread tile, at its best, against the best."""
    sides = (wanted.block_i, wanted.block_j, wanted.thread_i, wanted.thread_j)
    like = [
        r.seconds
        for r in ranked
        if sides
        == (r.shape.block_i, r.shape.block_j, r.shape.thread_i, r.shape.thread_j)
    ]
    return min(like) / ranked[0].seconds


@pytest.mark.parametrize("gpu", GPUS, ids=lambda gpu: gpu.name)
@pytest.mark.parametrize("element_bytes", [4, 8])
def test_limits_are_kept(gpu: Gpu, element_bytes: int) -> None:
    c = Contraction(1000, 1100, 1200, element_bytes)
    ranked = enumerate_shapes(c, gpu, FEW)
    assert len(ranked) > 50
    peak = gpu.fma_fp32_per_cycle if element_bytes == 4 else gpu.fma_fp64_per_cycle
    for r in ranked:
        shape, work = r.shape, r.work
        held = compute_occupancy(
            gpu,
            work.threads_per_block,
            work.registers_per_thread,
            work.shared_bytes_per_block,
        )
        assert held.blocks_per_sm > 0
        assert work.threads_per_block % 32 == 0
        assert 64 <= work.threads_per_block <= 512
        accumulators = shape.thread_i * shape.thread_j * element_bytes // 4
        assert accumulators < work.registers_per_thread <= 255
        tiles = (shape.block_i + shape.block_j) * shape.block_k * element_bytes
        assert work.shared_bytes_per_block >= shape.n_stages * tiles
        assert shape.n_stages <= (2 if gpu.architecture == "sm_70" else 4)
        assert c.flops / r.seconds < 2 * peak * gpu.n_sms * gpu.clock_hz
    seconds = [r.seconds for r in ranked]
    assert seconds == pytest.approx(sorted(seconds), rel=0.01)


@pytest.mark.parametrize("name", ["v100", "a100-40gb", "h200"])
@pytest.mark.parametrize(
    ("element_bytes", "experts"),
    [(4, TileShape(128, 128, 8, 8, 8)), (8, TileShape(64, 64, 8, 8, 4))],
)
def test_what_experts_choose_is_near_the_best(
    name: str, element_bytes: int, experts: TileShape
) -> None:
    """128 x 128 with 8 x 8 per thread in float, half of each in double, as CUTLASS."""
    c = Contraction(4096, 4096, 4096, element_bytes)
    ranked = enumerate_shapes(c, Gpu.named(name), FEW)
    assert slower_than_best(ranked, experts) < 1.07


def test_large_square_product_gets_large_tiles(
    square_on_h200: tuple[RankedShape, ...],
) -> None:
    for r in pick_different(square_on_h200, 5):
        assert r.shape.thread_i * r.shape.thread_j >= 64
        assert r.shape.block_i * r.shape.block_j >= 128 * 64
        assert r.prediction.waves.efficiency > 0.9
        assert r.prediction.bound in ("arithmetic", "issue")


def test_one_result_per_thread_is_far_behind(
    square_on_h200: tuple[RankedShape, ...],
) -> None:
    """One level of tiles, as PPCG makes it, waits for shared memory."""
    plain = [
        r for r in square_on_h200 if (r.shape.thread_i, r.shape.thread_j) == (1, 1)
    ]
    assert plain
    assert all(r.seconds > 3 * square_on_h200[0].seconds for r in plain)
    assert {r.prediction.bound for r in plain} <= {"shared", "latency"}


def test_middle_size_fills_whole_waves() -> None:
    """1000 x 1100 cut by 96 is 132 blocks, one for each SM; by 128 it is 72."""
    ranked = enumerate_shapes(Contraction(1000, 1100, 1200), Gpu.named("h200"))
    first = ranked[0]
    assert (first.shape.block_i, first.shape.block_j) == (96, 96)
    assert (first.work.n_blocks, first.prediction.waves.efficiency) == (132, 1.0)
    assert slower_than_best(ranked, TileShape(128, 128, 8, 8, 8)) > 1.5


def test_small_products_get_one_block_each() -> None:
    small = Contraction(64, 64, 64, n_batch=1000)
    ranked = enumerate_shapes(small, Gpu.named("h200"))
    first = ranked[0]
    assert (first.shape.block_i, first.shape.block_j) == (64, 64)
    assert first.prediction.bound == "memory"
    assert max(max(r.shape.block_i, r.shape.block_j) for r in ranked) == 64


def test_narrow_product_gets_narrow_tiles_and_splits_its_sum() -> None:
    narrow, h200 = Contraction(4096, 16, 4096), Gpu.named("h200")
    whole = enumerate_shapes(narrow, h200)
    assert {r.shape.block_j for r in whole} == {16}
    assert whole[0].work.n_blocks >= 100
    split = enumerate_shapes(narrow, h200, ShapeOptions(splits=(1, 4, 8)), limit=1)[0]
    assert split.shape.n_splits > 1
    assert split.reduction is not None
    assert split.seconds == split.prediction.seconds + split.reduction.seconds
    assert split.seconds < whole[0].seconds / 1.5


def test_pipelining_helps_a_lone_block(
    square_on_h200: tuple[RankedShape, ...],
) -> None:
    """128 x 256 with 128 sums per thread leaves room for one block on an SM."""
    like = {
        r.shape.n_stages: r
        for r in square_on_h200
        if str(r.shape).startswith("block 128x256x16, thread 16x8")
    }
    assert like[1].prediction.occupancy.blocks_per_sm == 1
    assert like[1].prediction.is_load_bound
    assert like[1].seconds > 1.15 * like[3].seconds


@pytest.mark.parametrize(
    ("contraction", "vector"),
    [
        (Contraction(512, 512, 512), 4),
        (Contraction(512, 510, 512), 2),
        (Contraction(512, 511, 512), 1),
        (Contraction(511, 512, 512, 8), 2),
        (Contraction(512, 512, 511, 8), 1),
    ],
)
def test_vectors_are_as_wide_as_rows_are_aligned(
    contraction: Contraction, vector: int
) -> None:
    first = enumerate_shapes(contraction, Gpu.named("a100-40gb"), FEW, limit=1)[0]
    assert first.shape.vector_elements == vector


def test_warps_read_few_different_operands() -> None:
    """8 x 8 per thread: four rows of eight threads need 32 + 64 values."""
    assert TileShape(128, 128, 8, 8, 8).warp_layout(32) == (4, 8)
    assert TileShape(32, 128, 8, 8, 8).warp_layout(32) == (4, 8)
    assert TileShape(16, 256, 8, 8, 8).warp_layout(32) == (2, 16)
    assert TileShape(24, 128, 8, 8, 8).warp_layout(32) is None


def test_every_operand_is_read_at_least_once() -> None:
    c, gpu = Contraction(4096, 4096, 4096, 8), Gpu.named("a100-40gb")
    least = 8 * 4 * 4096 * 4096  # A, B, and C twice
    small = TileShape(64, 64, 8, 8, 8)
    work = contraction_work(c, small, gpu)
    assert least < work.memory_bytes < work.n_blocks * work.load_bytes
    fitting = Contraction(512, 512, 512, 8)
    work = contraction_work(fitting, small, gpu)
    assert work.memory_bytes == 8 * 4 * 512 * 512


def test_shapes_that_differ_are_picked(
    square_on_h200: tuple[RankedShape, ...],
) -> None:
    picked = pick_different(square_on_h200, 6)
    outlines = {
        (
            frozenset((r.shape.block_i, r.shape.block_j)),
            frozenset((r.shape.thread_i, r.shape.thread_j)),
        )
        for r in picked
    }
    assert len(picked) == len(outlines) == 6
    assert picked[0] == square_on_h200[0]


def test_what_is_not_handled_is_refused() -> None:
    gpu = Gpu.named("h100")
    with pytest.raises(PolyschedError, match="2-byte elements is not handled"):
        Contraction(8, 8, 8, 2)
    with pytest.raises(PolyschedError, match="extents must be 1 or more"):
        Contraction(8, 0, 8)
    with pytest.raises(PolyschedError, match="warps do not tile the block"):
        contraction_work(SQUARE, TileShape(24, 24, 8, 8, 8), gpu)
    huge = ShapeOptions(block_sizes=(256,), thread_sizes=(64,))
    with pytest.raises(PolyschedError, match=r"no tile shape of .* fits h100"):
        enumerate_shapes(SQUARE, gpu, huge)
