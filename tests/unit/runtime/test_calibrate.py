"""A calibration replaces estimates by measured ceilings and keeps the key."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polysched.base import RunError, ToolchainError
from polysched.machine import CacheRate, Machine
from polysched.runtime import Toolchain, calibrate
from polysched.runtime.cache_rates import cache_arguments, cache_rates


@pytest.mark.long
@pytest.mark.cc
def test_ceilings_are_measured() -> None:
    detected = Machine.detect(calibrated=False)
    # small caches make small arrays: this is about plumbing, not about accuracy
    machine = Machine(replace(detected.cpu, l3_bytes=0, l2_bytes=1 << 18))
    found = calibrate(machine, Toolchain(cflags=("-O2", "-march=native")))
    assert found.origin == "calibrated"
    assert found.key == machine.key
    assert 1e8 < found.cpu.flops_per_second < 1e13
    assert 1e8 < found.cpu.bandwidth_bytes_per_second < 1e13
    assert (
        found.cpu.bandwidth_all_bytes_per_second >= found.cpu.bandwidth_bytes_per_second
    )
    assert 1e-9 < found.cpu.barrier_seconds < 1e-1


def test_missing_compiler_is_an_error() -> None:
    with pytest.raises(ToolchainError, match="cannot find the compiler"):
        calibrate(Machine.detect(calibrated=False), Toolchain(cc="no-such-compiler"))


@pytest.mark.long
@pytest.mark.cc
def test_caches_are_measured_where_the_third_one_is_larger() -> None:
    detected = Machine.detect(calibrated=False).cpu
    cpu = replace(detected, l2_bytes=1 << 18, l3_bytes=4 << 20, n_cores=1)
    found = calibrate(Machine(cpu), Toolchain(cflags=("-O2", "-march=native"))).cpu
    assert [rate.level for rate in found.cache_rates] == [2, 3]
    for rate in found.cache_rates:
        assert 1e8 < rate.update_bytes_per_second < 1e14
        assert 1e8 < rate.read_bytes_per_second <= rate.read_all_bytes_per_second


def test_what_is_passed_over_fits_one_cache_and_not_the_one_before() -> None:
    cpu = replace(Machine.detect().cpu, l2_bytes=1 << 20, l3_bytes=32 << 20, n_cores=2)
    threads, _, near, far = cache_arguments(cpu)
    assert threads == "2"
    assert 2**19 < int(near) < 2**20
    assert int(far) == 4 << 20
    _, _, _, far = cache_arguments(replace(cpu, n_cores=8))
    assert 2 << 20 <= int(far) <= (32 << 20) // 8
    assert len(cache_arguments(replace(cpu, n_cores=16))) == 3
    assert len(cache_arguments(replace(cpu, l3_bytes=0))) == 3


def test_all_threads_reach_what_one_does() -> None:
    found = {"2_read": 9e9, "2_read_all": 8e9, "2_update": 3e9, "2_update_all": 6e9}
    assert cache_rates(found) == (CacheRate(2, 9e9, 3e9, 9e9, 6e9),)


def test_missing_figures_are_named() -> None:
    with pytest.raises(RunError, match="printed no '3_update'"):
        cache_rates({"3_read": 9e9})
