"""Loops tiled by hand by a parameter, for tiles of all kinds of sizes."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.space import SpaceOptions
from tests.oracle.sweep import sweep

PROGRAM = """\
#include <stdio.h>
#define N 23
static double a[N][N], x[N], y[N];

static void work(int n, int B, int first) {
  int ii, i;
#pragma scop
  for (ii = first; ii < n; ii += B)
    for (i = ii; i < (ii + B < n ? ii + B : n); i++)
      for (int kk = 0; kk <= i; kk += B)
        for (int k = kk; k <= i && k <= kk + B - 1; k++)
          a[i][k] = 0.5 * a[i - first][k] + y[i] - x[k];
  for (int kk = first; kk < n; kk += B)
    for (int k = kk; k < kk + B && k < n; k++)
      y[k] = 0.25 * y[k - first] + a[k][k - first];
#pragma endscop
}

int main(void) {
  for (int i = 0; i < N; i++) {
    x[i] = i % 7, y[i] = i % 5;
    for (int j = 0; j < N; j++)
      a[i][j] = (i * 3 + j) % 11;
  }
  for (int n = 0; n < 4; n++)
    for (int B = 1; B < 6; B++)
      work(n, B, 1), work(n, B, 0);
  work(0, 0, 0), work(0, -3, 1);
  work(N, 4, 1), work(N - 2, 1, 2), work(N, 100, 0);
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      printf("%.17g%c", a[i][j] + y[i], j + 1 < N ? ' ' : '\\n');
  return 0;
}
"""


@pytest.mark.long
@pytest.mark.cc
def test_every_schedule_computes_the_same(tmp_path: Path) -> None:
    path = tmp_path / "tiles.c"
    path.write_text(PROGRAM)
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=6, limit=4))
    assert not wrong, "\n".join(wrong)
    assert n_run >= 3
