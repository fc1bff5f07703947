"""Sizes that a region changes, of variables that have values in front of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.space import SpaceOptions
from tests.oracle.sweep import sweep

PROGRAM = """\
#include <stdio.h>
#define N 40
static double x[N], y[N], z[N];

static void halve(int n, unsigned m) {
#pragma scop
  for (int i = 0; i < n; i++)
    x[i] += z[n - 1 - i];
  n = n / 2;
  for (int i = 0; i < n; i++)
    y[i] = x[2 * i] - x[2 * i + 1] + n;
  for (unsigned i = 0; i < m; i++)
    z[i] = 0.5 * z[i] + x[i];
  m = m >> 1;
  n -= 1;
  for (int i = 0; i < n; i++)
    for (unsigned j = 0; j < m; j++)
      x[i + j] += y[i] * z[j] / 8;
#pragma endscop
}

int main(void) {
  for (int i = 0; i < N; i++)
    x[i] = i % 7, z[i] = i % 5;
  for (int n = -1; n < 6; n++)
    for (unsigned m = 0; m < 6; m++)
      halve(n, m);
  halve(N, N - 1);
  for (int i = 0; i < N; i++)
    printf("%.17g %.17g %.17g\\n", x[i], y[i], z[i]);
  return 0;
}
"""


@pytest.mark.long
@pytest.mark.cc
def test_every_schedule_computes_the_same(tmp_path: Path) -> None:
    path = tmp_path / "versions.c"
    path.write_text(PROGRAM)
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=6, limit=4))
    assert not wrong, "\n".join(wrong)
    assert n_run >= 3
