"""Loops that data end: every schedule gives the original's results.

On the processor, and in kernels on the processor's stand-in for a device.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from polysched.frontend import parse_c
from polysched.machine import Machine
from polysched.space import SpaceOptions, build_space
from tests.oracle.device_sweep import sweep_device
from tests.oracle.sweep import print_variant, sweep

PROGRAM = """
#include <math.h>
#include <stdio.h>
enum { N = 37, M = 23 };
static int first[N + 1], at[N * 12], place[N], turns[M][M];
static double sum, value[N * 12], x[N], y[N], z[N], grid[M][M], root[M][M];

static void sparse(int n)
{
#pragma scop
    double total = 0;
    for (int i = 0; i < n; i++) {
        double d = 1.0;
        z[i] = x[i];
        for (int k = first[i]; k < first[i + 1]; k++) {
            if (at[k] == i) { d = value[k] + 4; continue; }
            z[i] -= value[k] * x[at[k]];
        }
        z[i] /= d;
        int k = 0;
        while (k < 9 && at[k] != i) k++;
        place[i] = k;
        total += k;
    }
    for (int i = 0; i < n; i++)
        y[i] = z[i] * 0.5 + z[n - 1 - i];
    y[0] += total;
#pragma endscop
}

static void converge(int m)
{
#pragma scop
    for (int t = 0; t < 3; t++) {
        for (int i = 1; i < m - 1; i++)
            for (int j = 1; j < m - 1; j++) {
                double r = grid[i][j];
                int n = 0;
                while (fabs(r * r - grid[i][j]) > 1e-3 && n < 20) {
                    if (r == 0) break;
                    r = (r + grid[i][j] / r) / 2;
                    n++;
                }
                root[i][j] = r;
                turns[i][j] += n;
            }
        for (int i = 1; i < m - 1; i++)
            for (int j = 1; j < m - 1; j++)
                grid[i][j] = 0.25 * (root[i - 1][j] + root[i][j + 1]) + 0.1;
    }
#pragma endscop
}

static int o = 3; /* another one stands for its value in each iteration */

static void windows(int n)
{
#pragma scop
    for (int i = 0; i < n - 1; i++) {
        const int o = n - 1 - i;
        for (int k = first[o]; k < first[o + 1]; k++) {
            if (at[k] > o) break;
            sum += value[k] * (o + i / 2);
        }
        place[i] += o;
    }
#pragma endscop
    sum += o;
}

static void searches(int n, int m)
{
    int i, j;
#pragma scop
    for (i = 0; i < n; i++) {
        for (j = 0; j < m; j++)
            if (value[j] >= x[i]) break;
        place[i] += j;
    }
    for (i = n - 1; i >= 0; i--) {
        for (j = i; j < m && value[j] > z[i]; j++)
            place[i]++;
        if (j < m) y[i] += value[j]; else place[i] = -j;
        for (j = 0; j < 3; j++) z[i] += j;
    }
#pragma endscop
}

static void sweeps(int n)
{
#pragma scop
    for (int t = 0; t < 3; t++) {
        for (int i = 0; i < n; i++) {
            double s = 0;
            for (int k = first[i]; k < first[i + 1]; k++) s += value[k] * x[at[k]];
            y[i] = s / (1 + first[i + 1] - first[i]) + x[at[i]];
        }
        for (int i = 0; i < n; i++)
            x[i] = 0.25 * y[i] + place[i];
    }
    for (int i = 0; i < n; i++) {
        z[i] *= 0.5;
        for (int j = 0; j < 5; j++) z[i] += x[at[i + j]] * z[at[j]];
    }
#pragma endscop
}

static void under_a_condition(int n)
{
#pragma scop
    for (int i = 0; i < n; i++)
        if (at[i] > 3) {
            int k = at[i];
            while (k > 1) k = k / 2 + turns[0][k % M] % 2;
            sum += k;
            z[i] += k * turns[1][at[i] % M];
        }
#pragma endscop
}

