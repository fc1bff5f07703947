"""Rows of a length known at run time: a thread has its own, results stay the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import prepare_scop
from polysched.frontend import parse_c
from polysched.space import SpaceOptions
from tests.oracle.device_sweep import sweep_device
from tests.oracle.sweep import sweep

BOX = """\
#include <stdio.h>
static void product(int r, int q, int p, double a[r][q][p], double c[p][p])
{
  double row[p];
#pragma scop
  for (int k = 0; k < p; k++)
    row[k] = 0.0;
  for (int i = 0; i < r; i++)
    for (int j = 0; j < q; j++) {
      for (int k = 0; k < p; k++) {
        row[k] = 0.0;
        for (int s = 0; s < p; s++)
          row[k] += a[i][j][s] * c[s][k];
      }
      for (int k = 0; k < p; k++)
        a[i][j][k] = row[k];
    }
#pragma endscop
}
int main(void)
{
  static double a[SIZE][SIZE + 2][SIZE + 1], c[SIZE + 1][SIZE + 1];
  for (int k = 0; k < SIZE * (SIZE + 2) * (SIZE + 1); k++)
    ((double *)a)[k] = k % 17 - 5;
  for (int k = 0; k < (SIZE + 1) * (SIZE + 1); k++)
    ((double *)c)[k] = k % 11 - 4;
  product(SIZE, SIZE + 2, SIZE + 1, a, c);
  for (int k = 0; k < SIZE * (SIZE + 2) * (SIZE + 1); k++)
    printf("%.17g\\n", ((double *)a)[k]);
  return 0;
}
"""


@pytest.mark.cc
@pytest.mark.parametrize(
    "size",
    [
        pytest.param(1, marks=pytest.mark.long),
        pytest.param(6, marks=pytest.mark.slow),
        pytest.param(13, marks=pytest.mark.long),
    ],
)
def test_every_schedule_of_a_product_that_ends_in_a_row(
    tmp_path: Path, size: int
) -> None:
    path = tmp_path / "box.c"
    path.write_text(BOX)
    flags = [f"-DSIZE={size}"]
    (scop,) = parse_c(path, flags=tuple(flags)).scops
    prepared = prepare_scop(scop)
    assert prepared.array("row").n_expanded == 2
    assert len(prepared.statements) == len(scop.statements) - 1, "zeros nobody reads"
    n_run, wrong = sweep(path, flags, SpaceOptions(seconds=10, limit=12))
    assert wrong == []
    assert n_run >= 6


@pytest.mark.long
@pytest.mark.cc
def test_rows_of_a_device_lie_in_its_memory(tmp_path: Path) -> None:
    path = tmp_path / "box.c"
    path.write_text(BOX)
    options = SpaceOptions(seconds=10, limit=6)
    n_run, wrong = sweep_device(path, ["-DSIZE=6"], options)
    assert wrong == []
    assert n_run >= 1


SOLVES = """\
#include <stdio.h>
#include <stdlib.h>
static void solve(int n, int m, double u[n][m], double w[m][n])
{
  double *c = malloc((n + m) * sizeof(double)), *d = malloc((n + m) * sizeof *d);
  if (!c || !d) return;
#pragma scop
  for (int t = 0; t < 2; t++) {
    for (int i = 0; i < n; i++) {
      c[0] = 0.0;
      d[0] = u[i][0];
      for (int j = 1; j < m; j++) {
        c[j] = 1 / (4 - c[j - 1]);
        d[j] = (u[i][j] + d[j - 1]) * c[j];
      }
      for (int j = m - 2; j >= 0; j--)
        w[j][i] = d[j] - c[j] * w[j + 1][i];
    }
    for (int j = 0; j < m; j++) {
      c[0] = 1.0;
      for (int i = 1; i < n; i++) c[i] = c[i - 1] / 2 + w[j][i];
      for (int i = 0; i < n; i++) u[i][j] = c[n - 1 - i];
    }
  }
#pragma endscop
  free(c);
  free(d);
}
int main(void)
{
  static const int sizes[][2] = {{1, 2}, {2, 1}, {9, 13}, {33, 17}, {0, 3}, {64, 64}};
  for (int s = 0; s < 6; s++) {
    int n = sizes[s][0], m = sizes[s][1];
    double *u = calloc(n * m + 1, 8), *w = calloc(n * m + 1, 8);
    for (int k = 0; k < n * m; k++)
      u[k] = k % 17 - 5, w[k] = k % 5;
    solve(n, m, (void *)u, (void *)w);
    for (int k = 0; k < n * m; k++)
      printf("%.17g %.17g\\n", u[k], w[k]);
  }
  return 0;
}
"""


@pytest.mark.long
@pytest.mark.cc
def test_every_schedule_with_memory_that_is_freed_behind(tmp_path: Path) -> None:
    path = tmp_path / "solves.c"
    path.write_text(SOLVES)
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=10, limit=6))
    assert not wrong, "\n".join(wrong)
    assert n_run >= 3
