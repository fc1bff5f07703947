"""Columns taken off in panels, and rows in blocks, give the original's results.

Sizes are known at run time only; the smallest fill no block, the largest several.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import Dependences
from polysched.frontend import parse_c
from polysched.ir import Scop
from polysched.schedule import Recipe
from polysched.space import SpaceOptions, build_space
from tests.oracle.sweep import slow, sweep, tiny_machine

PROGRAM = """
#include <math.h>
#include <stdio.h>
#ifndef SIZE
#define SIZE 70
#endif
static double a[SIZE + 2][SIZE + 1], q[SIZE + 2][SIZE + 1], r[SIZE + 1][SIZE + 1];

static void orthogonalise(int m, int n)
{
#pragma scop
    for (int k = 0; k < n; k++) {
        double sum = 0.0;
        for (int i = 0; i < m; i++)
            sum += a[i][k] * a[i][k];
        r[k][k] = sqrt(sum);
        for (int i = 0; i < m; i++)
            q[i][k] = a[i][k] / r[k][k];
        for (int j = k + 1; j < n; j++) {
            r[k][j] = 0.0;
            for (int i = 0; i < m; i++)
                r[k][j] += q[i][k] * a[i][j];
            for (int i = 0; i < m; i++)
                a[i][j] -= q[i][k] * r[k][j];
        }
    }
#pragma endscop
}

static double t[3 * SIZE + 1][3 * SIZE + 1], x[3 * SIZE + 1];

static void solve(int n)
{
#pragma scop
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < i; j++)
            x[i] -= t[i][j] * x[j];
        x[i] = x[i] / t[i][i];
    }
#pragma endscop
}

int main(void)
{
    for (int i = 0; i < 3 * SIZE; i++) {
        x[i] = 1 + i % 7;
        for (int j = 0; j <= i; j++)
            t[i][j] = i == j ? 3.0 + i % 3 : ((3 * i + 5 * j) % 11 - 5) / 700.0;
    }
    solve(3 * SIZE);
    for (int i = 0; i < 3 * SIZE; i++)
        printf(" %.17g", x[i]);
    for (int i = 0; i < SIZE + 2; i++)
        for (int j = 0; j < SIZE + 1; j++)
            a[i][j] = (1 + (3 * i + 4 * j) % 11) / 12.0 + (i == j) * (2 + i % 3);
    orthogonalise(SIZE + 1, SIZE);
    for (int i = 0; i < SIZE + 1; i++) {
        for (int j = 0; j < SIZE; j++)
            printf(" %.17g %.17g %.17g", a[i][j], q[i][j], i < SIZE ? r[i][j] : 0.0);
        printf("\\n");
    }
    return 0;
}
"""


def ask_nothing(scop: Scop, dependences: Dependences) -> tuple[Recipe, ...]:
    return ()


OPTIONS = SpaceOptions(
    seconds=20,
    policy=ask_nothing,
    rowwise=(),
    limit=6,
    isl_variants=tuple(v for v in SpaceOptions().isl_variants if v.algorithm == "isl"),
)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "columns.c"
    path.write_text(PROGRAM)
    return path


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize("size", [70, *slow(0, 1, 31, 32, 33, 97)])
def test_panels_give_the_same_results(program: Path, size: int) -> None:
    n_run, wrong = sweep(program, [f"-DSIZE={size}"], OPTIONS, machine=tiny_machine())
    assert wrong == []
    assert n_run > 2


@pytest.mark.long
def test_the_spaces_have_panels(program: Path) -> None:
    for scop, size in zip(parse_c(str(program)).scops, (32, 128), strict=True):
        space = build_space(scop, tiny_machine(), OPTIONS)
        texts = [s.script_text for s in space]
        sizes = f"sizes=[{size}, 0]); order", f"sizes=[0, {size}]); order"
        assert any(s in t for t in texts for s in sizes), texts
