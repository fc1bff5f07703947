"""Ratios, geometric means, and reports that survive storing."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from polysched.base import PolyschedError
from polysched.bench import BenchReport, KernelReport, Work, bound_of
from polysched.bench.report import quartiles
from polysched.machine import CacheRate, Machine
from polysched.records import Failure, Measurement

MACHINE = Machine.detect(calibrated=False)
CPU = replace(
    MACHINE.cpu,
    n_cores=2,
    flops_per_second=10e9,
    bandwidth_bytes_per_second=4e9,
    bandwidth_all_bytes_per_second=6e9,
    l2_bytes=1 << 20,
    l3_bytes=1 << 20,
)
TOY = Machine(CPU, origin="calibrated")


def _kernel(name="k", **seconds):
    results = {
        tool.replace("_", "-"): Failure("mismatch", "y[3]")
        if s is None
        else Measurement((s, s, s))
        for tool, s in seconds.items()
    }
    return KernelReport(name, f"{name}.c", "main", "", results, rounds=3)


def test_best_peer_is_neither_wrong_nor_ours_nor_a_library():
    kernel = _kernel(gcc=2.0, gcc_fast=None, polly=1.0, numpy=0.1, ours_4=0.5)
    assert kernel.best_peer == "polly"
    assert kernel.over("gcc", "ours-4") == 4.0
    assert kernel.over(kernel.best_peer, "ours-4") == 2.0
    assert kernel.over("gcc", "gcc-fast") is None


def test_the_best_strict_peer_keeps_the_order():
    kernel = _kernel(gcc=2.0, gcc_fast=1.0, polly=1.5, polly_fast=0.5, ours_4=0.5)
    assert (kernel.best_strict_peer, kernel.best_peer) == ("polly", "polly-fast")
    (ours,) = (
        s for s in BenchReport((kernel,), (), TOY, {}).summaries() if s.tool == "ours-4"
    )
    assert ours.over_best_strict_peer == pytest.approx(3.0)
    assert ours.over_best_peer == pytest.approx(1.0)


def test_geometric_means_count_failures_apart():
    kernels = (_kernel("a", gcc=4.0, polly=1.0), _kernel("b", gcc=1.0, polly=None))
    report = BenchReport(kernels, (), TOY, {})
    polly = next(s for s in report.summaries() if s.tool == "polly")
    assert polly.over_gcc == pytest.approx(4.0)
    assert polly.over_gcc_all == pytest.approx(2.0)
    assert (polly.n_kernels, polly.n_failed) == (1, 1)


def test_json_has_the_promised_keys_and_reads_back():
    bound = bound_of(Work(10**9, 10**9, 8, 10**9), TOY, 2)
    kernel = replace(
        _kernel(gcc=2.0, polly=None), bound=bound, own={"space_size": 3}, size="MINI"
    )
    data = json.loads(json.dumps(kernel.to_json()))
    assert set(data) >= {
        "name", "file", "scop", "size", "rounds", "loaded", "roofline", "best_peer",
        "results",
    }  # fmt: skip
    assert set(data["results"]["gcc"]) >= {
        "role", "measured", "median_seconds", "min_seconds", "iqr_seconds",
        "over_gcc", "over_best_peer", "fraction_of_roofline",
    }  # fmt: skip
    assert data["results"]["polly"]["failure"]["kind"] == "mismatch"
    back = KernelReport.from_json(data, TOY, 2)
    assert back == replace(kernel, is_stored=True)
    del data["rounds"]
    with pytest.raises(PolyschedError, match="damaged"):
        KernelReport.from_json(data, TOY, 2)


def test_bound_is_the_larger_of_compute_and_memory():
    one, two = (bound_of(Work(10**9, 6 * 10**9, 8, 10**9), TOY, n) for n in (1, 2))
    assert (one.compute_seconds, one.memory_seconds) == (0.1, 1.5)
    assert (two.compute_seconds, two.memory_seconds) == (0.05, 1.0)
    assert (two.seconds, two.limited_by) == (1.0, "memory")
    single = bound_of(Work(10**12, 10**6, 4, 10**12), TOY, 1)
    assert single.compute_seconds == pytest.approx(50.0)
    assert (single.limited_by, single.fits_cache) == ("compute", True)
    assert not two.fits_cache


def test_data_that_a_measured_cache_holds_are_bounded_by_that():
    rates = (CacheRate(2, 4e10, 1e10, 8e10, 2e10), CacheRate(3, 1e10, 5e9, 15e9, 8e9))
    cpu = replace(TOY.cpu, l2_bytes=10**6, l3_bytes=10**7, cache_rates=rates)
    machine = replace(TOY, cpu=cpu)

    def bandwidth(n_bytes, threads):
        bound = bound_of(Work(1, n_bytes, 8, 1), machine, threads)
        return n_bytes / bound.memory_seconds

    assert bandwidth(10**6, 1) == pytest.approx(4e10)
    assert bandwidth(2 * 10**6, 2) == pytest.approx(8e10)
    assert bandwidth(2 * 10**6, 1) == pytest.approx(1e10)
    assert bandwidth(10**7, 2) == pytest.approx(15e9)
    assert bandwidth(10**8, 2) == pytest.approx(6e9)


def test_unmeasured_caches_leave_the_bandwidth_of_memory():
    bound = bound_of(Work(1, 10**3, 8, 1), TOY, 2)
    assert bound.memory_seconds == pytest.approx(10**3 / 6e9)


def test_operations_that_no_fused_instruction_does_take_the_place_of_two():
    plain = replace(TOY, cpu=replace(TOY.cpu, isa=("avx",)))
    work = Work(10**9, 10**6, 8, 2 * 10**9)
    found = [bound_of(work, machine, 1).compute_seconds for machine in (plain, TOY)]
    assert found == [0.1, 0.2]


def test_reports_from_before_fused_instructions_were_counted_are_read():
    bound = bound_of(Work(10**9, 10**9, 8, 10**9), TOY, 2)
    data = json.loads(json.dumps(replace(_kernel(gcc=2.0), bound=bound).to_json()))
    del data["roofline"]["half_instructions"]
    assert KernelReport.from_json(data, TOY, 2).bound == bound


def test_loaded_kernels_are_marked():
    kernel = _kernel(gcc=1.0)
    assert not kernel.is_loaded
    assert not replace(kernel, foreign_cores=0.05).is_loaded
    assert replace(kernel, foreign_cores=0.5).is_loaded


def test_quartiles_of_few_runs():
    assert quartiles((3.0,)) == (3.0, 3.0, 3.0)
    assert quartiles((1.0, 2.0, 3.0, 4.0, 5.0)) == (2.0, 3.0, 4.0)
