"""Groups of rows that may be given up: which to keep when not all can be met."""

from __future__ import annotations

from collections.abc import Sequence

from polysched.base import Deadline
from polysched.ilp.problem import Problem


def choose_given_up(
    problem: Problem,
    soft: Sequence[str],
    deadline: Deadline,
    group_seconds: float = 2.0,
) -> tuple[str, ...]:
    """The soft groups to leave out so that the rest of a problem can be met.

    Later groups go first: each is kept if it can be met together with all hard rows and
    the soft groups kept before it.

    Parameters
    ----------
    problem : Problem
        Not feasible as a whole.
    soft : sequence of str
        Names of groups, most important first.
    deadline : Deadline
        When it has passed, all that was not decided is given up.
    group_seconds : float
        Limit for the decision on one group; an undecided group is given up.

    Returns
    -------
    tuple of str
        In the order of `soft`; all of them when even without them nothing is found.
    """
    given_up = set(soft)
    for group in soft:
        if deadline.expired:
            break
        seconds = max(0.1, min(group_seconds, deadline.remaining_seconds()))
        if problem.is_feasible(seconds, without=frozenset(given_up - {group})):
            given_up.discard(group)
    return tuple(g for g in dict.fromkeys(soft) if g in given_up)
