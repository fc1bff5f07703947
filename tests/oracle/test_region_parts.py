"""Parts of regions that are refused as a whole: every schedule is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.frontend import parse_c
from polysched.space import SpaceOptions
from tests.oracle.sweep import sweep

PROGRAM = """\
#include <math.h>
#include <stdio.h>
enum { N = 37 };
static double A[N][N], B[N][N], x[N], r[N];

static int settle(double tol) {
  int turns = 0;
  double diff;
#pragma scop
  do {
    diff = 0;
    for (int i = 1; i < N - 1; i++)
      for (int j = 1; j < N - 1; j++)
        B[i][j] = 0.25 * (A[i - 1][j] + A[i + 1][j] + A[i][j - 1] + A[i][j + 1]);
    for (int i = 1; i < N - 1; i++)
      for (int j = 1; j < N - 1; j++) {
        diff = fmax(diff, fabs(A[i][j] - B[i][j]));
        A[i][j] = B[i][j];
      }
    turns++;
  } while (diff > tol && turns < 40);
#pragma endscop
  return turns;
}

static int solve(int most) {
  int t;
#pragma scop
  for (int i = 0; i < N; i++) {
    r[i] = 1 + i % 3;
    for (int j = 0; j < N; j++)
      r[i] -= A[i][j] * x[j];
  }
  for (t = 0; t < most; t++) {
    double rr = 0;
    for (int i = 0; i < N; i++) {
      double s = 0;
      for (int j = 0; j < N; j++)
        s += A[i][j] * r[j];
      x[i] += 0.1 * (r[i] - s / N);
    }
    for (int i = 0; i < N; i++)
      rr += x[i] * x[i];
    if (rr > 1e3)
      break;
    printf("%.17g\\n", rr);
    for (int i = 0; i < N; i++) {
      r[i] = 1 + i % 3;
      for (int j = 0; j < N; j++)
        r[i] -= A[i][j] * x[j];
    }
  }
#pragma endscop
  return t;
}

int main(void) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      A[i][j] = B[i][j] = (i * j) % 7 / 7.0;
  printf("%d\\n", settle(1e-3));
  printf("%d\\n", solve(5));
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      printf("%.17g %.17g %.17g\\n", A[i][j], x[i], r[j]);
  return 0;
}
"""


@pytest.mark.long
@pytest.mark.cc
def test_every_schedule_computes_the_same(tmp_path: Path) -> None:
    path = tmp_path / "parts.c"
    path.write_text(PROGRAM)
    program = parse_c(path)
    assert [s.name for s in program.scops] == ["settle", "solve", "solve.2", "solve.3"]
    assert [len(r.parts) for r in program.refusals] == [1, 3]
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=6, limit=4))
    wrong = [w for w in wrong if " refused: " not in w]  # told above
    assert not wrong, "\n".join(wrong)
    assert n_run >= 12
