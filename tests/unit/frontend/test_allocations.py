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
        ("static double *t; t = malloc(m * sizeof(double));", ""),
    ],
)
def test_memory_that_somebody_knows_lives_on(parse, before, behind):
    assert array(parse, before, behind).live_out


def test_memory_of_a_loop_around_lives_on(parse):
    region = f"for (int s = 0; s < 3; s++) {{{REGION}}}"
    assert array(parse, GOT, region=region).live_out
