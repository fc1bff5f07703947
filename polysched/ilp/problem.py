"""An integer linear program with ordered objectives, behind which PuLP stands."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import pulp

from polysched.base import Deadline, InfeasibleError

_log = logging.getLogger(__name__)

Status = Literal["optimal", "cut short", "skipped"]


@dataclass
class Linear:
    """A linear form: integer coefficients of variables, and a constant.

    Variables are the integers that `Problem.add_variable` returned.
    """

    terms: dict[int, int] = field(default_factory=dict)
    constant: int = 0

    @classmethod
    def of(cls, variable: int, coefficient: int = 1) -> Linear:
        """One variable times a coefficient."""
        return cls({variable: coefficient})

    @classmethod
    def total(cls, variables: Sequence[int], coefficient: int = 1) -> Linear:
        """The sum of variables, each with the same coefficient."""
        form = cls()
        for v in variables:
            form.add(v, coefficient)
        return form

    def add(self, variable: int, coefficient: int) -> None:
        """Add one term in place."""
        self.terms[variable] = self.terms.get(variable, 0) + coefficient

    def add_form(self, other: Linear, factor: int = 1) -> None:
        """Add `factor` times another form in place."""
        for v, c in other.terms.items():
            self.add(v, factor * c)
        self.constant += factor * other.constant

    def scaled(self, factor: int) -> Linear:
        """A new form, `factor` times this one."""
        return Linear(
            {v: factor * c for v, c in self.terms.items()}, factor * self.constant
        )

    def evaluate(self, values: Sequence[int]) -> int:
        """The form's value at a solution."""
        return self.constant + sum(c * values[v] for v, c in self.terms.items())


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


@dataclass(frozen=True)
class _Row:
    form: Linear
    equality: bool
    group: str


class Problem:
    """Bounded integer variables, linear rows in named groups, ordered objectives."""

    def __init__(self) -> None:
        self._bounds: list[tuple[int, int]] = []
        self._rows: list[_Row] = []

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

    def require_nonnegative(self, form: Linear, group: str) -> None:
        """Add ``form >= 0``."""
        self._rows.append(_Row(form, False, group))

    def require_zero(self, form: Linear, group: str) -> None:
        """Add ``form == 0``."""
        self._rows.append(_Row(form, True, group))

    def lexmin(
        self,
        objectives: Sequence[tuple[str, Linear]],
        deadline: Deadline,
        stage_seconds: float = 5.0,
    ) -> Solution:
        """Minimise objectives one after another, each within the optima before it.

        Parameters
        ----------
        objectives : sequence of (name, form)
            Most important first.
        deadline : Deadline
            For the whole solve; what is left after it is skipped, and the best
            solution so far is returned.
        stage_seconds : float
            Limit of one stage, in seconds.

        Raises
        ------
        InfeasibleError
            When no point satisfies the rows, or none was found in time.
        """
        model, variables = self._to_pulp()
        values: tuple[int, ...] | None = None
        stages = []
        for name, form in objectives or [("feasibility", Linear())]:
            if values is not None and (deadline.expired or not form.terms):
                value = form.evaluate(values) if not form.terms else None
                status: Status = "skipped" if form.terms else "optimal"
                stages.append(Stage(name, value, value, 0.0, status))
                continue
            started = time.monotonic()
            limit = max(0.1, min(stage_seconds, deadline.remaining_seconds()))
            if values is None:
                limit = max(limit, 2.0)
            found, optimal = _solve(model, variables, form, limit)
            seconds = time.monotonic() - started
            if found is None and values is None:
                raise InfeasibleError(
                    f"no schedule satisfies the constraints ({self.n_variables} "
                    f"variables, {self.n_rows} rows, {seconds:.1f} s)"
                )
            if found is not None and (
                values is None or form.evaluate(found) <= form.evaluate(values)
            ):
                values = found
            assert values is not None
            value = form.evaluate(values)
            status = "optimal" if optimal else "cut short"
            stages.append(
                Stage(name, value, value if optimal else None, seconds, status)
            )
            _log.debug("%s = %s (%s, %.2f s)", name, value, status, seconds)
            if form.terms:
                with _quiet():
                    model += _expression(form, variables) <= value
        assert values is not None
        return Solution(values, tuple(stages))

    def _to_pulp(self) -> tuple[Any, list[Any]]:
        with _quiet():
            return self._build_pulp()

    def _build_pulp(self) -> tuple[Any, list[Any]]:
        model = pulp.LpProblem("lexicon", pulp.LpMinimize)
        variables = [
            pulp.LpVariable(f"v{k}", low, high, pulp.LpInteger)
            for k, (low, high) in enumerate(self._bounds)
        ]
        for row in self._rows:
            expression = _expression(row.form, variables)
            model += (expression == 0) if row.equality else (expression >= 0)
        return model, variables


@contextmanager
def _quiet() -> Iterator[None]:
    """PuLP 3 warns of PuLP 4's interface, and when an objective is replaced."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _expression(form: Linear, variables: Sequence[Any]) -> Any:
    return pulp.LpAffineExpression(
        [(variables[v], c) for v, c in form.terms.items() if c], form.constant
    )


def _solver(seconds: float) -> Any:
    """HiGHS in process; CBC, which PuLP carries, when highspy is missing."""
    highs = pulp.HiGHS(msg=False, timeLimit=seconds, threads=1)
    if highs.available():
        return highs
    return pulp.PULP_CBC_CMD(msg=False, timeLimit=seconds, threads=1)


def _solve(
    model: Any, variables: Sequence[Any], form: Linear, seconds: float
) -> tuple[tuple[int, ...] | None, bool]:
    """One solve; the rounded point if there is one, and whether it is optimal."""
    with _quiet():
        model.setObjective(_expression(form, variables))
        model.solve(_solver(seconds))
    if model.sol_status not in (
        pulp.LpSolutionOptimal,
        pulp.LpSolutionIntegerFeasible,
    ):
        return None, False
    values = tuple(0 if v.varValue is None else round(v.varValue) for v in variables)
    return values, model.sol_status == pulp.LpSolutionOptimal


def is_satisfied(problem: Problem, values: Sequence[int]) -> bool:
    """Whether rounded values satisfy every row exactly; solvers work in floats."""
    for row in problem._rows:
        value = row.form.evaluate(values)
        if value < 0 or (row.equality and value != 0):
            return False
    return True
