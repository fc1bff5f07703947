"""One solver run kept open: objectives are exchanged, rows added, solves repeated.

HiGHS is driven directly, since PuLP builds its model anew for every solve and cannot
start from a known point. Where highspy is missing, PuLP drives CBC.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pulp

from polysched.base import lend_baton
from polysched.ilp.linear import Linear

highspy: Any
try:
    import highspy
except ImportError:  # pragma: no cover - the dependency is declared
    highspy = None

Point = tuple[int, ...]
_first_solver = threading.Lock()
_is_announced = False


@dataclass(frozen=True)
class Row:
    """A constraint ``form >= 0`` or ``form == 0`` in one or more named groups."""

    form: Linear
    equality: bool
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Wish:
    """A form to minimise, and what a solver may spend on it.

    Attributes
    ----------
    form : Linear
    seconds : float
        Time limit, which may be overrun by one step of the solver.
    start : tuple of int, optional
        A point that satisfies all rows.
    n_nodes : int, optional
        Most nodes of the search tree, for a solver that can count them.
    held : sequence of int
        Variables that stay as they are at the start.
    """

    form: Linear
    seconds: float
    start: Point | None = None
    n_nodes: int | None = None
    held: Sequence[int] = ()


@dataclass(frozen=True)
class Answer:
    """What one solve found.

    Attributes
    ----------
    point : tuple of int or None
        Rounded values; None when there is none, or none was found in time.
    is_optimal : bool
        Whether the point is proven best.
    is_infeasible : bool
        Whether it is proven that no point exists.
    n_iterations : int
        Of the simplex method, all nodes together; 0 where the solver does not tell.
    """

    point: Point | None
    is_optimal: bool = False
    is_infeasible: bool = False
    n_iterations: int = 0


class Session(Protocol):
    """Bounded integers and rows, to be minimised over again and again."""

    def minimise(self, wish: Wish) -> Answer:
        """The point at which a form is least, or what was found within its limits."""

    def require_at_most(self, form: Linear, value: int) -> None:
        """Add ``form <= value``."""


def open_session(bounds: Sequence[tuple[int, int]], rows: Sequence[Row]) -> Session:
    """A session on the best solver that is installed."""
    if highspy is not None:
        return HighsSession(bounds, rows)
    return CbcSession(bounds, rows)


class LateSession:
    """A session that is opened by its first solve; often there is none."""

    def __init__(self, bounds: Sequence[tuple[int, int]], rows: Sequence[Row]) -> None:
        self._bounds = bounds
        self._rows = rows
        self._limits: list[tuple[Linear, int]] = []
        self._session: Session | None = None

    def minimise(self, wish: Wish) -> Answer:
        """Minimise a form; what was required meanwhile holds."""
        if self._session is None:
            self._session = open_session(self._bounds, self._rows)
            for limited, value in self._limits:
                self._session.require_at_most(limited, value)
        return self._session.minimise(wish)

    def require_at_most(self, form: Linear, value: int) -> None:
        """Add ``form <= value``."""
        if self._session is None:
            self._limits.append((form, value))
        else:
            self._session.require_at_most(form, value)


def distinct_rows(rows: Sequence[Row]) -> list[Row]:
    """Rows without repetitions; different dependences often ask for the same."""
    found: dict[tuple[frozenset[tuple[int, int]], int, bool], Row] = {}
    for row in rows:
        terms = frozenset((v, c) for v, c in row.form.terms.items() if c)
        found.setdefault((terms, row.form.constant, row.equality), row)
    return list(found.values())


def _new_solver() -> Any:
    """A silent solver.

    The first one of a process announces itself on standard output, before it can be
    told not to (seen with highspy 1.16); that line must not get among results.
    """
    global _is_announced
    with _first_solver:
        quiet = contextlib.nullcontext() if _is_announced else _standard_output_closed()
        with quiet:
            solver = highspy.Highs()
        _is_announced = True
    solver.setOptionValue("output_flag", False)
    return solver


@contextmanager
def _standard_output_closed() -> Iterator[None]:
    """Whatever C code writes to standard output meanwhile is lost."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:  # there is none
        yield
        return
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


