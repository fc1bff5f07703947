"""Calls of the file's functions stand for what these do, or are refused by line."""

from __future__ import annotations

import islpy as isl
import pytest

pytestmark = pytest.mark.cc

BEFORE = """\
double G[9]; int k;
static void axpy(int n, double a, const double *x, double *y) {
  for (int i = 0; i < n; i++) y[i] += a * x[i];
}
static double dot(int n, const double *x, const double *y) {
  double s = 0;
  if (n <= 0) return 0;
  for (int i = 0; i < n; i++) s += x[i] * y[i];
  return s;
}
static void square(int n, double A[n][n]) { for (int i = 0; i < n; i++) A[i][i] = 0; }
static void both(double *s, double *c) { *s = 1; *c = *s + 1; }
static void second(double *s) { s[1] = 2; }
static void keeps(double *x) { static int at; x[at++] = 1; }
static void jumps(int n, double *x) {
  for (int i = 0; i < n; i++) { if (x[i] > 3) return; x[i] = 0; }
}
static void falls(int n, double *x) {
  if (n > 3) { x[0] = 1; if (n > 5) return; }
  x[2] = 3;
}
static void again(int n, double *x) { x[n] = 0; if (n > 0) again(n - 1, x); }
static int set(int n, double *x) { for (int i = 0; i < n; i++) x[i] = 0; return n; }
static unsigned next(unsigned *s) { return *s = *s * 5 + 3; }
static double real(unsigned *s) { return next(s) / 7.0; }
static void global(double *x) { x[0] = G[0]; }
static void twice(double (*Z)[9], double v) {
  for (int i = 0; i < 9; i++) Z[i][0] = 2 * v;
}
static void plane(int n, double Z[n][9]) { k = 2; twice(Z, Z[1][1]); }
"""
HEAD = "int n, int m, double *x, double *y, double A[n][m], double C[n][n], "
HEAD += "double P[7][9][9], double Q[7][8][9][9]"
LOOP = "for (int i = 0; i < n; i++)"


@pytest.mark.parametrize(
    ("body", "written"),
    [
        ("axpy(n, 2.0, x, y);", "S0[i] -> y[i] : 0 <= i < n"),
        ("axpy(m, 2.0, x, A[0]);", "S0[i] -> A[0, i] : 0 <= i < m"),
        ("axpy(n - 1, m, y, y + 1);", "S0[i] -> y[i + 1] : 0 <= i < n - 1"),
        (f"{LOOP} axpy(2, x[i], x, &A[i][1]);",
         "S0[i, j] -> A[i, j + 1] : 0 <= i < n and 0 <= j < 2"),
        ("square(n, C);", "S0[i] -> C[i, i] : 0 <= i < n"),
        ("twice(P[3], 1);", "S0[i] -> P[3, i, 0] : 0 <= i < 9"),
        (f"{LOOP} twice(&P[i + 1][0], 1);",
         "S0[q, i] -> P[q + 1, i, 0] : 0 <= q < n and 0 <= i < 9"),
        ("for (int q = 0; q < 7; q++) plane(n, Q[q][7 - q]);",
         "S0[q, i] -> Q[q, 7 - q, i, 0] : 0 <= q < 7 and 0 <= i < 9"),
    ],
)  # fmt: skip
def test_what_a_function_writes_is_what_is_passed(parse, body, written):
    program = parse(
        f"{BEFORE}void f({HEAD}) {{\n#pragma scop\n{body}\n#pragma endscop\n}}\n"
    )
    assert [str(r) for r in program.refusals] == []
    (scop,) = program.scops
    last = scop.statements[-1]
    (relation,) = [a.relation for a in last.writes]
    wanted = isl.Map(f"[n, m] -> {{ {written.replace('S0', last.name)} }}")
    assert relation.is_equal(wanted)


def test_variables_whose_addresses_are_passed_stay_variables(parse):
    program = parse(
        f"{BEFORE}void f({HEAD}) {{\n#pragma scop\n{LOOP} {{ double s, c; both(&s, &c);"
        " both(&s, x + i); y[i] = s + c; }\n#pragma endscop\n}\n"
    )
    (scop,) = program.scops
    assert {a.name for a in scop.arrays if a.is_private} == {"s", "c"}


def test_calls_in_expressions_may_set_what_nothing_else_there_mentions(parse):
    program = parse(
        f"{BEFORE}void f({HEAD}) {{\n#pragma scop\n{LOOP} {{ unsigned s = i;"
        " x[i] = (next(&s) >> 1) * 2.0; y[i] -= 1 + real(&s); }\n#pragma endscop\n}\n"
    )
    (scop,) = program.scops
    assert sum("s" in {w.array for w in s.writes} for s in scop.statements) == 3


@pytest.mark.parametrize(
    ("body", "line", "words"),
    [
        ("plane(9, P[k]);", 0, "what is passed as 'Z' has rows of other lengths"),
        ("square(n, P[2]);", 0, "what is passed as 'A' has rows of other lengths"),
        ("square(n, A);", 0, "what is passed as 'A' has rows of other lengths"),
        ("double s; second(&s);", 13, "it uses 's', to which a variable's address is"),
        ("keeps(x);", 14, "it declares what is no variable of its own"),
        ("jumps(n, x);", 16, "it returns inside of a loop"),
        ("falls(n, x);", 19, "goes on behind a branch that may return"),
        ("again(n, x);", 22, "functions call each other too deeply"),
        ("axpy(n, m++, x, y);", 0, "an argument changes a variable"),
        ("float s; both(&s, x);", 0, "a variable of another type is passed"),
        ("double G[2]; G[0] = 1; global(x);", 26, "'G' means something else where"),
        ("unsigned s = n; x[0] = next(&s) + next(&s);", 0, "and more than its value"),
        ("unsigned s = n; x[s] = next(&s);", 0, "and more than its value is computed"),
        ("x[0] = 1 + set(n, y);", 0, "whose body cannot stand here: it writes, and"),
        ("x[0] = n > 3 ? dot(n, x, y) : 0;", 0, "it is called on a condition"),
    ],
)
def test_others_are_refused_by_line(parse, body, line, words):
    program = parse(
        f"{BEFORE}void f({HEAD}) {{\n#pragma scop\n{body}\n#pragma endscop\n}}\n"
    )
    (refusal,) = program.refusals
    assert words in refusal.message
    assert refusal.where.line == (line or BEFORE.count("\n") + 3)
    assert refusal.hint
