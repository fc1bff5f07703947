"""Closed forms agree with counting point by point, and refuse what has none."""

from __future__ import annotations

import random
from itertools import product

import islpy as isl
import pytest

from polysched.analysis import ClosedForm, count_points
from polysched.base import AnalysisError
from polysched.sets import fix_parameters, list_points


def _assert_exact(s: isl.Set, found: ClosedForm, values: range) -> None:
    assert found.exact, found.reason
    for point in product(values, repeat=len(found.parameters)):
        sizes = dict(zip(found.parameters, point, strict=True))
        expected = len(list_points(fix_parameters(s, sizes)))
        assert found.evaluate(sizes) == expected, (str(s), sizes)


@pytest.mark.parametrize(
    "text",
    [
        "[n] -> { [i, j] : 0 <= i < n and 0 <= j < i }",
        "[n, m] -> { [i, j] : 0 <= i < n and 0 <= j < m and j <= i }",
        "[n, b] -> { [i, j] : 0 <= i, j < n and i - b <= j <= i + b }",
        "[n] -> { [i, j] : 0 < i, j < n - 1 and (i + j) mod 2 = 0 }",
        "[n] -> { [i, k] : 0 <= i < n and i mod 32 = 0 and i <= k < n and k < i + 32 }",
        "[n] -> { [i] : 0 <= 2i < n or 5 <= i < n }",
        "[n] -> { [a] : exists i, j : a = 2i + 3j and 0 <= i, j < n }",
        "[n] -> { [i, j] : 2i + 3j <= n and i >= 0 and j >= 0 }",
        "[n] -> { [i] : 2i = n and i >= 0 }",
        "[n] -> { [] : n >= 3 }",
    ],
)
def test_closed_forms_count_like_enumeration(text):
    s = isl.Set(text)
    _assert_exact(s, count_points(s), range(-1, 12))


def _random_set(chance: random.Random) -> isl.Set:
    """A box that a few random half-spaces, and perhaps a stride, cut."""
    depth = chance.randint(1, 3)
    dims = ["i", "j", "k"][:depth]
    rows = [f"0 <= {d} < n" for d in dims]
    for _ in range(chance.randint(0, 2)):
        terms = [f"{chance.randint(-2, 2)}{d}" for d in (*dims, "n")]
        rows.append(f"{' + '.join(terms)} + {chance.randint(-3, 3)} >= 0")
    if chance.random() < 0.4:
        stride = chance.randint(2, 3)
        rows.append(f"({' + '.join(dims)}) mod {stride} = {chance.randrange(stride)}")
    return isl.Set(f"[n] -> {{ [{', '.join(dims)}] : {' and '.join(rows)} }}")


@pytest.mark.parametrize("seed", range(25))
def test_random_sets_are_counted_right(seed):
    s = _random_set(random.Random(seed))
    found = count_points(s)
    _assert_exact(s, found, range(9))


def test_formulas_read_as_one_writes_them():
    triangle = isl.Set("[n] -> { [i, j] : 0 <= i < n and 0 <= j <= i }")
    assert str(count_points(triangle)) == "n*(n + 1)/2 for n >= 1; else 0"
    at_least_one = isl.Set("[n] -> { : n >= 1 }")
    assert str(count_points(triangle, at_least_one)) == "n*(n + 1)/2"
    assert str(count_points(isl.Set("{ [i, j] : 0 <= i, j < 1000 }"))) == "1000000"
    odd = isl.Set("[n] -> { [i] : 0 <= i < n and i mod 2 = 1 }")
    assert "floor(n/2)" in str(count_points(odd))
    assert str(count_points(isl.Set("{ [i] : false }"))) == "0"


def test_weights_count_sets_together():
    row = isl.Set("[n] -> { R[i] : 0 <= i < n }")
    square = isl.Set("[n] -> { S[i, j] : 0 <= i, j < n }")
    found = count_points([(row, 3), (square, 2)])
    assert str(found) == "n*(2*n + 3) for n >= 1; else 0"
    assert found.evaluate({"n": 10}) == 230
    assert found.scaled(2).evaluate({"n": 10}) == 460


def test_context_drops_what_cannot_be():
    band = isl.Set("[n, m] -> { [i, j] : 0 <= i < n and 0 <= j < m and j <= i }")
    wide = isl.Set("[m, n, other] -> { : 1 <= m <= n and other >= 5 }")
    found = count_points(band, wide)
    assert str(found) == "m*(-m + 2*n + 1)/2"
    assert found.parameters == ("n", "m")


def test_parameters_may_have_any_name():
    s = isl.Set("[p1, f0, p0] -> { [i] : 0 <= 2i < p1 + f0 and i < p0 }")
    context = isl.Set("[p1, p0, f0] -> { : p1 >= f0 >= 1 and p0 >= 1 }")
    found = count_points(s, context)
    assert found.evaluate({"p1": 9, "f0": 2, "p0": 50}) == 6
    assert found.evaluate({"p1": 9, "f0": 2, "p0": 4}) == 4


def test_infinite_sets_have_no_closed_form():
    found = count_points(isl.Set("[n] -> { [i, j] : 0 <= i < n and j >= i }"))
    assert not found.exact
    assert str(found) == "no closed form: the set is not bounded"
    with pytest.raises(AnalysisError, match="no closed form: the set is not bounded"):
        found.evaluate({"n": 3})


def test_too_many_cases_are_refused_not_guessed():
    rows = [f"0 <= i < n{k} and 0 <= j < m{k}" for k in range(7)]
    names = [f"{letter}{k}" for letter in "nm" for k in range(7)]
    text = f"[{', '.join(names)}] -> {{ [i, j] : {' and '.join(rows)} }}"
    found = count_points(isl.Set(text))
    assert not found.exact
    assert "more than" in found.reason


def test_missing_parameter_is_named():
    found = count_points(isl.Set("[n] -> { [i] : 0 <= i < n }"))
    with pytest.raises(AnalysisError, match="no value for the parameter 'n'"):
        found.evaluate({"m": 1})
