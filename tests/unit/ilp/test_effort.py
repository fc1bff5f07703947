"""Effort is counted in work, so that a search ends at the same place everywhere."""

from __future__ import annotations

import pytest

from polysched.base import Deadline, InfeasibleError
from polysched.ilp import Effort, Linear, Problem, is_satisfied
from polysched.ilp.session import Answer, Wish
from tests.unit.clock import Clock

N = 12


def knapsacks() -> tuple[Problem, list[tuple[str, Linear]]]:
    """Choices that no relaxation settles, and three wishes that pull apart."""
    problem = Problem()
    xs = [problem.add_variable(0, 3) for _ in range(N)]
    for k in range(5):
        weights = {x: (7 * x * x + 5 * k * x + 3 * k) % 11 + 1 for x in xs}
        problem.require_nonnegative(Linear(weights, -37 - 11 * k), "cover")
    wishes = [
        (f"wish {k}", Linear({x: (5 * x + k * x * x + k) % 13 + 1 for x in xs}))
        for k in range(3)
    ]
    return problem, wishes


def test_without_a_limit_nothing_is_left_out() -> None:
    problem, wishes = knapsacks()
    effort = Effort()
    found = problem.lexmin(wishes, Deadline(), effort=effort)
    assert [s.status for s in found.stages] == ["optimal"] * 3
    assert not effort.is_spent
    assert effort.n_nodes(5) is None


def test_a_spent_effort_holds_decisions_and_improves_the_rest() -> None:
    problem, wishes = knapsacks()
    free = problem.lexmin(wishes[:1], Deadline())
    problem.decisions = list(range(N - 2))
    effort = Effort(1.0)  # the first solve spends it
    found = problem.lexmin(wishes, Deadline(), effort=effort)
    assert effort.is_spent
    first, *others = found.stages
    assert (first.status, first.value) == ("optimal", free.stages[0].value)
    assert {s.status for s in others} <= {"cut short", "optimal"}
    assert all(s.bound is None for s in others if s.status == "cut short")
    assert found.values[: N - 2] == free.values[: N - 2]
    assert is_satisfied(problem, found.values)


def test_the_same_effort_gives_the_same_search() -> None:
    seen = set()
    for _ in range(2):
        problem, wishes = knapsacks()
        problem.decisions = [0, 1]
        found = problem.lexmin(wishes, Deadline(), effort=Effort(3e4))
        told = tuple((s.value, s.status) for s in found.stages)
        seen.add((told, found.values))
    assert len(seen) == 1


def test_what_is_held_is_free_again_for_the_next_problem_of_a_session() -> None:
    problem, wishes = knapsacks()
    problem.decisions = list(range(N))
    session = problem.lexmin(wishes, Deadline(), effort=Effort(1.0))
    again = problem.lexmin(wishes, Deadline())
    assert again.stages[1].value <= session.stages[1].value
    assert [s.status for s in again.stages] == ["optimal"] * 3


def test_nodes_follow_from_what_is_left() -> None:
    effort = Effort(1e6)
    before = effort.n_nodes(10)
    effort.spend(n_iterations=5000, n_rows=100)
    after = effort.n_nodes(10)
    assert before is not None
    assert after is not None
    assert before > after >= 1
    effort.spend(n_iterations=50_000, n_rows=100)
    assert effort.is_spent


@pytest.mark.parametrize(("is_late", "n_solves"), [(False, 2), (True, 1)])
def test_a_first_point_is_looked_for_again_only_where_nodes_ended_the_search(
    monkeypatch: pytest.MonkeyPatch, is_late: bool, n_solves: int
) -> None:
    clock = Clock(monkeypatch)
    seconds_given: list[float] = []

    class FindsNothing:
        def minimise(self, wish: Wish) -> Answer:
            seconds_given.append(wish.seconds)
            clock.pass_seconds(wish.seconds if is_late else 1.0)
            return Answer(None, n_iterations=1)

    monkeypatch.setattr("polysched.ilp.session.open_session", lambda *_: FindsNothing())
    problem, wishes = knapsacks()
    with pytest.raises(InfeasibleError, match="no time left"):
        problem.lexmin(wishes, Deadline(), effort=Effort(1e6))
    assert seconds_given == [5.0, 4.0][:n_solves]
