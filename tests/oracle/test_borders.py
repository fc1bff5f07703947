"""Loops cut at the borders of a grid give the original's results at every size.

Sizes are known at run time only, so that parts may be empty or hold one iteration.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.frontend import parse_c
from polysched.space import SpaceOptions, build_space
from tests.oracle.sweep import sweep, tiny_machine

PROGRAM = """
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
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < WIDTH; j++)
                printf("%d ", sums[i][j]);
        for (int i = 0; i < 50; i++)
            for (int j = 0; j < 50; j++)
                printf("%.17g ", next[i][j]);
        printf("\\n");
    }
    return 0;
}
"""
OPTIONS = SpaceOptions(seconds=20, limit=8)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "borders.c"
    path.write_text(PROGRAM)
    return path


@pytest.mark.cc
def test_parts_give_the_same_results(program: Path) -> None:
    n_run, wrong = sweep(program, [], OPTIONS)
    assert wrong == []
    assert n_run > 3


def test_every_region_has_a_schedule_that_is_cut(program: Path) -> None:
    for scop in parse_c(str(program)).scops:
        space = build_space(scop, tiny_machine(), OPTIONS)
        assert any("split" in s.script_text for s in space), scop.name
