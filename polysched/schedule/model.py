"""The convex space of all legal schedules of a SCoP, as one integer program.

All rows of the 2d+1 form at once: even rows are scalar (beta), odd rows linear. The
encoding is that of Pouchet et al., "Loop Transformations: Convexity, Pruning and
Optimization", POPL 2011, as extended by Kong and Pouchet, PLDI 2019, with exact
parallelism and full rank by construction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from polysched.analysis import Dependences, components
from polysched.ilp import Linear, Problem
from polysched.ir import LinearRow, Rows, Scop, Statement
from polysched.schedule.facts import MachineFacts
from polysched.schedule.pieces import Piece, cut_dependences
from polysched.schedule.turned import gathered_directions, turned_directions

Shape = Literal["unit", "turned", "lower", "upper", "gathered", "any"]
PLAIN: tuple[Shape, ...] = ("unit", "turned")  # shapes of one iterator to a row
Bands = Literal["none", "all", "outer"]


@dataclass(frozen=True)
class ModelOptions:
    """Bounds of the space.

    Attributes
    ----------
    shape : {"unit", "turned", "lower", "upper", "gathered", "any"}
        Linear rows are unit vectors; the same where loops of scattered updates count
        the other way, see `turned_directions`; or skewed by iterators of outer rows
        (time skewing); or of inner rows (outer wavefronts); the same where loops of
        scattered updates count as their elements do, see `gathered_directions`; or
        each statement's are skewed by outer or by inner rows. All have full rank.
    coefficient_bound : int
        Largest iterator coefficient.
    shift_bound : int
        Largest constant of a linear row.
    bands : {"none", "all", "outer"}
        Whether a satisfied dependence may stay respected below (variables rho), down
        to the last row or down to the last but one linear row; needed by objectives
        on permutable bands only.
    """

    shape: Shape = "unit"
    coefficient_bound: int = 3
    shift_bound: int = 4
    bands: Bands = "none"


class ScheduleModel:
    """Variables and constraints of the space; objectives ask it for more.

    Attributes
    ----------
    scop : Scop
    pieces : tuple of Piece
    depth : int
        d, the largest loop depth; there are 2d+1 rows.
    problem : Problem
    component : dict of statement name to strongly connected component
    directions : dict of statement name to tuple of int
        Which way a positive coefficient of each iterator counts.
    machine : MachineFacts
        What objectives may know of the processor.
    beta, constant : dict of (statement, row index) to variable
        Scalar rows, and the constants of linear rows.
    theta : dict of (statement, linear row, iterator position) to variable
        Iterator coefficients.
    delta, rho : dict of (piece, row) to variable
        Row satisfies the piece; satisfied there and still respected below (empty
        without bands). Row 2l+1 is linear row l, even rows are scalar.
    beta_bound : int
        Largest value of a scalar row.
    big_m : int
        K of the papers: ``K*(sum of parameters + 1)`` switches a row of legality off.
    n_own_variables : int
        How many variables there are without those that objectives add behind them.
    soft_groups : list of str
        Row groups that a solve gives up, last ones first, when they cannot be met.
    """

    def __init__(
        self,
        scop: Scop,
        dependences: Dependences,
        pieces: tuple[Piece, ...] | None = None,
        options: ModelOptions | None = None,
        machine: MachineFacts | None = None,
    ) -> None:
        self.scop = scop
        self.machine = machine or MachineFacts()
        self.soft_groups: list[str] = []
        self.dependences = dependences
        self.options = options or ModelOptions()
        self.pieces = (
            pieces if pieces is not None else cut_dependences(scop, dependences)
        )
        self.component = components(scop, dependences)
        directions = {"turned": turned_directions, "gathered": gathered_directions}
        choose = directions.get(self.options.shape)
        self.directions = {
            s.name: s.directions if choose is None else choose(s)
            for s in scop.statements
        }
        self.depth = max((s.n_loops for s in scop.statements), default=0)
        self.problem = Problem()
        self._psi: dict[tuple[str, int], int] = {}
        n = len(scop.statements)
        bound = self.options.coefficient_bound
        self.beta_bound = max(1, 2 * n)
        self.big_m = bound * (self.depth + 1) + self.options.shift_bound
        add = self.problem.add_variable
        self.beta = {
            (s.name, k): add(0, self.beta_bound)
            for s in scop.statements
            for k in range(self.depth + 1)
        }
        self.theta = {
            (s.name, level, j): add(0, 1 if self.has_plain_rows else bound)
            for s in scop.statements
            for level in range(s.n_loops)
            for j in range(s.n_loops)
        }
        shift = 1 if self.has_plain_rows else self.options.shift_bound
        self.constant = {
            (s.name, level): add(0, shift)
            for s in scop.statements
            for level in range(s.n_loops)
        }
        rows = range(2 * self.depth + 1)
        self.delta = {(d, p): add(0, 1) for d in range(len(self.pieces)) for p in rows}
        self.rho: dict[tuple[int, int], int] = {}
        if self.options.bands != "none":
            self.rho = {
                (d, p): add(0, 1) for d in range(len(self.pieces)) for p in rows[:-1]
            }
        for s in scop.statements:
            self._add_shape(s)
        for d in range(len(self.pieces)):
            self._add_legality(d)
        self.problem.decisions = [*self.delta.values(), *self.rho.values()]
        self.n_own_variables = self.problem.n_variables

    # -- what objectives ask ---------------------------------------------------

    @property
    def has_plain_rows(self) -> bool:
        """Whether every linear row is one iterator."""
        return self.options.shape in PLAIN

    def row_form(self, statement: str, level: int) -> dict[int, int]:
        """Iterator coefficients of a linear row: iterator position to variable."""
        n_loops = self.scop.statement(statement).n_loops
        return {j: self.theta[statement, level, j] for j in range(n_loops)}

    def inner_level(self, statement: str) -> int:
        """The last linear row of a statement."""
        return self.scop.statement(statement).n_loops - 1

    def parallel(self, statement: str, level: int) -> int:
        """The boolean psi: loop `level` is parallel for `statement`, exactly.

        For every piece D that touches the statement one more Farkas system makes the
        distance at this row zero unless an outer row satisfies D (the published form,
        ``psi + delta <= 1`` alone, claims loops parallel that are not).
        """
        known = self._psi.get((statement, level))
        if known is not None:
            return known
        psi = self.problem.add_variable(0, 1)
        self._psi[statement, level] = psi
        p = 2 * level + 1
        for d, piece in enumerate(self.pieces):
            if statement not in (piece.source, piece.sink):
                continue
            slack = Linear.total([self.delta[d, k] for k in range(p)])
            slack.constant += 1
            slack.add(psi, -1)
            self.require_on_piece(
                d, level, -1, Linear(), slack, f"parallel {statement}"
            )
            limit = Linear({psi: -1, self.delta[d, p]: -1}, 1)
            self.problem.require_nonnegative(limit, f"parallel {statement}")
        return psi

    def distance_bound(
        self, level: int, pieces: Iterable[int] | None = None
    ) -> tuple[int, int]:
        """Variables (u, w): every dependence distance at a linear row is <= u*sum(n)+w.

        Dependences satisfied by an outer row do not count (Bondhugula et al., PLDI
        2008, equation 5, in the single-shot space).

        Parameters
        ----------
        level : int
            The linear row.
        pieces : iterable of int, optional
            Positions in `pieces` of those to bound; all by default.
        """
        u = self.problem.add_variable(0, self.big_m)
        w = self.problem.add_variable(0, 4 * self.big_m)
        p = 2 * level + 1
        for d in range(len(self.pieces)) if pieces is None else pieces:
            slack = Linear.total([self.delta[d, k] for k in range(p)])
            offset = Linear({w: 1})
            self.require_on_piece(
                d,
                level,
                -1,
                offset,
                slack,
                f"distance {level}",
                per_size=Linear({u: 1}),
            )
        return u, w

    def dependence_group(self, d: int) -> str:
        """The group of the rows that keep one piece in order."""
        piece = self.pieces[d]
        return f"dependence {piece.source} -> {piece.sink} #{d}"

    # -- constraints -----------------------------------------------------------

    def _add_shape(self, s: Statement) -> None:
        problem, group = self.problem, f"rank {s.name}"
        levels = range(s.n_loops)
        if self.has_plain_rows:
            pivot = {
                (level, j): self.theta[s.name, level, j]
                for level in levels
                for j in levels
            }
        else:
            pivot = {
                (level, j): problem.add_variable(0, 1)
                for level in levels
                for j in levels
            }
        for k in levels:
            for line in ([pivot[k, j] for j in levels], [pivot[j, k] for j in levels]):
                form = Linear.total(line)
                form.constant -= 1
                problem.require_zero(form, group)
        if self.has_plain_rows:
            return
        bound = self.options.coefficient_bound
        is_any = self.options.shape == "any"
        is_upper = problem.add_variable(0, 1) if is_any else None
        for level in levels:
            for j in levels:
                theta = self.theta[s.name, level, j]
                problem.require_nonnegative(
                    Linear({theta: 1, pivot[level, j]: -1}), group
                )
                for others, relax in self._skewing_rows(level, levels, is_upper):
                    room = Linear.total([pivot[k, j] for k in others], bound)
                    room.add_form(relax, bound)
                    room.add(pivot[level, j], 1)
                    room.add(theta, -1)
                    problem.require_nonnegative(room, group)

    def _skewing_rows(
        self, level: int, levels: range, is_upper: int | None
    ) -> list[tuple[range, Linear]]:
        """Rows whose iterators may skew a row, and what sets the condition aside."""
        outer, inner = levels[:level], levels[level + 1 :]
        if self.options.shape == "lower":
            return [(outer, Linear())]
        if self.options.shape in ("upper", "gathered"):
            return [(inner, Linear())]
        assert is_upper is not None
        return [(outer, Linear.of(is_upper)), (inner, Linear({is_upper: -1}, 1))]

    def _add_legality(self, d: int) -> None:
        piece = self.pieces[d]
        group = self.dependence_group(d)
        satisfied = Linear.total([self.delta[d, p] for p in range(2 * self.depth + 1)])
        satisfied.constant -= 1
        self.problem.require_nonnegative(satisfied, group)
        for p in range(2 * self.depth + 1):
            slack = Linear()
            for k in range(p):
                slack.add(self.delta[d, k], 1)
                if (d, k) in self.rho and p < self._band_end(piece):
                    slack.add(self.rho[d, k], -1)
            if (d, p) in self.rho:
                keep = Linear({self.delta[d, p]: 1, self.rho[d, p]: -1})
                self.problem.require_nonnegative(keep, group)
            if p % 2 == 0:
                form = slack.scaled(self.beta_bound + 1)
                form.add(self.beta[piece.sink, p // 2], 1)
                form.add(self.beta[piece.source, p // 2], -1)
                form.add(self.delta[d, p], -1)
                self.problem.require_nonnegative(form, group)
            else:
                strong = Linear({self.delta[d, p]: -1})
                self.require_on_piece(d, p // 2, 1, strong, slack, group)

    def _band_end(self, piece: Piece) -> int:
        """The first row at which a satisfied dependence need not be kept any more.

        The scalar row behind the last linear one may order statements against it: a
        band ends with its last loop.
        """
        source = self.scop.statement(piece.source)
        sink = self.scop.statement(piece.sink)
        n_loops = min(source.n_loops, sink.n_loops)
        return max(0, 2 * n_loops if self.options.bands == "all" else 2 * n_loops - 2)

    def require_on_piece(
        self,
        d: int,
        level: int,
        sign: int,
        offset: Linear,
        slack: Linear,
        group: str | tuple[str, ...],
        per_size: Linear | None = None,
    ) -> None:
        """``sign*(sink row - source row) + offset + K*slack*(sum(n)+1) >= 0`` on D.

        `per_size` adds a form times ``sum(n)``. Each row of the piece's cone becomes
        one constraint (Farkas, multipliers eliminated).
        """
        piece = self.pieces[d]
        groups = (group,) if isinstance(group, str) else group
        big_slack = slack.scaled(self.big_m)
        for row in piece.cone:
            form = Linear()
            if row.constant:
                form.add_form(offset, row.constant)
                self._add_constant(form, piece.sink, level, sign * row.constant)
                self._add_constant(form, piece.source, level, -sign * row.constant)
            form.add_form(big_slack, row.constant + row.parameters)
            if per_size is not None:
                form.add_form(per_size, row.parameters)
            self._add_row(form, piece.sink, level, row.sink, sign)
            self._add_row(form, piece.source, level, row.source, -sign)
            if row.equality:
                self.problem.require_zero(form, *groups)
            elif form.terms or form.constant < 0:
                self.problem.require_nonnegative(form, *groups)

    def _add_constant(self, form: Linear, name: str, level: int, factor: int) -> None:
        if (name, level) in self.constant:
            form.add(self.constant[name, level], factor)

    def _add_row(
        self, form: Linear, name: str, level: int, weights: Sequence[int], factor: int
    ) -> None:
        s = self.scop.statement(name)
        if level >= s.n_loops:
            return
        ways = self.directions[name]
        for j, weight in enumerate(weights):
            if weight:
                form.add(self.theta[name, level, j], factor * weight * ways[j])

    # -- reading a solution ----------------------------------------------------

    def read_rows(self, values: Sequence[int]) -> dict[str, Rows]:
        """The schedule of a solution, padded to the deepest statement."""
        rows = {}
        for s in self.scop.statements:
            linear = []
            for level in range(self.depth):
                if level < s.n_loops:
                    ways = self.directions[s.name]
                    coefficients = tuple(
                        ways[j] * values[self.theta[s.name, level, j]]
                        for j in range(s.n_loops)
                    )
                    constant = values[self.constant[s.name, level]]
                else:
                    coefficients, constant = (0,) * s.n_loops, 0
                linear.append(LinearRow(coefficients, constant))
            betas = tuple(values[self.beta[s.name, k]] for k in range(self.depth + 1))
            rows[s.name] = Rows(s.iterators, betas, tuple(linear))
        return rows
