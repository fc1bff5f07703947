"""Pointers and sizes in structures, and pointers that may be null."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.space import SpaceOptions
from tests.oracle.device_sweep import sweep_device
from tests.oracle.sweep import sweep

PROGRAM = """\
#include <stdio.h>
#include <stdlib.h>
typedef struct { float x, y; int mark; } point;
typedef struct { int in; size_t out; } sizes;
typedef struct { sizes size; float scale; float *w, *b; const point *p; } layer;

static void forward(int n, const layer *l, layer out, const float *x, float *y) {
#pragma scop
  for (int k = 0; k < n; k++)
    for (size_t o = 0; o < l->size.out; o++) {
      float sum = l->b[o];
      for (int i = 0; i < l->size.in; i++)
        sum += l->w[o * l->size.in + i] * x[k * l->size.in + i];
      y[k * l->size.out + o] = sum * l->scale + l->p[o].x;
      out.w[k * l->size.out + o] += sum;
    }
#pragma endscop
}

static void turn(int n, layer *l, double *total) {
  for (int t = 0; t < 3; t++) {
#pragma scop
    for (int i = 1; i < n - 1; i++)
      l->w[i] = l->b[i - 1] + l->b[i + 1];
    for (int i = 0; i < n; i++)
      *total += l->w[i];
#pragma endscop
    float *old = l->w;
    l->w = l->b;
    l->b = old;
  }
}

static void waves(int n, int steps, layer *l) {
#pragma scop
  for (int t = 0; t < steps; t++) {
    for (int i = 1; i < n - 1; i++)
      l->w[i] = l->b[i - 1] + l->b[i + 1];
    float *old = l->w;
    l->w = l->b;
    l->b = old;
  }
#pragma endscop
}

static void shift(int n, int m, const float *b, const float *mask, float *y) {
#pragma scop
  for (int i = 0; i < n; i++)
    for (int j = 0; j < m; j++) {
      float by = b != NULL ? b[j] : -1;
      if (mask)
        by *= mask[i];
      y[i * m + j] += !b && j > 1 ? 2 * by : by;
    }
#pragma endscop
}

static void all(int n, int in, int out) {
  float *x = calloc(n * in + 1, 4), *y = calloc(n * out + 1, 4);
  point *p = calloc(out + 1, sizeof(point));
  layer l = {{in, out}, 3, calloc(in * out + 1, 4), calloc(out + 1, 4), p};
  layer o = {.w = calloc(n * out + 1, 4)};
  for (int i = 0; i < n * in; i++)
    x[i] = i % 7 - 3;
  for (int i = 0; i < in * out; i++)
    l.w[i] = i % 5;
  for (int i = 0; i < out; i++)
    l.b[i] = p[i].x = i;
  forward(n, &l, o, x, y);
  shift(n, out, l.b, NULL, y), shift(n, out, NULL, n <= in ? x : NULL, o.w);
  double total = 0;
  for (int t = -1; t < 3; t++) {
    waves(out < in * out ? out : 0, t, &l);
    printf("%g ", l.b[0] - l.w[0]);
  }
  turn(out < in * out ? out : 0, &l, &total);
  printf("%g", total);
  for (int i = 0; i < n * out; i++)
    printf(" %g %g", y[i], o.w[i]);
  printf("\\n");
}

int main(void)
{
  layer none = {0};
  forward(0, NULL, none, NULL, NULL), shift(0, 0, NULL, NULL, NULL);
  all(1, 1, 1), all(0, 2, 3), all(2, 0, 3), all(5, 3, 7), all(4, 9, 6);
  return 0;
}
"""

OPTIONS = SpaceOptions(seconds=3, limit=2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "layers.c"
    path.write_text(PROGRAM)
    return path


@pytest.mark.long
@pytest.mark.cc
def test_every_schedule_computes_the_same(path: Path) -> None:
    n_run, wrong = sweep(path, [], OPTIONS)
    assert not wrong, "\n".join(wrong)
    assert n_run >= 3


@pytest.mark.slow
@pytest.mark.cc
@pytest.mark.timeout(300)
def test_every_device_schedule_computes_the_same(path: Path) -> None:
    n_run, wrong = sweep_device(path, [], OPTIONS)
    assert not wrong, "\n".join(wrong)
    assert n_run >= 2
