"""Rows and bands for a group of statements."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from polysched.base import Deadline, InfeasibleError
from polysched.ilp import Stage
from polysched.ir import LinearRow, Scop
from polysched.schedule.rowwise.algebra import Vector, complement, is_spanned, rank
from polysched.schedule.rowwise.edges import Edge, edges_within
from polysched.schedule.rowwise.fusion import Members
from polysched.schedule.rowwise.graph import weak_components
from polysched.schedule.rowwise.model import (
    FoundRow,
    Independence,
    RowBounds,
    RowModel,
)
from polysched.schedule.rowwise.objectives import Strategy
from polysched.schedule.rowwise.unit import Row, Unit, own_weights

_log = logging.getLogger(__name__)

Earlier = Mapping[str, tuple[LinearRow, ...]]
_Past = Mapping[str, tuple[Vector, ...]]  # weights of earlier rows, by unit


class RowFinder:
    """Finds the next row of a group, one integer program per connected part.

    Parameters
    ----------
    scop : Scop
    strategy : Strategy
        What rows are asked for.
    bounds : RowBounds
    deadline : Deadline
        After it there are no more rows.

    Attributes
    ----------
    stages : list of Stage
        Every objective that was solved for, in order; its name says for whom.
    """

    def __init__(
        self, scop: Scop, strategy: Strategy, bounds: RowBounds, deadline: Deadline
    ) -> None:
        self.stages: list[Stage] = []
        self._scop = scop
        self._strategy = strategy
        self._bounds = bounds
        self._deadline = deadline
        self._units = {s.name: Unit.of_statement(s) for s in scop.statements}
        self._known: dict[object, FoundRow | None] = {}

    def missing_rank(self, name: str, earlier: Earlier) -> int:
        """How many independent rows a statement still needs."""
        n_loops = self._scop.statement(name).n_loops
        return n_loops - rank([r.coefficients for r in earlier[name]], n_loops)

    def band(
        self,
        members: Members,
        edges: Sequence[Edge],
        earlier: Earlier,
        most: int | None = None,
    ) -> list[Row]:
        """As many independent rows as there are that respect all edges.

        Parameters
        ----------
        members : tuple of str
        edges : sequence of Edge
            Each row respects all of them, so that the rows are permutable.
        earlier : mapping of str to tuple of LinearRow
            Rows outside of the band.
        most : int, optional
            Enough rows.
        """
        units = [self._units[m] for m in members]
        return self._band(units, edges, self._past(members, earlier), most)

    def joint_band(
        self, units: Sequence[Unit], edges: Sequence[Edge], most: int
    ) -> list[Row]:
        """A band for all units at once, its rows combined from those they have."""
        return self._band(units, edges, {u.name: () for u in units}, most)

    def carrying_row(
        self, members: Members, edges: Sequence[Edge], earlier: Earlier
    ) -> Row | None:
        """A row that respects all edges and carries at least one of them.

        It need not be independent of earlier rows.
        """
        units = [self._units[m] for m in members]
        past = self._past(members, earlier)
        found = self._solve(units, edges, past, frozenset(), "orthant")
        if found is None or not any(e.is_carried(found.rows) for e in edges):
            return None
        return found.rows

    def _past(self, members: Members, earlier: Earlier) -> _Past:
        statement = self._scop.statement
        return {
            m: tuple(own_weights(statement(m), row) for row in earlier[m])
            for m in members
        }

    def _band(
        self,
        units: Sequence[Unit],
        edges: Sequence[Edge],
        past: _Past,
        most: int | None,
    ) -> list[Row]:
        missing = max(_missing(u, past) for u in units)
        wanted = missing if most is None else min(most, missing)
        rows: list[Row] = []
        while len(rows) < wanted:
            found = self._row(units, edges, past, wanted - len(rows))
            if found is None:
                break
            rows.append(found.rows)
            past = {n: (*before, found.weights[n]) for n, before in past.items()}
        return rows

    def _row(
        self, units: Sequence[Unit], edges: Sequence[Edge], past: _Past, n_wanted: int
    ) -> FoundRow | None:
        """The best next row; None when there is none, or no time for it.

        `n_wanted` is how many rows the band still wants, this one counted: a patient
        strategy leaves room for units that need fewer.
        """
        unit_of = {m: u.name for u in units for m in u.members}
        by_name = {u.name: u for u in units}
        pairs = [(unit_of[e.source], unit_of[e.sink]) for e in edges]
        rows: Row = {}
        weights: dict[str, Vector] = {}
        parts = weak_components([u.name for u in units], pairs)
        for part in sorted(parts, key=len, reverse=True):
            some = tuple(by_name[n] for n in part)
            inside = edges_within(edges, [m for u in some for m in u.members])
            found = self._part_row(some, inside, past, n_wanted)
            if found is None:
                return None
            rows.update(found.rows)
            weights.update(found.weights)
        return FoundRow(rows, weights)

    def _part_row(
        self,
        units: tuple[Unit, ...],
        edges: tuple[Edge, ...],
        past: _Past,
        n_wanted: int,
    ) -> FoundRow | None:
        missing = {u.name: _missing(u, past) for u in units}
        is_patient = self._strategy.is_patient
        least = min(n_wanted, max(missing.values())) if is_patient else 1
        required = frozenset(n for n, m in missing.items() if m >= max(1, least))
        if not required:
            return _resting(units)
        key = (units, edges, tuple(past[u.name] for u in units), required)
        if key not in self._known:
            self._known[key] = self._independent_row(units, edges, past, required)
        return self._known[key]

    def _independent_row(
        self,
        units: Sequence[Unit],
        edges: Sequence[Edge],
        past: _Past,
        required: frozenset[str],
    ) -> FoundRow | None:
        if self._bounds.negative:
            return self._solve(units, edges, past, required, "signs")
        found = self._solve(units, edges, past, required, "orthant")
        if found is None and not all(
            _is_orthant_exact(u, past) for u in units if u.name in required
        ):
            found = self._solve(units, edges, past, required, "signs")
        return found

    def _solve(
        self,
        units: Sequence[Unit],
        edges: Sequence[Edge],
        past: _Past,
        required: frozenset[str],
        independence: Independence,
    ) -> FoundRow | None:
        """Solve for a row; one that carries something when nothing else is required."""
        if self._deadline.expired:
            return None
        model = RowModel(units, edges, past, required, independence, self._bounds)
        forms = self._strategy.forms(model, carrying=not required)
        names = _short([u.name for u in units])
        try:
            solution = model.problem.lexmin(forms, self._deadline)
        except InfeasibleError as error:
            _log.debug("no row for %s: %s", names, error)
            return None
        self.stages += [replace(s, name=f"{s.name} [{names}]") for s in solution.stages]
        found = model.read(solution.values)
        is_fresh = not any(is_spanned(found.weights[n], past[n]) for n in required)
        if not is_fresh or not all(e.is_kept(found.rows) for e in edges):
            _log.debug("a rounded row of %s breaks a constraint", names)
            return None
        return found


def extended(earlier: Earlier, row: Row) -> dict[str, tuple[LinearRow, ...]]:
    """The earlier rows of the statements of a row, and that row behind them."""
    return {m: (*earlier[m], r) for m, r in row.items()}


def _short(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) < 4 else f"{names[0]} to {names[-1]}"


def _missing(u: Unit, past: _Past) -> int:
    return len(u.axes) - rank(past[u.name], len(u.axes))


def _is_orthant_exact(u: Unit, past: _Past) -> bool:
    """Whether another way to ask for independence would find nothing else."""
    basis = complement(past[u.name], len(u.axes))
    return all(w >= 0 for vector in basis for w in vector)


def _resting(units: Sequence[Unit]) -> FoundRow:
    """Zero rows."""
    weights = {u.name: (0,) * len(u.axes) for u in units}
    rows: Row = {}
    for u in units:
        rows.update(u.combined(weights[u.name], 0, {}))
    return FoundRow(rows, weights)
