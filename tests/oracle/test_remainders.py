"""Subscripts that wrap around at sizes known when it runs, under every schedule."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.space import SpaceOptions
from tests.oracle.sweep import sweep

PROGRAM = """\
#include <stdio.h>
enum { N = 23, M = 17 };
static float f[N][M], g[N][M], a[N], b[M], picked[81];

static void transport(int steps, int n, int m) {
#pragma scop
  for (int t = 0; t < steps; t++) {
    for (int i = 0; i < n; i++)
      for (int j = 0; j < m; j++)
        if (b[j] > 0)
          g[i][j] = f[i][j] + b[j] * (f[(i + n - 1) % n][j] - f[(i + n - 2) % n][j]);
        else
          g[i][j] = f[i][j] - b[j] * (f[(i + 1) % n][j] - f[(i + 2) % n][(j + t) % m]);
    for (int i = 0; i < n; i++)
      for (int j = 0; j < m; j++)
        f[i][j] = g[i][j] + a[(i * m + 3) % n] / (1 + i / m);
  }
#pragma endscop
}

/* where m is 0 nothing is divided by it */
static void pick(int n, int m, const float *restrict a, float *restrict p) {
#pragma scop
  for (int i = 0; i < n; i++)
    for (int j = 0; j < m; j++)
      if (a[j] > 0) p[i * 9 + j] = a[(i / m) % n] + 1;
#pragma endscop
}

int main(void) {
  for (int turn = 0; turn < 4; turn++) {
    int n = turn == 3 ? 1 : N - 2 * turn, m = turn == 2 ? 2 : M - turn;
    for (int i = 0; i < N; i++) {
      a[i] = (i * 5 + turn) % 7;
      for (int j = 0; j < M; j++) f[i][j] = (i * 3 + j * 7) % 11, g[i][j] = 0;
    }
    for (int j = 0; j < M; j++) b[j] = (j * 5 % 7 - 3) * 0.25f;
    transport(3, n, m);
    transport(turn, 0, m);
    pick(turn == 3 ? 9 : 3, turn == 3 ? 9 : turn, a, picked);
    for (int i = 0; i < N; i++)
      for (int j = 0; j < M; j++) printf("%.9g %.9g\\n", f[i][j], g[i][j]);
    for (int k = 0; k < 81; k++) printf("%.9g ", picked[k]);
  }
  return 0;
}
"""


@pytest.mark.long
@pytest.mark.cc
def test_every_schedule_computes_the_same(tmp_path: Path) -> None:
    path = tmp_path / "wrap.c"
    path.write_text(PROGRAM)
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=12, limit=12))
    assert not wrong, "\n".join(wrong)
    assert n_run >= 4
