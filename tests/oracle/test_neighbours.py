"""Pointers that a function sets into one array, for sizes at which they meet."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.space import SpaceOptions
from tests.oracle.sweep import sweep

PROGRAM = """\
#include <stdio.h>
static double work[600], other[600];

static void halves(int n, double *x, const double *y) {
  double *lo = x, *hi = x + n, *mid = &x[n / 2];
#pragma scop
  for (int i = 0; i < (n - 4) * 2; i++) { hi[i] = lo[i] + 1; mid[i] += y[i]; }
#pragma endscop
}

static void behind(int n, int d, double *x) {
  double *from = x, *to = x + d;
#pragma scop
  for (int i = 0; i < n; i++) to[i] = 0.5 * from[i] + i;
#pragma endscop
}

static void squares(int n, int k) {
  double *a = work, *b = work + k * n, *c = work + 2 * k * n;
#pragma scop
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      c[i * n + j] = a[i * n + j] + b[j * n + i];
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      a[i * n + j] = 0.5 * c[j * n + i];
#pragma endscop
}

int main(void)
{
  for (int i = 0; i < 600; i++) work[i] = i * 7 % 11, other[i] = i % 5;
  for (int n = 0; n < 12; n += 1 + n / 3) {
    halves(n, work, other);
    for (int d = -2; d < 11; d += 3) behind(n, d, work + 40);
    for (int k = 0; k < n + 2; k++) squares(n, k);
  }
  for (int i = 0; i < 600; i++) printf("%.17g\\n", work[i]);
  return 0;
}
"""


@pytest.mark.long
@pytest.mark.cc
def test_every_schedule_computes_the_same(tmp_path: Path) -> None:
    path = tmp_path / "neighbours.c"
    path.write_text(PROGRAM)
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=6, limit=5))
    assert not wrong, "\n".join(wrong)
    assert n_run >= 8
