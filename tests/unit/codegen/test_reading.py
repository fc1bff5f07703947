"""Texts are read as a C compiler reads them."""

from __future__ import annotations

import islpy as isl
import pytest

from polysched.base import AnalysisError
from polysched.codegen.reading import NotAffineTextError, TextReader

MACROS = {"ps_min": "min", "ps_max": "max", "ps_floord": "floord"}
READER = TextReader({}, MACROS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 + 3 * 4 - 1", 13),
        ("(2 + 3) * 4", 20),
        ("7 - 2 - 1", 4),
        ("-7 / 2", -3),
        ("-7 % 4", -3),
        ("7 / -2", -3),
        ("ps_floord(-7, 2)", -4),
        ("ps_min(3, ps_max(1, 2))", 2),
        ("(int)5 + (long)2L", 7),
        ("1 < 2 ? 10 : 20 / 10", 10),
        ("(1 > 2 ? 10 : 20) / 10", 2),
        ("1 > 2 ? 1 : 2 > 1 ? 3 : 4", 3),
        ("1 + 1 == 2 && 3 != 3 || !0", 1),
        ("2 >= 3 || 0", 0),
    ],
)
def test_numbers(text: str, expected: int) -> None:
    value = READER.value(text)
    assert value.is_cst()
    assert int(value.max_val().to_python()) == expected


def test_names_are_parameters_or_have_values() -> None:
    inside = TextReader({"count": READER.value("n / 2")}, MACROS)
    got = inside.value("count % 3 + m")
    assert got.is_equal(READER.value("n / 2 % 3 + m"))
    where = inside.condition("n >= 3 && count < m")
    assert where.is_equal(isl.Set("[n, m] -> { : n >= 3 and floor(n/2) < m }"))


@pytest.mark.parametrize("text", ["n * m", "n / m", "n % m", "ps_floord(n, m)"])
def test_what_is_not_affine_is_told(text: str) -> None:
    with pytest.raises(NotAffineTextError):
        READER.value(text)


@pytest.mark.parametrize("text", ["", "1 +", "(1", "1 2", "n = 3", "f(1, 2)", "a.x"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(AnalysisError):
        READER.value(text)
