"""Batches of products by rows: operands of one product at a time are copied."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.frontend import parse_c
from polysched.space import SpaceOptions, build_space
from tests.oracle.sweep import sweep, tiny_machine

PROGRAM = """\
#include <stdio.h>
#define H 4
#define R 21
static float Q[H][R][R], K[H][R][R], S[H][R][R];
static double P[H][H][R][R], Z[H][H][R][R], C[H][H][R][R];
static void run(int g, int h, int n, int m, int d) {
#pragma scop
BODY
#pragma endscop
}
int main(void)
{
  static const int sizes[][5] = {
    {4, 4, 21, 21, 21}, {2, 3, 16, 19, 7}, {1, 1, 1, 1, 1}, {3, 2, 8, 17, 0},
    {0, 4, 5, 5, 5}, {2, 0, 5, 5, 5}, {4, 3, 0, 9, 3}, {3, 4, 6, 18, 20},
  };
  for (int t = 0; t < 8; t++) {
    for (int b = 0; b < H; b++)
      for (int i = 0; i < R; i++)
        for (int j = 0; j < R; j++) {
          Q[b][i][j] = (b + 3 * i + j) % 7 / 4.0f;
          K[b][i][j] = (5 * b + i * j) % 9 / 8.0f;
          S[b][i][j] = (b * i + j) % 5;
          for (int c = 0; c < H; c++) {
            P[c][b][i][j] = (c + b * i + j) % 11;
            Z[c][b][i][j] = (c * j + b + i) % 6;
            C[c][b][i][j] = (c + b + i + j) % 3;
          }
        }
    run(sizes[t][0], sizes[t][1], sizes[t][2], sizes[t][3], sizes[t][4]);
    for (int b = 0; b < H; b++)
      for (int i = 0; i < R; i++)
        for (int j = 0; j < R; j++) {
          printf("%.9g ", S[b][i][j]);
          for (int c = 0; c < H; c++)
            printf("%.17g ", C[c][b][i][j]);
        }
  }
  return 0;
}
"""
LOOPS = """\
  for (int b = 0; b < h; b++)
    for (int i = 0; i < n; i++)
      for (int j = 0; j < m; j++)
        for (int k = 0; k < d; k++)
          """
BODIES = {
    "scores": LOOPS + "S[b][i][j] += Q[b][i][k] * K[b][j][k];",
    # one key for two queries
    "groups": LOOPS + "S[b][i][j] += Q[b][i][k] * K[b / 2][j][k];",
    "quotients below zero": LOOPS
    + "S[b][i][j] += Q[b][i][k] * K[(b - 2) / 2 + 1][j][k];",
    "remainders": LOOPS + "S[b][i][j] += Q[b][i][k] * K[(b - 2) % 3 + 2][j][k];",
    "groups in turn": LOOPS + "S[b][i][j] += Q[b][i][k] * S[b / 2][j][k];",
    "last first": LOOPS + "S[b][i][j] += Q[h - 1 - b][i][k] * K[h - 1 - b][j][k];",
    "two numbers": "for (int c = 0; c < g; c++)\n" + LOOPS
    + "C[c][b][i][j] += P[c][b][i][k] * Z[c][b][j][k];",
    "one of two numbers": "for (int c = 0; c < g; c++)\n" + LOOPS
    + "C[c][b][i][j] += P[c][b][i][k] * Z[b][b][j][k] * K[c][i][k];",
    "triangles": LOOPS.replace("j < m", "j <= i")
    + "S[b][i][j] -= Q[b][i][k] * Q[b][j][k];",
    "shrinking": LOOPS.replace("k < d", "k < d - b")
    + "S[b][i][j] += Q[b][i][k] * K[b][j][k];",
    # what one product writes the next one reads
    "in turn": LOOPS.replace("b = 0", "b = 1")
    + "S[b][i][j] += Q[b][i][k] * S[b - 1][j][k];",
}  # fmt: skip
PACKED = frozenset(BODIES) - {"groups in turn"}
FURTHER = {
    "groups",
    "remainders",
    "last first",
    "two numbers",
}  # like one of the others


@pytest.mark.cc
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=pytest.mark.slow if n in FURTHER else pytest.mark.long)
        for n in BODIES
    ],
)
def test_every_schedule_computes_the_same(name: str, tmp_path: Path) -> None:
    path = tmp_path / "batches.c"
    path.write_text(PROGRAM.replace("BODY", BODIES[name]))
    options = SpaceOptions(seconds=20, limit=12)
    n_run, wrong = sweep(path, [], options)
    assert not wrong, "\n".join(wrong)
    assert n_run >= 4
    (scop,) = parse_c(str(path)).scops
    texts = [s.script_text for s in build_space(scop, tiny_machine(), options)]
    is_packed = any("pack(" in t for t in texts)
    assert is_packed or name not in PACKED
