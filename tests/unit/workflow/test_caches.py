"""Shapes for processors whose caches differ from those of the machines at hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from polysched.machine import Cpu, Machine
from polysched.workflow import build_space, parse

GEMM = Path(__file__).parents[3] / "examples" / "polybench" / "gemm.c"
CPU = Cpu(
    name="test", n_cores=2, n_threads=2, simd_bits=512, l1_bytes=32 << 10,
    l2_bytes=1 << 20, l3_bytes=32 << 20, line_bytes=64, frequency_hz=3e9,
    flops_per_second=9e10, bandwidth_bytes_per_second=1e10,
    bandwidth_all_bytes_per_second=2e10, barrier_seconds=3e-6, isa=("avx512f",),
)  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize(
    ("l1_kib", "l2_kib"), [(32, 256), (48, 2048), (64, 4096), (128, 16384)]
)
def test_copies_of_tiles_fit_the_stack_whatever_the_second_cache(
    l1_kib: int, l2_kib: int
) -> None:
    cpu = replace(CPU, l1_bytes=l1_kib << 10, l2_bytes=l2_kib << 10)
    program = parse(str(GEMM), flags=("-DLARGE",))
    space = build_space(program, Machine(cpu), policy="minimal")
    first = space.variants[0].schedule
    assert "pack(" in first.script_text
    assert not [d for d in space.dropped if "cannot pack" in d.reason]
