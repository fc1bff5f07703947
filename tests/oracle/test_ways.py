"""Functions, sizes and flat loops that are rewritten in one region together."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.space import SpaceOptions
from tests.oracle.sweep import sweep

PROGRAM = """\
#include <stdio.h>
#define N 23
static double grid[N], x[N * N], z[N], w[N];

static double at(int i) { return grid[i] * 0.5; }

static void work(int n, int m) {
#pragma scop
  int len = n;
  for (int i = 0; i < len; i++)
    z[i] = at(i) + i;
  len /= 2;
  for (int i = 0; i < len; i++)
    grid[i] = z[2 * i] - at(i + 1);
  for (int i = 0; i < n; i++)
    for (int j = 0; j < m; j++)
      x[i * m + j] += at(j) * z[i];
  for (int p = 0; p < n * m; p++)
    x[p] *= 0.75;
  len = len / 2 + 1;
  for (int i = 0; i < len && i < n; i++)
    w[i] += grid[i];
#pragma endscop
}

int main(void) {
  for (int i = 0; i < N; i++)
    grid[i] = i % 7;
  for (int n = 0; n < 4; n++)
    for (int m = 0; m < 3; m++)
      work(n, m);
  work(N - 1, N - 2);
  double sum = 0;
  for (int p = 0; p < N * N; p++)
    sum = sum * 0.5 + x[p];
  for (int i = 0; i < N; i++)
    printf("%.17g %.17g %.17g\\n", grid[i], z[i], w[i]);
  printf("%.17g\\n", sum);
  return 0;
}
"""


@pytest.mark.long
@pytest.mark.cc
def test_every_schedule_computes_the_same(tmp_path: Path) -> None:
    path = tmp_path / "ways.c"
    path.write_text(PROGRAM)
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=6, limit=4))
    assert not wrong, "\n".join(wrong)
    assert n_run >= 3
