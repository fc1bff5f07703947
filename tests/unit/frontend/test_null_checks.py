"""Pointers that may be null shape the model where the region asks."""

import pytest

pytestmark = pytest.mark.cc

LOOP = "for (int i = 0; i < n; i++)"


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("x != 0", "x_is_there < 0 or x_is_there > 0"),
        ("x == (void *)0", "x_is_there = 0"),
        ("0 != x", "x_is_there < 0 or x_is_there > 0"),
        ("x", "x_is_there < 0 or x_is_there > 0"),
        ("!x", "x_is_there = 0"),
        ("!(x && i > 2)", "x_is_there = 0 or i <= 2"),
    ],
)
def test_questions_are_parameters(scop_of, condition, holds):
    scop = scop_of(f"{LOOP} if ({condition}) y[i] = 1;")
    (statement,) = scop.statements
    (parameter,) = (p for p in scop.parameters if p.held)
    assert (parameter.name, parameter.held) == ("x_is_there", "(x) != 0")
    text = f"[n, x_is_there] -> {{ S0[i] : 0 <= i < n and ({holds}) }}"
    assert statement.domain.is_equal(type(statement.domain)(text))


def test_elements_are_read_only_where_there_are_some(scop_of):
    scop = scop_of(f"{LOOP} y[i] = x ? x[i] : 0;")
    (read,) = (a for _, a in scop.iter_accesses() if a.array == "x")
    assert read.relation.intersect_params(
        type(read.relation.params())("[x_is_there] -> { : x_is_there = 0 }")
    ).is_empty()


def test_pointers_that_walk_are_not_asked_once(parse):
    (refusal,) = parse(
        "void f(int n, double *x, double *y) {\n#pragma scop\n"
        f"{LOOP} {{ if (x) y[i] = *x; x++; }}\n#pragma endscop\n}}"
    ).refusals
    assert "x" in refusal.message
