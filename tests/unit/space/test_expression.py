"""Conditions as text: Python's meaning, a closed language, errors that help."""

from __future__ import annotations

import pytest

from polysched.space.expression import Expression, ExpressionError

VALUES = {"outer_parallel": 0.5, "stride_score": 6.0, "tile_bytes": 0.0, "depth": 3.0}
NAMES = (*VALUES, "predicted_seconds")


def _value(text: str) -> float:
    return Expression.parse(text, NAMES).evaluate(VALUES)


@pytest.mark.parametrize(
    "text",
    [
        "outer_parallel > 0",
        "0 < outer_parallel <= 0.5 < depth",
        "outer_parallel > 1 or not stride_score < 6",
        "depth ** 2 + 1 == 10 and depth // 2 == 1 and depth % 2 == 1",
        "-depth < abs(-1) and min(depth, 1) == 1 and max(1, 2, depth) == 3",
        "tile_bytes == 0 or 1 / tile_bytes > 1",
        " (stride_score - 1) / 5 == 1 ",
        "True and not False",
    ],
)
def test_true_conditions(text):
    assert _value(text) == 1


@pytest.mark.parametrize(
    "text", ["outer_parallel > 0.5", "1 < depth < 3", "not depth", "tile_bytes"]
)
def test_false_conditions(text):
    assert _value(text) == 0


def test_arithmetic_is_exact_enough():
    assert _value("2 * depth + stride_score / 4") == 7.5


def test_no_comparison_with_an_unknown_number_holds():
    for text in ("predicted_seconds < 1", "predicted_seconds >= 1"):
        assert _value(text) == 0
    assert _value("predicted_seconds or depth > 5") == 0


def test_unknown_names_get_close_ones():
    with pytest.raises(ExpressionError, match="no feature named 'outer_paralel'") as e:
        _value("outer_paralel > 0")
    assert e.value.hint == "did you mean outer_parallel?"
    with pytest.raises(ExpressionError, match="the features are: outer_parallel"):
        _value("xyzzy > 0")


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "depth.real > 0",
        "[depth for depth in (1, 2)]",
        "lambda: 1",
        "'depth'",
        "depth is 3",
        "depth in (3, 4)",
        "open(depth)",
        "max(depth)",
        "abs(depth, 1)",
        "max(*depth, 1)",
        "depth if depth else 1",
        "(depth := 1)",
        "1j",
        "depth & 1",
        "~depth",
        "...",
    ],
)
def test_everything_else_is_refused(text):
    with pytest.raises(ExpressionError, match=r"not understood|no feature named"):
        _value(text)


@pytest.mark.parametrize("text", ["", "depth >", "depth = 3", "a b", "import os", "\0"])
def test_what_is_no_expression_is_refused(text):
    with pytest.raises(ExpressionError, match="cannot read the expression"):
        _value(text)


def test_long_and_deep_texts_are_refused():
    with pytest.raises(ExpressionError, match="2003 characters"):
        _value("depth+" * 333 + "depth")
    with pytest.raises(ExpressionError, match="more than 50 deep"):
        _value("-" * 100 + "1")


@pytest.mark.parametrize("text", ["1 / tile_bytes", "depth % 0", "depth // 0"])
def test_division_by_zero_says_how_to_avoid_it(text):
    with pytest.raises(ExpressionError, match="divides by zero") as error:
        _value(text)
    assert "ask first" in str(error.value)


@pytest.mark.parametrize("text", ["9.0 ** 999", "(-8) ** 0.5", "1" + "0" * 400])
def test_values_out_of_range_are_refused(text):
    with pytest.raises(ExpressionError, match="has no finite value"):
        _value(text)
