"""Measuring what the second and third cache give, to one thread and to all."""

from __future__ import annotations

from collections.abc import Mapping

from polysched.base import RunError
from polysched.machine import CacheRate, Cpu

SHARE_OF_L2 = 0.6  # of it: a good deal more than the first cache, and not all of it
BEYOND_L2 = (
    2,
    4,
)  # times so much, at least and at best, so that it holds nothing of it
SHARE_OF_L3 = 0.7  # of it, for the data of all threads
_SECONDS = 1.5

CACHE_RATES_C = r"""
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#ifdef _OPENMP
#include <omp.h>
#else
#define omp_get_thread_num() 0
#endif

typedef double vector __attribute__((vector_size(SIMD_BYTES)));
#define LANES ((long)(SIMD_BYTES / sizeof(double)))
#define SAMPLE_SECONDS 1.5e-3
#define MOST_THREADS 1024

static double *parts[MOST_THREADS];
static volatile double sink;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Sums in eight vectors; `n` is a multiple of eight of them. */
__attribute__((noinline)) static double read_all(const double *a, long n)
{
    vector s[8] = {{0}};
    double sum = 0.0;
    long i;
    int k;
    for (i = 0; i < n; i += 8 * LANES) {
#pragma GCC unroll 8
        for (k = 0; k < 8; k++)
            s[k] += *(const vector *)&a[i + k * LANES];
    }
    for (k = 0; k < 8; k++)
        sum += s[k][0];
    return sum;
}

__attribute__((noinline)) static void update_all(double *a, long n)
{
    long i;
    int k;
    for (i = 0; i < n; i += 8 * LANES) {
#pragma GCC unroll 8
        for (k = 0; k < 8; k++)
            *(vector *)&a[i + k * LANES] += 1.0;
    }
}

/* Seconds in which every thread passes so many times over its own data. */
static double seconds(long n, int is_update, int threads, long passes)
{
    double start = 0.0, end = 0.0;
    (void)threads;
#pragma omp parallel num_threads(threads)
    {
        double *a = parts[omp_get_thread_num()], sum = 0.0;
        long pass;
        if (is_update) /* and what is there from before */
            update_all(a, n);
        else
            sum += read_all(a, n);
#pragma omp barrier
#pragma omp master
        start = now();
#pragma omp barrier
        for (pass = 0; pass < passes; pass++) {
            __asm__ volatile("" ::: "memory");
            if (is_update)
                update_all(a, n);
            else
                sum += read_all(a, n);
        }
#pragma omp barrier
#pragma omp master
        end = now();
        sink = sum;
    }
    return end - start;
}

int main(int argc, char **argv)
{
    int threads = argc > 1 ? atoi(argv[1]) : 1, n_levels = argc - 3, level, k;
    double limit = argc > 2 ? atof(argv[2]) : 1.0, begin, best[2][4] = {{0}};
    long n[2] = {0, 0}, passes[2][4] = {{0}}, most = 0, i;
    if (threads < 1 || threads > MOST_THREADS || n_levels < 1 || n_levels > 2)
        return 2;
    for (level = 0; level < n_levels; level++) {
        n[level] = atol(argv[3 + level]) / 8 / (8 * LANES) * (8 * LANES);
        if (n[level] > most)
            most = n[level];
    }
    for (k = 0; k < threads; k++) {
        parts[k] = aligned_alloc(4096, (size_t)(most * 8 + 4095) / 4096 * 4096);
        if (!parts[k]) {
            fprintf(stderr, "cannot allocate %ld elements\n", most);
            return 1;
        }
    }
#pragma omp parallel num_threads(threads) private(i)
    for (i = 0; i < most; i++)
        parts[omp_get_thread_num()][i] = 0.0;
    begin = now();
    do { /* all in turn, so that a busy moment meets each of them once */
        for (level = 0; level < n_levels; level++)
            for (k = 0; k < 4; k++) {
                int team = k & 1 ? threads : 1;
                long *count = &passes[level][k];
                double taken, rate;
                if (*count == 0)
                    for (*count = 1;; *count *= 2) {
                        taken = seconds(n[level], k >> 1, team, *count);
                        if (taken > SAMPLE_SECONDS)
                            break;
                    }
                taken = seconds(n[level], k >> 1, team, *count);
                rate = 8.0 * (double)n[level] * (double)*count * team / taken;
                if (rate > best[level][k])
                    best[level][k] = rate;
            }
    } while (now() - begin < limit);
    for (level = 0; level < n_levels; level++) {
        printf("%d_read %.6e\n", level + 2, best[level][0]);
        printf("%d_read_all %.6e\n", level + 2, best[level][1]);
        printf("%d_update %.6e\n", level + 2, best[level][2]);
        printf("%d_update_all %.6e\n", level + 2, best[level][3]);
    }
    return 0;
}
"""


def cache_arguments(cpu: Cpu) -> tuple[str, ...]:
    """Words for the program: threads, seconds, bytes of a thread's data by level.

    One thread for each core. Only the second cache is measured where there is no third
    one, or where it cannot hold twice of what the second caches of all cores do.
    """
    sizes = [int(SHARE_OF_L2 * cpu.l2_bytes)]
    least, best = (times * cpu.l2_bytes for times in BEYOND_L2)
    beyond = min(best, int(SHARE_OF_L3 * cpu.l3_bytes / cpu.n_cores))
    if beyond >= least:
        sizes.append(beyond)
    return str(cpu.n_cores), str(_SECONDS), *map(str, sizes)


def cache_rates(found: Mapping[str, float]) -> tuple[CacheRate, ...]:
    """What the program has printed, as values.

    Several threads reach at least what one does, whatever disturbed them.

    Raises
    ------
    RunError
        If a figure is missing.
    """
    levels = sorted({int(name.partition("_")[0]) for name in found})
    try:
        return tuple(
            CacheRate(
                level,
                found[f"{level}_read"],
                found[f"{level}_update"],
                max(found[f"{level}_read"], found[f"{level}_read_all"]),
                max(found[f"{level}_update"], found[f"{level}_update_all"]),
            )
            for level in levels
        )
    except KeyError as error:
        raise RunError(f"the calibration printed no {error}") from error
