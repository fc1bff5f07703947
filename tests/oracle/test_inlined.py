"""Calls of functions that read the file's own variables, which the region writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.space import SpaceOptions
from tests.oracle.sweep import sweep

PROGRAM = """\
#include <stdio.h>
#define N 60
typedef unsigned char byte;
static double grid[N][N], line[N];
static int width, shift[4];
static byte level[N];

static double twice(double v) { return 2 * v; }
static inline float at(int i, int j) { return twice(grid[i][j]) - line[i]; }
static double times(byte k) { return k * line[0] / 3; }
static int of(const byte *from, int i) { return from[i] > 3 ? -from[i] : shift[i % 4]; }
static double outer(int i) { return at(i, 2) * times(i * i + 250) + at(i, i) / 3; }
static double near(int i) {
  const int low = i < 1 ? 0 : i - 1;
  float mean = (grid[low][i] + line[low]) / 3;
  if (mean > 2) {
    double twice_that = mean * 2.1;
    return twice_that - line[i];
  } else if (i % 2)
    return low + level[i];
  return mean;
}
static int clamped(int i) { return i < 0 ? 0 : i >= width ? width - 1 : i; }

static void sweep(int n, double *out) {
#pragma scop
  for (int i = 0; i < n; i++)
    out[i] = at(i, n - 1 - i) + near(i) + of(level, i) + outer(i);
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      grid[i][j] += out[j] - line[clamped(i - 1)];
  for (int i = 0; i < n; i++)
    line[i] = outer(i) * 0.125;
  for (int i = 0; i < n; i++)
    level[i] = of(level, i) + clamped(i + 3);
#pragma endscop
}

int main(void) {
  static double out[N];
  for (int i = 0; i < N; i++) {
    line[i] = i % 7, level[i] = i % 9, shift[i % 4] = i;
    for (int j = 0; j < N; j++) grid[i][j] = (i * 3 + j) % 11;
  }
  for (int n = 0; n < 4; n++) width = n + 1, sweep(n, out);
  width = N, sweep(N, out);
  for (int i = 0; i < N; i++)
    printf("%.17g %.17g %.17g %d\\n", out[i], line[i], grid[i][i / 2], level[i]);
  return 0;
}
"""


@pytest.mark.long
@pytest.mark.cc
def test_every_schedule_computes_the_same(tmp_path: Path) -> None:
    path = tmp_path / "inlined.c"
    path.write_text(PROGRAM)
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=6, limit=4))
    assert not wrong, "\n".join(wrong)
    assert n_run >= 3
