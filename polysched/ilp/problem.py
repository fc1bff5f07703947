"""An integer linear program with ordered objectives."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from polysched.base import NO_TIME_LEFT, Deadline, InfeasibleError, check_time
from polysched.ilp.effort import Effort
from polysched.ilp.known import Bounds, Known, rest_of
from polysched.ilp.linear import Linear
from polysched.ilp.session import (
    Answer,
    LateSession,
    Point,
    Row,
    Session,
    Wish,
    open_session,
)

_log = logging.getLogger(__name__)

Status = Literal["optimal", "cut short", "skipped"]
_LEAST_SECONDS = 0.1  # of a solve: less is not worth its start


@dataclass(frozen=True)
class Stage:
    """What one objective of a lexicographic solve came to.

    Attributes
    ----------
    name : str
        Name of the objective.
    value : int or None
        Value in the solution; None when the stage was skipped for lack of time.
    bound : float or None
        Proven lower bound, equal to `value` when `status` is "optimal".
    seconds : float
        Wall time of the solve.
    status : {"optimal", "cut short", "skipped"}
        Whether the time limit ended it early.
    """

    name: str
    value: int | None
    bound: float | None
    seconds: float
    status: Status


@dataclass(frozen=True)
class Solution:
    """Values of all variables, and the history of the objectives."""

    values: tuple[int, ...]
    stages: tuple[Stage, ...]


class Problem:
    """Bounded integer variables, linear rows in named groups, ordered objectives.

    Attributes
    ----------
    decisions : list of int
        Variables that settle most of the rest. Once the effort for a solve is spent,
        they stay as they are, and further objectives are minimised within that.
    """

    def __init__(self) -> None:
        self.decisions: list[int] = []
        self._bounds: list[tuple[int, int]] = []
        self._rows: list[Row] = []

    @property
    def n_variables(self) -> int:
        """Number of variables."""
        return len(self._bounds)

    @property
    def n_rows(self) -> int:
        """Number of constraints."""
        return len(self._rows)

    def add_variable(self, low: int, high: int) -> int:
        """A new integer variable in ``[low, high]``; returns its index."""
        self._bounds.append((low, high))
        return len(self._bounds) - 1

    def bounds(self, variable: int) -> tuple[int, int]:
        """The box of a variable."""
        return self._bounds[variable]

    def fix(self, variable: int, value: int) -> None:
        """Narrow a variable to one value."""
        self._bounds[variable] = (value, value)

    def widen(self, variable: int, high: int) -> None:
        """Raise the upper bound of a variable to at least `high`."""
        low, known = self._bounds[variable]
        self._bounds[variable] = (low, max(known, high))

    def require_nonnegative(self, form: Linear, *groups: str) -> None:
        """Add ``form >= 0``; it counts while none of its groups is left out."""
        check_time()
        self._rows.append(Row(form, False, groups))

    def require_zero(self, form: Linear, *groups: str) -> None:
        """Add ``form == 0``; it counts while none of its groups is left out."""
        check_time()
        self._rows.append(Row(form, True, groups))

    def groups(self) -> tuple[str, ...]:
        """Names of the groups that have rows, in order of their first row."""
        return tuple(dict.fromkeys(g for row in self._rows for g in row.groups))

    def is_feasible(
        self, seconds: float, without: frozenset[str] = frozenset()
    ) -> bool | None:
        """Whether some point satisfies the rows; None when time ran out undecided.

        Parameters
        ----------
        seconds : float
            Limit of the solve.
        without : frozenset of str
            Groups whose rows are left out.
        """
        session = open_session(self._bounds, self._active_rows(without))
        answer = session.minimise(Wish(Linear(), seconds))
        if answer.point is not None:
            return True
        return False if answer.is_infeasible else None

    def _active_rows(self, without: frozenset[str]) -> list[Row]:
        return [row for row in self._rows if without.isdisjoint(row.groups)]

    def lexmin(
        self,
        objectives: Sequence[tuple[str, Linear]],
        deadline: Deadline,
        stage_seconds: float = 5.0,
        without: frozenset[str] = frozenset(),
        known: Known | None = None,
        effort: Effort | None = None,
    ) -> Solution:
        """Minimise objectives one after another, each within the optima before it.

        Parameters
        ----------
        objectives : sequence of (name, form)
            Most important first.
        deadline : Deadline
            For the whole solve; what is left after it is skipped, and the best
            solution so far is returned. A first solution that is found at once is
            found after it, too.
        stage_seconds : float
            Limit of one stage, in seconds.
        without : frozenset of str
            Groups whose rows are left out.
        known : Known, optional
            The optimum of a smaller problem. Where it is a point of this one, it is
            where the search begins; it stays the answer as long as nothing is better,
            and an objective that has its least value there already is not solved for,
            see `Bounds`.
        effort : Effort, optional
            What the solves may take together; when it is spent, see `decisions`.

        Raises
        ------
        InfeasibleError
            When no point satisfies the rows, or none was found in time.
        """
        rows = self._active_rows(without)
        session = LateSession(self._bounds, rows)
        objectives = objectives or [("feasibility", Linear())]
        point = self._complete(known, rows, objectives, deadline)
        bounds = Bounds(known)
        effort = effort or Effort()
        is_known = point is not None
        stages = []
        for name, form in objectives:
            begin = point
            stage, point = self._run_stage(
                session,
                name,
                form,
                begin,
                min(stage_seconds, deadline.remaining_seconds()),
                bounds.of(name),
                effort,
            )
            if is_known and begin is not None:
                is_known = form.evaluate(begin) <= form.evaluate(point)
                point = begin if is_known else point
            bounds.note(name, stage.value)
            stages.append(stage)
            _log.debug("%s", stage)
            if form.terms and stage.value is not None:
                session.require_at_most(form, stage.value)
        assert point is not None
        return Solution(point, tuple(stages))

    def _complete(
        self,
        known: Known | None,
        rows: Sequence[Row],
        objectives: Sequence[tuple[str, Linear]],
        deadline: Deadline,
    ) -> Point | None:
        """The best point that begins with known values; None when no point does.

        Only the variables behind the known ones are solved for, mostly a few that
        objectives have added.
        """
        if known is None:
            return None
        first, rest = known.values, Problem()
        for k, (low, high) in enumerate(self._bounds):
            if k >= len(first):
                rest.add_variable(low, high)
            elif not low <= first[k] <= high:
                return None
        for row in rows:
            form = rest_of(row.form, first)
            if form.terms:
                rest._rows.append(Row(form, row.equality, row.groups))
            elif form.constant < 0 or (row.equality and form.constant):
                return None
        if not rest.n_variables:
            return first
        forms = [(name, rest_of(form, first)) for name, form in objectives]
        try:
            return first + rest.lexmin(forms, deadline).values
        except InfeasibleError:
            return None

    def _run_stage(
        self,
        session: Session,
        name: str,
        form: Linear,
        point: Point | None,
        seconds: float,
        bound: int | None,
        effort: Effort,
    ) -> tuple[Stage, Point]:
        """Minimise one objective from the best point so far."""
        if point is not None:
            value = form.evaluate(point)
            if value in (bound, self._least(form)):
                return Stage(name, value, value, 0.0, "optimal"), point
            if seconds <= 0:
                return Stage(name, None, None, 0.0, "skipped"), point
        started = time.monotonic()
        answer = self._solve(session, form, max(_LEAST_SECONDS, seconds), point, effort)
        spent = time.monotonic() - started
        if answer.point is None and point is None:
            raise InfeasibleError(self._describe_failure(answer, spent))
        best, proven = point, False
        if answer.point is not None and (
            point is None or form.evaluate(answer.point) <= form.evaluate(point)
        ):
            best, proven = answer.point, answer.is_optimal
        assert best is not None
        value = form.evaluate(best)
        status: Status = "optimal" if proven else "cut short"
        return Stage(name, value, value if proven else None, spent, status), best

    def _solve(
        self,
        session: Session,
        form: Linear,
        seconds: float,
        point: Point | None,
        effort: Effort,
    ) -> Answer:
        """Solve within what is left of the effort; a first point is found anyway.

        It is looked for in what is left of the seconds.
        """
        held = self.decisions if effort.is_spent and point is not None else ()
        n_nodes = effort.n_nodes(self.n_rows)
        end = Deadline.after(seconds)
        answer = session.minimise(Wish(form, seconds, point, n_nodes, held))
        effort.spend(answer.n_iterations, self.n_rows)
        has_none = answer.point is None and point is None
        if has_none and not answer.is_infeasible and not end.expired:
            answer = session.minimise(Wish(form, end.remaining_seconds()))
            effort.spend(answer.n_iterations, self.n_rows)
        return replace(answer, is_optimal=answer.is_optimal and not held)

    def _least(self, form: Linear) -> int:
        """A lower bound of a form from the boxes of its variables alone."""
        return form.constant + sum(
            min(c * self._bounds[v][0], c * self._bounds[v][1])
            for v, c in form.terms.items()
        )

    def _describe_failure(self, answer: Answer, seconds: float) -> str:
        size = f"{self.n_variables} variables, {self.n_rows} rows, {seconds:.1f} s"
        if answer.is_infeasible:
            return f"no schedule satisfies the constraints ({size})"
        return f"{NO_TIME_LEFT}: no schedule was found ({size})"


def is_satisfied(
    problem: Problem,
    values: Sequence[int],
    without: frozenset[str] = frozenset(),
) -> bool:
    """Whether rounded values satisfy every row exactly; solvers work in floats."""
    for row in problem._active_rows(without):
        value = row.form.evaluate(values)
        if value < 0 or (row.equality and value != 0):
            return False
    return True
