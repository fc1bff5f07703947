"""Loops whose iterations differ by remainders give the original's results.

Sizes are known at run time only, so that a loop may have no whole period, begin in the
middle of one, or leave some iterations over.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import (
    compute_dependences,
    find_violation,
    prepare_scop,
    set_band_flags,
)
from polysched.codegen import PrintOptions, identifiers, print_openmp, splice
from polysched.frontend import parse_c
from polysched.ir import original_tree
from polysched.transform import Interleave, PlanShape, plan_script
from tests.oracle.sweep import run, tiny_machine

TEXT = """
#include <stdio.h>
#define MOST 41

typedef unsigned char byte;
static byte big[MOST][MOST], small[MOST][MOST];
static int red[MOST][MOST], blue[MOST][MOST];
static float in[MOST][MOST], out[MOST][MOST], taps[3][4];

static void colours(int n, int m)
{
#pragma scop
    for (int y = 0; y < n; y++)
        for (int x = 1; x < m; x++) {
            int c = 3 * big[y][x], d = small[y / 2][x / 2] - 28;
            red[y][x] = c + 5 * d > 255 ? 255 : c + 5 * d;
            blue[y][x] = x % 2 ? c - d : c + (x & 1) + (y >> 1);
        }
#pragma endscop
}

static void mosaic(int n, int m)
{
#pragma scop
    for (int y = 1; y < n - 1; y++)
        for (int x = 1; x < m - 1; x++) {
            int h = (big[y][x - 1] + big[y][x + 1] + 1) / 2;
            if (y % 2 == 0 && x % 2 == 0) {
                red[y][x] = h;
                blue[y][x] = big[y][x];
            } else if (x % 2 == 0)
                red[y][x] = big[y - 1][x] - h;
            else
                blue[y][x] = h + red[y][x];
        }
#pragma endscop
}

static void thirds(int n, int m)
{
#pragma scop
    for (int y = 0; y < n; y++)
        for (int x = n / 3; x < m; x++)
            out[y][x] += in[y][(x + 2) / 3] + in[y / 3][x >= 4 ? (x - 4) / 3 : 0];
#pragma endscop
}

static void transposed(int n, int m)
{
#pragma scop
    for (int y = 0; y < n; y++)
        for (int x = 0; x < m; x++) {
            float s = 0;
            for (int j = 0; j < 3; j++)
                for (int i = 0; i < 4; i++)
                    if ((x + 1 - i) % 2 == 0 && (y - j) % 2 == 0 && x + 1 >= i
                        && y >= j)
                        s += in[(y - j) / 2][(x + 1 - i) / 2] * taps[j][i];
            out[y][x] = s;
        }
#pragma endscop
}

static void run(int n, int m)
{
    for (int y = 0; y < MOST; y++)
        for (int x = 0; x < MOST; x++) {
            big[y][x] = 7 * y + 13 * x + x * y;
            small[y][x] = 5 * y + 3 * x;
            red[y][x] = blue[y][x] = -1;
            in[y][x] = (7 * y + 3 * x) % 31 - 9;
            out[y][x] = 0.5f * x;
        }
    for (int k = 0; k < 12; k++)
        taps[k / 4][k % 4] = k - 4;
    colours(n, m);
    mosaic(m, n);
    thirds(n, m);
    for (int y = 0; y < MOST; y++)
        for (int x = 0; x < MOST; x++)
            printf("%d %d %g ", red[y][x], blue[y][x], out[y][x]);
    transposed(m, n);
    for (int y = 0; y < MOST; y++)
        for (int x = 0; x < MOST; x++)
            printf("%g ", out[y][x]);
}

int main(void)
{
    const int sizes[] = {0, 1, 2, 5, 22, 41};
    for (int k = 0; k < 6; k++)
        run(sizes[k], sizes[(k + 2) % 6]);
    return 0;
}
"""


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize("threads", [True, False])
def test_periods_give_the_same_results(threads: bool, tmp_path: Path) -> None:
    path = tmp_path / "periods.c"
    path.write_text(TEXT)
    program = parse_c(str(path))
    shape = PlanShape(periods=True, threads=threads)
    texts = {}
    for region in program.scops:
        scop = prepare_scop(region)
        deps = compute_dependences(scop)
        tree = set_band_flags(original_tree(scop), deps)
        draft = plan_script(tree, scop, deps, tiny_machine().cpu, shape)
        assert any(isinstance(step, Interleave) for step in draft.steps), scop.name
        assert find_violation(draft.tree, deps, scop) is None
        options = PrintOptions(reserved=identifiers(program.source.decode()))
        texts[scop.name] = print_openmp(scop, draft.tree, options)
    found = run(splice(program, texts), path, [])
    assert found == run(program.source, path, [])
