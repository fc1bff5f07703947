"""Irreducible conflicts of groups, and what to drop to be rid of them."""

from __future__ import annotations

import pytest

from polysched.base import Deadline, InfeasibleError
from polysched.ilp import Linear, Problem, find_conflict, find_relaxation, is_satisfied


def at_least(problem: Problem, variable: int, low: int, *groups: str) -> None:
    problem.require_nonnegative(Linear({variable: 1}, -low), *groups)


def at_most(problem: Problem, variable: int, high: int, *groups: str) -> None:
    problem.require_nonnegative(Linear({variable: -1}, high), *groups)


def contradiction() -> Problem:
    """`low` excludes `high`, and `sum` excludes `cap` and `small` together."""
    problem = Problem()
    x, y = problem.add_variable(0, 10), problem.add_variable(0, 10)
    at_least(problem, x, 6, "low")
    at_most(problem, x, 5, "high")
    problem.require_nonnegative(Linear({x: 1, y: 1}, -9), "sum")
    at_most(problem, y, 1, "cap")
    at_most(problem, x, 7, "small")
    return problem


def alone(names) -> dict[str, frozenset[str]]:
    return {name: frozenset([name]) for name in names}


def test_groups_are_named_in_order_and_can_be_left_out() -> None:
    problem = contradiction()
    assert problem.groups() == ("low", "high", "sum", "cap", "small")
    assert problem.is_feasible(5.0) is False
    assert problem.is_feasible(5.0, frozenset(["high", "sum"])) is True
    with pytest.raises(InfeasibleError):
        problem.lexmin([], Deadline(), without=frozenset(["high"]))
    solution = problem.lexmin([], Deadline(), without=frozenset(["high", "cap"]))
    assert not is_satisfied(problem, solution.values)
    assert is_satisfied(problem, solution.values, frozenset(["high", "cap"]))


def test_row_of_two_groups_counts_while_both_do() -> None:
    problem = Problem()
    x = problem.add_variable(0, 3)
    at_least(problem, x, 4, "one", "other")
    assert problem.is_feasible(5.0) is False
    for name in ("one", "other"):
        assert problem.is_feasible(5.0, frozenset([name])) is True


def test_conflict_is_irreducible_and_prefers_what_comes_first() -> None:
    problem = contradiction()
    first = find_conflict(problem, alone(problem.groups()), Deadline())
    assert first.is_proven
    assert first.names == ("low", "high")
    last = find_conflict(problem, alone(reversed(problem.groups())), Deadline())
    assert last.names == ("small", "cap", "sum")


def test_groups_of_a_bundle_go_together() -> None:
    problem = contradiction()
    bundles = {
        "bounds": frozenset(["high", "cap", "small"]),
        "wishes": frozenset(["low", "sum"]),
    }
    assert find_conflict(problem, bundles, Deadline()).names == ("bounds", "wishes")


def test_fixed_bundles_count_but_are_not_named() -> None:
    problem = contradiction()
    bundles = alone(problem.groups())
    assert find_conflict(problem, bundles, Deadline(), ["high"]).names == ("low",)
    found = find_conflict(problem, bundles, Deadline(), ["low", "cap"])
    assert found.names == ("high",)


def test_relaxation_drops_no_more_than_it_must() -> None:
    problem = contradiction()
    bundles = alone(problem.groups())
    found = find_relaxation(problem, bundles, ["low", "sum", "cap"], Deadline())
    assert found is not None
    assert found.is_proven
    kept = set(problem.groups()) - set(found.names)
    assert problem.is_feasible(5.0, frozenset(found.names)) is True
    for name in found.names:
        again = frozenset(found.names) - {name}
        assert problem.is_feasible(5.0, again) is False
    assert {"high", "small"} <= kept


def test_relaxation_cannot_help_where_the_rest_contradicts_itself() -> None:
    problem = contradiction()
    bundles = alone(problem.groups())
    assert find_relaxation(problem, bundles, ["sum", "cap"], Deadline()) is None


def test_without_time_everything_stays_under_suspicion() -> None:
    problem = contradiction()
    bundles = alone(problem.groups())
    found = find_conflict(problem, bundles, Deadline.after(0.0))
    assert found.names == problem.groups()
    assert not found.is_proven
    assert find_relaxation(problem, bundles, ["cap"], Deadline.after(0.0)) is None
