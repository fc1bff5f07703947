"""Places of extrema: every schedule finds those of the original, whatever the data."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.space import SpaceOptions
from tests.oracle.device_sweep import sweep_device
from tests.oracle.sweep import sweep

PROGRAM = """\
#include <float.h>
#include <math.h>
#include <stdio.h>
enum { N = 21, M = 19 };
static double A[N][M], s[M];
static float D[N][M], T[M][M];
static int at[M], from[N][M], near[N], bx[N], by[N];
static unsigned char pic[N + 6][M + 6], ref[N][M];
static short found[N];

static void columns(int n, int m) {
#pragma scop
  for (int j = 0; j < m; j++) {
    s[j] = A[0][j];
    at[j] = 0;
    for (int i = 1; i < n; i++)
      if (A[i][j] >= s[j]) {
        s[j] = A[i][j];
        at[j] = i;
      }
  }
#pragma endscop
}

static void decode(int n, int m) {
#pragma scop
  for (int t = 1; t < n; t++)
    for (int j = 0; j < m; j++) {
      float best = D[t - 1][0] + T[0][j];
      int arg = 0;
      for (int i = 1; i < m; i++) {
        float c = D[t - 1][i] + T[i][j];
        if (c > best) {
          best = c;
          arg = i;
        }
      }
      D[t][j] = best;
      from[t][j] = arg;
    }
#pragma endscop
}

static void assign(int n, int k, int d) {
#pragma scop
  for (int i = 0; i < n; i++) {
    double best = DBL_MAX;
    int arg = -1;
    for (int c = 0; c < k; c++) {
      double dist = 0;
      for (int x = 0; x < d; x++)
        dist += (A[i][x] - A[c][x + 1]) * (A[i][x] - A[c][x + 1]);
      if (dist < best) {
        best = dist;
        arg = c;
      }
    }
    near[i] = arg;
  }
#pragma endscop
}

static void search(int n, int m) {
#pragma scop
  for (int i = 0; i < n; i++) {
    int least = 1 << 30;
    short place = -1;
    bx[i] = by[i] = 0;
    for (int y = 0; y < 5; y++)
      for (int x = 0; x < 6; x++) {
        int sad = 0;
        for (int j = 0; j < m; j++)
          sad += pic[i + y][j + x] > ref[i][j] ? pic[i + y][j + x] - ref[i][j]
                                               : ref[i][j] - pic[i + y][j + x];
        if (sad < least) {
          least = sad;
          bx[i] = x;
          by[i] = y;
          place = 8 * y + x;
        }
      }
    found[i] = place;
  }
#pragma endscop
}

int main(void) {
  static const double odd[4] = {NAN, -0.0, 0.0, INFINITY};
  for (int turn = 0; turn < 4; turn++) {
    int n = turn == 1 ? 1 : turn == 2 ? 7 : N, m = turn == 2 ? 2 : turn == 3 ? 9 : M;
    for (int i = 0; i < N; i++)
      for (int j = 0; j < M; j++) {
        int r = i * 7 + j * 5 + turn * 3 + i * j;
        A[i][j] = r % 5 == 0 && turn ? odd[r % 4] : r % 11 / 4.0;
        D[i][j] = r % 13 / 8.0f;
        ref[i][j] = r * r % 251;
      }
    for (int i = 0; i < N + 6; i++)
      for (int j = 0; j < M + 6; j++) pic[i][j] = (i * 31 + j * 17 + turn) % 256;
    for (int i = 0; i < M; i++)
      for (int j = 0; j < M; j++) T[i][j] = (i * 3 + j * 7) % 10 / 4.0f;
    columns(n, m);
    decode(n, m);
    assign(n, n < 6 ? n : 6, m - 1);
    search(n, m);
    for (int j = 0; j < M; j++) printf("%g %d\\n", s[j], at[j]);
    for (int i = 0; i < N; i++) {
      printf("%d %d %d %d\\n", near[i], bx[i], by[i], found[i]);
      for (int j = 0; j < M; j++) printf("%g %d\\n", D[i][j], from[i][j]);
    }
  }
  return 0;
}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "arguments.c"
    path.write_text(PROGRAM)
    return path


@pytest.mark.long
@pytest.mark.cc
def test_every_schedule_finds_the_same(path: Path) -> None:
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=15, limit=5))
    assert not wrong, "\n".join(wrong)
    assert n_run >= 12


@pytest.mark.long
@pytest.mark.cc
def test_kernels_find_the_same(path: Path) -> None:
    n_run, wrong = sweep_device(path, [], SpaceOptions(seconds=10, limit=2))
    assert not wrong, "\n".join(wrong)
    assert n_run >= 2