int main(void)
{
    for (int i = 0; i < N; i++) {
        first[i + 1] = first[i] + i * 5 % 12;
        x[i] = i % 7;
        for (int k = first[i]; k < first[i + 1]; k++)
            at[k] = (i + k * k) % N, value[k] = k % 11;
    }
    for (int k = 0; k < M * M; k++)
        grid[k / M][k % M] = k % 17 / 3.0;
    sparse(N);
    converge(M);
    windows(N);
    searches(N, M);
    sweeps(N);
    under_a_condition(N);
    printf("%.17g\\n", sum);
    for (int i = 0; i < N; i++)
        printf("%.17g %.17g %d\\n", y[i], z[i], place[i]);
    for (int k = 0; k < M * M; k++)
        printf("%.17g %d\\n", grid[k / M][k % M], turns[k / M][k % M]);
    return 0;
}
"""


@pytest.mark.long
@pytest.mark.cc
def test_every_schedule(tmp_path: Path) -> None:
    path = tmp_path / "loops.c"
    path.write_text(PROGRAM)
    n_run, wrong = sweep(path, [], SpaceOptions(policy="SO>IP", limit=4))
    assert wrong == []
    assert n_run >= 4


@pytest.mark.cc
def test_iterations_are_handed_out_in_small_pieces(tmp_path: Path) -> None:
    path = tmp_path / "loops.c"
    path.write_text(PROGRAM.replace("N = 37, M = 23", "N = 999, M = 333"))
    program = parse_c(str(path))
    machine = Machine.detect(calibrated=False)
    scop = program.scops[1]
    space = build_space(scop, machine, SpaceOptions(policy="SO>IP", limit=4))
    texts = [print_variant(program, space.scop, s).decode() for s in space]
    loop = re.compile(r"#pragma omp (\S+).*\n[^#]*?while \(fabs")
    kinds = {m for t in texts for m in loop.findall(t)}
    assert kinds == {"parallel"}
    assert any("for schedule(dynamic" in t for t in texts)


FLAT = """
#include <stdio.h>
enum { N = 29, V = 7 };
static int first[N + 1], at[N * 5];
static double value[N * 5], x[N * V], y[N * V], norm[V];

static void products(int n, int w, double *restrict y)
{
#pragma scop
    for (int i = 0; i < n; i++) {
        for (int v = 0; v < w; v++)
            y[i * w + v] *= 0.5;
        for (int k = first[i]; k < first[i + 1]; k++)
            for (int v = 0; v < w; v++)
                y[i * w + v] += value[k] * x[at[k] * w + v];
    }
    for (int v = 0; v < w; v++) {
        norm[v] = 0;
        for (int i = 0; i < n; i++)
            norm[v] += y[i * w + v] * y[i * w + v];
    }
#pragma endscop
}

int main(void)
{
    for (int i = 0; i < N; i++) {
        first[i + 1] = first[i] + i % 5;
        for (int k = first[i]; k < first[i + 1]; k++)
            at[k] = (7 * i + k) % N, value[k] = k % 3 - 1;
        for (int v = 0; v < V; v++)
            x[i * V + v] = i - v, y[i * V + v] = i * v;
    }
    products(N, V, y);
    for (int i = 0; i < N * V; i++)
        printf("%g ", y[i]);
    for (int v = 0; v < V; v++)
        printf("%g ", norm[v]);
    return 0;
}
"""


@pytest.mark.cc
def test_flat_rows_of_loops_in_loops_that_data_end(tmp_path: Path) -> None:
    path = tmp_path / "products.c"
    path.write_text(FLAT)
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=6, limit=6))
    assert wrong == []
    assert n_run >= 4
    (scop,) = parse_c(path).scops
    (written,) = (a for a in scop.statement("S1").accesses if a.kind == "may_write")
    assert (
        written.relation.range()
        .dim_max(0)
        .is_equal(scop.statement("S0").writes[0].relation.range().dim_max(0))
    )


@pytest.mark.cc
@pytest.mark.slow
def test_kernels(tmp_path: Path) -> None:
    path = tmp_path / "loops.c"
    path.write_text(PROGRAM)
    options = SpaceOptions(policy="SO>IP", limit=2)
    n_run, wrong = sweep_device(path, [], options)
    assert wrong == []
    assert n_run >= 2
