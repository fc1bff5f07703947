"""Lexicographic minimisation: order, honesty about time, infeasibility."""

from __future__ import annotations

import pytest

from polysched.base import Deadline, InfeasibleError
from polysched.ilp import Linear, Problem, is_satisfied


def triangle() -> tuple[Problem, int, int]:
    problem = Problem()
    x, y = problem.add_variable(0, 10), problem.add_variable(0, 10)
    problem.require_nonnegative(Linear({x: 1, y: 1}, -7), "cover")
    return problem, x, y


def test_objectives_are_minimised_in_order() -> None:
    problem, x, y = triangle()
    first = problem.lexmin([("x", Linear.of(x)), ("y", Linear.of(y))], Deadline())
    assert first.values == (0, 7)
    second = problem.lexmin([("y", Linear.of(y)), ("x", Linear.of(x))], Deadline())
    assert second.values == (7, 0)
    assert [s.status for s in second.stages] == ["optimal", "optimal"]
    assert [s.value for s in second.stages] == [0, 7]


def test_infeasible_rows_raise() -> None:
    problem, x, y = triangle()
    problem.require_nonnegative(Linear({x: -1, y: -1}, 6), "cap")
    with pytest.raises(InfeasibleError, match="no schedule satisfies"):
        problem.lexmin([("x", Linear.of(x))], Deadline())


def test_after_the_deadline_the_best_so_far_is_returned_and_said() -> None:
    problem, x, y = triangle()
    solution = problem.lexmin(
        [("x", Linear.of(x)), ("y", Linear.of(y))], Deadline.after(0.0)
    )
    assert solution.values[x] == 0
    assert [s.status for s in solution.stages] == ["optimal", "skipped"]
    assert solution.stages[1].value is None
    assert is_satisfied(problem, solution.values)


def test_rounded_points_are_checked_exactly() -> None:
    problem, _, _ = triangle()
    assert is_satisfied(problem, (3, 4))
    assert not is_satisfied(problem, (3, 3))


def test_form_without_terms_is_a_constant() -> None:
    problem, _, _ = triangle()
    solution = problem.lexmin([("nothing", Linear({}, 5))], Deadline())
    assert solution.stages[0].value == 5
