"""Elements that no `int` counts up to: every schedule reaches the same ones.

The memory is reserved, and a few pages of it are touched.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.space import SpaceOptions
from tests.oracle.sweep import sweep

PROGRAM = """\
#define _GNU_SOURCE
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#define FAR __attribute__((noinline)) static void
#define ROW 1000000000
typedef unsigned char byte;
struct grid { int m; byte *v; };
FAR cast(int n, int m, byte *restrict x, const byte *restrict y) {
#pragma scop
  for (int i = 0; i < n; i++)
    for (int j = 0; j < 5; j++) x[(size_t)i * m + j] = y[i * (long)m + j] + i;
#pragma endscop
}
FAR number(int n, byte *restrict x, const byte *restrict y) {
#pragma scop
  for (int i = 0; i < n; i++) x[i * 1000000000L] += y[1000000000L * i + 1];
#pragma endscop
}
FAR rows(int n, int m, byte *restrict x, const byte *restrict y) {
#pragma scop
  for (int i = 0; i < n; i++) {
    byte *p = x + (long)i * m;
    const byte *q = &y[(long)i * m];
    for (int j = 0; j < 5; j++) p[j] ^= q[j];
  }
#pragma endscop
}
FAR counted(int n, int m, byte *restrict x, const byte *restrict y) {
#pragma scop
  long k = 0;
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < 5; j++, k++) x[k] += y[k] + i;
    k += m - 5;
  }
#pragma endscop
}
FAR walked(int n, int m, byte *restrict x, const byte *restrict y) {
#pragma scop
  for (int i = 0; i < n; i++, x += m, y += m)
    for (int j = 0; j < 5; j++) x[j] += 3 * y[j];
#pragma endscop
}
FAR halves(int n, int m, byte *restrict x, const byte *restrict y) {
#pragma scop
  for (int i = 0; i < n; i++)
    for (int k = 0; k < 2; k++)
      for (int j = 0; j < 5; j++)
        x[((long)i * 2 + k) * (m / 2) + j] += y[((long)i * 2 + k) * (m / 2) + j];
#pragma endscop
}
FAR one_row(int m, byte *restrict x, const byte *restrict y) {
#pragma scop
  for (int j = 0; j < 5; j++) x[(long)3 * m + j] += y[(long)2 * m + j];
#pragma endscop
}
FAR table(int n, byte (*restrict x)[ROW], const byte *restrict y) {
#pragma scop
  for (int i = 0; i < n; i++)
    for (int j = 0; j < 5; j++) x[i][j] -= y[1000000000L * i + j];
#pragma endscop
}
FAR last(int n, int m, byte *restrict x) {
#pragma scop
  for (int i = n - 9; i < n; i++) x[(size_t)i + m] += 3 * i;
#pragma endscop
}
FAR member(int n, struct grid *g) {
#pragma scop
  for (int i = 0; i < n; i++)
    for (int j = 0; j < 5; j++) g->v[(size_t)i * g->m + j] += j;
#pragma endscop
}
FAR overlapping(int n, int m, byte *x, const byte *y) {
#pragma scop
  for (int i = n - 1; i >= 0; i--) x[(long)m * (n - 1 - i) + 2] += y[(long)m * i + 2];
#pragma endscop
}
static void show(const byte *x) {
  for (long i = 0; i < 4; i++)
    for (int j = 0; j < 6; j++)
      printf("%d,%d ", x[i * ROW + j], x[i * ROW + ROW / 2 + j]);
  for (int j = 1; j < 10; j++) printf("%d ", x[3000000000L - j]);
  puts("");
}
int main(void) {
  byte *z = mmap(0, 9000000000L, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (z == MAP_FAILED) return puts("no such memory"), 0;
  byte *x = z, *y = z + 4500000000L;
  struct grid g = {ROW, x};
  for (long i = 0; i < 4; i++)
    for (int j = 0; j < 9; j++)
      y[i * ROW + j] = 7 * i + j, y[i * ROW + ROW / 2 + j] = 3 * i + j;
  cast(4, ROW, x, y), show(x);
  number(4, x, y), show(x);
  rows(4, ROW, x, y), show(x);
  counted(4, ROW, x, y), show(x);
  walked(4, ROW, x, y), show(x);
  halves(4, ROW, x, y), show(x);
  one_row(ROW, x, y), show(x);
  table(4, (byte(*)[ROW])x, y), show(x);
  last(1500000000, 1500000000, x), show(x);
  member(4, &g), show(x);
  overlapping(4, ROW, x, y), show(x);
  return 0;
}
"""


@pytest.mark.cc
def test_every_schedule_reaches_the_same_elements(tmp_path: Path) -> None:
    path = tmp_path / "far.c"
    path.write_text(PROGRAM)
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=2, limit=2))
    assert not wrong, "\n".join(wrong)
    assert n_run >= 11
