"""Elements at places that depend on data: every schedule gives the original's results.

On the processor, and in kernels on the processor's stand-in for a device.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.space import SpaceOptions
from tests.oracle.device_sweep import sweep_device
from tests.oracle.sweep import sweep

PROGRAM = """
#include <stdio.h>
enum { N = 23, M = 37 };
typedef struct { float x, y; } point;
static unsigned char image[N][M], curve[256];
static int count[N], ends[M][2];
static const short levels[4][64] = {{3, 1, 4, 1, 5}, {9, 2, 6}, {5, 3, 5, 8}};
static float length[M], weights[256];
static point nodes[N];

static void look(int n, int m)
{
#pragma scop
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++)
            count[i] += curve[curve[image[i][j]] ^ j] + levels[image[i][j] & 3][j];
    for (int j = 0; j < m; j++)
        length[j] = weights[j] * (nodes[ends[j][0]].x - nodes[ends[j][1]].x);
#pragma endscop
}

int main(void)
{
    for (int k = 0; k < 256; k++)
        curve[k] = 255 - k * k / 256;
    for (int k = 0; k < 256; k++)
        weights[k] = k % 13;
    for (int i = 0; i < N; i++)
        nodes[i].x = i * 5 % 7;
    for (int j = 0; j < M; j++)
        ends[j][0] = j * 3 % N, ends[j][1] = j * j % N;
    for (int k = 0; k < N * M; k++)
        image[k / M][k % M] = k * 11 % 256;
    look(N, M);
    for (int i = 0; i < N; i++)
        printf("%d\\n", count[i]);
    for (int j = 0; j < M; j++)
        printf("%.9g\\n", length[j]);
    return 0;
}
"""


@pytest.mark.cc
def test_every_schedule(tmp_path: Path) -> None:
    path = tmp_path / "look.c"
    path.write_text(PROGRAM)
    n_run, wrong = sweep(path, [], SpaceOptions(policy="SO>IP", limit=4))
    assert wrong == []
    assert n_run >= 2


@pytest.mark.cc
@pytest.mark.slow
def test_kernels(tmp_path: Path) -> None:
    path = tmp_path / "look.c"
    path.write_text(PROGRAM)
    options = SpaceOptions(policy="SO>IP", limit=2)
    n_run, wrong = sweep_device(path, [], options)
    assert wrong == []
    assert n_run >= 1
