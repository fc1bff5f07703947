"""Which groups of rows are given up when not all can be met."""

from __future__ import annotations

from polysched.base import Deadline
from polysched.ilp import Linear, Problem, choose_given_up


def bounded() -> tuple[Problem, int]:
    problem = Problem()
    return problem, problem.add_variable(0, 10)


def test_of_two_that_exclude_each_other_the_later_goes() -> None:
    problem, x = bounded()
    problem.require_nonnegative(Linear({x: 1}, -7), "large")
    problem.require_nonnegative(Linear({x: -1}, 3), "small")
    assert choose_given_up(problem, ["large", "small"], Deadline()) == ("small",)
    assert choose_given_up(problem, ["small", "large"], Deadline()) == ("large",)


def test_a_later_group_stays_when_only_an_earlier_one_is_impossible() -> None:
    problem, x = bounded()
    problem.require_nonnegative(Linear({x: 1}, -11), "impossible")
    problem.require_nonnegative(Linear({x: 1}, -7), "large")
    assert choose_given_up(problem, ["impossible", "large"], Deadline()) == (
        "impossible",
    )


def test_hard_rows_decide_what_can_be_met() -> None:
    problem, x = bounded()
    problem.require_nonnegative(Linear({x: -1}, 3), "hard")
    problem.require_nonnegative(Linear({x: 1}, -7), "soft")
    assert choose_given_up(problem, ["soft"], Deadline()) == ("soft",)


def test_what_is_undecided_at_the_deadline_is_given_up() -> None:
    problem, x = bounded()
    problem.require_nonnegative(Linear({x: 1}, -7), "large")
    assert choose_given_up(problem, ["large"], Deadline.after(0)) == ("large",)


def test_a_widened_variable_keeps_its_lower_bound() -> None:
    problem, x = bounded()
    problem.widen(x, 20)
    problem.widen(x, 15)
    assert problem.bounds(x) == (0, 20)
