"""Which groups of constraints exclude each other, and which to drop to be rid of it.

Both searches ask the solver about subsets of the groups and halve what is left, so that
few culprits among many groups are found with few solves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from polysched.base import Deadline
from polysched.ilp.problem import Problem

Bundles = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Culprits:
    """Names of bundles of groups that a search singled out.

    Attributes
    ----------
    names : tuple of str
        In the order given.
    is_proven : bool
        Whether every question on the way was answered; otherwise there may be names
        too many.
    """

    names: tuple[str, ...]
    is_proven: bool


def find_conflict(
    problem: Problem,
    bundles: Bundles,
    deadline: Deadline,
    fixed: Sequence[str] = (),
) -> Culprits:
    """An irreducible set of bundles that cannot be satisfied together.

    Parameters
    ----------
    problem : Problem
        Infeasible with all bundles.
    bundles : mapping of str to frozenset of str
        Groups that come and go together, by name; groups in none of them always count.
        Earlier ones are preferred as members of the conflict.
    deadline : Deadline
        After it everything still under suspicion is named.
    fixed : sequence of str
        Bundles that are taken for granted: they always count and are not named.

    References
    ----------
    .. [1] Junker, "QuickXplain: Preferred Explanations and Relaxations for
       Over-Constrained Problems", AAAI 2004.
    """
    search = _Search(problem, bundles, deadline)
    suspects = tuple(name for name in bundles if name not in fixed)
    found = search.explain(tuple(fixed), False, suspects)
    names = tuple(name for name in bundles if name in found)
    return Culprits(names, search.is_proven)


def find_relaxation(
    problem: Problem, bundles: Bundles, droppable: Sequence[str], deadline: Deadline
) -> Culprits | None:
    """Bundles without which the rest can be satisfied, and none of them needlessly.

    Parameters
    ----------
    problem, bundles, deadline
        As for `find_conflict`.
    droppable : sequence of str
        Names of the bundles that may go; earlier ones are kept if possible.

    Returns
    -------
    Culprits or None
        None when the others exclude each other already, or nobody knows in time.

    References
    ----------
    .. [1] Felfernig et al., "An efficient diagnosis algorithm for inconsistent
       constraint sets", AI EDAM 2012 (FastDiag; here the dual form that adds).
    """
    search = _Search(problem, bundles, deadline)
    fixed = tuple(name for name in bundles if name not in droppable)
    if search.is_feasible(fixed) is not True:
        return None
    kept = search.add(fixed, tuple(droppable))
    names = tuple(name for name in droppable if name not in kept)
    return Culprits(names, search.is_proven)


class _Search:
    """Asks the problem about sets of bundles."""

    def __init__(self, problem: Problem, bundles: Bundles, deadline: Deadline) -> None:
        self.problem = problem
        self.bundles = bundles
        self.deadline = deadline
        self.is_proven = True

    def is_feasible(self, active: Sequence[str]) -> bool | None:
        """Whether the problem with these bundles alone has a point; None: unknown."""
        seconds = self.deadline.remaining_seconds()
        found: bool | None = None
        if seconds > 0:
            idle = (g for name, g in self.bundles.items() if name not in active)
            without = frozenset[str]().union(*idle)
            found = self.problem.is_feasible(min(seconds, _SOLVE_SECONDS), without)
        if found is None:
            self.is_proven = False
        return found

    def explain(
        self, base: tuple[str, ...], has_grown: bool, suspects: tuple[str, ...]
    ) -> tuple[str, ...]:
        """The suspects that, together with the base, make an irreducible conflict."""
        if has_grown and self.is_feasible(base) is False:
            return ()
        if len(suspects) <= 1:
            return suspects
        half = len(suspects) // 2
        early, late = suspects[:half], suspects[half:]
        from_late = self.explain((*base, *early), bool(early), late)
        from_early = self.explain((*base, *from_late), bool(from_late), early)
        return (*from_early, *from_late)

    def add(self, base: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
        """The base with as many of the others as it takes without a conflict."""
        if not more or self.is_feasible((*base, *more)):
            return (*base, *more)
        if len(more) == 1:
            return base
        half = len(more) // 2
        return self.add(self.add(base, more[:half]), more[half:])


_SOLVE_SECONDS = 2.0  # a question that takes longer is left open
