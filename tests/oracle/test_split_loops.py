"""Loops cut into parts, or at a grid's borders, give the original's results.

Sizes are known at run time only, so that parts may be empty or hold one iteration.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.frontend import parse_c
from polysched.space import SpaceOptions, build_space
from tests.oracle.sweep import sweep, tiny_machine

PARTS = """
#include <stdio.h>
#include <stdlib.h>

static void paths(int n, int p[n][n])
{
#pragma scop
    for (int k = 0; k < n; k++)
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++)
                if (p[i][k] + p[k][j] < p[i][j])
                    p[i][j] = p[i][k] + p[k][j];
#pragma endscop
}

static void ends(int n, double a[n])
{
#pragma scop
    for (int i = 0; i < n; i++)
        a[i] = 0.5 * a[i] + a[0] - 0.25 * a[n - 1];
#pragma endscop
}

static void halves(int n, double a[n])
{
#pragma scop
    for (int i = 0; i < n; i++)
        a[i] = 0.5 * a[i] + a[n - 1 - i];
#pragma endscop
}

static void run(int n)
{
    int (*p)[n] = malloc(sizeof(int[n + 1][n + 1]));
    double *a = malloc((n + 1) * sizeof *a);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            p[i][j] = (7 * i + 13 * j) % 29 - (i == j);
    for (int i = 0; i < n; i++)
        a[i] = i % 5 - 0.125 * i;
    paths(n, p);
    ends(n, a);
    halves(n, a);
    for (int i = 0; i < n; i++) {
        printf("%.17g", a[i]);
        for (int j = 0; j < n; j++)
            printf(" %d", p[i][j]);
        printf("\\n");
    }
    free(p);
    free(a);
}

int main(void)
{
    const int sizes[] = {0, 1, 2, 3, 37};
    for (int k = 0; k < 5; k++)
        run(sizes[k]);
    return 0;
}
"""
BORDERS = """
#include <stdio.h>
#define WIDTH 40

static int ring[3][WIDTH], sums[3][WIDTH];
static double grid[50][50], next[50][50];

static void wrap(int n)
{
#pragma scop
    for (int i = 0; i < n; i++)
        for (int j = 0; j < WIDTH; j++) {
            int around = ring[i][(j + WIDTH - 1) % WIDTH];
            around += ring[i][(j + 2) % WIDTH] - ring[i][j];
            sums[i][j] = around > 4 ? j % 3 : around;
        }
#pragma endscop
}

static void wrap_sizes(int n)
{
#pragma scop
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            grid[i][j] -= next[i][(j + 1) % n] + next[i][(j + n - 1) % n];
#pragma endscop
}

static void clamp(int n, int m)
{
#pragma scop
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++) {
            double left = j > 0 ? grid[i][j - 1] : 0.5 * grid[i][j];
            next[i][j] = left + grid[i][j < m - 2 ? j + 2 : m - 1];
            if (j > 1 && grid[i][j] > 3.0)
                next[i][j] -= grid[i < n - 1 ? i + 1 : i][j];
            else if (!(j != 5))
                next[i][j] += 1;
        }
#pragma endscop
}

int main(void)
{
    const int sizes[] = {0, 1, 2, 3, 37};
    for (int k = 0; k < 5; k++) {
        int n = sizes[k];
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < WIDTH; j++)
                ring[i][j] = (7 * i + 5 * j) % 11;
        for (int i = 0; i < 50; i++)
            for (int j = 0; j < 50; j++) {
                grid[i][j] = (7 * i + 13 * j) % 29 - 9.0;
                next[i][j] = -1;
            }
        wrap(n % 4);
        clamp(n, n + 1);
        wrap_sizes(n);
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < WIDTH; j++)
                printf("%d ", sums[i][j]);
        for (int i = 0; i < 50; i++)
            for (int j = 0; j < 50; j++)
                printf("%.17g %.17g ", next[i][j], grid[i][j]);
        printf("\\n");
    }
    return 0;
}
"""
PROGRAMS = {"parts": (PARTS, 20), "borders": (BORDERS, 8)}


@pytest.fixture(params=PROGRAMS)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, SpaceOptions]:
    text, limit = PROGRAMS[request.param]
    path = tmp_path / f"{request.param}.c"
    path.write_text(text)
    return path, SpaceOptions(seconds=20, limit=limit)


@pytest.mark.long
@pytest.mark.cc
def test_parts_give_the_same_results(case: tuple[Path, SpaceOptions]) -> None:
    path, options = case
    n_run, wrong = sweep(path, [], options)
    assert wrong == []
    assert n_run > 3


@pytest.mark.long
def test_every_region_has_a_split_schedule(case: tuple[Path, SpaceOptions]) -> None:
    path, options = case
    for scop in parse_c(str(path)).scops:
        space = build_space(scop, tiny_machine(), options)
        assert any("split" in s.script_text for s in space), scop.name
