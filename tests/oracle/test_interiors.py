"""Windows that borders cut off, apart from whole ones, give the original's results.

Sizes are known at run time only, so that a picture may be smaller than its windows.
"""

from __future__ import annotations

from pathlib import Path

from polysched.frontend import parse_c
from polysched.space import SpaceOptions, build_space
from tests.oracle.sweep import sweep, tiny_machine

WINDOWS = """
#include <stdio.h>
#include <stdlib.h>

static void pool(int n, float x[n][n], float y[n][n], int at[n][n])
{
#pragma scop
    for (int i = 0; i < (n + 1) / 2; i++)
        for (int j = 0; j < (n + 1) / 2; j++) {
            float most = -1e30f;
            int found = -1;
            int a0 = 2 * i - 1 < 0 ? 0 : 2 * i - 1;
            int a1 = 2 * i + 2 > n ? n : 2 * i + 2;
            int b0 = 2 * j - 1 < 0 ? 0 : 2 * j - 1;
            int b1 = 2 * j + 2 > n ? n : 2 * j + 2;
            for (int a = a0; a < a1; a++)
                for (int b = b0; b < b1; b++)
                    if (x[a][b] > most) {
                        most = x[a][b];
                        found = a * n + b;
                    }
            y[i][j] = most;
            at[i][j] = found;
        }
#pragma endscop
}

static void blur(int n, float x[n][n], float y[n][n])
{
#pragma scop
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            y[i][j] = 0.0f;
            for (int a = -1; a <= 1; a++)
                for (int b = -2; b <= 2; b++)
                    if (i + a >= 0 && i + a < n && j + b >= 0 && j + b < n)
                        y[i][j] += x[i + a][j + b] * (a + 2 * b);
        }
#pragma endscop
}

static void ring(float x[24][24], float y[24][24])
{
#pragma scop
    for (int i = 0; i < 24; i++)
        for (int j = 0; j < 24; j++) {
            float s = 0.0f;
            for (int a = -1; a <= 1; a++)
                for (int b = -1; b <= 1; b++) {
                    if (a == 0 && b == 0)
                        continue;
                    s += x[(i + a + 24) % 24][(j + b + 24) % 24];
                }
            y[i][j] = s * 0.5f + x[i][j];
        }
#pragma endscop
}

static void run(int n)
{
    float (*x)[n] = malloc(sizeof(float[n + 1][n + 1]));
    float (*y)[n] = calloc(n + 1, sizeof(float[n + 1]));
    int (*at)[n] = calloc(n + 1, sizeof(int[n + 1]));
    static float r[24][24], s[24][24];
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            x[i][j] = (i * 7 + j * 13) % 17;
    for (int i = 0; i < 24; i++)
        for (int j = 0; j < 24; j++)
            r[i][j] = (i * 5 + j * 11 + n) % 19;
    pool(n, x, y, at);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            printf("%g %d\\n", y[i][j], at[i][j]);
    blur(n, x, y);
    ring(r, s);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            printf("%g\\n", y[i][j]);
    for (int i = 0; i < 24; i++)
        for (int j = 0; j < 24; j++)
            printf("%g\\n", s[i][j]);
    free(x);
    free(y);
    free(at);
}

int main(void)
{
    for (int n = 1; n <= 6; n++)
        run(n);
    run(33);
    return 0;
}
"""


def test_windows_with_their_borders_apart(tmp_path: Path) -> None:
    path = tmp_path / "windows.c"
    path.write_text(WINDOWS)
    options = SpaceOptions(seconds=15)
    for scop in parse_c(path).scops:
        space = build_space(scop, tiny_machine(), options)
        assert any("interior(" in s.script_text for s in space), scop.name
    runs, wrong = sweep(path, [], options)
    assert not wrong
    assert runs >= 20
