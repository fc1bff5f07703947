"""Pointers that conditions choose are set to one place in each branch."""

from __future__ import annotations

import islpy as isl
import pytest

pytestmark = pytest.mark.cc

HEAD = "int n, int m, double *a, double *b"
DECLARED = "double *u = s % 2 == 0 ? a : b; double *v = s % 2 == 0 ? b : a;"
ASSIGNED = "double *u, *v; if (s % 2 == 0) { u = a; v = b; } else u = b, v = a;"
SET = "double *u, *v; u = s % 2 == 0 ? a : b; v = s % 2 == 0 ? b : a;"
SWEEP = "for (int i = 1; i < n; i++) v[i] = u[i - 1];"


@pytest.mark.parametrize("choice", [DECLARED, ASSIGNED, SET])
def test_what_follows_stands_in_both_branches(scop_of, choice):
    scop = scop_of(f"for (int s = 0; s < m; s++) {{ {choice} {SWEEP} }}", HEAD)
    found = [
        a.relation.set_tuple_name(isl.dim_type.in_, "S")
        for s in scop.statements for a in s.writes
    ]  # fmt: skip
    points = "0 <= s < m and 1 <= i < n and"
    wanted = [
        f"[n, m] -> {{ S[s, i] -> b[i] : {points} s mod 2 = 0 }}",
        f"[n, m] -> {{ S[s, i] -> a[i] : {points} s mod 2 = 1 }}",
    ]
    assert len(found) == 2
    assert all(a.is_equal(isl.Map(b)) for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize(
    "body",
    [
        "double *u = a[0] > 3 ? a : b; u[1] = 0;",
        "int k = m; double *u = k > 3 ? a : b; u[1] = 0; k = 2;",
        "double *u; if (m > 3) u = a; u[1] = 0;",
    ],
)
def test_other_choices_are_refused(parse, body):
    program = parse(f"void f({HEAD}) {{\n#pragma scop\n{body}\n#pragma endscop\n}}")
    (refusal,) = program.refusals
    assert "'u'" in refusal.message
    assert refusal.where.line == 3
