"""Products of what a region never changes are parameters of their own."""

import islpy as isl
import pytest

from polysched.codegen import print_openmp
from polysched.interp import interpret, random_inputs
from polysched.ir import Binary, Param, Parameter, original_tree
from polysched.ir.types import INT, LONG

pytestmark = pytest.mark.cc

PLANES = """
for (int k = 0; k < n; k++)
  for (int p = 0; p < h * w; p++)
    x[k * h * w + p] += y[k];
"""
HEAD = "int n, int h, int w, double *x, double *y"


def domains(scop):
    return [str(s.domain) for s in scop.statements]


def product(a, b, name, type_=INT):
    return Parameter(name, type_, Binary("*", Param(a, INT), Param(b, INT)))


def test_a_product_bounds_a_loop_and_rows(scop_of):
    scop = scop_of(PLANES, HEAD)
    assert scop.parameters[-1] == product("h", "w", "h_w")
    assert [p.name for p in scop.parameters] == ["n", "h", "w", "h_w"]
    assert scop.array("x").extents == (None, Param("h_w", INT))
    (written,) = [a.relation for _, a in scop.iter_accesses() if a.is_write]
    wanted = "[n, h_w] -> { S0[k, p] -> x[k, p] : 0 <= k < n and 0 <= p < h_w }"
    assert written.is_equal(isl.Map(wanted))
    assert scop.assumptions.plain_is_universe()


def test_code_computes_it_in_front_where_it_may_wrap(scop_of):
    scop = scop_of(PLANES, HEAD)
    text = print_openmp(scop, original_tree(scop))
    line = "const int h_w = (int)((unsigned long)h * (unsigned long)w); (void)h_w;"
    assert line in text


def test_its_name_is_none_of_the_files(scop_of):
    head = "int h, int w, double *h_w, double *x, double *y"
    scop = scop_of("for (int p = 0; p < w * h; p++) h_w[p] = 1;", head)
    assert [p.name for p in scop.products] == ["h_w_"]


def test_sums_are_multiplied_out(scop_of):
    scop = scop_of("for (int p = m; p < (n + 1) * (m - 2); p++) x[p] = 1;")
    (domain,) = [s.domain for s in scop.statements]
    text = "[n, m, m_n] -> { S0[p] : m <= p < m_n - 2n + m - 2 }"
    assert domain.is_equal(isl.Set(text))


def test_two_types_are_compared_when_the_code_runs(scop_of):
    scop = scop_of(
        "for (long p = 0; p < (long)n * m; p++) x[p] = 1;"
        "for (int p = 0; p < n * m; p++) y[p] = 1;"
    )
    assert [(p.name, p.type) for p in scop.products] == [("m_n", LONG), ("m_n_", INT)]
    assert scop.assumptions.is_equal(isl.Set("[m_n, m_n_] -> { : m_n = m_n_ }"))


def test_the_interpreter_multiplies(scop_of):
    scop = scop_of(PLANES, HEAD)
    sizes = {"n": 2, "h": 3, "w": 2}
    arrays = random_inputs(scop, sizes, 1)
    found = interpret(scop, None, sizes, arrays)
    assert found["x"].shape == (2, 6)
    assert (found["x"] == arrays["x"] + arrays["y"][:, None]).all()


def test_a_loop_over_all_elements_of_rows_is_a_nest(scop_of):
    scop = scop_of(
        "for (int i = 0; i < n; i++) for (int j = 0; j < m; j++) x[i * m + j] = 0;"
        "for (int p = 0; p < n * m; p++) x[p] += y[p] + p;"
    )
    wanted = "[n, m] -> { S1[a, b] : 0 <= a < n and 0 <= b < m }"
    domain = scop.statements[1].domain
    assert domain.is_equal(isl.Set(wanted))
    assert not scop.products
    assert scop.assumptions.is_equal(isl.Set("[n, m] -> { : n >= 0 and m >= 0 }"))


FLAT = (
    "for (i = 0; i < n; i++) for (j = 0; j < m; j++) x[i * m + j] = 0;"
    "for (i = 0; i < n * m; i++) x[i] += i;"
)
COUNTERS = "int n, int m, int i, int j, double *x"


def test_a_nest_s_variable_may_be_declared_outside(scop_of):
    scop = scop_of(FLAT, COUNTERS)
    wanted = "[n, m] -> { S1[a, b] : 0 <= a < n and 0 <= b < m }"
    assert scop.statements[1].domain.is_equal(isl.Set(wanted))
    assert sorted(scop.counters) == ["i", "j"]


def test_a_nest_s_variable_that_is_read_behind_it_keeps_its_loop(parse):
    program = parse(
        f"int f({COUNTERS}) {{\n#pragma scop\n{FLAT}\n#pragma endscop\nreturn i; }}\n"
    )
    (refusal,) = program.refusals
    assert "read after the scop" in refusal.message


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("for (int p = 0; p < n * m; p++) x[p + 1] = x[p];", "may leave its row"),
        ("for (int p = 0; p < n * m - 1; p++) x[p] = 0;", "may leave its row"),
    ],
)
def test_what_fits_no_rows_is_refused(parse, body, reason):
    program = parse(
        "void f(int n, int m, double *x) {\n#pragma scop\n"
        "for (int i = 0; i < n; i++) for (int j = 0; j < m; j++) x[i * m + j] = 0;\n"
        f"{body}\n#pragma endscop\n}}\n"
    )
    (refusal,) = program.refusals
    assert reason in refusal.message
    assert refusal.where.line == 4


@pytest.mark.parametrize(
    ("head", "bound"),
    [
        ("unsigned n, unsigned m", "n * m"),
        ("int n, int m, int *q", "q[0] * m"),
        ("int n, int m", "n * (m % 3) * n"),
    ],
)
def test_products_that_are_none_of_plain_sizes_are_refused(parse, head, bound):
    program = parse(
        f"void f({head}, double *x) {{\n#pragma scop\n"
        f"for (long p = 0; p < {bound}; p++) x[p] = 0;\n#pragma endscop\n}}\n"
    )
    (refusal,) = program.refusals
    assert refusal.where.line == 3


def test_factors_of_a_nest_inside_of_another_may_not_be_below_zero_either(scop_of):
    scop = scop_of(
        "for (int i = 0; i < n; i++) for (int j = 0; j < m; j++) x[i * m + j] = 0;"
        "for (int i = 0; i < a; i++) for (int j = 0; j < b; j++) y[i * b + j] = 0;"
        "for (int p = 0; p < n * m; p++) for (int q = 0; q < a * b; q++) x[p] += y[q];",
        "int n, int m, int a, int b, double *x, double *y",
    )
    negative = isl.Set("[n, m, a, b] -> { : n > 0 and m > 0 and a < 0 and b < 0 }")
    assert scop.assumptions.is_disjoint(negative)
