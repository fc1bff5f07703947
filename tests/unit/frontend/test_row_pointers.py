"""Pointers to rows that stay are other names for arrays and planes, or refused."""

from __future__ import annotations

import islpy as isl
import pytest

pytestmark = pytest.mark.cc

HEAD = "int n, int m, double A[n][m], double V[2][n][m], double *x"
SWEEP = "for (int i = 0; i < n; i++) p[i][0] = 1;"


@pytest.mark.parametrize(
    ("body", "written"),
    [
        (f"double (*p)[m] = A; {SWEEP}", "S[i] -> A[i, 0] : 0 <= i < n"),
        (f"double (*const p)[m] = V[1]; {SWEEP}", "S[i] -> V[1, i, 0] : 0 <= i < n"),
        (f"for (int t = 0; t < m; t++) {{ double (*p)[m] = V[t % 2]; {SWEEP} }}",
         "S[t, i] -> V[t mod 2, i, 0] : 0 <= t < m and 0 <= i < n"),
        (f"double (*q)[m] = V[0], (*p)[m] = q; {SWEEP}",
         "S[i] -> V[0, i, 0] : 0 <= i < n"),
        (f"double (*p)[m] = A; p++; {SWEEP}", "S[i] -> A[i + 1, 0] : 0 <= i < n"),
    ],
)  # fmt: skip
def test_they_are_other_names(scop_of, body, written):
    scop = scop_of(body, HEAD)
    found = [a.relation for s in scop.statements for a in s.writes]
    (relation,) = [r for r in found if r.dim(isl.dim_type.out)]
    relation = relation.set_tuple_name(isl.dim_type.in_, "S")
    assert relation.is_equal(isl.Map(f"[n, m] -> {{ {written} }}"))


@pytest.mark.parametrize(
    "body",
    [
        f"double (*p)[n] = A; {SWEEP}",
        f"double (*p)[m] = A + 1; {SWEEP}",
        f"int k = 1; double (*p)[m] = V[k]; k = 0; {SWEEP}",
        f"double (*p)[m] = A; x[0] = sizeof(p); {SWEEP}",
        f"double (*p)[m] = V[(int)x[0]]; {SWEEP}",
    ],
)
def test_others_are_refused(parse, body):
    program = parse(f"void f({HEAD}) {{\n#pragma scop\n{body}\n#pragma endscop\n}}")
    (refusal,) = program.refusals
    assert "'p'" in refusal.message
    assert refusal.where.line == 3
