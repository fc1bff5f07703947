"""Constants have the values and types that C gives them, in the model and in print."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.frontend import parse_c
from polysched.space import SpaceOptions
from tests.oracle.sweep import sweep

pytestmark = pytest.mark.cc

HEAD = """#include <stdbool.h>
#include <stdio.h>
enum { N = 13, BIG = 0x80000000 };
enum sign { MINUS = -1, ZERO, PLUS };
typedef enum { LOW, HIGH } level;
static enum sign signs[13];
static level levels[13];
static const unsigned three = 3, most = -1;
static const size_t twenty = 20;
static const long much = 3;
static const unsigned char narrow = 263;
static const bool yes = 3;
struct part { double v; int w[3]; };
static struct part parts[7];
static long L[N], T[N];
static int a[N], b[5][3];
static long spread(int i) { return i - three; }
static void run(int n, double *p, double q[3][4])
{
    const unsigned three_here = 3;
    const short folded = 65539;
#pragma scop
"""
TAIL = """
#pragma endscop
}
int main(void)
{
    for (int i = 0; i < N; i++) {
        a[i] = i * 3 - 7;
        signs[i] = i % 3 - 1;
        levels[i] = i % 2;
    }
    run(N, 0, 0);
    for (int i = 0; i < N; i++) printf("%ld %ld %d\\n", L[i], T[i], a[i]);
    for (int i = 0; i < 15; i++) printf("%d ", b[i / 3][i % 3]);
    for (int i = 0; i < 7; i++) printf("%g ", parts[i].v);
    return 0;
}
"""
VALUES = (
    "i - 3 < sizeof(int)",
    "(i - three) / 2",
    "(i - three_here) / 2 - three",
    "i - twenty < 5",
    "i * much * 1000000000",
    "-three_here",
    "i - BIG",
    "-BIG",
    "i * sizeof(double) * 300000000",
    "spread(i)",
    "yes + narrow + folded",
    "sizeof(p) + sizeof(q) * 100 + sizeof q[0] * 10000 + sizeof *p",
    "sizeof(parts[2].w) + sizeof(a) / sizeof(a[0]) * 1000",
)
CONDITIONS = (
    "i > -three",
    "i >= three - 5",
    "i < three - 5",
    "i < most",
    "i > -3u",
    "i < 3u - 5",
    "i < BIG",
    "-i < BIG",
    "i < sizeof(int) - 8",
    "i < (unsigned)-1",
    "i < 0x80000000",
    "i > 3000000000",
    "i < 2147483647",
    "i != 2147483648",
)
LOOPS = (
    "for (int i = 0; i < n; i++) for (int j = 0; j < narrow; j++) T[j] += i;",
    "for (int i = 0; i < n; i++) for (int j = 0; j < folded; j++) T[j] += i;",
    "for (int i = 0; i < sizeof(a) / sizeof(a[0]); i++) a[i] += i;",
    "for (int i = 0; i < (int)(sizeof b / sizeof b[0]); i++)"
    " for (int j = 0; j < sizeof b[0] / sizeof b[0][0]; j++) b[i][j] += i - j;",
    "for (int i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) parts[i].v += i;",
    "for (int i = 0; i < n; i++) { enum sign t = signs[i]; level e = levels[i];"
    " for (int j = 0; j < 3; j++) L[i] += (t - j) / 2 * 10 + (t - 2 > 0) + (e - 2) / 2;"
    " t = t + 1; e = HIGH; T[i] = (t - 2 > 0) + (e - 2 > 0); }",
    "for (int i = 0; i < n; i++) {"
    " for (int j = 0; j < n; j++) T[i] += j; if (n < 0 * n) L[i] += 3; }",
)
OPTIONS = SpaceOptions(policy="SO>IP", limit=3)


def check(directory: Path, body: str) -> None:
    path = directory / "constants.c"
    path.write_text(HEAD + body + TAIL)
    n_run, wrong = sweep(path, [], OPTIONS)
    assert wrong == []
    assert n_run >= 1


def test_values(tmp_path: Path) -> None:
    lines = (f"L[i] = L[i] * 7 + ({value});" for value in VALUES)
    check(tmp_path, f"for (int i = 0; i < n; i++) {{ {' '.join(lines)} }}")


@pytest.mark.parametrize("condition", CONDITIONS)
def test_conditions(condition: str, tmp_path: Path) -> None:
    body = f"if ({condition}) T[i] += 1; else L[i] += 2;"
    check(tmp_path, f"for (int i = 0; i < n; i++) {body}")


@pytest.mark.parametrize("loops", LOOPS)
def test_loops(loops: str, tmp_path: Path) -> None:
    check(tmp_path, loops)


def test_no_loop_begins_behind_its_type(tmp_path: Path) -> None:
    path = tmp_path / "wide.c"
    loop = "for (int i = 0; i < n; i++) if (i < BIG) T[i] += 1; else L[i] += 2;"
    path.write_text(HEAD + loop + TAIL)
    (scop,) = parse_c(path).scops
    assert [s.domain.is_empty() for s in scop.statements] == [False, True]
