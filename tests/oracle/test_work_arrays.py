"""Work arrays that callers hand in: the original leaves the same in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import prepare_scop
from polysched.frontend import parse_c
from polysched.space import SpaceOptions
from tests.oracle.device_sweep import sweep_device
from tests.oracle.sweep import sweep

PROGRAM = """\
#include <math.h>
#include <stdio.h>
enum { N = 19, M = 23 };
static double A[N][M], s[N], row[M + 3], grid[N + 2][M + 2], flat[(N + 1) * (M + 1)];
static float z[M], S[M][M], out[N][M];
static double total;
static int D[91][71], far[N], along[N + 1][M + 2], down[N + 1][M + 2], best[N];

static void rows(int n, int m, double a[n][M], double *restrict s, double *restrict r) {
#pragma scop
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < m; j++)
      r[j] = a[i][j] * 2;
    for (int j = 1; j < m; j++)
      r[j] += r[j - 1] / 2;
    s[i] = r[m - 1];
  }
#pragma endscop
}

static void warp(int n, int m, int band, double (*restrict g)[M + 2],
                 double *restrict score) {
#pragma scop
  for (int k = 0; k < n; k++) {
    for (int i = 0; i <= n; i++)
      for (int j = 0; j <= m; j++)
        g[i][j] = 1e3;
    g[0][0] = 0;
    for (int i = 1; i <= n; i++)
      for (int j = i - band > 1 ? i - band : 1; j <= (m < i + band ? m : i + band); j++)
        g[i][j] = fabs(A[k][j - 1] - A[i - 1][j - 1])
                  + fmin(g[i - 1][j - 1], fmin(g[i - 1][j], g[i][j - 1]));
    score[k] = g[n][m] + g[n / 2][m / 2];
  }
#pragma endscop
}

static void state(int heads, int steps, int d) {
#pragma scop
  for (int h = 0; h < heads; h++) {
    for (int i = 0; i < d; i++) {
      z[i] = 0;
      for (int j = 0; j < d; j++)
        S[i][j] = 0;
    }
    for (int t = 0; t < steps; t++) {
      for (int i = 0; i < d; i++) {
        z[i] += A[h][i] + t;
        for (int j = 0; j < d; j++)
          S[i][j] += A[h][i] * A[t][j];
      }
      for (int j = 0; j < d; j++) {
        out[h][j] = 0;
        for (int i = 0; i < d; i++)
          out[h][j] += S[i][j] / (1 + z[i]);
      }
    }
  }
#pragma endscop
}

static void linear(int n, int m, double *restrict w, double *restrict s) {
#pragma scop
  for (int t = 0; t < 2; t++)
    for (int k = 0; k < n; k++) {
      for (int i = 0; i <= n; i++)
        for (int j = 0; j <= m; j++)
          w[i * (m + 1) + j] = i * j + k + t;
      total = 0;
      for (int i = 1; i <= n; i++)
        total += w[i * (m + 1) + m] * w[i * (m + 1) - 1];
      s[k] += total;
    }
#pragma endscop
}

static void distances(int shift) {
#pragma scop
  for (int p = 0; p < N; p++) {
    for (int i = 0; i < 91; i++) D[i][0] = i;
    for (int j = 1; j < 71; j++) D[0][j] = j;
    for (int i = 1; i < 91; i++)
      for (int j = 1; j < 71; j++) {
        int x = D[i - 1][j - 1] + ((i * p + j * shift) % 5 != 0);
        int y = D[i - 1][j] + 1, z = D[i][j - 1] + 1;
        D[i][j] = x < y ? (x < z ? x : z) : (y < z ? y : z);
      }
    far[p] = D[90][70] + D[45][p];
  }
#pragma endscop
}

/* neither is handed on through all of a nest: a by columns alone, b by rows */
static void gaps(int n, int m, int (*restrict a)[M + 2], int (*restrict b)[M + 2],
                 int *restrict best) {
#pragma scop
  for (int k = 0; k < n; k++) {
    int most = 0;
    for (int j = 0; j <= m; j++) { a[0][j] = -9; b[0][j] = -9; }
    for (int i = 1; i <= n; i++) {
      a[i][0] = -k;
      b[i][0] = -9;
      for (int j = 1; j <= m; j++) {
        int w = (i * j + k) % 7 - 2;
        a[i][j] = a[i][j - 1] - 1 > w ? a[i][j - 1] - 1 : w;
        b[i][j] = b[i - 1][j] - 1 > w ? b[i - 1][j] - 1 : w;
        int both = a[i][j] + b[i][j];
        most = both > most ? both : most;
      }
    }
    best[k] = most;
  }
#pragma endscop
}

int main(void) {
  for (int turn = 0; turn < 4; turn++) {
    int n = turn == 3 ? 0 : N - turn, m = turn == 2 ? 1 : M - 2 * turn;
    for (int i = 0; i < N; i++)
      for (int j = 0; j < M; j++)
        A[i][j] = (i * 7 + j * 3 + turn) % 11 / 4.0;
    rows(n, m, A, s, row);
    warp(n, m, 5, grid, s);
    state(n, n, m);
    linear(n, m, flat, s);
    distances(turn + 1);
    gaps(n, m, along, down, best);
    for (int i = 0; i < N; i++) printf("%d %d\\n", far[i], best[i]);
    for (int i = 0; i <= N; i++)
      for (int j = 0; j < M + 2; j++) printf("%d %d\\n", along[i][j], down[i][j]);
    for (int i = 0; i < N; i++) printf("%.17g\\n", s[i]);
    for (int i = 0; i < M + 3; i++) printf("%.17g\\n", row[i]);
    for (int i = 0; i < N + 2; i++)
      for (int j = 0; j < M + 2; j++) printf("%.17g\\n", grid[i][j]);
    for (int i = 0; i < M; i++)
      for (int j = 0; j < M; j++) printf("%.9g %.9g\\n", z[i], S[i][j]);
    for (int i = 0; i < N; i++)
      for (int j = 0; j < M; j++) printf("%.9g\\n", out[i][j]);
    for (int i = 0; i < (N + 1) * (M + 1); i++) printf("%.17g\\n", flat[i]);
    printf("%.17g\\n", total);
  }
  return 0;
}
"""
OWN = {
    "rows": {"r_own"}, "warp": {"g_own"}, "state": {"z_own", "S_own"},
    "linear": {"w_own", "total_own"}, "distances": set(),
    "gaps": {"a_own", "b_own"},
}  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "work.c"
    path.write_text(PROGRAM)
    return path


@pytest.mark.cc
def test_work_arrays_are_found(path: Path) -> None:
    for scop in parse_c(path).scops:
        private = {a.name for a in prepare_scop(scop).arrays if a.name.endswith("_own")}
        assert private == OWN[scop.name]
        if scop.name == "distances":  # nobody reads it: no copy
            assert prepare_scop(scop).array("D").n_expanded == 1


@pytest.mark.long
@pytest.mark.cc
def test_every_schedule_computes_the_same(path: Path) -> None:
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=25, limit=6))
    assert not wrong, "\n".join(wrong)
    assert n_run >= 16


@pytest.mark.long
@pytest.mark.cc
def test_kernels_compute_the_same(path: Path) -> None:
    n_run, wrong = sweep_device(path, [], SpaceOptions(seconds=10, limit=3))
    assert not wrong, "\n".join(wrong)
    assert n_run >= 2
