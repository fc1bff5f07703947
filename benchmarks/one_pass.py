"""What one pass over a matrix takes, as a kernel of a program that has just filled it.

    python benchmarks/one_pass.py 2000 2000 --runs 20

Calibrated bandwidth is that of streams far larger than the caches, on a machine that is
warm. A kernel finds its matrix half in the last cache, has small pages that no thread
but one has touched, and starts its threads itself. Each figure is the median over fresh
processes, every one of which fills the matrix with one thread, as programs do, and then
times one of:

- team: a parallel region with nothing in it, the first of the program;
- rows: the sum of everything, threads share rows, one row at a time;
- rows8: the same, eight rows at a time;
- columns8: threads share columns, eight rows at a time;
- ahead8: as rows8, and the eight rows behind them are asked for into the second cache;
- again8: as rows8, a second time;
- update: every element read and written, threads share columns, eight rows at a time;
- behind: as rows8, behind such an update.

All but the first have started their threads before. Bandwidth is of one read. With
``--calibrate``, what the bandwidth allows that ``polysched machine --calibrate``
measures, in the same run.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from polysched.machine import Machine
from polysched.runtime import Toolchain, calibrate

CASES = {"team": 0, "rows": 1, "rows8": 2, "columns8": 3, "again8": 4,
         "update": 5, "behind": 6, "ahead8": 7}  # fmt: skip
SOURCE = r"""
#define _GNU_SOURCE
#include <omp.h>
#include <stdio.h>
#include <time.h>

typedef double vector __attribute__((vector_size(32), aligned(8)));
static double A[ROWS][COLUMNS];

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The sum over a block, `N` rows at a time, each in a vector of its own. */
#define SUM(N)                                                                  \
    for (i = i0; i + N <= i1; i += N)                                           \
        for (j = j0; j + 4 <= j1; j += 4)                                       \
            for (k = 0; k < N; k++)                                             \
                s[k] += *(const vector *)&A[i + k][j];

/* The same, asking for a line of each row as far on as there are rows. */
#define SUM_AHEAD(N)                                                            \
    for (i = i0; i + N <= i1; i += N)                                           \
        for (j = j0; j + 8 <= j1; j += 8)                                       \
            for (k = 0; k < N; k++) {                                           \
                if (i + 2 * N <= i1)                                            \
                    __builtin_prefetch(&A[i + N + k][j], 0, 2);                 \
                s[k] += *(const vector *)&A[i + k][j];                          \
                s[k] += *(const vector *)&A[i + k][j + 4];                      \
            }

static double sum_of(int i0, int i1, int j0, int j1, int n_rows)
{
    vector s[8] = {{0}};
    double sum = 0;
    int i, j, k;
    if (n_rows == 1) {
        SUM(1)
    } else if (CASE == 7) {
        SUM_AHEAD(8)
    } else {
        SUM(8)
    }
    for (k = 0; k < 8; k++)
        for (j = 0; j < 4; j++)
            sum += s[k][j];
    return sum;
}

static double pass(int n_rows, int by_columns)
{
    double sum = 0;
#pragma omp parallel reduction(+ : sum)
    {
        int n = omp_get_num_threads(), t = omp_get_thread_num();
        if (by_columns)
            sum += sum_of(0, ROWS, COLUMNS / n * t, COLUMNS / n * (t + 1), n_rows);
        else
            sum += sum_of(ROWS / n * t, ROWS / n * (t + 1), 0, COLUMNS, n_rows);
    }
    return sum;
}

/* Adds to everything, threads share columns. */
static void update(double step)
{
#pragma omp parallel
    {
        int n = omp_get_num_threads(), t = omp_get_thread_num(), i, j, k;
        for (i = 0; i + 8 <= ROWS; i += 8)
            for (j = COLUMNS / n * t; j < COLUMNS / n * (t + 1); j++)
                for (k = 0; k < 8; k++)
                    A[i + k][j] += step;
    }
}

int main(void)
{
    double start, sum = 0;
    volatile int nothing = 0;
    int i, j;
    for (i = 0; i < ROWS; i++)
        for (j = 0; j < COLUMNS; j++)
            A[i][j] = (4 * i + 3 * j) % 25 / 25.0;
    if (CASE > 0) {
#pragma omp parallel
        (void)nothing;
    }
    if (CASE == 4)
        sum += pass(8, 0);
    if (CASE == 6)
        update(0.5);
    start = now();
    if (CASE == 0) {
#pragma omp parallel
        (void)nothing;
    } else if (CASE == 5)
        update(0.5);
    else
        sum += pass(CASE == 1 ? 1 : 8, CASE == 3);
    printf("%.9f %g\n", now() - start, sum);
    return 0;
}
"""


def build(directory: Path, compiler: str, rows: int, columns: int) -> dict[str, Path]:
    """One program for each case."""
    source = directory / "pass.c"
    source.write_text(SOURCE)
    found = {}
    for name, number in CASES.items():
        found[name] = directory / name
        sizes = [f"-DROWS={rows}", f"-DCOLUMNS={columns}", f"-DCASE={number}"]
        flags = ["-O3", "-march=native", "-fopenmp", *sizes]
        command = [compiler, *flags, str(source), "-o", str(found[name])]
        subprocess.run(command, check=True)
    return found


def measure(programs: dict[str, Path], runs: int, threads: int) -> dict[str, float]:
    """Median seconds of each program, all run in turn."""
    environment = {"OMP_NUM_THREADS": str(threads), "OMP_PROC_BIND": "true"}
    times: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(runs):
        for name, program in programs.items():
            done = subprocess.run(
                [str(program)],
                env=os.environ | environment,
                capture_output=True,
                text=True,
                check=True,
            )
            times[name].append(float(done.stdout.split()[0]))
    return {name: median(found) for name, found in times.items()}


def main() -> None:
    """Print seconds and bandwidth of each case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", type=int)
    parser.add_argument("columns", type=int)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--cc", default="gcc")
    parser.add_argument("--calibrate", action="store_true")
    args = parser.parse_args()
    n_bytes = 8 * args.rows * args.columns
    with tempfile.TemporaryDirectory() as scratch:
        programs = build(Path(scratch), args.cc, args.rows, args.columns)
        found = measure(programs, args.runs, args.threads)
    if args.calibrate:
        cpu = calibrate(Machine.detect(), Toolchain(cc=args.cc)).cpu
        found["calibrated"] = n_bytes / cpu.bandwidth_all_bytes_per_second
    head = f"{n_bytes / 1e6:.1f} MB, {args.threads} threads, {args.runs} runs"
    sys.stdout.write(f"{head}\n")
    for name, seconds in found.items():
        rate = "" if name == "team" else f"  {n_bytes / seconds / 1e9:5.1f} GB/s"
        sys.stdout.write(f"{name:10} {1e3 * seconds:6.3f} ms{rate}\n")


if __name__ == "__main__":
    main()
