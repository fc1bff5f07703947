"""Sizes for which schedules are compared are those that the file's own calls pass."""

import pytest

pytestmark = pytest.mark.cc

FILE = """
#define N 120
enum {{ M = 7 }};
static const int more = N + 3;
static int any;
static void scale(int n, long m, double f, double *x)
{{
#pragma scop
  for (int i = 0; i < n; i++)
    for (int j = 0; j < m; j++)
      x[i * m + j] *= f;
#pragma endscop
}}
{rest}
"""
CALLS = {
    "macros and enumerations": ("scale(N, M, 2.0, x);", {"n": 120, "m": 7}),
    "constants": ("scale(more / 2, 4 * M, 2.0, x);", {"n": 61, "m": 28}),
    "locals that stay": (
        "int n = N; long k = n * 2; scale(n, k, 1, x);",
        {"n": 120, "m": 240},
    ),
    "some of them": ("scale(any, M, 2.0, x);", {"m": 7}),
    "the largest call": (
        "scale(3, 4, 1, x); scale(60, 50, 1, x); scale(9, 9, 1, x);",
        {"n": 60, "m": 50},
    ),
    "locals that change": ("int n = 8; n++; scale(n, M, 1, x);", {"m": 7}),
    "locals that somebody sets": (
        "int n = 8; read_in(&n); scale(n, M, 1, x);",
        {"m": 7},
    ),
    "two of a name": ("{ int n = 8; } int n = any; scale(n, M, 1, x);", {"m": 7}),
    "no elements": ("scale(0, -3, 1, x);", {}),
    "no call": ("", {}),
}


@pytest.mark.parametrize("case", CALLS)
def test_constants_of_calls(parse, case):
    body, expected = CALLS[case]
    head = "void read_in(int *n);\nint main(void)\n{\n  static double x[99999]; "
    rest = f"{head}{body}\n}}"
    program = parse(FILE.format(rest=rest))
    (scop,) = program.scops
    assert program.likely_sizes(scop) == expected


def test_parameters_of_callers_are_not_known(parse):
    program = parse(
        FILE.format(rest="void go(int n, double *x) { scale(n, M, 1, x); }")
    )
    assert program.likely_sizes(program.scops[0]) == {"m": 7}
