"""A calibration replaces estimates by measured ceilings and keeps the key."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polysched.base import ToolchainError
from polysched.machine import Machine
from polysched.runtime import Toolchain, calibrate


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
