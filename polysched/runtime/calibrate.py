"""Measuring a machine's ceilings with a few small kernels, in seconds."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from polysched.base import RunError
from polysched.machine import Machine, total_memory_bytes
from polysched.runtime.cache_rates import (
    CACHE_RATES_C,
    cache_arguments,
    cache_rates,
)
from polysched.runtime.child import run_child
from polysched.runtime.execution import RunOptions, child_environment
from polysched.runtime.toolchain import Toolchain, compile_program

log = logging.getLogger(__name__)

_LIMIT_SECONDS = 60.0
_LEAST_BYTES, _MOST_BYTES = 96 << 20, 768 << 20
_MEMORY_SHARE = 0.25

CALIBRATION_C = r"""
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef double vector __attribute__((vector_size(SIMD_BYTES)));
#define CHAINS 12

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Independent chains of a multiply and an add, enough to hide their latency. */
static double arithmetic(long n)
{
    volatile double seed = 1e-9;
    vector x[CHAINS], a, b;
    double sum = 0.0;
    long i;
    int k;
    for (k = 0; k < (int)(SIMD_BYTES / 8); k++) {
        a[k] = 1.0 - seed;
        b[k] = seed;
    }
    for (k = 0; k < CHAINS; k++)
        x[k] = a + (double)k;
    for (i = 0; i < n; i++) {
#pragma GCC unroll 12
        for (k = 0; k < CHAINS; k++)
            x[k] = x[k] * a + b;
    }
    for (k = 0; k < CHAINS; k++)
        sum += x[k][0];
    return sum;
}

static double flops_per_second(void)
{
    long n = 1000;
    volatile double sink;
    double best = 0.0;
    int run;
    for (;;) { /* long enough for the clock */
        double start = now();
        sink = arithmetic(n);
        if (now() - start > 0.05)
            break;
        n *= 2;
    }
    for (run = 0; run < 5; run++) {
        double start = now(), rate;
        sink = arithmetic(n);
        rate = (double)n * CHAINS * (SIMD_BYTES / 8) * 2 / (now() - start);
        if (rate > best)
            best = rate;
    }
    (void)sink;
    return best;
}

/* Two reads, a write and the write's own read: 32 bytes per element. */
static double bytes_per_second(double *a, double *b, double *c, long n, int threads)
{
    double best = 0.0;
    int run;
    (void)threads;
    for (run = 0; run < 4; run++) {
        double start = now(), rate;
        long i;
#pragma omp parallel for num_threads(threads)
        for (i = 0; i < n; i++)
            a[i] = b[i] + 1.5 * c[i];
        rate = 32.0 * (double)n / (now() - start);
        if (rate > best)
            best = rate;
    }
    return best;
}

static double barrier_seconds(int threads)
{
    double best = 1.0;
    volatile int nothing = 0;
    int run, k;
    (void)threads;
    for (run = 0; run < 5; run++) {
        double start = now(), mean;
        for (k = 0; k < 1000; k++) {
#pragma omp parallel num_threads(threads)
            (void)nothing;
        }
        mean = (now() - start) / 1000;
        if (mean < best)
            best = mean;
    }
    return best;
}

int main(int argc, char **argv)
{
    int threads = argc > 1 ? atoi(argv[1]) : 1;
    long n = argc > 2 ? atol(argv[2]) : 1000000, i;
    double *a = malloc((size_t)n * sizeof *a);
    double *b = malloc((size_t)n * sizeof *b);
    double *c = malloc((size_t)n * sizeof *c);
    if (!a || !b || !c) {
        fprintf(stderr, "cannot allocate %ld elements\n", n);
        return 1;
    }
#pragma omp parallel for num_threads(threads)
    for (i = 0; i < n; i++) {
        a[i] = 0.0;
        b[i] = (double)i;
        c[i] = 2.0;
    }
    printf("flops_per_second %.6e\n", flops_per_second());
    printf("bandwidth_bytes_per_second %.6e\n", bytes_per_second(a, b, c, n, 1));
    printf("bandwidth_all_bytes_per_second %.6e\n",
           bytes_per_second(a, b, c, n, threads));
    printf("barrier_seconds %.6e\n", barrier_seconds(threads));
    return 0;
}
"""


def calibrate(machine: Machine, toolchain: Toolchain | None = None) -> Machine:
    """Measure arithmetic, bandwidth of memory and caches, and barrier of this machine.

    Parameters
    ----------
    machine : Machine
        This machine, as detected; its vector width and caches size the kernels.
    toolchain : Toolchain, optional
        Compiler and options; by default gcc.

    Returns
    -------
    Machine
        With measured ceilings; the key stays. Save it at `calibration_path` for
        `Machine.detect` to find it.

    Raises
    ------
    ToolchainError
        If the kernels cannot be compiled.
    RunError
        If they fail.
    """
    cpu = machine.cpu
    tools = replace(
        toolchain or Toolchain(),
        cppflags=(f"-DSIMD_BYTES={max(16, cpu.simd_bits // 8)}",),
        build_command=None,
        extra_sources=(),
        objects=(),
    )
    threads = cpu.n_threads
    n_bytes = min(
        max(_LEAST_BYTES, 4 * cpu.l3_bytes, 4 * cpu.n_cores * cpu.l2_bytes),
        _MOST_BYTES,
        int(_MEMORY_SHARE * total_memory_bytes()),
    )
    words = str(threads), str(n_bytes // 24)
    found = _run(CALIBRATION_C, words, threads, tools)
    near = _run(CACHE_RATES_C, cache_arguments(cpu), cpu.n_cores, tools)
    everyone = found["bandwidth_all_bytes_per_second"]
    alone = found["bandwidth_bytes_per_second"]
    measured = replace(
        cpu,
        flops_per_second=found["flops_per_second"],
        bandwidth_bytes_per_second=alone,
        bandwidth_all_bytes_per_second=max(alone, everyone),
        barrier_seconds=found["barrier_seconds"],
        cache_rates=cache_rates(near),
    )
    return Machine(measured, origin="calibrated")


def _run(
    source: str, words: tuple[str, ...], threads: int, tools: Toolchain
) -> Mapping[str, float]:
    """What a program of small kernels prints."""
    with tempfile.TemporaryDirectory(prefix="polysched-") as scratch:
        directory = Path(scratch)
        code = source.encode("ascii")
        binary = compile_program(code, "calibration", directory, tools)
        result = run_child(
            (str(binary), *words),
            scratch=directory,
            timeout_seconds=_LIMIT_SECONDS,
            environment=child_environment(RunOptions(threads=threads)),
        )
        if result.status != 0 or result.stopped:
            raise RunError(
                f"the calibration failed: {result.ending}: {result.stderr()[:500]}"
            )
        found = _read_numbers(result.stdout())
    log.info("calibrated in %.1f s: %s", result.wall_seconds, found)
    return found


def _read_numbers(text: str) -> Mapping[str, float]:
    """Name and value of each line."""
    try:
        pairs = (line.split() for line in text.splitlines())
        found = {name: float(value) for name, value in pairs}
    except ValueError as error:
        raise RunError(f"the calibration printed {text[:200]!r}") from error
    if not found or any(value <= 0 for value in found.values()):
        raise RunError(f"the calibration found impossible numbers: {found}")
    return found
