"""Rows behind pointers: every schedule, and the original where rows overlap.

Rows are got one by one, cut from one piece in either order, exchanged, short, one and
the same, or shifted against each other.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from polysched.codegen import print_openmp, splice
from polysched.frontend import parse_c
from polysched.space import SpaceOptions
from tests.oracle.sweep import sweep
from tests.oracle.test_overlaps import BUILDS, counting, reverse, run

PROGRAM = """\
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define N 40
static double room[4 * N * N], flat[N];

static void product(int n, int m, double **C, double **A, double *const *B) {
#pragma scop
  for (int i = 0; i < n; i++)
    for (int j = 0; j < m; j++)
      for (int k = 0; k < n; k++) C[i][j] += A[i][k] * B[k][j];
#pragma endscop
}
typedef struct { int n, m; double **rows; } matrix;
static void squared(const matrix *a, matrix b) {
#pragma scop
  for (int i = 0; i < b.n; i++)
    for (int j = 0; j < b.m; j++)
      for (int k = 0; k < a->m; k++) b.rows[i][j] += a->rows[i][k] * a->rows[k][j];
#pragma endscop
}
static void lower(int n, double **L, double *x) {
#pragma scop
  for (int i = 0; i < n; i++) {
    double *row = L[i];
    for (int j = 0; j < i; j++) row[j] = row[j + 1] * x[j] + x[i];
    x[i] += row[0];
  }
#pragma endscop
}
static void sweep(int steps, int n, double *A[n], double **B) {
#pragma scop
  for (int t = 0; t < steps; t++) {
    for (int i = 1; i < n - 1; i++)
      for (int j = 1; j < n - 1; j++) B[i][j] = (A[i - 1][j] + A[i][j + 1]) / 2;
    for (int i = 1; i < n - 1; i++)
      memcpy(A[i] + 1, &B[i][1], (n - 2) * sizeof(double));
  }
#pragma endscop
}
static void planes(unsigned n, float ***T) {
#pragma scop
  for (unsigned i = 1; i < n; i++)
    for (unsigned j = 0; j + 1 < n; j++)
      for (unsigned k = 0; k < n; k++) T[i][j][k] += T[i - 1][j + 1][k];
#pragma endscop
}
static void bytes(int n, unsigned char **P, unsigned char *q) {
#pragma scop
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      if (P[i][j] > q[j]) P[i][j] = q[j] + i;
#pragma endscop
}

