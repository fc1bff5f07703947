"""Minima and maxima in any order: bit for bit, also of NaN, infinities and zeros."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import allow_reordering, compute_dependences, prepare_scop
from polysched.frontend import parse_c
from polysched.space import SpaceOptions
from tests.oracle.device_sweep import sweep_device
from tests.oracle.sweep import sweep

PROGRAM = """\
#include <math.h>
#include <stdio.h>
enum { N = 41, M = 29 };
static double A[N][M], B[N][M], most[M];
static float F[N][M];
static int K[N][M];

static void show(double x) {
  if (x != x) printf("nan\\n");
  else printf("%a\\n", x);
}

static void magnitudes(double call, double choice, double least, float single) {
#pragma scop
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++)
      call = fmax(call, fabs(A[i][j] - B[i][j]));
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++)
      choice = A[i][j] * A[i][j] > choice ? A[i][j] * A[i][j] : choice;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++)
      if (fabs(B[i][j]) < least)
        least = fabs(B[i][j]);
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++)
      if (K[i][j] != 3)
        single = fmaxf(single, fabsf(F[i][j]));
#pragma endscop
  show(call); show(choice); show(least); show(single);
}

static void beside(void) {
  double diff = 0;
  int largest = -5;
  unsigned char small = 200;
#pragma scop
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++) {
      double d = A[i][j] - B[i][j];
      diff = fmax(diff, fabs(d));
      largest = K[i][j] > largest ? K[i][j] : largest;
      if ((unsigned char)(K[i][j] & 127) < small) small = K[i][j] & 127;
      B[i][j] = A[i][j];
    }
  for (int j = 0; j < M; j++)
    most[j] = 0;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++)
      most[j] = fmax(most[j], sqrt(A[i][j] * A[i][j] + 1.0));
#pragma endscop
  show(diff); show(largest); show(small);
  for (int j = 0; j < M; j++) show(most[j]);
}

static void ordered(double x, double y, double z) {
#pragma scop
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++)
      x = x > fabs(A[i][j]) ? x : fabs(A[i][j]);
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++)
      y = A[i][j] > y ? A[i][j] : y;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++)
      z = fmin(z, fabs(A[i][j]));
#pragma endscop
  show(x); show(y); show(z);
}

int main(void) {
  const double odd[] = {0.0, -0.0, NAN, INFINITY, -INFINITY, 1.5, -2.5};
  for (int turn = 0; turn < 9; turn++) {
    for (int i = 0; i < N; i++)
      for (int j = 0; j < M; j++) {
        int k = i * 31 + j * 17 + turn;
        double usual = turn == 7 ? NAN : turn == 8 ? -0.0 : k % 101 - 50.0;
        A[i][j] = k % 11 ? usual : odd[(k / 11 + turn) % (turn < 5 ? turn + 1 : 7)];
        B[i][j] = k % 13 ? usual / 2 : odd[turn % 7];
        F[i][j] = A[i][j];
        K[i][j] = k % 97 - 48;
      }
    for (int s = 0; s < 7; s++) {
      magnitudes(odd[s], odd[s], odd[s], odd[s]);
      ordered(odd[s], odd[s], odd[s] + 0.0);  /* no -0: fmin may return either */
    }
    beside();
  }
  return 0;
}
"""
FREE = {"magnitudes": 4, "beside": 3, "ordered": 0}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "extrema.c"
    path.write_text(PROGRAM)
    return path


@pytest.mark.cc
def test_orders_are_free_where_no_bit_depends_on_them(path: Path) -> None:
    for scop in parse_c(path).scops:
        private = prepare_scop(scop)
        deps = allow_reordering(compute_dependences(private), private, "strict")
        assert len(deps.reductions) == FREE[scop.name]


@pytest.mark.long
@pytest.mark.cc
def test_every_schedule_computes_the_same(path: Path) -> None:
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=15, limit=8))
    assert not wrong, "\n".join(wrong)
    assert n_run >= 20


@pytest.mark.long
@pytest.mark.cc
def test_kernels_compute_the_same(path: Path) -> None:
    n_run, wrong = sweep_device(path, [], SpaceOptions(seconds=10, limit=4))
    assert not wrong, "\n".join(wrong)
    assert n_run >= 6
