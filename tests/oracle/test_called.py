"""Functions with loops, pointers and structures called in a region, every schedule."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.space import SpaceOptions
from tests.oracle.sweep import sweep

PROGRAM = """\
#include <math.h>
#include <stdio.h>
#include <string.h>
#define N 24
typedef struct { double re, im; } complex_t;
static double G[N], A[N][N], B[N][N], flat[N * N], line[N];
static double cube[5][N][N], x[N + 2], y[N + 2];
static double *rows[N];
static complex_t z[N + 1], w[N + 1];
static int count = 3;

static void matvec(int n, int m, const double *A, const double *x, double *y) {
  for (int i = 0; i < n; i++) {
    double s = 0;
    for (int j = 0; j < m; j++) s += A[i * m + j] * x[j];
    y[i] = s;
  }
}
static void axpy(int n, double a, const double *x, double *y) {
  int i;
  for (i = 0; i < n; i++) y[i] += a * x[i];
}
static double dot(int n, const double *x, const double *y) {
  double s = 0.0;
  if (n <= 1) return n;
  for (int i = 0; i < n; ++i) s += x[i] * y[i];
  return s;
}
static float norm(int n, const double *x) { return sqrt(dot(n, x, x)); }
static void clear(int n, double x[n]) { memset(x, 0, n * sizeof(double)); }
static void polar(double r, double *s, double *c) {
  r = r * r;
  *s = sin(r);
  *c = cos(r) + *s;
}
static void both(int n, int m, double P[n][N], double *const *T) {
  for (int i = 0; i < n; i++) {
    axpy(m, 0.5, T[i], P[i]);
    P[i][0] = norm(m, T[i]) + count;
  }
}
static void scale(double a, short k, int n, double *v) {
  if (k > 100) return;
  for (int i = 0; i < n; i++) v[i] = v[i] * a + k;
}
static void walk(int n, const double *from, double *to) { while (n--) *to++ = *from++; }
static int bump(int n, double *v) {
  for (int i = 0; i < n; i++) v[i] += G[i] / 2;
  return n - 1;
}
static complex_t mul(complex_t a, complex_t b) {
  complex_t c;
  c.re = a.re * b.re - a.im * b.im;
  c.im = a.re * b.im + a.im * b.re;
  return c;
}
static complex_t add(complex_t a, complex_t b) {
  a.re += b.re;
  return (complex_t){a.re, .im = a.im + b.im};
}
static complex_t of(double t) {
  complex_t r = {t / 2, -t};
  if (t > 1) {
    r.re = 3;
    return r;
  } else if (t < 0.25)
    return (complex_t){0, 1};
  double s = t + 1;
  r.im = s;
  return r;
}

static void vectors(int n, int m, double *a, double *u, double *v) {
#pragma scop
  for (int t = 0; t < 2; t++) {
    matvec(n, m, a, u, v);
    double f = dot(n, v, v) / 64;
    axpy(n, -f / 512, v, u);
    v[0] = norm(n, u) + f * dot(m, a, &u[1]) - dot(n, G, v);
  }
#pragma endscop
}
static void matrices(int n, int m, double *v) {
#pragma scop
  both(n, m, A, rows);
  for (int i = 0; i < n; i++) {
    double s, c;
    polar(A[i][0], &s, &c);
    polar(s, &A[i][1], v + i);
    v[i] += s * c;
    if (i % 2 == 0) clear(m, B[i]);
    else axpy(m, v[i], A[i], B[i]);
  }
#pragma endscop
}
static void values(int n, double *v) {
  int left = 0;
#pragma scop
  scale(v[0], 70000 + n, n, v);
  scale(count, n, n, v + 1);
  for (int i = 0; i < n; i++) walk(n, B[i], flat + i * N);
  left = bump(n, line);
  for (int i = 0; i < n; i++) G[i] += line[i] + left;
#pragma endscop
}
static void twice(const double X[N][N], double (*Z)[N]) {
  for (int i = 0; i < N; i++)
    for (int j = 1; j < N; j++) Z[i][j] = 2 * X[i][j] + Z[i][j - 1];
}
static void planes(int n) {
#pragma scop
  twice(A, cube[0]);
  for (int k = 1; k < n / 6; k++) twice(cube[k - 1], &cube[k][0]);
#pragma endscop
}
static void pairs(int n) {
#pragma scop
  for (int i = 0; i < n; i++) {
    complex_t t = mul(z[i], w[i]);
    w[i] = add(t, mul(t, z[i + 1]));
    z[i] = of(w[i].re + mul(t, t).im);
  }
#pragma endscop
}

static unsigned next(unsigned *s) {
  *s = *s * 1664525u + 1013904223u;
  return *s;
}
static double uniform(unsigned *s) { return (next(s) >> 8) / 16777216.0; }
static void sample(int n, int m, double *v) {
#pragma scop
  for (int i = 0; i < n; i++) {
    unsigned s = 7 + i;
    int hits = 0;
    for (int k = 0; k < m; k++) {
      double a = (next(&s) >> 8) / 16777216.0, b = 2 * uniform(&s) - 1;
      hits += a * a + b * b < 1;
    }
    v[i] = 4.0 * hits / (m + 1) + uniform(&s);
  }
#pragma endscop
}
static void show(const char *what, const void *data, unsigned long size) {
  unsigned long sum = 0;
  for (unsigned long k = 0; k < size; k++)
    sum = sum * 31 + ((const unsigned char *)data)[k];
  printf("%s %lu\\n", what, sum);
}
int main(void) {
  static const int sizes[] = {0, 1, 2, 5, 9, 22};
  for (int s = 0; s < 6; s++) {
    int n = sizes[s];
    for (int i = 0; i < N; i++) {
      rows[i] = flat + (N - 1 - i) * N;
      G[i] = i % 3, x[i] = i % 5 * 0.25, y[i] = 1, line[i] = i;
      z[i] = (complex_t){i % 4 * 0.5, 0.5}, w[i] = (complex_t){0.25, i % 3};
      for (int j = 0; j < N; j++)
        A[i][j] = (i + 2 * j) % 7 * 0.125, B[i][j] = i - j, flat[i * N + j] = j % 3;
    }
    vectors(n, n, flat, x, y), show("x", x, sizeof x), show("y", y, sizeof y);
    vectors(n, n, flat, y, y), show("same", y, sizeof y);
    matrices(n, n, x), show("A", A, sizeof A), show("B", B, sizeof B);
    values(n, x), show("x", x, sizeof x), show("G", G, sizeof G);
    show("flat", flat, sizeof flat), show("line", line, sizeof line);
    sample(n, 9, x), show("sample", x, sizeof x);
    planes(n), show("cube", cube, sizeof cube);
    pairs(n), show("z", z, sizeof z), show("w", w, sizeof w);
  }
  return 0;
}
"""


@pytest.mark.long
@pytest.mark.cc
def test_every_schedule_computes_the_same(tmp_path: Path) -> None:
    path = tmp_path / "called.c"
    path.write_text(PROGRAM)
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=3, limit=3))
    assert not wrong, "\n".join(wrong)
    assert n_run >= 4
