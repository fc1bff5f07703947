"""Counters and kept iterators as functions of iterators: results are the original's."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.space import SpaceOptions
from tests.oracle.sweep import sweep

PROGRAM = """
#include <stdio.h>
enum { N = 29, M = 23 };
static double grid[N][M], row[2 * N * M], pair[N * M + 2], line[N], out[N];
static int ends[3];

static void walk(int n, int m, double *restrict flat)
{
    int k, back, last, older;
#pragma scop
    k = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++)
            flat[k++] = grid[i][j] + 1;
    ends[0] = k;
    k = 5;
    back = n;
    last = n - 1;
    older = n - 2;
    for (int i = 0; i < n; i++) {
        double t = line[last] + 2 * line[older];
        row[k] = t;
        out[--back] = t * line[i];
        older = last;
        last = i;
        k += 3;
    }
    ends[1] = k + last;
    for (int i = 0; i < m; i += 4)
        k += 2;
    ends[2] = k - back;
    for (int i = 0; i < n; i++) {
        k = i * m;
        for (int j = 0; j + 1 < m; j += 2) {
            pair[k++] = grid[i][j];
            pair[k++] = grid[i][j + 1];
        }
        if (m & 1) {
            double t = k > 0 ? pair[k - 1] : 0;
            pair[k++] = t;
            pair[k++] = t + 1;
        } else if (i + 1 < n)
            pair[k] = 3;
    }
#pragma endscop
}

int main(void)
{
    static double flat[N * M];
    for (int i = 0; i < N; i++) {
        line[i] = i * 7 % 11;
        for (int j = 0; j < M; j++)
            grid[i][j] = i * 3 + j * 5 % 7;
    }
    walk(N, M, flat);
    walk(2, 0, flat);
    walk(4, 8, flat);
    for (int k = 0; k < N * M; k++)
        printf("%.9g %.9g %.9g\\n", flat[k], row[k], pair[k]);
    for (int i = 0; i < N; i++)
        printf("%.9g\\n", out[i]);
    printf("%d %d %d\\n", ends[0], ends[1], ends[2]);
    return 0;
}
"""


@pytest.mark.cc
def test_every_schedule(tmp_path: Path) -> None:
    path = tmp_path / "walk.c"
    path.write_text(PROGRAM)
    n_run, wrong = sweep(path, [], SpaceOptions(policy="SO>IP", limit=4))
    assert wrong == []
    assert n_run >= 2


UNSIGNED = """
#include <stddef.h>
#include <stdio.h>
enum { W = 41, H = 19 };
static int in[W * H], out[W * H];

static void frame(size_t nx, size_t ny, const int *restrict in, int *restrict out)
{
#pragma scop
    for (size_t y = 1; y < ny - 1; y++) {
        int *dst = out + y * nx;
        *dst++ = 7;
        for (size_t x = 1; x < nx - 1; x++)
            *dst++ = in[y * nx + x];
        *dst = 9;
        out[y * nx + nx - 1] += in[(y + 1) * nx - (size_t)1];
        out[y * nx + nx + (size_t)-2] += out[y * nx + nx - 1];
    }
#pragma endscop
}

int main(void)
{
    for (int i = 0; i < W * H; i++)
        in[i] = i * 7 % 31;
    for (size_t n = 2; n < 7; n++)
        frame(W - n, H - n, in, out);
    for (int i = 0; i < W * H; i++)
        printf("%d\\n", out[i]);
    return 0;
}
"""


@pytest.mark.cc
def test_the_last_element_of_rows_of_a_size_without_a_sign(tmp_path: Path) -> None:
    """It was 18446744073709551615 elements into the next row."""
    path = tmp_path / "frame.c"
    path.write_text(UNSIGNED)
    n_run, wrong = sweep(path, [], SpaceOptions(policy="SO>IP", limit=6))
    assert wrong == []
    assert n_run >= 2
