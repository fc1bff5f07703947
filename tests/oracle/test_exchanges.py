"""Loops that exchange pointers, at all numbers of turns that may be left over."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.space import SpaceOptions
from tests.oracle.sweep import sweep

PROGRAM = """\
#include <stdio.h>
#include <stdlib.h>
enum { N = 23 };
static void swap(double **x, double **y) { double *t = *x; *x = *y; *y = t; }
static double *viaswap(int n, int steps, double *a, double *b) {
#pragma scop
  for (int t = 0; t < steps; t++) {
    for (int i = 1; i < n - 1; i++)
      b[i] = (a[i - 1] + a[i] + a[i + 1]) / 3;
    swap(&a, &b);
  }
#pragma endscop
  return a;
}
static void down(int steps, int n, double *p, double *q, double **r) {
#pragma scop
  while (steps-- > 0) {
    for (int i = 1; i < n - 1; i++)
      q[i] = (p[i - 1] + p[i] + p[i + 1]) / 3;
    double *x = p; p = q; q = x;
  }
#pragma endscop
  r[0] = p; r[1] = q;
}
static void three(int steps, int n, double *p, double *q, double *s, double **r) {
  double *x;
  int t;
#pragma scop
  for (t = steps; t >= 2; t--) {
    x = p; p = q; q = s; s = x;
    for (int i = 1; i < n - 1; i++)
      s[i] = (p[i - 1] + q[i] + p[i + 1]) / 3 + t;
  }
#pragma endscop
  r[0] = p; r[1] = q; r[2] = s; r[3] = x;
}
static double *gp, *gq;
static void global(int steps, int n) {
#pragma scop
  for (int t = 0; t < steps; t += 3) {
    for (int i = 0; i < n; i++) gq[i] = gp[n - 1 - i] * 0.5 + t;
    double *h = gp; gp = gq; gq = h;
    for (int i = 0; i < n; i++) gp[i] += 1;
  }
  for (int i = 0; i < n; i++) gp[i] += gq[i];
#pragma endscop
}
static void both(int steps, int more, int n, double *restrict p, double *restrict q,
                 double *out) {
#pragma scop
  for (int t = 0; t < steps; t++) {
    for (int i = 1; i < n; i++) q[i] = p[i - 1] + t;
    double *h = p; p = q; q = h;
  }
  for (int t = 0; t <= more; t++) {
    for (int i = 1; i < n; i++) q[i] = p[i - 1] * 2;
    double *h = q; q = p; p = h;
  }
  for (int i = 0; i < n; i++) out[i] = p[i] - q[i];
#pragma endscop
}
static int toggled(int steps, int n, float (*g)[N][N]) {
  int cur = 1, t;
#pragma scop
  for (t = 1; t <= steps; t++) {
    for (int i = 1; i < n - 1; i++)
      for (int j = 1; j < n - 1; j++)
        g[1 - cur][i][j] = g[cur][i - 1][j] + g[cur][i + 1][j] - g[cur][i][j - 1] / 2;
    cur = 1 - cur;
  }
  for (int i = 0; i < n; i++) g[cur][i][0] += g[1 - cur][i][1];
#pragma endscop
  return cur;
}
static void chosen(int steps, int n, float (*restrict x)[N], float (*restrict y)[N]) {
#pragma scop
  for (int t = 0; t < steps; t++) {
    float (*from)[N] = t % 2 ? y : x, (*to)[N];
    if (t % 2) to = x;
    else to = y;
    for (int i = 1; i < n - 1; i++)
      for (int j = 1; j < n - 1; j++)
        to[i][j] = from[i - 1][j] + from[i + 1][j] - from[i][j - 1] / 2;
  }
#pragma endscop
}
int main(void) {
  static float g[2][N][N], *flat = (float *)g;
  double a[N], b[N], c[N], d[N], *r[4];
  for (int s = -1; s < 7; s++) {
    for (int i = 0; i < N; i++) { a[i] = i * i % 7; b[i] = i % 5; c[i] = i; d[i] = 0; }
    double *w = viaswap(N, s, a, b);
    down(s, N, b, c, r);
    printf("%d %d %d\\n", w == a, r[0] == b, r[1] == b);
    r[3] = d;
    three(s, N, a, b, c, r);
    for (int k = 0; k < (s < 2 ? 3 : 4); k++)
      printf("%d\\n", r[k] == a ? 0 : r[k] == b ? 1 : r[k] == c ? 2 : 3);
    gp = a; gq = c;
    global(s, N);
    printf("%d %d\\n", gp == a, gq == a);
    for (int m = -2; m < 3; m++) both(s, m, N, a, b, d);
    for (int i = 0; i < 2 * N * N; i++) flat[i] = i % 13;
    printf("%d\\n", toggled(s, N, g));
    chosen(s, N, g[0], g[1]);
    for (int i = 0; i < N * N; i++) printf("%g %g\\n", flat[i], flat[N * N + i]);
    for (int i = 0; i < N; i++) printf("%g %g %g %g\\n", a[i], b[i], c[i], d[i]);
  }
  return 0;
}
"""


@pytest.mark.long
@pytest.mark.cc
def test_every_schedule_computes_the_same(tmp_path: Path) -> None:
    path = tmp_path / "exchanges.c"
    path.write_text(PROGRAM)
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=6, limit=3))
    assert not wrong, "\n".join(wrong)
    assert n_run >= 10
