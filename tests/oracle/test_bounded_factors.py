"""Sums of short products with offsets: equal for small ones and for all others."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.frontend import parse_c
from polysched.space import SpaceOptions, build_space
from tests.oracle.sweep import sweep, tiny_machine

PROGRAM = """\
#include <stdio.h>
enum { N = 23, M = 37, D = 41 };
struct layer { int in_offset; };
static signed char a[N][D], b[M][D];
static unsigned char w[M][D];
static int out[N][M], wide[N][M];

static void both(int n, int m, int d, int za, int zw) {
#pragma scop
  for (int i = 0; i < n; i++)
    for (int j = 0; j < m; j++) {
      int acc = 5;
      for (int k = 0; k < d; k++)
        acc += (w[j][k] - zw) * (a[i][k] + za);
      out[i][j] = acc;
    }
#pragma endscop
}

static void one(int n, int m, int d, const struct layer *p) {
#pragma scop
  for (int i = 0; i < n; i++)
    for (int j = 0; j < m; j++)
      for (int k = 0; k < d; k++) {
        int x = a[i][k], y = b[j][k];
        wide[i][j] += y * (x + p->in_offset);
      }
#pragma endscop
}

int main(void) {
  static const int offsets[] = {0, 3, -128, 16383, -16384, 16384, -16385, 40000, 99999};
  for (int i = 0; i < N; i++)
    for (int k = 0; k < D; k++) a[i][k] = i * 37 + k * 11;
  for (int j = 0; j < M; j++)
    for (int k = 0; k < D; k++) {
      w[j][k] = j * 29 + k * 13;
      b[j][k] = j * 31 - k * 7;
    }
  for (int t = 0; t < 9; t++) {
    struct layer p = {offsets[t]};
    both(N - t % 4, M - t, D - t % 3, offsets[t], t % 5 - 2);
    both(7, 19, 16, t, offsets[t] / 1024);
    one(N - t % 3, M - t, D - t % 2, &p);
    long sum = 0, other = 0;
    for (int i = 0; i < N; i++)
      for (int j = 0; j < M; j++) {
        sum = (sum * 7 + out[i][j]) % 1000003;
        other = (other * 7 + wide[i][j]) % 1000003;
      }
    printf("%ld %ld\\n", sum, other);
  }
  return 0;
}
"""


@pytest.mark.long
@pytest.mark.cc
def test_every_schedule_computes_the_same(tmp_path: Path) -> None:
    path = tmp_path / "offsets.c"
    path.write_text(PROGRAM)
    options = SpaceOptions(seconds=20, limit=20)
    n_run, wrong = sweep(path, [], options)
    assert not wrong, "\n".join(wrong)
    assert n_run >= 16
    scop = parse_c(str(path)).scops[0]
    texts = [s.script_text for s in build_space(scop, tiny_machine(), options)]
    assert any("terms=2" in text and "pack(" in text for text in texts)
