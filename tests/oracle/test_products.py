"""Products of sizes in bounds and offsets, sizes that change: for all signs of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.space import SpaceOptions
from tests.oracle.sweep import sweep

PROGRAM = """\
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#define N 600
static float a[N], b[N], c[N];

static void scale(int h, int w, float *x) {
#pragma scop
  for (int p = 0; p < h * w; p++)
    x[p] = 2 * x[p] + 1;
#pragma endscop
}

static void biases(size_t k, int h, int w, float *x, const float *y) {
#pragma scop
  for (size_t c = 0; c < k; c++)
    for (int p = 0; p < h * w; p++)
      x[c * h * w + p] += y[c];
  for (size_t c = 0; c < k; c++)
    for (int p = 0; p < w * h; p++)
      if (x[(c * h) * w + p] < 3)
        x[(c * h) * w + p] = 3;
#pragma endscop
}

static void shifted(int n, int m, int k, float *x) {
#pragma scop
  for (int i = 0; i < (n + 1) * (m - 1) - k; i++)
    x[i + k] += x[i];
  for (int i = n * m - 1; i >= 0; i--)
    x[i] += x[i + n * m];
#pragma endscop
}

static void squares(int n, float *x, const float *y) {
#pragma scop
  for (int p = 0; p < n * n; p++)
    for (int q = 0; q < n * n; q++)
      x[p * n * n + q] += y[q * n * n + p];
#pragma endscop
}

static void halves(unsigned char h, long w, float *x, const float *y) {
#pragma scop
  for (long p = 0; p < h / 2 * (w / 2); p++)
    x[p] = y[p] + y[p + h * w];
#pragma endscop
}

static void never(int n, int big, float *x) {
#pragma scop
  for (int i = 0; i < n; i++)
    for (int p = 0; p < big * big; p++)
      x[i * big * big + p] = 7;
  for (int p = 0; p < 5; p++)
    x[p] += 1;
#pragma endscop
}

static void filled(int h, int w, float *x, const float *y) {
#pragma scop
  for (int p = 0; p < h * w; p++)
    x[p] += y[p];
  for (int i = 0; i < h; i++)
    for (int j = 0; j < w; j++)
      x[i * w + j] += i - j + (j > 0 ? x[i * w + j - 1] : 0);
  for (int p = 0; p < h * w; p++)
    if (x[p] > 5)
      x[p] -= p;
#pragma endscop
}

static void planes(long k, int h, int w, int n, char *x) {
#pragma scop
  for (long c = 0; c < k; c++)
    for (int p = 0; p < n; p++)
      x[c * h * w + p] += c + p;
#pragma endscop
}

static void pyramid(int n, float *x, float *y, float *z) {
  int len;
#pragma scop
  len = n;
  for (int i = 0; i < len / 2; i++)
    y[i] = x[2 * i] + x[2 * i + 1];
  len /= 2;
  for (int i = 0; i < len / 2; i++)
    z[i] = y[2 * i] + y[2 * i + 1];
  len = (len + 1) >> 1;
  int last = len - 1;
  for (int i = 0; i < len; i++)
    y[i] = z[i] * len + z[last - i];
  last -= 1;
  for (int i = 0; i < last; i++)
    x[i] += y[i + 1];
#pragma endscop
  x[N - 1] += len;
}

static void levels(unsigned char n, unsigned m, float *x, const float *y) {
#pragma scop
  long k = n;
  for (int i = 0; i < k; i++)
    x[i] += y[i];
  k = k / 2;
  for (int i = 0; i < k; i++)
    x[i] -= 2 * y[i];
  unsigned w = m;
  w = w - 3;
  for (unsigned i = 0; i < w; i++)
    x[i] += 1;
#pragma endscop
}

int main(void) {
  const long plane = 1L << 32;
  char *x = mmap(0, 2 * plane, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (x == MAP_FAILED) return 1;
  planes(2, 1 << 16, 1 << 16, 5, x);
  for (int i = 0; i < 5; i++)
    printf("%d %d\\n", x[i], x[plane + i]);
  for (int i = 0; i < N; i++)
    a[i] = i * 7 % 11, b[i] = i % 5, c[i] = 1;
  static const int sizes[][2] = {{5, 7}, {0, 3}, {1, 1}, {2, 9}, {-2, -3}, {-1, 4}};
  for (int i = 0; i < 6; i++) {
    int h = sizes[i][0], w = sizes[i][1];
    scale(h, w, a), filled(h, w, b, a);
    if (h >= 0)
      biases(i, h, w, b, a), halves(h, w, c, b);
    shifted(h, w, i, a);
    pyramid(h * w, a, b, c), pyramid(40 + i, c, a, b), pyramid(i - 1, b, c, a);
    levels(i, i + 3, b, c);
    squares(h < 5 ? h : 4, b, c);
  }
  never(0, 2000000000, a), never(2, 3, c);
  for (int i = 0; i < N; i++)
    printf("%.9g %.9g %.9g\\n", a[i], b[i], c[i]);
  return 0;
}
"""


@pytest.mark.long
@pytest.mark.cc
def test_every_schedule_computes_the_same(tmp_path: Path) -> None:
    path = tmp_path / "products.c"
    path.write_text(PROGRAM)
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=4, limit=2))
    assert not wrong, "\n".join(wrong)
    assert n_run >= 12
