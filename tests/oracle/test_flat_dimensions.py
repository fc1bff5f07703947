"""Arrays of several dimensions of which some are flat: patches, channels, pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.space import SpaceOptions
from tests.oracle.device_sweep import sweep_device
from tests.oracle.sweep import sweep

PROGRAM = """\
#include <stdio.h>
#include <stdlib.h>
typedef struct { float re, im; } pair;
static float flat[4 * 3 * 3][40], fixed[9][60];

static void patches(int C, int kh, int kw, int oh, int ow, int h, int w,
                    float x[C][h][w], float col[C * kh * kw][oh * ow]) {
#pragma scop
  for (int c = 0; c < C; c++)
    for (int u = 0; u < kh; u++)
      for (int v = 0; v < kw; v++)
        for (int i = 0; i < oh; i++)
          for (int j = 0; j < ow; j++)
            col[(c * kh + u) * kw + v][i * ow + j] = x[c][i + u][j + v];
#pragma endscop
}

static void back(int C, int k, int oh, int ow, int n, int h, int w,
                 float (*x)[h][w], float (*col)[n]) {
#pragma scop
  for (int c = 0; c < C; c++)
    for (int u = 0; u < k; u++)
      for (int v = 0; v < k; v++)
        for (int i = 0; i < oh; i++)
          for (int j = 0; j < ow; j++)
            x[c][i + u][j + v] += 2 * col[k * k * c + k * u + v][i * ow + j];
#pragma endscop
}

static void sevens(int w, int h, int stride) {
#pragma scop
  for (int r = 0; r < 3; r++)
    for (int q = 0; q < 3; q++)
      for (int i = 0; i < h; i++)
        for (int j = 0; j < w; j++)
          fixed[3 * r + q][i * stride + j] += flat[9 * r + q][j] * (i + 1);
  for (int r = 1; r < 9; r++)
    for (int i = 0; i < h; i++)
      for (int j = 1; j < w; j++)
        fixed[r][i * stride + j] += fixed[r - 1][i * stride + j - 1];
#pragma endscop
}

static void turn(int n, int h, int w, pair z[n][h * w]) {
#pragma scop
  for (int b = 0; b < n; b++)
    for (int i = 0; i < h; i++)
      for (int j = 0; j < w; j++) {
        float re = z[b][i * w + j].re;
        z[b][i * w + j].re = z[b][i * w + j].im - re;
        z[b][i * w + j].im = re + i;
      }
#pragma endscop
}

static void within(int n, int h, int w, float y[n][h * w]) {
#pragma scop
  {
    float held[n][h * w];
    for (int b = 0; b < n; b++)
      for (int i = 0; i < h; i++)
        for (int j = 0; j < w; j++)
          held[b][i * w + j] = 3 * y[b][i * w + j] + b;
    for (int b = 0; b < n; b++)
      for (int i = 0; i < h; i++)
        for (int j = 1; j < w; j++)
          y[b][i * w + j] = held[b][i * w + j - 1] - 1;
  }
#pragma endscop
}

static void heads(int n, int m, int H, int s, float *y) {
#pragma scop
  for (int t = 1; t < n; t++)
    for (int h = 0; h < H; h++)
      for (int i = 0; i < s; i++)
        y[t * m + h * s + i] += 2 * y[(t - 1) * m + h * s + i] - h;
#pragma endscop
}

static void all(int C, int kh, int kw, int oh, int ow) {
  int h = oh + kh, w = ow + kw, k = kh < kw ? kh : kw, n = oh * ow + 1;
  int rows = C * kh * kw + C + 1;
  float *x = calloc((C + 1) * (h + 1) * (w + 1), sizeof(float));
  float *col = calloc(rows * n, sizeof(float));
  for (int i = 0; i < C * h * w; i++)
    x[i] = i * 37 % 101;
  patches(C, kh, kw, oh, ow, h, w, (void *)x, (void *)col);
  back(C, k, oh, ow, n, h, w, (void *)x, (void *)col);
  if (C * oh * ow > 0)
    within(C, oh, ow, (void *)col);
  turn(C, oh, ow / 2, (void *)col);
  heads(C, oh * ow, oh, ow, col), heads(C, n, ow, oh, col);
  heads(C, oh, oh > 1 ? 2 : 1, oh < ow ? oh : ow, col);  // rows meet
  for (int i = 0; i < C * h * w; i++)
    printf("%g ", x[i]);
  for (int i = 0; i < rows * n; i++)
    printf("%g ", col[i]);
  printf("\\n");
  free(x), free(col);
}

int main(void)
{
  for (int i = 0; i < 36 * 40; i++)
    flat[i / 40][i % 40] = i % 19;
  all(0, 2, 2, 3, 3), all(1, 1, 1, 1, 1), all(2, 0, 2, 3, 5), all(2, 3, 2, 5, 7);
  all(3, 2, 3, 7, 5), all(1, 3, 3, 2, 9);
  sevens(7, 8, 7), sevens(5, 6, 9), sevens(9, 5, 5), sevens(0, 3, 0), sevens(2, 1, 1);
  for (int i = 0; i < 9 * 60; i++)
    printf("%g ", fixed[i / 60][i % 60]);
  return 0;
}
"""

OPTIONS = SpaceOptions(seconds=4, limit=2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "patches.c"
    path.write_text(PROGRAM)
    return path


@pytest.mark.long
@pytest.mark.cc
def test_every_schedule_computes_the_same(path: Path) -> None:
    n_run, wrong = sweep(path, [], OPTIONS)
    assert not wrong, "\n".join(wrong)
    assert n_run >= 5


@pytest.mark.slow
@pytest.mark.cc
@pytest.mark.timeout(300)
def test_every_device_schedule_computes_the_same(path: Path) -> None:
    n_run, wrong = sweep_device(path, [], OPTIONS)
    assert not wrong, "\n".join(wrong)
    assert n_run >= 5
