"""A region may need several rewritings at once, whichever of them is refused first."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.cc

FILE = "static double g[100]; static double at(int i) { return g[i]; }"
CALL = "for (int i = 0; i < n; i++) g[i + 1] = at(i);"
HALVED = (
    "int len = n; for (int i = 0; i < len; i++) x[i] = 0;"
    "len /= 2; for (int i = 0; i < len; i++) y[i] = x[2 * i];"
)
ROWS = "for (int i = 0; i < n; i++) for (int j = 0; j < m; j++) x[i * m + j] += 1;"
FLAT = "for (int p = 0; p < n * m; p++) x[p] *= 2;"


@pytest.mark.parametrize(
    "pieces",
    [
        (CALL, HALVED),
        (HALVED, CALL),
        (CALL, ROWS, FLAT),
        (ROWS, FLAT, CALL),
        (CALL, HALVED.replace("x[", "z[").replace("y[", "w["), ROWS, FLAT),
        (FLAT, ROWS, HALVED.replace("x[", "z[").replace("y[", "w["), CALL),
    ],
)
def test_ways_add_up(scop_of, pieces):
    head = "int n, int m, double *x, double *y, double *z, double *w"
    scop = scop_of("\n".join(pieces), head=head, before=FILE)
    assert len(scop.array("g").extents) == 1
    assert not any(s.has_data_loops for s in scop.statements)
    if FLAT in pieces:
        assert len(scop.array("x").extents) == 2


def test_what_nothing_helps_is_told_as_it_stands(parse):
    program = parse(
        f"{FILE}\nvoid f(int n, int m, double *x) {{\n#pragma scop\n{CALL}\n"
        "x[i * m] = at(0);\n#pragma endscop\n}\n"
    )
    (refusal,) = program.refusals
    assert (refusal.where.line, refusal.message) == (5, "'i' is not declared")
