"""Conditions on data in private sums, side by side in lanes, at extreme values."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.space import SpaceOptions
from tests.oracle.sweep import sweep

PROGRAM = """\
#include <stdio.h>
#include <math.h>
#define N 70
static TYPE x[N], w[N], y[N], z[N];
static int k[N];
static void run(int n, TYPE low, TYPE high) {
#pragma scop
BODY
#pragma endscop
}
int main(void)
{
  static const int sizes[] = {0, 1, 2, 31, 32, 33, 70};
  for (int t = 0; t < 7; t++)
    for (int v = 0; v < 3; v++) {
      for (int i = 0; i < N; i++) {
        x[i] = (i * 7 + t) % 11 - 5;
        w[i] = v && i % 5 == 0 ? (TYPE)(1.0 / 0.0) : (TYPE)(i % 3) / 4;
        y[i] = i % 2 ? (TYPE)-0.0 : 1;
        z[i] = v == 2 && i % 9 == 4 ? (TYPE)(0.0 / 0.0) : i;
        k[i] = (i * 5) % 7 - 3;
      }
      run(sizes[t], -2, 3);
      for (int i = 0; i < N; i++)
        printf("%.17g %d %.17g;", (double)y[i], !!signbit(y[i]), (double)z[i]);
    }
  return 0;
}
"""
BODIES = {
    "pairs": """for (int i = 0; i < n; i++) {
      TYPE fx = -0.0, fy = 0;
      for (int j = 0; j < n; j++) {
        TYPE d = x[i] - x[j], e = w[i] - w[j], r = d * d + e * e;
        if (r < high && j != i) {
          TYPE s = 1 / (r + w[j]);
          fx += d * s; fy -= e * s * s;
        }
      }
      y[i] = fx; z[i] = fy;
    }""",
    "both ways": """for (int i = 0; i < n; i++) {
      TYPE up = 0; int count = 0;
      for (int j = 0; j < n; j++)
        if (x[j] / x[i] > low) { up = up - x[j]; if (w[j] < high) up *= w[j]; }
        else { up += 1 / x[j]; count = count ^ k[j]; }
      y[i] = up; z[i] += count;
    }""",
    "places": """for (int i = 0; i < n; i++) {
      TYPE best = low, at = -1;
      for (int j = 0; j < n; j++)
        if (j != n - 1 - i && x[j] * w[i] > best) { best = x[j] * w[i]; at = j; }
      y[i] = best; z[i] = at;
    }""",
}


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize("type_", ["double", "float"])
@pytest.mark.parametrize("name", BODIES)
def test_every_schedule_computes_the_same(
    name: str, type_: str, tmp_path: Path
) -> None:
    path = tmp_path / "chosen.c"
    path.write_text(PROGRAM.replace("BODY", BODIES[name]).replace("TYPE", type_))
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=20, limit=8))
    assert not wrong, "\n".join(wrong)
    assert n_run >= 4
