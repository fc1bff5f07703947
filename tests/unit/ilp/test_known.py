"""What is known of a smaller problem shortens a search and changes no optimum."""

from __future__ import annotations

from random import Random

import pytest

from polysched.base import Deadline, InfeasibleError
from polysched.ilp import Known, Linear, Problem, Solution, is_satisfied
from polysched.ilp.known import Bounds

Stages = list[tuple[str, Linear]]


def triangle() -> tuple[Problem, int, int]:
    problem = Problem()
    x, y = problem.add_variable(0, 10), problem.add_variable(0, 10)
    problem.require_nonnegative(Linear({x: 1, y: 1}, -7))
    return problem, x, y


def known_of(solution: Solution, n: int) -> Known:
    optima = tuple((s.name, s.value) for s in solution.stages if s.value is not None)
    return Known(solution.values[:n], optima)


def test_an_objective_at_its_least_value_leaves_nothing_to_solve(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem, x, y = triangle()
    both: Stages = [("x", Linear.of(x)), ("y", Linear.of(y))]
    known = known_of(problem.lexmin(both, Deadline()), 2)
    opened: list[object] = []
    monkeypatch.setattr("polysched.ilp.session.open_session", opened.append)
    between: Stages = [both[0], ("2x", Linear({x: 2})), both[1]]
    found = problem.lexmin(between, Deadline(), known=known)
    assert found.values == (0, 7)
    assert [(s.value, s.bound, s.status) for s in found.stages] == [
        (0, 0, "optimal"),
        (0, 0, "optimal"),
        (7, 7, "optimal"),
    ]
    assert not opened


def test_an_objective_that_asks_for_another_point_gets_it() -> None:
    problem, _, y = triangle()
    known = known_of(problem.lexmin([("y", Linear.of(y))], Deadline()), 2)
    far: Stages = [("-y", Linear({y: -1})), ("y", Linear.of(y))]
    found = problem.lexmin(far, Deadline(), known=known)
    assert found.values[y] == 10
    assert [s.value for s in found.stages] == [-10, 10]


def test_a_point_that_further_rows_exclude_is_not_taken() -> None:
    problem, x, y = triangle()
    both: Stages = [("x", Linear.of(x)), ("y", Linear.of(y))]
    known = known_of(problem.lexmin(both, Deadline()), 2)
    problem.require_nonnegative(Linear({x: 1}, -3))
    found = problem.lexmin(both, Deadline(), known=known)
    assert found.values == (3, 4)


def test_a_value_outside_its_box_is_not_taken() -> None:
    problem, x, y = triangle()
    both: Stages = [("x", Linear.of(x)), ("y", Linear.of(y))]
    known = known_of(problem.lexmin(both, Deadline()), 2)
    problem.fix(y, 5)
    assert problem.lexmin(both, Deadline(), known=known).values == (2, 5)


def test_nothing_is_known_behind_an_objective_that_came_to_more() -> None:
    known = Known((), (("x", 0), ("y", 7)))
    bounds = Bounds(known)
    bounds.note("between", 99)
    assert bounds.of("x") == 0
    assert bounds.of("y") is None  # x stands before it
    bounds.note("x", 3)
    assert bounds.of("y") is None
    bounds = Bounds(known)
    bounds.note("x", 0)
    assert bounds.of("y") == 7


def random_form(draw: Random, n: int) -> Linear:
    return Linear({v: draw.randint(-3, 3) for v in range(n)}, draw.randint(-4, 4))


@pytest.mark.parametrize("seed", range(60))
def test_optima_are_those_of_a_search_from_nothing(seed: int) -> None:
    """Rows, variables and objectives are put in between; values stay what they are."""
    draw = Random(seed)
    problem = Problem()
    n = draw.randint(2, 4)
    for _ in range(n):
        problem.add_variable(draw.randint(-3, 0), draw.randint(1, 5))
    for _ in range(draw.randint(0, 3)):
        problem.require_nonnegative(random_form(draw, n))
    stages: Stages = [(f"f{k}", random_form(draw, n)) for k in range(3)]
    try:
        known = known_of(problem.lexmin(stages, Deadline()), n)
    except InfeasibleError:
        known = Known((0,) * n, ())
    extra = problem.add_variable(0, 6)
    for _ in range(draw.randint(0, 2)):
        problem.require_nonnegative(random_form(draw, n + 1))
    for k in range(draw.randint(1, 2)):
        place = draw.randint(0, len(stages))
        stages.insert(place, (f"g{k}", random_form(draw, extra + 1)))
    try:
        expected = problem.lexmin(stages, Deadline())
    except InfeasibleError:
        with pytest.raises(InfeasibleError):
            problem.lexmin(stages, Deadline(), known=known)
        return
    found = problem.lexmin(stages, Deadline(), known=known)
    assert is_satisfied(problem, found.values)
    assert [s.value for s in found.stages] == [s.value for s in expected.stages]
    assert [f.evaluate(found.values) for _, f in stages] == [
        s.value for s in expected.stages
    ]
