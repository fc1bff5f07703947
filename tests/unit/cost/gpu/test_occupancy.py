"""Occupancy is that of NVIDIA's calculator; waves are dealt as the hardware does."""

from __future__ import annotations

import pytest

from polysched.base import PolyschedError
from polysched.cost.gpu import compute_occupancy
from polysched.cost.gpu.occupancy import count_waves
from polysched.machine import Gpu

KIB = 1024


@pytest.mark.parametrize(
    ("gpu", "threads", "registers", "shared", "blocks", "fraction", "limited_by"),
    [
        # threads and blocks
        ("v100", 256, 32, 0, 8, 1.0, "threads"),
        ("a100-40gb", 1024, 32, 0, 2, 1.0, "threads"),
        ("h100", 32, 32, 0, 32, 0.5, "blocks"),
        ("h100", 100, 16, 0, 16, 1.0, "threads"),  # four warps, the last not full
        # registers: 65536 of them, in units of 256 per warp and of 4 warps
        ("a100-40gb", 1024, 64, 0, 1, 0.5, "registers"),
        ("v100", 256, 40, 0, 6, 0.75, "registers"),
        ("v100", 96, 40, 0, 16, 0.75, "registers"),  # 51 warps are rounded to 48
        ("h100", 256, 128, 0, 2, 0.25, "registers"),
        ("h100", 256, 129, 0, 1, 0.125, "registers"),
        ("h100", 128, 255, 0, 2, 0.125, "registers"),
        # shared memory: 96, 164 and 228 KiB, from sm_80 on 1 KiB per block reserved
        ("v100", 256, 32, 48 * KIB, 2, 0.25, "shared memory"),
        ("v100", 256, 32, 96 * KIB, 1, 0.125, "shared memory"),
        ("a100-40gb", 256, 32, 40 * KIB, 4, 0.5, "shared memory"),
        ("a100-80gb", 256, 32, 41 * KIB, 3, 0.375, "shared memory"),
        ("a100-40gb", 256, 32, 163 * KIB, 1, 0.125, "shared memory"),
        ("h100", 256, 32, 56 * KIB, 4, 0.5, "shared memory"),
        ("h200", 256, 32, 227 * KIB, 1, 0.125, "shared memory"),
    ],
)
def test_known_combinations(
    gpu: str,
    threads: int,
    registers: int,
    shared: int,
    blocks: int,
    fraction: float,
    limited_by: str,
) -> None:
    found = compute_occupancy(Gpu.named(gpu), threads, registers, shared)
    assert (found.blocks_per_sm, found.fraction) == (blocks, fraction)
    assert found.limited_by == limited_by


def test_block_whose_registers_exceed_an_sm_does_not_fit() -> None:
    found = compute_occupancy(Gpu.named("h100"), 1024, 80)
    assert (found.blocks_per_sm, found.limited_by) == (0, "registers")


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ((1056, 32, 0), "1056 threads per block cannot run on v100, which allows 1024"),
        ((256, 256, 0), "256 registers per thread cannot run on v100, which allows 25"),
        ((256, 32, 96 * KIB + 1), "98305 bytes of shared memory per block"),
        ((0, 32, 0), "a block needs threads, found 0"),
    ],
)
def test_impossible_block_is_refused(block: tuple[int, int, int], message: str) -> None:
    with pytest.raises(PolyschedError, match=message):
        compute_occupancy(Gpu.named("v100"), *block)


@pytest.mark.parametrize(
    ("blocks", "per_sm", "full", "tail", "n_waves", "efficiency"),
    [
        (264, 2, 1, 0, 1, 1.0),
        (265, 2, 1, 1, 2, 265 / 396),
        (132, 2, 0, 1, 1, 1.0),
        (1, 1, 0, 1, 1, 1 / 132),
        (1024, 1, 7, 1, 8, 1024 / 1056),
    ],
)
def test_waves(
    blocks: int, per_sm: int, full: int, tail: int, n_waves: int, efficiency: float
) -> None:
    waves = count_waves(blocks, per_sm, 132)
    assert (waves.n_full, waves.tail_blocks_per_sm) == (full, tail)
    assert (waves.n_waves, waves.efficiency) == (n_waves, pytest.approx(efficiency))
