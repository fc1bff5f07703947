"""Pointers that walk, loops that count around, conditions without jumps."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.space import SpaceOptions
from tests.oracle.sweep import sweep

PROGRAM = """\
#include <stdio.h>
#include <stdlib.h>
#define N 19
static float a[N * N], b[N * N], c[N * N];
static short g[N][N], m[N][N];
static unsigned char e[N][N];

static void copy(int n, float *to, const float *from) {
#pragma scop
  while (n--) *to++ = 2 * *from++;
#pragma endscop
}

static void filter(int h, int w, const float *in, const float *taps, float *out) {
  const float *p, *t;
  float *q;
  int i;
#pragma scop
  for (i = 1; i < h - 1; i++) {
    int j = 1;
    q = out + i * w + 1;
    while (j < w - 1) {
      float s = 0;
      int k = 3;
      p = in + i * w + j + 1;
      t = taps;
      while (k > 0) {
        s += *p-- * *t++;
        k--;
      }
      *q++ = s;
      j++;
    }
  }
#pragma endscop
}

static void pairs(int n, float *x, const float *y) {
  int i;
#pragma scop
  for (i = 0; i < n; i++, x += 2, ++y) {
    if (i % 3 == 1) continue;
    x[1] += x[0] * *y;
  }
  i = n;
  while (i > 0) {
    c[i - 1] += 1;
    i--;
  }
#pragma endscop
}

static void edges(int h, int w, short g[h][w], short m[h][w], unsigned char e[h][w]) {
#pragma scop
  for (int y = 1; y < h - 1; y++)
    for (int x = 1; x < w - 1; x++)
      m[y][x] = abs(g[y][x + 1] - g[y][x - 1]) + abs(g[y + 1][x] - g[y - 1][x]);
  for (int y = 2; y < h - 2; y++)
    for (int x = 2; x < w - 2; x++) {
      int ok;
      if (g[y][x] > 4) ok = m[y][x] > m[y][x - 1] && m[y][x] >= m[y][x + 1];
      else ok = m[y][x] > m[y - 1][x] || m[y + 1][x];
      e[y][x] = ok && m[y][x] * 3 > 7 ? 255 : m[y][x] == 0 || e[y][x];
    }
#pragma endscop
}

int main(void)
{
  for (int i = 0; i < N * N; i++) {
    a[i] = i * 7 % 11, b[i] = i % 5, c[i] = 1;
    g[i / N][i % N] = i * i % 13, e[i / N][i % N] = i % 3;
  }
  copy(N, a + 3, b), copy(0, a, b), copy(1, a, b + 1);
  filter(N, N, a, b, c), filter(2, N, a, b, c), filter(7, 3, b, a, c);
  pairs(N, a, b), pairs(0, a, b), pairs(1, b, a);
  edges(N, N, g, m, e), edges(3, 4, (void *)g, (void *)m, (void *)e);
  for (int i = 0; i < N * N; i++)
    printf("%.9g %.9g %.9g %d %d\\n", a[i], b[i], c[i], m[i / N][i % N],
           e[i / N][i % N]);
  return 0;
}
"""


@pytest.mark.long
@pytest.mark.cc
def test_every_schedule_computes_the_same(tmp_path: Path) -> None:
    path = tmp_path / "walking.c"
    path.write_text(PROGRAM)
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=6, limit=3))
    assert not wrong, "\n".join(wrong)
    assert n_run >= 8
