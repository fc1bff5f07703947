"""Writes at places that data decide: every schedule gives the original's results.

Terms are multiples of powers of two, so that sums are exact in any order. On the
processor, and in kernels on the processor's stand-in for a device.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.frontend import parse_c
from polysched.space import SpaceOptions, build_space
from tests.oracle.device_sweep import sweep_device
from tests.oracle.sweep import print_variant, run, sweep, tiny_machine

PROGRAM = """
#include <stdio.h>
enum { N = 41, M = 29, BINS = 16 };
static int at[N], place[N][M], first[N + 1], column[N * 6];
static unsigned count[BINS], spread[N][BINS];
static double x[N], y[N], value[N * 6], weight[M], total[BINS], most[N];
static short row_of[M];

static void count_up(int n, int m)
{
#pragma scop
    for (int k = 0; k < BINS; k++)
        count[k] = k;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++) {
            count[place[i][j]] += i + 1;
            if (place[i][j] > 3)
                spread[i][place[i][j]]++;
            total[place[i][j]] += weight[j];
        }
    for (int k = 1; k < BINS; k++)
        count[k] += count[k - 1];
    for (int i = 0; i < n; i++) {
        int seen[BINS];
        for (int k = 0; k < BINS; k++)
            seen[k] = 0;
        for (int j = 0; j < m; j++)
            seen[place[i][j]] += j;
        int best = 0;
        for (int k = 0; k < BINS; k++)
            if (seen[k] > seen[best])
                best = k;
        most[i] = seen[best] + count[place[i][0]];
    }
#pragma endscop
}

static void scatter(int n, int m)
{
#pragma scop
    for (int t = 0; t < 3; t++) {
        for (int i = 0; i < n; i++)
            y[at[i]] = x[i] + t;
        for (int i = 0; i < n; i++)
            for (int k = first[i]; k < first[i + 1]; k++) {
                x[column[k]] += 0.25 * value[k] * y[i];
                value[k] *= 0.5;
            }
    }
    for (int j = 0; j < m; j++) {
        int *line = place[row_of[j]];
        for (int k = 0; k < m; k++)
            line[k] = (line[k] + j * k) % BINS;
    }
#pragma endscop
}

int main(void)
{
    for (int i = 0; i < N; i++) {
        at[i] = i * 7 % N, x[i] = i % 5;
        first[i + 1] = first[i] + i * 5 % 7 % 6;
        for (int j = 0; j < M; j++)
            place[i][j] = (i * i + 3 * j) % BINS;
    }
    for (int k = 0; k < N * 6; k++)
        column[k] = k * k % N, value[k] = k % 9;
    for (int j = 0; j < M; j++)
        weight[j] = j * 0.25, row_of[j] = j * 11 % N;
    count_up(N, M);
    scatter(N, M);
    for (int k = 0; k < BINS; k++)
        printf("%u %.17g\\n", count[k], total[k]);
    for (int i = 0; i < N; i++) {
        printf("%.17g %.17g %.17g", x[i], y[i], most[i]);
        for (int j = 0; j < M; j++)
            printf(" %d", place[i][j]);
        for (int k = 0; k < BINS; k++)
            printf(" %u", spread[i][k]);
        printf("\\n");
    }
    for (int k = 0; k < N * 6; k++)
        printf("%.17g\\n", value[k]);
    return 0;
}
"""


UNKNOWN_SIZES = """
#include <stdio.h>
enum { N = 700 };
static void count_up(int n, const unsigned char *key, const int *other, int *count,
                     long joint[64][4], int *shifted)
{
#pragma scop
    for (int i = 0; i < n; i++) {
        int k = key[i];
        count[k]++;
        joint[other[i] & 63][k & 3] += i;
        shifted[k - 20] += 2;
    }
#pragma endscop
}
int main(void)
{
    static unsigned char key[N];
    static int other[N], count[30], shifted[30];
    static long joint[9][4];
    for (int i = 0; i < N; i++)
        key[i] = 3 + i * i % 27, other[i] = 64 * i + i % 9;
    count_up(N, key, other, count, joint, shifted + 20);
    for (int k = 0; k < 30; k++)
        printf("%d %d\\n", count[k], shifted[k]);
    for (int k = 0; k < 36; k++)
        printf("%ld\\n", joint[k / 4][k % 4]);
    return 0;
}
"""


@pytest.mark.long
@pytest.mark.cc
def test_arrays_end_where_their_callers_say(tmp_path: Path) -> None:
    """Threads' copies are larger than the arrays: what is not there is not touched."""
    path = tmp_path / "unknown.c"
    path.write_text(UNKNOWN_SIZES)
    program = parse_c(path)
    (scop,) = program.scops
    space = build_space(scop, tiny_machine(), SpaceOptions(policy="SO>IP", limit=40))
    shared = [s for s in space if "share_sums" in s.script_text]
    assert any("count" in s.script_text for s in shared)
    assert any("joint" in s.script_text for s in shared)
    flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    expected = run(program.source, path, flags)
    assert expected.startswith(b"0\n")
    for schedule in shared:
        text = print_variant(program, space.scop, schedule)
        assert run(text, path, flags) == expected


def test_a_device_has_no_copy_of_an_array_of_unknown_size(tmp_path: Path) -> None:
    """Not even where types bound what is touched: the caller may have fewer."""
    path = tmp_path / "unknown.c"
    path.write_text(UNKNOWN_SIZES)
    (scop,) = parse_c(path).scops
    assert scop.open_arrays == {"count", "shifted"}
    space = build_space(scop, tiny_machine(), SpaceOptions(limit=3, target="cuda"))
    assert [s.script_text for s in space] == [""]  # the original order, no kernel
    assert any("its size is not declared" in d.reason for d in space.dropped)


@pytest.mark.long
@pytest.mark.cc
def test_every_schedule(tmp_path: Path) -> None:
    path = tmp_path / "scatter.c"
    path.write_text(PROGRAM)
    options = SpaceOptions(policy="SO>IP", limit=4, fp="reassociate")
    n_run, wrong = sweep(path, [], options)
    assert wrong == []
    assert n_run >= 3


@pytest.mark.cc
@pytest.mark.slow
def test_kernels(tmp_path: Path) -> None:
    path = tmp_path / "scatter.c"
    path.write_text(PROGRAM)
    options = SpaceOptions(policy="SO>IP", limit=2, fp="reassociate")
    n_run, wrong = sweep_device(path, [], options)
    assert wrong == []
    assert n_run >= 1
