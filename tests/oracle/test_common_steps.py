"""Steps that all branches take: every schedule stores at the original's places."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.space import SpaceOptions
from tests.oracle.sweep import sweep

PROGRAM = """\
#include <stdio.h>
#define W 23
#define H 17
static unsigned char image[H * W], grey[H * W + 1], colours[3 * H * W + 4];
static double data[W], kept[2 * W + 1], far[W + 2];
static int ends[3];

static unsigned char clip(int v)
{
    if (v < 0) return 0;
    if (v > 255) return 255;
    return v;
}

static void threshold(int h, int w, const unsigned char *restrict from,
                      unsigned char *restrict to)
{
#pragma scop
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            if (*from > 200) *to++ = clip(*from++ * 2);
            else if (*from > 60) *to++ = clip(*from++ - 70);
            else { *to++ = x % 3 ? 7 : 9; from++; }
        }
#pragma endscop
}

static void paint(int h, int w, const unsigned char *restrict from,
                  unsigned char *restrict to)
{
#pragma scop
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            if (*from++ > 99) { *to++ = from[-1]; *to++ = x; *to++ = 8; }
            else switch (y % 3) {
                case 0: to[1] = 3, to += 3; break;
                case 1: { int old = *to; to[0] = old + 1; } to += 3; break;
                default: to += 2; *to++ = 5;
            }
            to[0] += 1;
        }
#pragma endscop
}

static void count(int n)
{
    long k;
    unsigned u;
    int back = n;
#pragma scop
    k = 0;
    u = 1;
    back = n;
    for (int i = 0; i < n; i++) {
        if (data[i] > 2) { kept[k] = 1; k++; kept[k++] = data[i]; --back; }
        else {
            back -= 1;
            k += 2;
            for (int s = 0; s < 2; s++) kept[k - s - 1] += back + s;
            if (data[i] < 1) { kept[k] = 4; u = u + 1; continue; }
            kept[k - 2] = u;
        }
        if (data[back] > 3) far[u++] += k;
        else far[1 + u++] = back;
    }
    ends[0] = k;
    ends[1] = u;
    ends[2] = back;
#pragma endscop
}

int main(void)
{
    for (int i = 0; i < H * W; i++)
        image[i] = i * i * 7 % 256;
    for (int i = 0; i < W; i++)
        data[i] = i * 5 % 7;
    threshold(H, W, image, grey), threshold(1, 1, image + 9, grey);
    paint(H, W, image, colours), paint(0, W, image, colours);
    count(W), count(0), count(1);
    for (int i = 0; i < 3 * H * W + 4; i++)
        printf("%d %d\\n", colours[i], grey[i / 3]);
    for (int i = 0; i <= 2 * W; i++)
        printf("%g %g\\n", kept[i], far[i / 2]);
    printf("%d %d %d\\n", ends[0], ends[1], ends[2]);
    return 0;
}
"""


@pytest.mark.long
@pytest.mark.cc
def test_every_schedule_computes_the_same(tmp_path: Path) -> None:
    path = tmp_path / "steps.c"
    path.write_text(PROGRAM)
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=6, limit=4))
    assert wrong == []
    assert n_run >= 8
