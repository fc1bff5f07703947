"""Conditions and divisions of iterators: what they come to, and what is left alone."""

import islpy as isl
import pytest

from polysched.frontend import Condition, Division, find_cases

HEAD = "int n, unsigned u, int *x, double *y"


@pytest.fixture
def cases_of(scop_of):
    """The cases of the last statement of a loop body."""

    def run(line, bounds="int i = 0; i < 40; i++"):
        scop = scop_of(f"for ({bounds}) {{ {line} }}", head=HEAD)
        return find_cases(scop.statements[-1])

    return run


def there(*span):
    return isl.Set(f"{{ [i] : {span[0]} <= i <= {span[1]} }}")


def test_a_condition_is_decided_where_it_has_one_answer(cases_of):
    (case,) = cases_of("y[i] = i > 3 ? 1.0 : 2.0;")
    assert isinstance(case, Condition)
    assert case.decide(there(4, 39)) is True
    assert case.decide(there(0, 3)) is False
    assert case.decide(there(3, 4)) is None


def test_a_remainder_is_decided_where_it_wraps_equally_often(cases_of):
    case, _ = cases_of("y[i] = y[(i + 38) % 40];")
    assert case.decide(there(0, 1)) == 0
    assert case.decide(there(2, 39)) == 1
    assert case.decide(there(1, 2)) is None
    assert len(case.parts()) == 2


def test_a_remainder_by_a_size_is_decided_alike(cases_of):
    (case,) = cases_of("y[i] = y[(i + n - 1) % n];", "int i = 0; i < n; i++")
    assert case.decide(isl.Set("[n] -> { [i] : i = 0 < n }")) == 0
    assert case.decide(isl.Set("[n] -> { [i] : 0 < i < n }")) == 1
    assert case.decide(isl.Set("[n] -> { [i] : 0 <= i < n }")) is None
    assert len(case.parts()) == 2


def test_parts_of_a_condition_are_told_apart(cases_of):
    found = cases_of("y[i] = i > 3 && !(x[i] > 2 || i == 7) ? 1.0 : 2.0;")
    assert [len(c.parts()) for c in found] == [2, 2]


def test_negative_dividends_are_left_alone(cases_of):
    case, _ = cases_of("y[i] = y[(i - 2) % 40 + 2];")
    assert case.decide(there(0, 1)) is None
    assert case.decide(there(2, 39)) == 0


def test_repeated_patterns_are_no_borders(cases_of):
    assert [c.parts() for c in cases_of("y[i] = y[i % 2];")] == [[], []]


@pytest.mark.parametrize("text", ["i / 4", "i % 4", "i >> 2", "i & 3"])
def test_what_a_division_leaves_over_is_known_where_it_is_the_same(cases_of, text):
    *_, case = cases_of(f"y[i] = y[{text}];")
    assert isinstance(case, Division)
    assert case.modulus == 4
    assert case.decide(isl.Set("{ [i] : 0 <= i < 40 and i mod 4 = 3 }")) == 3
    assert case.decide(isl.Set("{ [i] : 0 <= i < 40 and i mod 2 = 1 }")) is None


def test_negative_numbers_are_divided_where_nothing_is_left(cases_of):
    (case,) = cases_of("y[i] = y[(i - 20) / 2 + 10];")
    assert case.decide(isl.Set("{ [i] : 0 <= i < 20 and i mod 2 = 1 }")) is None
    assert case.decide(isl.Set("{ [i] : 0 <= i < 20 and i mod 2 = 0 }")) == 0


def test_a_remainder_may_be_a_condition(cases_of):
    (case, *_) = cases_of("y[i] = i & 1 ? 1.0 : 2.0;")
    assert isinstance(case, Condition)
    assert case.decide(isl.Set("{ [i] : 0 <= i < 40 and i mod 2 = 1 }")) is True


@pytest.mark.parametrize(
    "line",
    [
        "y[i] = x[i] > 3 ? 1.0 : 2.0;",  # data
        "y[i] = n > 3 ? 1.0 : 2.0;",  # no iterator
        "y[i] = i + u > 3 ? 1.0 : 2.0;",  # might wrap around
        "y[i] = x[i] % 4;",
    ],
)
def test_what_iterators_do_not_decide_is_no_case(cases_of, line):
    assert cases_of(line) == ()
