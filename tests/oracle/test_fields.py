"""Stencils of several fields, of levels of time, on a torus, under every schedule."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import prepare_scop
from polysched.frontend import parse_c
from polysched.space import SpaceOptions
from tests.oracle.sweep import sweep

REACTION = """
for (int t = 0; t < STEPS; t++) {
  for (int i = 1; i < SIZE - 1; i++)
    for (int j = 1; j < SIZE - 1; j++) {
      double term = x[i][j] * y[i][j];
      z[0][i][j] = x[i - 1][j] + x[i + 1][j] - x[i][j] - 0.5 * term;
      z[1][i][j] = y[i][j - 1] - y[i][j] + y[i][j + 1] + 0.25 * term;
    }
  for (int i = 1; i < SIZE - 1; i++)
    for (int j = 1; j < SIZE - 1; j++) {
      double term = z[0][i][j] * z[1][i][j];
      x[i][j] = 0.5 * z[0][i][j - 1] - 0.125 * term;
      y[i][j] = 0.5 * z[1][i + 1][j] + 0.125 * term;
    }
}
"""
LEVELS = """
for (int t = 0; t < STEPS; t++)
  for (int i = 1; i < SIZE - 1; i++)
    for (int j = 1; j < SIZE - 1; j++)
      z[(t + 1) % 2][i][j] = 0.5 * z[t % 2][i][j]
        + 0.125 * (z[t % 2][i - 1][j] + z[t % 2][i + 1][j] + z[t % 2][i][j + 1]);
"""
TORUS = """
for (int t = 0; t < STEPS; t++) {
  for (int i = 0; i < SIZE; i++)
    for (int j = 0; j < SIZE; j++)
      y[i][j] = 0.25 * (x[i][j] + x[(i + 1) % SIZE][j] + x[i][(j + 1) % SIZE]
        + x[i][(j + SIZE - 1) % SIZE]);
  for (int i = 0; i < SIZE; i++)
    for (int j = 0; j < SIZE; j++)
      x[i][j] = y[i][j];
}
"""
PROGRAM = """
#include <stdio.h>
static double x[SIZE][SIZE], y[SIZE][SIZE], z[2][SIZE][SIZE];
static void advance(void)
{
#pragma scop
%s
#pragma endscop
}
int main(void)
{
  for (int k = 0; k < SIZE * SIZE; k++) {
    (&x[0][0])[k] = k %% 13 / 16.0;
    (&y[0][0])[k] = k %% 7 / 8.0;
    (&z[0][0][0])[k] = k %% 5 - 2;
  }
  advance();
  for (int k = 0; k < SIZE * SIZE; k++)
    printf("%%.17g %%.17g %%.17g\\n", (&x[0][0])[k], (&y[0][0])[k], (&z[0][0][0])[k]);
  return 0;
}
"""


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize("size", [4, 19])
@pytest.mark.parametrize(
    ("region", "n_statements"), [(REACTION, 4), (LEVELS, 1), (TORUS, 2)]
)
def test_every_schedule_of_fields(
    tmp_path: Path, region: str, n_statements: int, size: int
) -> None:
    path = tmp_path / "fields.c"
    path.write_text(PROGRAM % region)
    flags = [f"-DSIZE={size}", "-DSTEPS=5"]
    (scop,) = parse_c(path, flags=tuple(flags)).scops
    assert len(prepare_scop(scop).statements) == n_statements
    n_run, wrong = sweep(path, flags, SpaceOptions(seconds=10, limit=12))
    assert wrong == []
    assert n_run >= 1
