"""Which loops threads share, in which order."""

from __future__ import annotations

import pytest

from polysched.analysis import compute_dependences, set_band_flags
from polysched.ir import original_tree
from polysched.machine import Cpu
from polysched.transform import Draft, Parallel
from polysched.transform.share import share_loops
from tests.unit import scops

CPU = Cpu(
    name="test", n_cores=2, n_threads=2, simd_bits=256, l1_bytes=32 << 10,
    l2_bytes=512 << 10, l3_bytes=8 << 20, line_bytes=64, frequency_hz=3e9,
    flops_per_second=4e10, bandwidth_bytes_per_second=1e10,
    bandwidth_all_bytes_per_second=2e10, barrier_seconds=3e-6, isa=("avx2",),
)  # fmt: skip


@pytest.mark.parametrize(
    ("bounds", "dynamic", "backwards"),
    [
        ("0 <= i < n and 0 <= j < n", False, False),
        ("0 <= i < n and 0 <= j <= i", True, True),
        ("0 <= i < n and i <= j < n", True, False),
        ("0 <= i < n and i <= j < i + 9", True, False),
        ("0 <= i < n and n - i <= j < n", True, True),
    ],
)
def test_the_iterations_with_the_most_work_begin_first(
    bounds: str, dynamic: bool, backwards: bool
) -> None:
    domain = f"[n] -> {{ S0[i, j] : {bounds} }}"
    store = scops.statement("S0", domain, (0, 0, 0), "w [i, j] -> A[i, j]")
    scop = scops.scop("store", store)
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    done = share_loops(Draft(tree, deps), scop, CPU)
    assert done.steps == (Parallel((0,), 0, dynamic, backwards),)
