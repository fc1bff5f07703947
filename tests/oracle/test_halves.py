"""Every schedule of programs on numbers of two bytes gives the original's bits.

Products with conversions in front, in every layout; narrowing stores; arithmetic whose
every operation rounds; sums that stay in two bytes, and those in four that may be
reordered. Results are compared as text of all their digits.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import FloatingPoint
from polysched.space import SpaceOptions
from tests.oracle.device_sweep import sweep_device
from tests.oracle.sweep import sweep

PROGRAM = """
#include <math.h>
#include <stdio.h>
typedef _Float16 half;
#define N 37
#define M 29
half A[N][M], B[M][N], T[N][M], x[N], y[M], H[N][N];
float C[N][N], s[N];
double D[N][M];
static void run(int n, int m)
{
#pragma scop
%s
#pragma endscop
}
int main(void)
{
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++) {
      A[i][j] = (half)((i * 7 + j * 3) %% 23 / 8.0f - 1.2f);
      B[j][i] = (half)((i * 5 + j * 11) %% 19 / 4.0f - 2.1f);
      T[i][j] = (half)((i * 3 + j * 13) %% 29 / 4.0f - 3.3f);
      D[i][j] = (i * 3 + j * 13) %% 31 / 7.0;
      x[i] = (half)(i / 16.0f + 0.1f), y[j] = (half)(j / 8.0f + 0.3f);
    }
  run(N, M);
  for (int i = 0; i < N; i++) {
    for (int j = 0; j < N; j++) printf("%%a %%a ", (double)C[i][j], (double)H[i][j]);
    for (int j = 0; j < M; j++) printf("%%a ", (double)T[i][j] + D[i][j]);
    printf("%%a %%a %%a\\n", (double)x[i], (double)y[i %% M], (double)s[i]);
  }
  return 0;
}
"""
BODIES = {
    "product": """
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      for (int k = 0; k < m; k++)
        C[i][j] += (float)A[i][k] * (float)B[k][j];""",
    "transposed": """
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      C[i][j] = 0.0f;
      for (int k = 0; k < m; k++)
        C[i][j] += 0.5f * (float)A[i][k] * (float)T[j][k];
      H[i][j] = (half)C[i][j];
    }""",
    "half_sums": """
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      for (int k = 0; k < m; k++)
        H[i][j] += A[i][k] * B[k][j];""",
    "elements": """
  for (int t = 0; t < 3; t++) {
    for (int i = 1; i < n - 1; i++)
      for (int j = 1; j < m - 1; j++)
        T[i][j] = (T[i - 1][j] + T[i][j - 1] + T[i][j] + A[i][j] * A[i][j]) / 4;
    for (int i = 0; i < n; i++)
      x[i] = x[i] * (half)0.9 + (x[i] > T[i][3] ? x[i] : -T[i][3]);
  }""",
    "rows": """
  for (int i = 0; i < n; i++) {
    float sum = 0.0f;
    half top = A[i][0];
    for (int j = 0; j < m; j++) sum += A[i][j];
    for (int j = 1; j < m; j++) top = A[i][j] > top ? A[i][j] : top;
    for (int j = 0; j < m; j++)
      T[i][j] = (half)(((float)A[i][j] - sum / m) / (1 + top));
    s[i] = sum;
  }""",
    "literals": """
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < m; j++)
      T[i][j] = T[i][j] * 0.3f16 + A[i][j] * 1e-3F16 - .7f16 / 3.f16;
    x[i] = x[i] > 1.25f16 ? x[i] * 2e-0 : x[i] * 300.1f16;
    s[i] = x[i] + 0.1f16;
  }""",
    "mixed": """
  for (int i = 0; i < n; i++)
    for (int j = 0; j < m; j++) {
      D[i][j] += A[i][j] * D[i][j];
      y[j] += D[i][j];
    }
  for (int i = 0; i < n; i++)
    s[i] = sqrtf(x[i] * x[i] + y[i % 7]);""",
}


def check(
    folder: Path, name: str, options: SpaceOptions, flags: tuple[str, ...] = ()
) -> None:
    path = folder / f"{name}.c"
    path.write_text(PROGRAM % BODIES[name])
    n_run, wrong = sweep(path, list(flags), options)
    assert wrong == []
    assert n_run >= 1


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize("name", BODIES)
def test_few_schedules(tmp_path: Path, name: str) -> None:
    check(tmp_path, name, SpaceOptions(seconds=8, limit=6))


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize(
    ("name", "fp"),
    [("elements", "strict"), ("mixed", "strict"), ("rows", "reassociate")],
)
def test_few_schedules_on_a_device(
    tmp_path: Path, name: str, fp: FloatingPoint
) -> None:
    path = tmp_path / f"{name}.c"
    path.write_text(PROGRAM % BODIES[name])
    options = SpaceOptions(seconds=8, limit=3, fp=fp)
    n_run, wrong = sweep_device(path, [], options, 1e-6 if fp != "strict" else 0.0)
    assert wrong == []
    assert n_run >= 1


@pytest.mark.cc
@pytest.mark.slow
@pytest.mark.parametrize("name", BODIES)
def test_all_schedules(tmp_path: Path, name: str) -> None:
    check(tmp_path, name, SpaceOptions(seconds=30, shapes_per_schedule=9))
