"""Extents that no longer are what their variables say are unknown."""

import pytest

from polysched.ir import Param

pytestmark = pytest.mark.cc

LOOPS = """#pragma scop
  for (int i = 0; i < m; i++)
    for (int j = 0; j < n; j++)
      A[i][j] += 1;
#pragma endscop
"""


def extents_of(parse, text):
    program = parse(text)
    assert [str(r) for r in program.refusals] == []
    return program.scops[0].array("A").extents


@pytest.mark.parametrize(
    "text",
    [
        f"void f(int m, int n) {{ double A[m][n]; n = n / 2;\n{LOOPS}}}",
        f"void f(int m, int n, double A[][n]) {{ n--;\n{LOOPS}}}",
        f"void f(int m, int n) {{ double A[m][n]; {{ int n = 3;\n{LOOPS}}} }}",
        "void f(int m, int n) { double A[m][n]; for (int k = 0; k < 3; k++) {\n"
        f"{LOOPS} n /= 2; }} }}",
        "void f(int m, int n) { typedef double row[n]; n = 2; row A[m];\n"
        f"{LOOPS}}}",
        f"void f(int m, int n) {{ int *p = &n; double A[m][n]; *p = 2;\n{LOOPS}}}",
        "int n; void less(void) { n--; } void again(void) { less(); }\n"
        f"void f(int m) {{ double A[m][n]; again();\n{LOOPS}}}",
    ],
)  # fmt: skip
def test_sizes_that_may_change_behind_the_declaration(parse, text):
    assert extents_of(parse, text)[-1] is None


@pytest.mark.parametrize(
    "text",
    [
        f"void f(int m, int n) {{ n = n / 2; double A[m][n];\n{LOOPS}}}",
        'int scanf(const char *, ...); void f(int m) { int n; scanf("%d", &n);'
        f" double A[m][n];\n{LOOPS}}}",
        "int n; void read(void) { n = 7; } void fill(void *p) { *(int *)p = n; }\n"
        f"void f(int m) {{ read(); double A[m][n]; fill(A);\n{LOOPS}}}",
    ],
)
def test_sizes_that_stay(parse, text):
    assert extents_of(parse, text)[-1] == Param("n")


def test_structures_need_the_length_of_their_rows(parse):
    (refused,) = parse(
        "typedef struct { double x, y; } point;\n"
        "void f(int m, int n) { point A[m][n]; n = n / 2;\n"
        f"{LOOPS.replace('A[i][j]', 'A[i][j].x')}}}"
    ).refusals
    assert "length of the rows of 'A', which has structures, is not" in refused.message
    assert "const int width = n" in str(refused)


def test_bytes_of_an_array_are_not_counted_by_sizes_that_changed(parse):
    (refused,) = parse(
        "void *memset(void *, int, unsigned long);\n"
        "void f(int m, int n) { double A[m][n]; n = n / 2;\n"
        "#pragma scop\nmemset(A, 0, sizeof(A));\n"
        f"{LOOPS.split('scop', 1)[1]}}}"
    ).refusals
    assert "memset" in refused.message


BOUND = """#pragma scop
  for (int i = 0; i < n; i++)
    y[i] = 1;
#pragma endscop
"""
HEAD = "double y[999]; void set(int *);\nvoid f(void) {"


def parameters_of(parse, text):
    (scop,) = parse(text).scops
    return [p.name for p in scop.parameters]


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD} int n = 30;\n{BOUND}}}",
        f"{HEAD} unsigned m = 4; int n = 2 * m + 1;\n{BOUND}}}",
        f"{HEAD} for (int t = 0; t < 9; t++) {{ long n = 20;\n{BOUND} }} }}",
    ],
)
def test_numbers_that_nobody_changes_are_constants(parse, text):
    assert parameters_of(parse, text) == []


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD} int n = 30; n /= 2;\n{BOUND}}}",
        f"{HEAD} int n = 30; set(&n);\n{BOUND}}}",
        f"{HEAD} int n = 30, *p = &n; *p = 20;\n{BOUND}}}",
        f"{HEAD} int n = 30; for (int t = 0; t < 9; t++) {{\n{BOUND} n--; }} }}",
        f"{HEAD} int n = 30;\n{BOUND} n++; }}",
        f"{HEAD} static int n = 30;\n{BOUND} n = 20; }}",
        f"{HEAD} volatile int n = 30; int k = n; {{ int n = k;\n{BOUND}}} }}",
    ],
)
def test_numbers_that_may_change_are_parameters(parse, text):
    assert parameters_of(parse, text) == ["n"]
