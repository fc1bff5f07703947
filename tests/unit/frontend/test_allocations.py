"""Memory that a function gets for itself is dead behind the region that fills it."""

from __future__ import annotations

import pytest

from polysched.ir import Binary, Param

pytestmark = pytest.mark.cc

REGION = """
#pragma scop
for (int i = 0; i < n; i++) {
  for (int j = 0; j < m; j++) t[j] = x[i] * j;
  for (int j = 0; j < m; j++) y[j] += t[j];
}
#pragma endscop
"""
GOT = "double *t = malloc(m * sizeof(double));"


def array(parse, before, behind="free(t);", region=REGION):
    (scop,) = parse(
        "#include <stdlib.h>\nvoid keep(double *);\n"
        f"void f(int n, int m, double *x, double *y) {{ {before}{region}{behind} }}\n"
    ).scops
    return scop.array("t")


@pytest.mark.parametrize(
    ("before", "size"),
    [
        (GOT, Param("m")),
        ("double *t = (double *)calloc(m, sizeof *t);", Param("m")),
        ("double *t; t = malloc(sizeof(double) * n * m); if (!t) return;",
         Binary("*", Param("n"), Param("m"))),
        ("double *t = malloc(m * sizeof(float));", None),
        ("int k = m; k += 1; double *t = malloc(k * sizeof(double));", None),
        ("double *t = malloc(8 * m);", None),
    ],
)  # fmt: skip
def test_it_is_dead_and_may_have_a_size(parse, before, size):
    found = array(parse, before)
    assert not found.live_out
    assert found.extents == (size,)


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        (GOT, "keep(t); free(t);"),
        (GOT, "x[0] = t[0]; free(t);"),
        (f"{GOT} keep(t);", "free(t);"),
        (f"{GOT} double *s = t;", "x[0] = s[0];"),
        (f"{GOT} double *s = &t[1];", "x[0] = s[0];"),
        ("double *s, *t; s = t = malloc(m * sizeof(double));", "x[0] = s[0];"),
        ("double *t, *s = t = malloc(m * sizeof(double));", "x[0] = s[0];"),
        ("static double *t; t = malloc(m * sizeof(double));", ""),
    ],
)
def test_memory_that_somebody_knows_lives_on(parse, before, behind):
    assert array(parse, before, behind).live_out


def test_rows_of_memory_live_on(parse):
    region = REGION.replace("t[j]", "t[1][j]")
    got = "double (*t)[m] = malloc(2 * m * sizeof(double)), *s = t[1];"
    assert array(parse, got, "x[0] = s[0];", region).live_out


def test_structures_with_rows_live_on(parse):
    (scop,) = parse(
        "#include <stdlib.h>\ntypedef struct { double row[2]; } pair;\n"
        "void f(int n, double *x) { pair *t = malloc(n * sizeof(pair));"
        " double *s = t[1].row;\n#pragma scop\n"
        "for (int i = 0; i < n; i++) t[i].row[1] = x[i];\n#pragma endscop\n"
        "x[0] = s[1]; free(t); }\n"
    ).scops
    assert all(a.live_out for a in scop.arrays if a.name.startswith("t"))


def test_memory_of_a_loop_around_lives_on(parse):
    region = f"for (int s = 0; s < 3; s++) {{{REGION}}}"
    assert array(parse, GOT, region=region).live_out
