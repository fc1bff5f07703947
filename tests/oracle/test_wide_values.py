"""Unsigned values near the end of their type, where sums wrap around; masks of bits."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.space import SpaceOptions
from tests.oracle.sweep import sweep

PROGRAM = """\
#include <stdio.h>
static double x[16];

static void four(unsigned n) {
#pragma scop
  for (unsigned i = n; i < n + 4; i++) x[i - n] += 1.5;
#pragma endscop
}

static void asked(unsigned n) {
#pragma scop
  for (unsigned i = 0; i < 8; i++) {
    if (i + n < 5) x[i] = 1;
    if (2 * n > i) x[i] += 4;
    x[i] += n + i;
  }
#pragma endscop
}

static void behind(unsigned n) {
#pragma scop
  for (unsigned i = 1; i < 8; i++) x[i + n] = 0.5 * x[i] + i;
#pragma endscop
}

static void narrowed(unsigned n) {
#pragma scop
  for (int i = 0; i < (int)n && i < 16; i++) x[i] *= 0.5;
#pragma endscop
}

static void widened(unsigned n, unsigned m) {
#pragma scop
  for (long i = 0; i < n - m && i < 9; i++) x[i] += 2 + i;
  for (long i = 3; i < (unsigned)(n - 2) && i < 7; i++) x[i] *= 0.5;
#pragma endscop
}

static void masked(int n) {
#pragma scop
  for (int i = -3; i < (n & ~3); i++) x[(i & -2) + 4] += i | 3;
  for (int i = 0; i < (n | 1); i++) x[i ^ 1] = 0.5 * x[i] + (i & 2) + (~1 & i);
#pragma endscop
}

int main(void)
{
  for (unsigned n = 0; n < 6; n++) {
    four(n), four(-1u - n), four(2147483648u - n);
    asked(n), asked(-1u - n), asked(2147483648u - n);
    behind(n), behind(-1u), behind(n + 3);
    masked(n), masked(-(int)n), masked(n + 7);
    widened(n, 3), widened(n, n), widened(3, n), widened(n + 9, 2);
    narrowed(n), narrowed(-1u - n), narrowed(2147483650u - n);
  }
  for (int i = 0; i < 16; i++) printf("%.17g\\n", x[i]);
  return 0;
}
"""


@pytest.mark.long
@pytest.mark.cc
def test_every_schedule_computes_the_same(tmp_path: Path) -> None:
    path = tmp_path / "wide.c"
    path.write_text(PROGRAM)
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=4, limit=3))
    assert not wrong, "\n".join(wrong)
    assert n_run >= 8
