"""Integers that a region sets between its loops bound them as what they hold."""

import islpy as isl
import pytest

pytestmark = pytest.mark.cc

LOOP = "for (int i = 0; i < len / 2; i++) x[i] = y[2 * i] + y[2 * i + 1];"
HALVES = "[n] -> { S1[i] : 0 <= i and 2i + 2 <= n and n >= 0 }"
QUARTERS = "[n] -> { S3[i] : 0 <= i and 4i + 4 <= n and n >= 0 }"


@pytest.mark.parametrize("step", ["len = len / 2;", "len /= 2;", "len >>= 1;"])
@pytest.mark.parametrize("before", ["int len = n;", "len = n;"])
def test_bounds_follow_each_assignment(scop_of, before, step):
    head = "int n, int len, double *x, double *y"
    if before.startswith("int"):
        head = "int n, double *x, double *y"
    scop = scop_of(f"{before} {LOOP} {step} {LOOP}", head)
    domains = [s.domain for s in scop.statements]
    assert domains[1].is_equal(isl.Set(HALVES))
    assert domains[3].is_equal(isl.Set(QUARTERS))


def test_what_its_type_does_to_it_is_kept(scop_of):
    scop = scop_of(
        "unsigned len = n; len = len - m; for (long i = 0; i < len; i++) x[i] = 0;"
    )
    assert scop.assumptions.is_equal(isl.Set("[n, m] -> { : n >= m }"))


@pytest.mark.parametrize(
    "body",
    [
        f"{LOOP} len = len / 2; {LOOP} for (int t = 0; t < 2; t++) len = len / 2;",
        f"{LOOP} len = len - (y[0] > 0); {LOOP}",
        f"len = n; {LOOP} for (int t = 0; t < 2; t++) {{ len = len / 2; {LOOP} }}",
        f"len = n; if (y[0] > 0) len = len / 2; {LOOP}",
        f"len = n; int *p = &len; *p = 3; {LOOP}",
        f"len = n; len = (int)y[0]; {LOOP}",
        f"len = n; m = len = len / 2; len = m; {LOOP}",
        "unsigned char k = n; k = k + 250; for (int i = 0; i < k; i++) x[i] += x[2*i];",
        f"len = n; {{ int n = 4; len = n; }} {LOOP}",
    ],
)
def test_what_is_not_followed_is_refused(parse, body):
    program = parse(
        "void f(int n, int m, int len, double *x, double *y) {\n#pragma scop\n"
        f"{body}\n#pragma endscop\n}}\n"
    )
    (refusal,) = program.refusals
    assert refusal.where.line == 3


def test_an_address_that_the_function_hands_on_is_no_own_variable(parse):
    program = parse(
        "void g(int *); void f(int n, double *x, double *y) {\n"
        f"int len; g(&len);\n#pragma scop\nlen = n;\n{LOOP}\n"
        "len = len / 2;\n#pragma endscop\n}\n"
    )
    assert program.refusals


TWICE = f"{LOOP} len = len / 2; {LOOP}"


@pytest.mark.parametrize("step", ["len = len / 2;", "len /= 2;", "len >>= 1;"])
def test_a_parameter_that_changes_has_a_name_for_each_value(parse, step):
    text = TWICE.replace("len = len / 2;", step)
    program = parse(
        f"void f(int len, double *x, double *y) {{\n#pragma scop\n{text}\n"
        "#pragma endscop\n}\n"
    )
    (scop,) = program.scops
    (first, second) = [s.domain for s in scop.statements if s.iterators]
    wanted = isl.Set("[len] -> { S0[i] : 0 <= i and 2i + 2 <= len and len >= 0 }")
    assert first.is_equal(wanted)
    halves = isl.Set("[len] -> { S1[i] : 0 <= i and 4i + 4 <= len and len >= 0 }")
    assert second.is_equal(halves)


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("int f(int len, double *x, double *y) {", "return len; }"),
        ("void f(int len, double *x, double *y) { for (int t = 0; t < 3; t++) {", "}}"),
        ("int len; void f(double *x, double *y) {", "}"),
        ("void g(int *); void f(int len, double *x, double *y) { g(&len);", "}"),
    ],
)
def test_a_parameter_that_is_read_later_is_refused(parse, begin, end):
    program = parse(f"{begin}\n#pragma scop\n{TWICE}\n#pragma endscop\n{end}\n")
    (refusal,) = program.refusals
    assert "'len' changes inside the scop, at line 3" in refusal.message
    assert "int k = len;" in refusal.hint


def test_a_member_of_the_same_name_is_no_size(parse):
    text = "for (int i = 0; i < len; i++) x[i] = p[i].len; len = len / 2;"
    program = parse(
        "struct s { double len; };\nvoid f(int len, double *x, struct s *p) {\n"
        f"#pragma scop\n{text} {text}\n#pragma endscop\n}}\n"
    )
    (scop,) = program.scops
    loops = [s for s in scop.statements if s.iterators]
    assert len(loops) == 2
    assert all(any(a.array == "p" for a in s.reads) for s in loops)
