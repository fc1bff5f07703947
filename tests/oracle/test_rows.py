"""Rows of recurrences advanced together give the same bits, for any number of rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import compute_dependences, find_violation
from polysched.codegen import print_openmp, splice
from polysched.frontend import parse_c
from polysched.ir import original_tree
from polysched.space import SpaceOptions, build_space
from polysched.transform import apply_script, parse_script
from tests.oracle.sweep import run, sweep, tiny_machine

SWEEPS = """\
#include <stdio.h>
#ifndef N
#define N 9
#endif
#define M 21
static double a[N + 1][M], x[N + 1][M], b[M][N + 2];
int main(void)
{
  for (int i = 0; i <= N; i++)
    for (int j = 0; j < M; j++)
      a[i][j] = 1 + (3 * i + j) % 7, x[i][j] = 2, b[j][i] = (i + 5 * j) % 11;
#pragma scop
  for (int t = 0; t < 3; t++) {
    for (int i = 1; i < N; i++) {
      a[i][0] = 0.5;
      for (int j = 1; j < M; j++)
        a[i][j] = (b[j][i - 1] + b[j][i + 1]) / (a[i][j - 1] + 3.0);
      x[i][M - 1] = 1.0;
      for (int j = M - 2; j >= 0; j--)
        x[i][j] = a[i][j] * x[i][j + 1] + 0.25;
    }
    for (int i = 1; i < N; i++)
      for (int j = 0; j < M; j++)
        b[j][i] = x[i][j];
  }
#pragma endscop
  for (int i = 0; i <= N; i++)
    for (int j = 0; j < M; j++)
      printf("%.17g %.17g %.17g\\n", a[i][j], x[i][j], b[j][i]);
  return 0;
}
"""
SCRIPT = """
tile(band=0.0.0.0, sizes=[4])
sink(band=0.0.0.0.0.0)
parallel(band=0.0.0.0.0)
"""


@pytest.mark.cc
@pytest.mark.parametrize("n", [0, 1, 2, 4, 5, 6, 13])
def test_full_and_partial_tiles_of_rows_give_equal_results(
    tmp_path: Path, n: int
) -> None:
    path = tmp_path / "sweeps.c"
    path.write_text(SWEEPS)
    flags = [f"-DN={n}"]
    program = parse_c(path, flags=tuple(flags))
    (scop,) = program.scops
    deps = compute_dependences(scop)
    tree = apply_script(original_tree(scop), parse_script(SCRIPT), deps)
    assert find_violation(tree, deps, scop) is None
    text = print_openmp(scop, tree, deps=deps.validity)
    changed = splice(program, {scop.name: text})
    assert run(changed, path, flags) == run(program.source, path, flags)


NEAREST = """\
#include <stdio.h>
#ifndef N
#define N 70
#endif
static float X[N + 1][3], C[9][3], far[N + 1];
static int label[N + 1];
static void nearest(int n)
{
#pragma scop
  for (int i = 0; i < n; i++) {
    float best = 1e30f;
    int which = -1;
    for (int k = 0; k < 9; k++) {
      float sum = 0.0f;
      for (int d = 0; d < 3; d++) {
        float t = X[i][d] - C[k][d];
        sum += t * t;
      }
      if (sum < best) {
        best = sum;
        which = k;
      }
    }
    label[i] = which;
    far[i] = best;
  }
#pragma endscop
}
int main(void)
{
  for (int i = 0; i <= N; i++)
    for (int d = 0; d < 3; d++)
      X[i][d] = (i * 7 + d * i % 5) % 23 / 3.0f;
  for (int k = 0; k < 9; k++)
    for (int d = 0; d < 3; d++)
      C[k][d] = (k * 5 + d * 3) % 19 / 2.0f;
  for (int n = N; n >= 0; n -= 23) {
    nearest(n);
    for (int i = 0; i <= N; i++)
      printf("%d %.9g\\n", label[i], far[i]);
  }
  return 0;
}
"""


@pytest.mark.cc
@pytest.mark.long
def test_rows_read_from_turned_copies_give_equal_results(tmp_path: Path) -> None:
    path = tmp_path / "nearest.c"
    path.write_text(NEAREST)
    options = SpaceOptions(seconds=20, limit=60)
    n_run, wrong = sweep(path, [], options)
    assert not wrong, "\n".join(wrong)
    assert n_run >= 8
    space = build_space(parse_c(str(path)).scops[0], tiny_machine(), options)
    assert any("sink" in s.script_text and "pack(" in s.script_text for s in space)
