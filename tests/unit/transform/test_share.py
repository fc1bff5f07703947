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
        ("0 <= i < n and i <= j < i + 9", False, False),
        ("0 <= i < n and j >= 0 and i - 9 <= j < i + 9 and j < n", False, False),
        ("0 <= i < n and i + j <= n and 0 <= j <= i", False, False),
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


@pytest.mark.parametrize(
    ("bounds", "chunk"),
    [
        ("0 <= i < 60 and 0 <= j <= i", 0),
        ("0 <= i < 2000 and 0 <= j <= i", 32),
        ("0 <= i < 100000 and 0 <= j <= i", 0),
        ("0 <= i < m and 0 <= j <= i", 0),
        ("0 <= i < n and 0 <= j <= i", 32),
    ],
)
def test_short_iterations_are_handed_out_together(bounds: str, chunk: int) -> None:
    """Where sizes are known: so many that asking for them takes no time."""
    domain = f"[n, m] -> {{ S0[i, j] : {bounds} }}"
    store = scops.statement("S0", domain, (0, 0, 0), "w [i, j] -> A[i, j]")
    scop = scops.scop("store", store).with_estimates({"n": 2000})
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    (step,) = share_loops(Draft(tree, deps), scop, CPU).steps
    assert step == Parallel((0,), 0, True, True, chunk)


def test_what_is_even_in_all_runs_only_is_handed_out() -> None:
    """Of an update in every step the first steps have the most, each a triangle."""
    domain = "[n] -> { S0[k, i, j] : 0 <= k < i < n and i <= j < n }"
    touched = "w [k, i, j] -> A[i, j]", "r [k, i, j] -> A[i, j]"
    update = scops.statement("S0", domain, (0, 0, 0, 0), *touched)
    scop = scops.scop("update", update).with_estimates({"n": 2000})
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    (step,) = share_loops(Draft(tree, deps), scop, CPU).steps
    assert isinstance(step, Parallel)
    assert step.band == (0, 0)
    assert step.dynamic