class HighsSession:
    """HiGHS in this process; other Python threads go on while it solves."""

    def __init__(self, bounds: Sequence[tuple[int, int]], rows: Sequence[Row]) -> None:
        self._n = len(bounds)
        self._columns = np.arange(self._n, dtype=np.int32)
        self._box = tuple(np.array(side, dtype=np.float64) for side in _sides(bounds))
        self._highs = _new_solver()
        self._highs.setOptionValue("threads", 1)
        # all but the first solve begin at a good point; this one costs a tenth
        self._highs.setOptionValue("mip_heuristic_run_feasibility_jump", False)
        self._highs.passModel(_highs_model(bounds, distinct_rows(rows)))

    def minimise(self, wish: Wish) -> Answer:
        """Minimise a form."""
        with self._held(wish):
            return self._minimise(wish)

    @contextmanager
    def _held(self, wish: Wish) -> Iterator[None]:
        """Variables narrowed to their values at a point meanwhile."""
        held, start = wish.held, wish.start
        if start is None or not held:
            yield
            return
        columns = np.array(held, dtype=np.int32)
        values = np.array([start[v] for v in held], dtype=np.float64)
        self._highs.changeColsBounds(len(held), columns, values, values)
        try:
            yield
        finally:
            low, high = (a[columns] for a in self._box)
            self._highs.changeColsBounds(len(held), columns, low, high)

    def _minimise(self, wish: Wish) -> Answer:
        highs = self._highs
        costs = np.zeros(self._n)
        for variable, coefficient in wish.form.terms.items():
            costs[variable] = coefficient
        highs.changeColsCost(self._n, self._columns, costs)
        if wish.start is not None:
            known = highspy.HighsSolution()
            known.col_value = [float(v) for v in wish.start]
            highs.setSolution(known)
        highs.setOptionValue("time_limit", highs.getRunTime() + wish.seconds)
        most = highspy.kHighsIInf if wish.n_nodes is None else wish.n_nodes
        highs.setOptionValue("mip_max_nodes", most)
        with lend_baton():
            highs.run()
        status, found = highs.getModelStatus(), highs.getInfo()
        n_iterations = max(0, found.simplex_iteration_count)
        if status == highspy.HighsModelStatus.kInfeasible:
            return Answer(None, is_infeasible=True, n_iterations=n_iterations)
        feasible = highspy.SolutionStatus.kSolutionStatusFeasible
        if found.primal_solution_status != feasible:
            return Answer(None, n_iterations=n_iterations)
        point = tuple(round(v) for v in highs.getSolution().col_value)
        is_optimal = status == highspy.HighsModelStatus.kOptimal
        return Answer(point, is_optimal, n_iterations=n_iterations)

    def require_at_most(self, form: Linear, value: int) -> None:
        """Add ``form <= value``."""
        terms = [(v, c) for v, c in form.terms.items() if c]
        self._highs.addRow(
            -highspy.kHighsInf,
            float(value - form.constant),
            len(terms),
            np.array([v for v, _ in terms], dtype=np.int32),
            np.array([c for _, c in terms], dtype=np.float64),
        )


def _sides(bounds: Sequence[tuple[int, int]]) -> tuple[list[int], list[int]]:
    return [low for low, _ in bounds], [high for _, high in bounds]


def _highs_model(bounds: Sequence[tuple[int, int]], rows: Sequence[Row]) -> Any:
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(bounds), len(rows)
    model.col_cost_ = np.zeros(len(bounds))
    model.col_lower_ = np.array([low for low, _ in bounds], dtype=np.float64)
    model.col_upper_ = np.array([high for _, high in bounds], dtype=np.float64)
    model.integrality_ = [highspy.HighsVarType.kInteger] * len(bounds)
    starts, columns, values = [0], [], []
    for row in rows:
        for variable, coefficient in row.form.terms.items():
            if coefficient:
                columns.append(variable)
                values.append(coefficient)
        starts.append(len(columns))
    low = np.array([-row.form.constant for row in rows], dtype=np.float64)
    equal = np.array([row.equality for row in rows], dtype=bool)
    model.row_lower_ = low
    model.row_upper_ = np.where(equal, low, highspy.kHighsInf)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.array(starts, dtype=np.int32)
    model.a_matrix_.index_ = np.array(columns, dtype=np.int32)
    model.a_matrix_.value_ = np.array(values, dtype=np.float64)
    return model


class CbcSession:
    """The solver that PuLP carries, one process per solve."""

    def __init__(self, bounds: Sequence[tuple[int, int]], rows: Sequence[Row]) -> None:
        with _quiet():
            self._model: Any = pulp.LpProblem("lexicon", pulp.LpMinimize)
            self._variables = [
                pulp.LpVariable(f"v{k}", low, high, pulp.LpInteger)
                for k, (low, high) in enumerate(bounds)
            ]
            for row in distinct_rows(rows):
                expression = self._expression(row.form)
                self._model += (expression == 0) if row.equality else (expression >= 0)

    def minimise(self, wish: Wish) -> Answer:
        """Minimise a form; here CBC takes neither a starting point nor other limits."""
        with _quiet():
            self._model.setObjective(self._expression(wish.form))
            # told to take one thread it may wait for itself until time is up
            solver = pulp.PULP_CBC_CMD(msg=False, timeLimit=wish.seconds)
            with lend_baton():
                self._model.solve(solver)
        status = self._model.sol_status
        if self._model.status == pulp.LpStatusInfeasible:
            return Answer(None, is_infeasible=True)
        if status not in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible):
            return Answer(None)
        values = (v.varValue for v in self._variables)
        point = tuple(0 if v is None else round(v) for v in values)
        return Answer(point, status == pulp.LpSolutionOptimal)

    def require_at_most(self, form: Linear, value: int) -> None:
        """Add ``form <= value``."""
        with _quiet():
            self._model += self._expression(form) <= value

    def _expression(self, form: Linear) -> Any:
        terms = [(self._variables[v], c) for v, c in form.terms.items() if c]
        return pulp.LpAffineExpression(terms, form.constant)


@contextmanager
def _quiet() -> Iterator[None]:
    """PuLP 3 warns of PuLP 4's interface, and when an objective is replaced."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
