"""Unsigned numbers that wrap around: in the model as in C, or the region is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.frontend import parse_c
from polysched.space import SpaceOptions
from tests.oracle.sweep import sweep

pytestmark = pytest.mark.cc

HEAD = """#include <limits.h>
#include <stddef.h>
#include <stdio.h>
static unsigned q[64];
static long l[64];
static double S[64][9], X[70][9];
static void run(int n, unsigned z, size_t w, long v)
{
#pragma scop
"""
TAIL = """
#pragma endscop
}
int main(void)
{
    for (int i = 0; i < 70; i++)
        for (int j = 0; j < 9; j++)
            X[i][j] = i % 11 - j % 7;
    run(50, 3, 5, 2), run(0, 0, 0, 0), run(9, 4000000000u, 7, 3);
    for (int i = 0; i < 64; i++) {
        printf("%u %ld\\n", q[i], l[i]);
        for (int j = 0; j < 9; j++)
            printf("%.17g\\n", S[i][j]);
    }
    return 0;
}
"""
EACH = "for (int i = 0; i < n; i++)"
REGIONS = {
    "hash, shifted": f"{EACH} q[(i * 2654435761u) >> 26] = q[(i * 2654435761u) >> 26]"
    " * 3 + i;",
    "hash, remainder": f"{EACH} q[i * 2654435761u % 61] = q[i * 2654435761u % 61] * 3"
    " + i;",
    "hash of a row": f"{EACH} for (int j = 0; j < 9; j++) {{ const unsigned h = "
    "(i * 2654435761u) >> 26; S[h][j] = S[h][j] * 0.5 + X[i][j]; }",
    "hash, counted": f"unsigned h = 0; {EACH} {{ q[h >> 26] = q[h >> 26] * 3 + i; "
    "h += 2654435761u; }",
    "shifted both ways": f"{EACH} q[(unsigned)i << 28 >> 27] += i;",
    "quotient": f"{EACH} if ((z + 4294967290u) / 2 > i) q[i] += 1;",
    "remainder": f"{EACH} if ((i + 4294967290u) % 5 == 0) q[i] += 1;",
    "widened": f"{EACH} if ((z + 4294967290u) + (long)i > 100) q[i] += 1;",
    "widened minus": f"{EACH} if (-z + (long)i > 100) q[i] += 1;",
    "widened choice": f"{EACH} if ((i > 3 ? z - 50u : 1u) + (long)i > 100) q[i] += 1;",
    "truth": f"{EACH} if (i + 4294967295u) q[i] += 1; else q[i] += 5;",
    "bound": "for (long i = 0; i < 40 && i < z - 50u; i++) l[i] += 1;",
    "least of two": f"{EACH} l[i] = z - 5u < n ? z - 5u : n;",
    "eight bytes": f"{EACH} if (w * 0x4000000000000001ul % 5 == 1) q[i] += 1;",
    "before zero is the greatest": "for (unsigned i = 0; i < n; i++) "
    "if (i - 1 != UINT_MAX) q[i] += 1; else q[i] += 7;",
    "before zero is minus one": "for (size_t i = 0; i < n; i++) { "
    "if (i - 1 == (size_t)-1) q[i] += 1; if (i - 3 == -2) q[i] += 4; }",
    "no element": "for (unsigned i = 0; i < n; i++) { const unsigned before = i == 0 "
    "? UINT_MAX : i - 1; if (before != UINT_MAX) q[i] += 1; }",
    "equal again": "for (unsigned i = 0; i < n; i++) { unsigned before = i == 0 "
    "? UINT_MAX : i - 1; if (before == i - 1) q[i] += 1; }",
    "case": f"{EACH} switch (-i) {{ case 0xfffffffd: q[i] = 4; break; "
    "default: q[i] = 1; }",
    "until it wraps": "for (size_t i = w - 1; i != (size_t)-1; i--) "
    "q[i] = q[i + 1] * 3 + 1;",
    "cut to int": "for (int i = (int)(v - 4294967296L); i < n; i++) q[i] += 3;",
    "choice of constants": f"{EACH} if (i < (1 ? -1 : 0u)) q[i] += 1;",
    "counter of a sum": f"long k = 0, a = 0; {EACH} {{ l[i] = k; k += z - 50u; "
    "a = (z - 50u) + (long)i; q[i] = a / 3; }",
    "counter of a product": f"long b = 0; {EACH} {{ b = 2L * (z - 20u) - i; "
    "l[i] = b; }",
}


@pytest.mark.parametrize("case", REGIONS)
def test_what_wraps_wraps_in_every_schedule(case: str, tmp_path: Path) -> None:
    path = tmp_path / "wrapping.c"
    path.write_text(HEAD + REGIONS[case] + TAIL)
    program = parse_c(path)
    if program.refusals:
        assert "wraps around" in str(program.refusals[0]), case
        return
    _, wrong = sweep(path, [], SpaceOptions(seconds=4, limit=3))
    assert wrong == []
