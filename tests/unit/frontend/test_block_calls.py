"""Calls that set or copy so many elements are the loops that do."""

from __future__ import annotations

import pytest

from polysched.codegen import PrintOptions, print_openmp
from polysched.frontend import parse_c
from polysched.ir import original_tree

pytestmark = pytest.mark.cc

HEAD = """\
#include <string.h>
enum { N = 40 };
static double C[N][N]; static float line[N]; static unsigned char bytes[N];
void f(int n, int m, long big, double A[n][m], double B[n][m], const double *x,
       double *y, double (*D)[m], float F[N])
{
#pragma scop
"""

# A call, and the lines that it becomes.
CASES = {
    "an array": ("memset(C, 0, sizeof(C));", [
        "for (int t1 = 0; t1 <= 39; t1++)", "for (int t2 = 0; t2 <= 39; t2++)",
        "C[t1][t2] = 0;"]),
    "rows of a size at run time": ("memset(A, 0, n * m * sizeof(double));", [
        "for (int t1 = 0; t1 < n; t1++)", "for (int t2 = 0; t2 < m; t2++)",
        "A[t1][t2] = 0;"]),
    "a parameter's row": ("memset(A[1], 0, sizeof(A[0]));", [
        "for (int t1 = 0; t1 < m; t1++)", "A[1][t1] = 0;"]),
    "some rows": ("memset(C, 0, 3 * sizeof C[0]);", [
        "for (int t1 = 0; t1 <= 2; t1++)", "for (int t2 = 0; t2 <= 39; t2++)",
        "C[t1][t2] = 0;"]),
    "a place": ("memset(&y[3], 0, sizeof *y * (size_t)n);", [
        "for (int t1 = 0; t1 < n; t1++)", "y[t1 + 3] = 0;"]),
    "a place behind others": ("memset(y + n - 2, 0, 2 * sizeof(double));", [
        "for (int t1 = 0; t1 <= 1; t1++)", "y[n + t1 - 2] = 0;"]),
    "bytes": ("memset(bytes, 0, N - 3);", [
        "for (int t1 = 0; t1 <= 36; t1++)", "bytes[t1] = 0;"]),
    "a row": ("memcpy(B[1], A[n - 1], m * sizeof(double));", [
        "for (int t1 = 0; t1 < m; t1++)", "B[1][t1] = A[n - 1][t1];"]),
    "between places": ("memcpy(y + 1, x, sizeof(double[8]));", [
        "for (int t1 = 0; t1 <= 7; t1++)", "y[t1 + 1] = x[t1];"]),
    "a long size": ("memcpy(y, x, big * sizeof(double));", [
        "for (long t1 = 0; t1 < big; t1++)", "y[t1] = x[t1];"]),
    "under a condition": ("if (n > 3) memset(line, 0, sizeof line);", [
        "if (n >= 4) {", "for (int t1 = 0; t1 <= 39; t1++)", "line[t1] = 0;", "}"]),
    "zeros at first": (
        "for (int i = 0; i < n; i++) { float t[N] = {0}; t[i] += 1; y[i] = t[0]; }", [
        "for (int t1 = 0; t1 < n; t1++) {", "float t[40];",
        "for (int t2 = 0; t2 <= 39; t2++)", "t[t2] = 0;", "t[t1] += 1;",
        "y[t1] = t[0];", "}"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_calls_become_loops(tmp_path, case):
    text, expected = CASES[case]
    path = tmp_path / "case.c"
    path.write_text(f"{HEAD}{text}\n#pragma endscop\n}}\n")
    program = parse_c(path, overlap="promise")
    assert program.refusals == ()
    (scop,) = program.scops
    printed = print_openmp(scop, original_tree(scop), PrintOptions(original_text=""))
    lines = [line.strip() for line in printed.splitlines()]
    assert lines[lines.index("{") + 1 : -1] == expected


@pytest.mark.parametrize(
    "call",
    [
        "memset(C, 1, sizeof(C));",  # no zero: bytes of a double
        "memset(y, 0, n);",  # bytes, not elements
        "memset(A, 0, n * sizeof(double));",  # no whole rows
        "memset(y, 0, sizeof(y));",  # of the pointer
        "memset(A, 0, sizeof(A));",
        "memset(F, 0, sizeof F);",  # a pointer, too, however it is declared
        "memcpy(F, line, sizeof(F));",
        "memset(y, 0, n * sizeof(float));",
        "memcpy(y, line, n * sizeof(double));",  # other elements
        "memcpy(B, D, n * m * sizeof(float));",
        "long m = n; memset(A, 0, n * m * sizeof(double)); y[m] = 0;",  # another m
        "memmove(y, x, n * sizeof(double));",  # which may overlap
    ],
)
def test_others_are_refused(tmp_path, call):
    path = tmp_path / "case.c"
    path.write_text(f"{HEAD}{call}\n#pragma endscop\n}}\n")
    (refusal,) = parse_c(path).refusals
    assert "a call of 'mem" in refusal.message
    assert refusal.where.line == HEAD.count("\n") + 1
    assert ("n * sizeof(double)" in refusal.hint) is ("memmove" not in call)
