"""Flat pictures of several numbers a point, and of half the size."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.space import SpaceOptions
from tests.oracle.sweep import sweep

PROGRAM = """\
#include <stdio.h>
#define N 23
static unsigned char rgb[3 * N * N], u[N * N], out[3 * N * N];

static void halves(int w, int h, const unsigned char *rgb, unsigned char *u) {
#pragma scop
  for (int y = 0; y < h / 2; y++)
    for (int x = 0; x < w / 2; x++)
      u[y * (w / 2) + x] = (rgb[3 * (2 * y * w + 2 * x)]
                            + 2 * rgb[3 * (2 * y * w + 2 * x) + 1]) / 3;
#pragma endscop
}

static void blur(int w, int h, const unsigned char *rgb, unsigned char *out) {
#pragma scop
  for (int y = 1; y < h - 1; y++)
    for (int x = 1; x < w - 1; x++)
      for (int c = 0; c < 3; c++)
        out[(y * w + x) * 3 + c] = (rgb[((y - 1) * w + x) * 3 + c]
          + rgb[(y * w + x - 1) * 3 + c] + rgb[((y + 1) * w + x + 1) * 3 + c]) / 3;
  for (int y = 1; y < h; y++)
    for (int x = 0; x < w; x++)
      out[3 * (y * w + x)] += out[3 * ((y - 1) * w + x) + 2];
#pragma endscop
}

int main(void)
{
  for (int i = 0; i < 3 * N * N; i++)
    rgb[i] = i * i % 251;
  halves(N, N, rgb, u), halves(8, 2, rgb + 7, u + 5), halves(0, 3, rgb, u);
  blur(N, N, rgb, out), blur(3, 5, rgb, out + 9), blur(1, 1, rgb, out);
  for (int i = 0; i < 3 * N * N; i++)
    printf("%d %d\\n", out[i], u[i / 3]);
  return 0;
}
"""


@pytest.mark.long
@pytest.mark.cc
def test_every_schedule_computes_the_same(tmp_path: Path) -> None:
    path = tmp_path / "pictures.c"
    path.write_text(PROGRAM)
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=6, limit=4))
    assert not wrong, "\n".join(wrong)
    assert n_run >= 6