static double *rows[3][N + 2];
static void cut(int how, int n) {
  for (int i = 0; i < 4 * N * N; i++) room[i] = i * 7 % 11 + 1;
  for (int i = 0; i < N; i++) flat[i] = i % 3 * 0.25;
  for (int k = 0; k < 3; k++)
    for (int i = 0; i < n + 2; i++) {
      double *start = room + k * N * N;
      int row = how == 1 ? n + 1 - i : how == 2 ? i * 5 % (n + 2) : i;
      rows[k][i] = start + row * (how == 3 ? 1 : how == 4 ? n / 2 : n);
      if (how == 5) rows[k][i] = room + (i + k) * n;
      if (how == 6 && k == 0) rows[k][i] = room + 3 * N * N;
    }
}
static unsigned long bits(double x) {
  unsigned long found;
  memcpy(&found, &x, sizeof found);
  return found;
}
static void show(const char *what, int how, int n) {
  unsigned long sum = 0;
  for (int i = 0; i < 4 * N * N; i++) sum = sum * 31 + bits(room[i]);
  for (int i = 0; i < N; i++) sum = sum * 31 + bits(flat[i]);
  printf("%s %d %d %lu\\n", what, how, n, sum);
}
int main(void) {
  static const int sizes[] = {0, 1, 2, 7, 33};
  for (int how = 0; how < 7; how++)
    for (int s = 0; s < 5; s++) {
      int n = sizes[s];
      cut(how, n), product(n, n, rows[0], rows[1], rows[2]), show("product", how, n);
      cut(how, n), product(n, n, rows[0], rows[1], rows[1]), show("square", how, n);
      cut(how, n), product(n, n, rows[0], rows[0], rows[1]), show("onto", how, n);
      matrix a = {n, n, rows[0]}, b = {n, n, rows[1]};
      cut(how, n), squared(&a, b), squared(&a, a), show("squared", how, n);
      cut(how, n), lower(n, rows[0], flat), show("lower", how, n);
      cut(how, n), lower(n, rows[0], rows[0][0] + n / 2), show("inside", how, n);
      cut(how, n), sweep(3, n, rows[0], rows[1]), show("sweep", how, n);
    }
  static float cells[N][N][N], *lines[N][N], **T[N];
  for (int twist = 0; twist < 3; twist++)
    for (int s = 0; s < 5; s++) {
      float *c = &cells[0][0][0];
      for (int i = 0; i < N * N * N; i++) c[i] = i % 13;
      for (int i = 0; i < N; i++) {
        T[i] = twist == 1 ? lines[i / 2] : lines[i];
        for (int j = 0; j < N; j++)
          lines[i][j] = twist == 2 ? cells[j][0] : cells[N - 1 - i][j];
      }
      planes(sizes[s], T);
      unsigned long sum = 0;
      for (int i = 0; i < N * N * N; i++) sum = sum * 31 + (unsigned long)c[i];
      printf("planes %d %d %lu\\n", twist, sizes[s], sum);
    }
  for (int twist = 0; twist < 2; twist++) {
    static unsigned char shades[N][N], *P[N];
    for (int i = 0; i < N; i++) {
      P[i] = shades[twist ? i / 2 : i];
      for (int j = 0; j < N; j++) shades[i][j] = i * 5 + j * 3;
    }
    bytes(N, P, (unsigned char *)flat);
    unsigned long sum = 0;
    for (int i = 0; i < N * N; i++) sum = sum * 31 + shades[0][i];
    printf("bytes %d %lu\\n", twist, sum);
  }
  return 0;
}
"""


@pytest.mark.long
@pytest.mark.cc
def test_every_schedule_computes_the_same(tmp_path: Path) -> None:
    path = tmp_path / "rows.c"
    path.write_text(PROGRAM)
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=3, limit=3))
    assert not wrong, "\n".join(wrong)
    assert n_run >= 10


REVERSED = """\
#include <stdio.h>
#include <stdlib.h>
static double room[400], *A[20], *B[20];
static unsigned char shade[400], *S[20];
static int originals;

static void copy(int n, int m, double **to, double **from) {
#pragma scop
  for (int i = 0; i < n; i++)
    for (int j = 0; j < m; j++) to[i][j] = from[i][j] + 1;
#pragma endscop
}
static void set(int n, int m, double *restrict *restrict to, const double *from) {
#pragma scop
  for (int i = 0; i < n; i++)
    for (int j = 0; j < m; j++) to[2 * i][j + 1] = from[i] * 3 + j;
#pragma endscop
}
static void half(int n, double **to, const double *from) {
#pragma scop
  for (int i = 0; i < n; i++)
    for (int j = 0; j <= i; j++) to[i][j] = from[i] + j;
#pragma endscop
}
static void own(int n, double *x) {
  double *rows[2];
  for (int i = 0; i < 2; i++) rows[i] = x + i * 3;
#pragma scop
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < n; j++) rows[i][j] = i * 10 + j;
#pragma endscop
}
static void dim(int n, unsigned char **to, const unsigned char *from) {
#pragma scop
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) to[i][j] = from[j] + i;
#pragma endscop
}
static void over(int n, unsigned char *to, unsigned char **from) {
#pragma scop
  for (int i = 0; i < n; i++) to[8 * i] = from[i][i] + i;
#pragma endscop
}

