"""Expressions and statement bodies as C text: precedence, constants, casts."""

from __future__ import annotations

import pytest

from polysched.codegen import print_actions, print_expr
from polysched.ir import Array, Binary, Const, Iter, Unary, types
from tests.unit.codegen.handmade import Reader

READER = Reader(
    {"i": types.INT, "j": types.INT},
    {"n": types.INT},
    {
        "A": Array("A", types.DOUBLE, (None, None)),
        "k": Array("k", types.INT),
        "x": Array("x", types.DOUBLE),
    },
)


def expr_of(text: str) -> object:
    (action,) = READER.body(f"x = {text};")
    return action.value


@pytest.mark.parametrize(
    "text",
    [
        "A[i][j + 1] * (x + 2.0) / x",
        "x - (x - x) - x",
        "x / (x * x)",
        "-(-x)",
        "-(x + 1.0)",
        "!(k && k) || (k && !k)",
        "(double)(i + 1) * x",
        "x < 0.0 ? -x : x > 1.0 ? 1.0 : x",
        "i % 2 == 0 ? x : 1.5",
        "(k & 7) == 3 ? x : 2.0",
        "(k << 2) + (k | (k & 3))",
        "sqrt(x * x + 1.0)",
        "(x < 1.0) == (x > 0.0) ? x : 1.0",
        "k / 2 * 2",
        "k * (k / 2)",
        "1e-5 * x",
    ],
)
def test_an_expression_reads_back_as_itself(text: str) -> None:
    value = expr_of(text)
    printed = print_expr(value)  # type: ignore[arg-type]
    assert expr_of(printed) == value


def test_no_parentheses_where_none_are_needed() -> None:
    text = "A[i][j - 1] + x * x - x / 2.0"
    assert print_expr(expr_of(text)) == text  # type: ignore[arg-type]


def test_compilers_want_bits_as_a_condition_in_parentheses() -> None:
    printed = print_expr(expr_of("k & (x > 2.0) ? x : 0.0"))  # type: ignore[arg-type]
    assert printed == "(k & (x > 2.0)) ? x : 0.0"


def test_renamed_iterators_are_folded_into_subscripts() -> None:
    value = expr_of("A[i - 1][2 * j] + i / 2 + (i + 1)")
    printed = print_expr(value, {"i": "(a + 1)", "j": "b"})  # type: ignore[arg-type]
    assert printed == "A[(a + 1) - 1][2 * b] + (a + 1) / 2 + ((a + 1) + 1)"


@pytest.mark.parametrize(
    ("text", "last", "printed"),
    [
        ("i < n ? A[i + 1][0] : x", "n", "x"),
        ("i <= n ? A[i][0] : x", "n", "A[n][0]"),
        ("i == 0 ? A[0][i] : x", "0", "A[0][0]"),
        ("i != 0 ? A[0][i] : x", "0", "x"),
        ("i > 0 ? A[0][i] : x", "1", "1 > 0 ? A[0][1] : x"),
        ("i == 0 ? k : x", "0", "1 ? k : x"),  # an int would not be a double
        ("x == x ? 1.0 : 2.0", "0", "x == x ? 1.0 : 2.0"),  # not so for NaN
    ],
)
def test_a_comparison_of_a_value_with_itself_is_decided(
    text: str, last: str, printed: str
) -> None:
    assert print_expr(expr_of(text), {"i": last}) == printed  # type: ignore[arg-type]


def test_arrays_are_renamed_too() -> None:
    assert print_expr(expr_of("A[i][j] + x"), {"A": "B"}) == "B[i][j] + x"  # type: ignore[arg-type]


def test_negative_literals_are_put_in_parentheses_when_negated() -> None:
    minus = Const(-1, types.INT, "-1")
    assert print_expr(Unary("-", minus)) == "-(-1)"
    assert print_expr(Binary("*", minus, Iter("i"))) == "-1 * i"


def test_guards_print_both_branches() -> None:
    body = READER.body("if (x > 0.0) { A[i][j] += x; x = 0.0; } else x = -x;")
    assert print_actions(body) == (
        "if (x > 0.0) {",
        "  A[i][j] += x;",
        "  x = 0.0;",
        "} else {",
        "  x = -x;",
        "}",
    )
