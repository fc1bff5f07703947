"""Sums that are scattered: what is added to an element keeps its order."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.space import SpaceOptions
from tests.oracle.sweep import sweep

SCATTER = """\
#include <stdio.h>
static void scatter(int n, float x[n + 2][2 * n + 1], float y[n][n], float w[2][3][3])
{
#pragma scop
  for (int f = 0; f < 2; f++)
    for (int i = 0; i < n; i++)
      for (int j = 0; j < n; j++)
        for (int a = 0; a < 3; a++)
          for (int b = 0; b < 3; b++)
            x[i + a][2 * j + b] += w[f][a][b] * y[i][j];
#pragma endscop
}
int main(void)
{
  static float x[SIZE + 2][2 * SIZE + 1], y[SIZE][SIZE], w[2][3][3];
  for (int k = 0; k < SIZE * SIZE; k++)
    (&y[0][0])[k] = (k % 17 - 5) / 3.0f;
  for (int k = 0; k < 18; k++)
    (&w[0][0][0])[k] = (k % 7 - 3) / 7.0f;
  scatter(SIZE, x, y, w);
  for (int k = 0; k < (SIZE + 2) * (2 * SIZE + 1); k++)
    printf("%.9g\\n", (&x[0][0])[k]);
  return 0;
}
"""


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize("size", [1, 11])
def test_every_schedule_adds_in_the_order_of_the_source(
    tmp_path: Path, size: int
) -> None:
    path = tmp_path / "scatter.c"
    path.write_text(SCATTER)
    n_run, wrong = sweep(path, [f"-DSIZE={size}"], SpaceOptions(seconds=10, limit=12))
    assert wrong == []
    assert n_run >= 6
