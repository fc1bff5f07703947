"""Jumps, switches, second iterators and row pointers compute what C computes."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.space import SpaceOptions
from tests.oracle.sweep import sweep

PROGRAM = """\
#include <stddef.h>
#include <stdio.h>
#define N 23
static double a[N][N], b[N][N], c[N], d[N];
static int kind[N];

static void jumps(int m) {
#pragma scop
  for (int i = 0; i < N; i++) {
    if (i > m) break;
    for (int j = 0; j < N; j++) {
      if (i == j) continue;
      if (j == N - 2) { b[i][j] = 3; continue; }
      switch ((i + j) % 4) {
      case 0: case 2: a[i][j] = a[i][j] + b[j][i]; break;
      case 1: { b[i][j] = 2; } break;
      default: a[i][j] = 1; continue;
      }
      c[i] += a[i][j];
    }
  }
#pragma endscop
}

static void on_data(void) {
#pragma scop
  for (int i = 0; i < N; i++) {
    d[i] = 0;
    if (kind[i] == 1) continue;
    switch (kind[i] + 1) {
    case 1: d[i] = c[i]; break;
    case 3: d[i] = -c[i]; c[i] = 0.5; break;
    default: c[i] = 7;
    }
  }
#pragma endscop
}

static void around_loops(void) {
#pragma scop
  for (int i = 0; i < N; i++) {
    if (kind[i] == 2 && i < N - 1) continue;
    if (kind[i]) {
      if (d[i] > 9) { a[0][i] = 4; continue; }
      c[i] = c[i] + 1;
    }
    if (d[i] != 0) {
      double s = 0;
      for (int j = 0; j < N; j++) {
        s += a[i][j] * c[j];
        if (a[i][j] > 3)
          for (int k = 0; k <= j; k++)
            b[j][k] = b[j][k] + a[i][k];
        else
          d[i] = d[i] - 1;
      }
      c[i] = s;
    } else if (c[i] > 0)
      for (int j = i; j < N; j++)
        a[i][j] *= 0.5;
  }
#pragma endscop
}

static void rows(void) {
#pragma scop
  for (int i = 1; i < N - 1; i++) {
    const double *up = a[i - 1], *here = &a[i][0], *down = here + 0;
    double *out = b[i] + 1;
    for (int j = 0; j < N - 2; j++)
      out[j] += 0.25 * (up[j + 1] + here[j] + down[j + 2]);
  }
  for (int i = 0, j = N - 1; i < j; i++, j--) {
    const double *from = b[i];
    double *to = a[j];
    for (unsigned k = 0, end = N; k < end; k += 2)
      to[k] = from[end - 1 - k];
  }
#pragma endscop
}

static void downwards(unsigned n, size_t m) {
#pragma scop
  for (unsigned i = n; i-- > 0;)
    for (unsigned char j = 9; j--;)
      a[i][j] += b[i][j + 1] * i;
  for (size_t i = m; i-- != 0;)
    d[i] += a[i][i] * c[m - 1 - i];
  for (unsigned i = n - 1; i < n; i--)
    for (size_t j = m - 2; m > j; --j)
      b[i][j] -= 0.5 * b[i][j + 1];
#pragma endscop
}

static void behind(int n) {
  int k = 2;
#pragma scop
  do {
    for (int j = 1; j < N; j++)
      a[k][j] += 0.5 * a[k - 1][j - 1];
    k++;
  } while (k < n);
  for (int i = 0; i < N; i++) {
    int l = 0;
    do
      b[i][l] += a[l][i];
    while (++l < i);
  }
#pragma endscop
}

static void torus(int n, int steps) {
#pragma scop
  for (int t = 0; t < steps; t++) {
    for (int i = 0; i < n; i++)
      for (int j = 0; j < n; j++)
        b[i][j] = a[(i + n - 1) % n][j] - a[i][(j + 1) % n] + a[i][(2 * j) % n];
    for (int i = 0; i < n; i++)
      a[i][(i + 2) % n] = b[i][i];
  }
#pragma endscop
}

int main(void)
{
  for (int i = 0; i < N; i++) {
    kind[i] = i * i % 5 % 4;
    for (int j = 0; j < N; j++)
      a[i][j] = (i * 7 + j * 3) % 11, b[i][j] = (i + 2 * j) % 5;
  }
  jumps(N - 3), jumps(-1), on_data(), around_loops(), rows();
  downwards(N, N), downwards(0, 0), downwards(1, 2), downwards(3, 1);
  behind(N), behind(1), behind(3);
  torus(N, 3), torus(1, 2), torus(2, 1), torus(0, 1);
  for (int i = 0; i < N; i++) {
    printf("%.17g %.17g\\n", c[i], d[i]);
    for (int j = 0; j < N; j++)
      printf("%.17g %.17g\\n", a[i][j], b[i][j]);
  }
  return 0;
}
"""


@pytest.mark.long
@pytest.mark.cc
def test_every_schedule_computes_the_same(tmp_path: Path) -> None:
    path = tmp_path / "control.c"
    path.write_text(PROGRAM)
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=6, limit=3))
    assert wrong == []
    assert n_run >= 9
