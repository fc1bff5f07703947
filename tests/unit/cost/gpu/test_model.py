"""The model of a kernel: what it predicts for kernels whose limit is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polysched.base import PolyschedError
from polysched.cost.gpu import KernelWork, LoadLoop, Operations, predict_kernel
from polysched.cost.gpu.model import MEMORY_EFFICIENCY, is_load_bound
from polysched.machine import Gpu, known_gpus

H100 = Gpu.named("h100")

# 256 threads, each with 64 independent sums and nothing to load
ARITHMETIC = KernelWork(
    n_blocks=132 * 2,
    threads_per_block=256,
    registers_per_thread=128,
    operations=Operations(fp32=256 * 64 * 1000.0),
    n_independent=64.0,
)

# one block per SM steps through tiles of 1 KiB that come from L2, 100 cycles for each
TILES = KernelWork(
    n_blocks=132,
    threads_per_block=256,
    registers_per_thread=128,
    shared_bytes_per_block=1 << 10,
    operations=Operations(fp32=200 * 128 * 100.0),
    load_bytes=200 * 1024.0,
    load_sectors=200 * 32.0,
    memory_bytes=1e6,
    loop=LoadLoop(n_steps=200),
    n_independent=64.0,
)


def copy_work(n_bytes: float, *, sectors_per_request: float = 1.0) -> KernelWork:
    """A copy: 256 threads per block move 16 bytes each."""
    per_block = 256 * 16.0
    return KernelWork(
        n_blocks=round(n_bytes / per_block),
        threads_per_block=256,
        registers_per_thread=16,
        load_bytes=per_block,
        store_bytes=per_block,
        load_sectors=per_block / 32 * sectors_per_request,
        store_sectors=per_block / 32 * sectors_per_request,
        memory_bytes=2 * n_bytes,
        memory_instructions=16.0,
    )


@pytest.mark.parametrize("gpu", known_gpus(), ids=lambda gpu: gpu.name)
@pytest.mark.parametrize("kind", ["fp32", "fp64"])
def test_arithmetic_alone_runs_near_the_peak(gpu: Gpu, kind: str) -> None:
    n = 256 * 64 * 1000.0
    work = replace(
        ARITHMETIC, n_blocks=gpu.n_sms * 20, operations=Operations(**{kind: n})
    )
    found = predict_kernel(work, gpu)
    rate = {"fp32": gpu.fma_fp32_per_cycle, "fp64": gpu.fma_fp64_per_cycle}[kind]
    ideal = gpu.n_sms * 20 * n / (gpu.n_sms * rate * gpu.clock_hz)
    assert ideal <= found.seconds < 1.02 * ideal
    assert (found.bound in ("arithmetic", "issue"), found.pipe) == (True, kind)


@pytest.mark.parametrize("gpu", known_gpus(), ids=lambda gpu: gpu.name)
def test_copy_runs_near_the_memory_bandwidth(gpu: Gpu) -> None:
    found = predict_kernel(copy_work(2e9), gpu)
    ideal = 4e9 / (gpu.memory_bytes_per_second * MEMORY_EFFICIENCY)
    assert ideal <= found.seconds < 1.25 * ideal
    assert found.bound == "memory"


def test_scattered_requests_are_limited_by_l2() -> None:
    close = predict_kernel(copy_work(1e9), H100)
    scattered = predict_kernel(copy_work(1e9, sectors_per_request=8), H100)
    assert scattered.bound == "l2"
    assert scattered.seconds > 2 * close.seconds
    assert copy_work(1e9, sectors_per_request=8).coalescing == 1 / 8


def test_small_kernel_is_a_launch() -> None:
    found = predict_kernel(copy_work(1e5), H100)
    assert found.bound == "launch"
    assert H100.launch_seconds < found.seconds < 2 * H100.launch_seconds


def test_one_block_more_than_a_wave_costs_a_wave() -> None:
    """Two blocks fit an SM and share its pipelines: time counts blocks per SM."""

    def seconds(n_blocks: int) -> float:
        found = predict_kernel(replace(ARITHMETIC, n_blocks=n_blocks), H100)
        return found.seconds - found.launch_seconds

    one = seconds(132)  # and what a block takes to begin, hidden behind another one
    assert seconds(133) == seconds(264) == pytest.approx(2 * one, rel=0.01)
    assert seconds(265) == pytest.approx(3 * one, rel=0.01)
    assert seconds(1) == pytest.approx(one)


@pytest.mark.parametrize(("points", "measured_seconds"), [(1, 242e-6), (4, 153e-6)])
def test_blocks_that_end_soon_wait_for_memory(points: int, measured_seconds: float):
    """A sweep of 8192 x 8192 floats on an H200, 256 threads with 1 or 4 points each."""
    n_points = 8192 * 8192
    n_bytes = 256 * points * 4.0
    sweep = KernelWork(
        n_blocks=n_points // (256 * points),
        threads_per_block=256,
        registers_per_thread=32,
        load_bytes=n_bytes,
        store_bytes=n_bytes,
        load_sectors=n_bytes / 32,
        store_sectors=n_bytes / 32,
        memory_bytes=n_points * 8.0,
        memory_instructions=6 * points * 8.0,
        operations=Operations(fp32=256 * points * 3.0, integer=256 * points * 4.0),
        loop=LoadLoop(n_steps=points, n_stages=points),
    )
    found = predict_kernel(sweep, Gpu.named("h200")).seconds
    assert found == pytest.approx(measured_seconds, rel=0.1)


def test_few_warps_leave_pipelines_idle() -> None:
    """Two warps feed two of four schedulers; a lone sum waits for itself."""
    full = predict_kernel(replace(ARITHMETIC, n_blocks=132), H100).seconds
    two = replace(ARITHMETIC, n_blocks=132, threads_per_block=64)
    assert predict_kernel(two, H100).seconds > 1.9 * full
    lone = replace(ARITHMETIC, n_blocks=132, n_independent=1.0)
    found = predict_kernel(lone, H100)
    assert found.seconds > 1.9 * full
    assert found.bound == "latency"


def test_load_bound_is_alcops_condition_for_one_block() -> None:
    for n_stages in range(1, 6):
        for load_cycles in (50, 100, 150, 399, 401, 1000):
            assert is_load_bound(load_cycles, 100, n_stages, 1) == (
                load_cycles > (n_stages - 1) * 100
            )


def test_other_blocks_hide_loads_as_further_stages_do() -> None:
    assert is_load_bound(250, 100, n_stages=1, n_resident=3)
    assert not is_load_bound(250, 100, n_stages=1, n_resident=4)
    assert not is_load_bound(250, 100, n_stages=2, n_resident=2)


def staged(n_stages: int) -> KernelWork:
    return replace(
        TILES,
        shared_bytes_per_block=n_stages << 10,
        loop=replace(TILES.loop, n_stages=n_stages),
    )


def test_stages_shorten_what_waits_for_loads_until_they_are_hidden() -> None:
    found = [predict_kernel(staged(n), H100) for n in (1, 2, 3, 4, 5, 6)]
    seconds = [f.seconds for f in found]
    assert seconds == sorted(seconds, reverse=True)
    assert [f.is_load_bound for f in found] == [True, True, True, True, False, False]
    assert (found[0].bound, found[-1].bound) == ("latency", "arithmetic")
    assert seconds[0] > 2 * seconds[4]
    assert seconds[4] == pytest.approx(seconds[5], rel=0.01)


def test_a_single_step_gains_nothing_from_stages() -> None:
    once = replace(TILES, loop=LoadLoop(n_steps=1))
    twice = replace(TILES, loop=LoadLoop(n_steps=1, n_stages=2))
    assert predict_kernel(once, H100).seconds == predict_kernel(twice, H100).seconds


def test_stages_that_cost_a_resident_block_may_lose() -> None:
    """With 60 KiB per stage two stages leave one block where one stage left three."""
    blocks = replace(TILES, n_blocks=132 * 12, registers_per_thread=64)

    def on(n_stages: int) -> KernelWork:
        return replace(
            blocks,
            shared_bytes_per_block=n_stages * (60 << 10),
            loop=replace(TILES.loop, n_stages=n_stages),
        )

    one, two = predict_kernel(on(1), H100), predict_kernel(on(2), H100)
    assert (one.occupancy.blocks_per_sm, two.occupancy.blocks_per_sm) == (3, 1)
    assert two.seconds > one.seconds


def test_register_buffers_hide_shared_memory() -> None:
    """Each of four warps has a scheduler for itself: nothing else hides the loads."""

    def seconds(n_inner_stages: int) -> float:
        loop = replace(
            TILES.loop, n_stages=6, n_inner_steps=16, n_inner_stages=n_inner_stages
        )
        work = replace(
            TILES, threads_per_block=128, shared_wavefronts=200 * 16 * 2.0, loop=loop
        )
        return predict_kernel(work, H100).seconds

    assert seconds(1) > 1.5 * seconds(2)
    assert seconds(6) == pytest.approx(seconds(7), rel=0.01)


@pytest.mark.parametrize(
    "more",
    [
        {"shared_wavefronts": 200 * 200.0},
        {"memory_instructions": 200 * 1000.0},
        {"load_sectors": 200 * 512.0},
        {"memory_bytes": 1e9},
        {"loop": LoadLoop(n_steps=200, n_stages=6, barriers_per_step=4)},
        {"n_independent": 1.0},
        {"operations": replace(TILES.operations, special=200 * 12800.0)},
    ],
    ids=lambda more: next(iter(more)),
)
def test_more_of_anything_takes_longer(more: dict[str, object]) -> None:
    base = staged(6)
    longer = replace(base, **more)  # type: ignore[arg-type]
    assert predict_kernel(longer, H100).seconds > predict_kernel(base, H100).seconds


def test_bank_conflicts_become_the_limit() -> None:
    conflicted = replace(staged(6), shared_wavefronts=200 * 2000.0)
    assert predict_kernel(conflicted, H100).bound == "shared"


def test_tensor_cores_are_faster_where_there_are_any() -> None:
    n = 256 * 64 * 1000.0
    work = replace(ARITHMETIC, operations=Operations(tensor_tf32=n))
    plain = predict_kernel(ARITHMETIC, H100).seconds
    assert predict_kernel(work, H100).seconds < plain / 3
    with pytest.raises(PolyschedError, match="v100 has no pipeline 'tensor_tf32'"):
        predict_kernel(work, Gpu.named("v100"))


def test_kernel_that_fits_no_sm_is_refused() -> None:
    work = replace(ARITHMETIC, threads_per_block=1024)
    with pytest.raises(PolyschedError, match="fits an SM of h100: its registers do"):
        predict_kernel(work, H100)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_blocks": 0}, "'n_blocks' is 0, expected 1 or more"),
        ({"load_bytes": -1.0}, "'load_bytes' is -1.0, expected 0 or more"),
        ({"memory_bytes": float("nan")}, "'memory_bytes' is nan"),
        ({"operations": Operations(fp64=-2.0)}, "'fp64' is -2.0"),
        ({"loop": LoadLoop(n_stages=0)}, "'n_stages' is 0, expected 1 or more"),
    ],
)
def test_impossible_counts_are_refused(
    changes: dict[str, object], message: str
) -> None:
    with pytest.raises(PolyschedError, match=message):
        replace(ARITHMETIC, **changes)  # type: ignore[arg-type]
