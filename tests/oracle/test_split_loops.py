"""Loops that are cut into parts give the original's results at every size.

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
OPTIONS = SpaceOptions(seconds=20, limit=20)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "parts.c"
    path.write_text(PROGRAM)
    return path


@pytest.mark.cc
def test_parts_give_the_same_results(program: Path) -> None:
    n_run, wrong = sweep(program, [], OPTIONS)
    assert wrong == []
    assert n_run > 3


def test_every_region_has_a_split_schedule(program: Path) -> None:
    for scop in parse_c(str(program)).scops:
        space = build_space(scop, tiny_machine(), OPTIONS)
        assert any("split" in s.script_text for s in space), scop.name
