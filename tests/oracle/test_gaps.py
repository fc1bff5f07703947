"""Alignments with affine gaps: recurrences of several statements, in waves of tiles."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.frontend import parse_c
from polysched.space import SpaceOptions, build_space
from tests.oracle.sweep import sweep, tiny_machine

PROGRAM = """\
#include <stdio.h>
#include <stdlib.h>
#define MAX(a, b) ((a) > (b) ? (a) : (b))
static int like[8][8];
static int align(int n, int m, const unsigned char *a, const unsigned char *b,
                 TYPE H[n + 1][m + 1], TYPE E[n + 1][m + 1], TYPE F[n + 1][m + 1]) {
  TYPE best = 0;
#pragma scop
  for (int i = 1; i <= n; i++)
    for (int j = 1; j <= m; j++) {
      E[i][j] = MAX(E[i][j - 1] - 1, H[i][j - 1] - 5);
      F[i][j] = MAX(F[i - 1][j] - 1, H[i - 1][j] - 5);
      TYPE h = H[i - 1][j - 1] + like[a[i - 1]][b[j - 1]];
      h = MAX(h, E[i][j]);
      h = MAX(h, F[i][j]);
      H[i][j] = MAX(h, 0);
      best = MAX(best, H[i][j]);
    }
#pragma endscop
  return best;
}
int main(void)
{
  static const int sizes[][2] = {
    {150, 610}, {0, 5}, {5, 0}, {1, 1}, {2, 3}, {3, 40}, {64, 256}, {65, 257}, {9, 9},
  };
  for (int i = 0; i < 8; i++)
    for (int j = 0; j < 8; j++) like[i][j] = i == j ? 4 : -((i + 2 * j) % 5);
  for (int t = 0; t < 9; t++) {
    int n = sizes[t][0], m = sizes[t][1];
    unsigned char *a = malloc(n + 1), *b = malloc(m + 1);
    TYPE (*H)[m + 1] = calloc(n + 1, sizeof *H), (*E)[m + 1] = calloc(n + 1, sizeof *H);
    TYPE (*F)[m + 1] = calloc(n + 1, sizeof *H);
    for (int i = 0; i < n; i++) a[i] = (i * i + i / 3) % 8;
    for (int i = 0; i < m; i++) b[i] = (i * 5 + i / 7) % 8;
    for (int i = 0; i <= n; i++)
      for (int j = 0; j <= m; j++) E[i][j] = F[i][j] = -50 - (i + j) % 3;
    double sum = align(n, m, a, b, H, E, F);
    for (int i = 0; i <= n; i++)
      for (int j = 0; j <= m; j++)
        sum = 0.75 * sum + H[i][j] + 2 * E[i][j] + 3 * F[i][j];
    printf("%.17g ", sum);
    free(a); free(b); free(H); free(E); free(F);
  }
  return 0;
}
"""


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize("type_", ["int", "short"])
def test_every_schedule_computes_the_same(type_: str, tmp_path: Path) -> None:
    path = tmp_path / "gaps.c"
    path.write_text(PROGRAM.replace("TYPE", type_))
    options = SpaceOptions(seconds=20, limit=8)
    n_run, wrong = sweep(path, [], options)
    assert not wrong, "\n".join(wrong)
    assert n_run >= 4
    (scop,) = parse_c(str(path)).scops
    texts = [s.script_text for s in build_space(scop, tiny_machine(), options)]
    assert any("wavefront(" in t for t in texts)