static void fill(int step) {
  for (int i = 0; i < 400; i++) room[i] = i * 7 % 11, shade[i] = i * 3 % 17;
  for (int i = 0; i < 20; i++) {
    A[i] = room + (step < 0 ? 190 : 0) + i * step;
    B[i] = room + (step < 0 ? 390 : 200) + i * step;
    S[i] = shade + i * 20;
  }
  originals = 0;
}
static void show(const char *call) {
  unsigned long sum = 0;
  for (int i = 0; i < 400; i++) sum = sum * 31 + (long)room[i] * 3 + shade[i];
  printf("%d %lu %s\\n", originals, sum, call);
}
#define CALL(step, ...) fill(step); __VA_ARGS__; show(#step " " #__VA_ARGS__);
int main(void) {
CALLS
  return 0;
}
"""
APART = (
    "10, copy(10, 10, A, B)",
    "-10, copy(10, 10, A, B)",
    "10, copy(1, 7, A, A + 1)",
    "10, copy(5, 7, A, A + 5)",
    "10, double *t = A[3]; A[3] = A[7]; A[7] = t; copy(9, 10, A, B)",
    "10, A[3] = B[8]; copy(8, 10, A, B)",
    "10, A[9] = A[3]; copy(9, 10, A, B)",
    "10, B[4] = B[5]; copy(9, 10, A, B)",
    "1, copy(9, 1, A, B)",
    "10, A[5] = A[3] + 4; copy(9, 4, A, B)",
    "10, A[1] = A[0]; set(4, 6, A, room + 200)",
    "10, set(4, 6, A, room + 7)",
    "10, A[1] = A[2] + 3; half(3, A, room + 200)",
    "4, half(4, A, room + 200)",
    "5, own(3, room)",
    "1, dim(7, S, shade + 140)",
    "1, over(9, shade + 200, S)",
)
TOGETHER = (
    "10, copy(10, 11, A, B)",
    "-10, copy(10, 11, A, B)",
    "10, copy(5, 7, A, A + 1)",
    "10, copy(5, 7, A + 1, A)",
    "10, A[8] = A[3]; copy(9, 10, A, B)",
    "10, A[3] = B[7]; copy(8, 10, A, B)",
    "1, copy(9, 2, A, B)",
    "10, A[5] = A[3] + 4; copy(9, 5, A, B)",
    "10, set(4, 6, A, room + 18)",
    "10, A[2] = A[0] - 5; set(4, 6, A, room + 200)",
    "10, A[1] = A[2] + 2; half(3, A, room + 200)",
    "2, half(4, A, room + 200)",
    "5, own(4, room)",
    "1, dim(7, S, shade + 126)",
    "1, over(9, shade + 20, S)",
    "1, over(2, (unsigned char *)S + 4, S)",
)
EITHER = ("10, copy(0, 3, A, A)", "10, copy(3, 0, A, A)", "10, copy(-3, 2, A, A)",
          "1, half(0, A, room)", "1, copy(0, 1, 0, 0)")  # fmt: skip


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize("build", BUILDS, ids=" ".join)
def test_the_original_runs_where_rows_overlap_and_only_there(
    tmp_path: Path, build: tuple[str, ...]
) -> None:
    if shutil.which(build[0]) is None:
        pytest.skip(f"no {build[0]}")
    calls = "\n".join(f"  CALL({call})" for call in (*APART, *TOGETHER, *EITHER))
    path = tmp_path / "plain.c"
    path.write_text(REVERSED.replace("CALLS", calls))
    program = parse_c(path)
    assert [str(r) for r in program.refusals] == []
    texts = {
        s.name: print_openmp(s, reverse(s), counting(program, s)) for s in program.scops
    }
    generated = tmp_path / "generated.c"
    generated.write_bytes(splice(program, texts))
    expected = [line.split(maxsplit=1)[1] for line in run(path, build)]
    found = run(generated, build)
    assert [line.split(maxsplit=1)[1] for line in found] == expected
    once = [line for line in found[: len(APART)] if not line.startswith("0 ")]
    twice = [
        line for line in found[len(APART) : -len(EITHER)] if not line.startswith("1 ")
    ]
    assert (once, twice) == ([], [])


SHORT = """\
#include <stdio.h>
#define end 3
#define first 2
static double room[40][40], y[40], *rows[40];
static void sums(int n, int k, double **A, double *y) {
#pragma scop
  for (int i = 0; i < n; i++) {
    y[i] = 0;
    if (i < k)
      for (int j = first; j < 10; j++) y[i] += A[i][j] * end;
    else
      y[i] = -1;
  }
#pragma endscop
}
int main(void) {
  for (int i = 0; i < 40; i++) {
    rows[i] = room[i];
    for (int j = 0; j < 40; j++) room[i][j] = i + j;
  }
  sums(40, 7, rows, y);
  for (int i = 0; i < 40; i++) printf("%g ", y[i]);
  return 0;
}
"""


@pytest.mark.cc
def test_questions_share_their_helpers_with_the_code_and_no_names_with_the_file(
    tmp_path: Path,
) -> None:
    path = tmp_path / "short.c"
    path.write_text(SHORT)
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=3, limit=4))
    assert not wrong, "\n".join(wrong)
    assert n_run >= 2
