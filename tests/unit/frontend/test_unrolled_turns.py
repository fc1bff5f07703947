"""Loops that exchange pointers are unrolled until all are back, or refused by line."""

from __future__ import annotations

import islpy as isl
import pytest

from polysched.ir import Scop

pytestmark = pytest.mark.cc

BEFORE = """\
double G[2][99], *p, *q;
static void swap(double **x, double **y) { double *t = *x; *x = *y; *y = t; }
"""
HEAD = "int n, int m, double *a, double *b, double *c, double A[n][n], double B[n][m]"
SWEEP = "for (int i = 1; i < n; i++) b[i] = a[i - 1];"
SWAP = "double *t = a; a = b; b = t;"
TIMES = "for (int s = 0; s < m; s++)"


def region(body: str, before: str = "", behind: str = "") -> str:
    return (
        f"{BEFORE}void f({HEAD}) {{ {before}\n#pragma scop\n{body}\n"
        f"#pragma endscop\n{behind} }}\n"
    )


def writes(scop: Scop) -> list[isl.Map]:
    """What statements write in arrays, without their names and those of loops."""
    return [
        access.relation.set_tuple_name(isl.dim_type.in_, "S")
        for statement in scop.statements
        for access in statement.writes
        if access.relation.dim(isl.dim_type.out)
    ]


TWICE = [
    "S[s, i] -> b[i] : 0 <= s and 2s < m and 1 <= i < n",
    "S[s, i] -> a[i] : 0 <= s and 2s + 1 < m and 1 <= i < n",
]


@pytest.mark.parametrize(
    ("body", "written"),
    [
        (f"{TIMES} {{ {SWEEP} {SWAP} }}", TWICE),
        (f"{TIMES} {{ {SWEEP} swap(&a, &b); }}", TWICE),
        (f"{TIMES} {{ {SWEEP} do {{ {SWAP} }} while (0); }}", TWICE),
        (f"{TIMES} {{ {SWAP} {SWEEP} }}",
         [TWICE[0].replace("b[", "a["), TWICE[1].replace("a[", "b[")]),
        (f"while (m-- > 3) {{ {SWEEP} double *t = a; a = b, b = t; }}",
         [text.replace("< m", "< m - 3") for text in TWICE]),
        ("for (int s = m; s >= 2; s -= 2)"
         "{ b[s] = s; double *t = a; a = b; b = c; c = t; }",
         ["S[s] -> b[m - 6s] : 0 <= s and m - 6s >= 2",
          "S[s] -> c[m - 6s - 2] : 0 <= s and m - 6s - 2 >= 2",
          "S[s] -> a[m - 6s - 4] : 0 <= s and m - 6s - 4 >= 2"]),
        (f"int cur = 0; {TIMES} {{ G[1 - cur][s] = G[cur][s]; cur = !cur; }}",
         ["S[s] -> G[1, 2s] : 0 <= s and 2s < m",
          "S[s] -> G[0, 2s + 1] : 0 <= s and 2s + 1 < m"]),
        (f"int cur = 1; {TIMES} {{ a[s] = cur; cur = (cur + 1) % 3; }}",
         ["S[s] -> a[3s] : 0 <= s and 3s < m",
          "S[s] -> a[3s + 1] : 0 <= s and 3s + 1 < m",
          "S[s] -> a[3s + 2] : 0 <= s and 3s + 2 < m"]),
        (f"{TIMES} {{ double *u = a, *v = b; {TIMES.replace('s', 'r')}"
         "{ v[r] = u[r]; double *t = u; u = v; v = t; } }",
         ["S[s, r] -> b[2r] : 0 <= s < m and 0 <= r and 2r < m",
          "S[s, r] -> a[2r + 1] : 0 <= s < m and 0 <= r and 2r + 1 < m"]),
        (f"{TIMES} {{ {SWAP} }} a[0] = 3;",
         ["S[] -> b[0] : m mod 2 = 1 and m >= 0",
          "S[] -> a[0] : m mod 2 = 0 or m < 0"]),
    ],
)  # fmt: skip
def test_the_body_stands_once_for_each_turn(parse, body, written):
    program = parse(region(body))
    assert [str(r) for r in program.refusals] == []
    (scop,) = program.scops
    found = writes(scop)
    assert len(found) == len(written)
    for relation, text in zip(found, written, strict=True):
        assert relation.is_equal(isl.Map(f"[n, m] -> {{ {text} }}"))


@pytest.mark.parametrize(
    ("body", "before", "behind", "text"),
    [
        (f"{TIMES} {{ {SWEEP} {SWAP} }}", "", "", ""),
        (f"{TIMES} {{ {SWEEP} {SWAP} }}", "", "c[0] = a[0];",
         "if (0 < m && m % 2) { double *t = a; a = b; b = t; }"),
        ("for (int s = 1; s <= m; s++) { p[s] = q[s]; double *t = p; p = q; q = t; }",
         "", "", "if (1 <= m && (m - 1 + 1) % 2) { double *t = p; p = q; q = t; }"),
        (f"{TIMES} {{ {SWEEP} t = a; a = b; b = t; }}", "double *t;", "c = t;",
         "for (int s = 0; s < m; s++) { t = a; a = b; b = t; }"),
        (f"{TIMES} {{ G[cur][s] = 1; cur ^= 1; }}", "int cur = 1;", "G[0][0] = cur;",
         "if (0 < m && m % 2) { cur ^= 1; }"),
    ],
)  # fmt: skip
def test_what_is_read_behind_is_set_there(parse, body, before, behind, text):
    (scop,) = parse(region(body, before, behind)).scops
    assert " ".join(scop.behind.split()) == text


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (f"{TIMES} {{ {SWEEP} if (s > 3) {{ {SWAP} }} }}", "'a' is assigned to"),
        (f"{TIMES} {{ {SWEEP} if (n > s) break; {SWAP} }}", "in a loop that data end"),
        (f"for (int r = 0; r < n; r++) {TIMES} {{ {SWEEP} {SWAP} }}",
         "'a' is assigned to"),
        (f"{TIMES} {{ {SWEEP} a = b; }}", "'a' is assigned to"),
        (f"{TIMES} {{ double (*t)[n] = A; A = B; B = t; }}", "'t' is a pointer of"),
        (f"for (int s = 0; a[s] > 0; s++) {{ {SWEEP} {SWAP} }}", "'t', declared in a"),
    ],
)  # fmt: skip
def test_others_are_refused_by_line(parse, body, words):
    (refusal,) = parse(region(body)).refusals
    assert refusal.where.line == BEFORE.count("\n") + 3
    assert words in refusal.message
    assert refusal.hint
