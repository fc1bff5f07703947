"""One linear row for a group of units, as an integer program."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from polysched.ilp import Linear, Problem
from polysched.schedule.rowwise.algebra import Vector, complement
from polysched.schedule.rowwise.edges import Edge
from polysched.schedule.rowwise.unit import Row, Unit
from polysched.sets import ConeRow

Independence = Literal["orthant", "signs"]
_MAX_BOUND = 1_000_000  # of u and w: there to keep the program bounded


@dataclass(frozen=True)
class RowBounds:
    """The box that a row is looked for in.

    Attributes
    ----------
    coefficient : int
        Largest magnitude of an iterator coefficient.
    shift : int
        Largest constant. Constants are never negative: only their differences matter.
    negative : bool
        Whether iterator coefficients may be negative (reversal, as in Pluto+).
    parametric : bool
        Whether rows may be shifted by multiples of the parameters.
    """

    coefficient: int = 4
    shift: int = 64
    negative: bool = False
    parametric: bool = False


@dataclass(frozen=True)
class FoundRow:
    """A row and how it was combined.

    Attributes
    ----------
    rows : dict of str to LinearRow
        Of every statement, in C's iterators.
    weights : dict of str to tuple of int
        Of every unit, one per axis.
    """

    rows: Row
    weights: dict[str, Vector]


class RowModel:
    """Variables and constraints of the next row; objectives ask it for more.

    Every unit (a statement, seldom a cluster) has one weight per axis; a statement's
    axes are its loops, so its weights are iterator coefficients, positive along the
    original direction.

    Parameters
    ----------
    units : sequence of Unit
        What to find a row for.
    edges : sequence of Edge
        What the row must respect; all inside of the group.
    earlier : mapping of str to sequence of tuple of int
        Weights of the rows found before, by unit.
    required : collection of str
        Units whose row must be independent of their earlier ones. Others may have any
        row.
    independence : {"orthant", "signs"}
        How: each vector of a basis of the orthogonal complement has a product >= 0
        with the row and their sum is >= 1 (Pluto [1]_); or not all products are zero,
        one boolean per unit choosing the sign of their positional number
        (Pluto+ [2]_).
    bounds : RowBounds
        The box.

    Attributes
    ----------
    problem : Problem
    units, edges, bounds
        As given.

    References
    ----------
    .. [1] Bondhugula et al., "A practical automatic polyhedral parallelizer and
       locality optimizer", PLDI 2008.
    .. [2] Acharya and Bondhugula, "PLUTO+: near-complete modeling of affine
       transformations for parallelism and locality", PPoPP 2015.
    """

    def __init__(
        self,
        units: Sequence[Unit],
        edges: Sequence[Edge],
        earlier: Mapping[str, Sequence[Vector]],
        required: Collection[str],
        independence: Independence,
        bounds: RowBounds,
    ) -> None:
        self.problem = Problem()
        self.units = tuple(units)
        self.edges = tuple(edges)
        self.bounds = bounds
        self._unit_of = {m: u for u in units for m in u.members}
        names = dict.fromkeys(p for e in edges for p in e.parameters)
        self._parameters = tuple(names) if bounds.parametric else ()
        self._plus: dict[tuple[str, int], int] = {}
        self._minus: dict[tuple[str, int], int] = {}
        self._constant: dict[str, int] = {}
        self._shift: dict[tuple[str, str], int] = {}
        for u in units:
            self._add_variables(u)
            if u.name in required:
                basis = complement(earlier[u.name], len(u.axes))
                self._require_independent(u, basis, independence)
        for e in edges:
            for g, form in self.distances[e]:
                if g.equality:
                    self.problem.require_zero(form)
                elif form.terms:
                    self.problem.require_nonnegative(form)

    # -- what objectives ask ---------------------------------------------------

    @cached_property
    def distances(self) -> dict[Edge, list[tuple[ConeRow, Linear]]]:
        """The distance along every generator of every edge, as a form."""
        return {e: [(g, self._distance(e, g)) for g in e.cone] for e in self.edges}

    def magnitudes(self, unit: Unit) -> list[tuple[int, Linear]]:
        """Per axis its position and the magnitude of its weight."""
        found = []
        for k in range(len(unit.axes)):
            form = Linear.of(self._plus[unit.name, k])
            if self.bounds.negative:
                form.add(self._minus[unit.name, k], 1)
            found.append((k, form))
        return found

    def reversals(self, unit: Unit) -> Linear:
        """The sum of the magnitudes of negative weights."""
        if not self.bounds.negative:
            return Linear()
        axes = range(len(unit.axes))
        return Linear.total([self._minus[unit.name, k] for k in axes])

    def shift(self, unit: Unit) -> Linear:
        """The constant."""
        return Linear.of(self._constant[unit.name])

    def parametric_shift(self, unit: Unit) -> Linear:
        """The sum of the parameters' coefficients."""
        return Linear.total([self._shift[unit.name, p] for p in self._parameters])

    def distance_bound(self, edges: Sequence[Edge]) -> tuple[int, int]:
        """Variables u, w with ``u * sum(n) + w >= distance`` on all of some edges.

        A direction in which an edge is unbounded although no size parameter grows
        counts as a size of its own: the distance cannot be bounded along it by
        anything else, and must not make the row impossible.
        """
        u = self.problem.add_variable(0, _MAX_BOUND)
        w = self.problem.add_variable(0, _MAX_BOUND)
        for e in edges:
            for g, form in self.distances[e]:
                if g.equality or not form.terms:
                    continue
                room = form.scaled(-1)
                room.add(u, _growth(g))
                room.add(w, g.constant)
                self.problem.require_nonnegative(room)
        return u, w

    @cached_property
    def carried(self) -> dict[Edge, int]:
        """A boolean per edge: the row sets all its pairs apart."""
        found = {}
        for e in self.edges:
            flag = self.problem.add_variable(0, 1)
            for g, form in self.distances[e]:
                if g.constant and not g.equality:
                    strong = Linear(dict(form.terms), form.constant)
                    strong.add(flag, -g.constant)
                    self.problem.require_nonnegative(strong)
            found[e] = flag
        return found

    @cached_property
    def moving(self) -> int:
        """A boolean that is 1 unless all distances are zero: the loop is parallel."""
        flag = self.problem.add_variable(0, 1)
        for e in self.edges:
            for g, form in self.distances[e]:
                if g.equality or not form.terms:
                    continue
                most = form.constant + sum(
                    max(c * b for b in self.problem.bounds(v))
                    for v, c in form.terms.items()
                )
                room = form.scaled(-1)
                room.add(flag, most)
                self.problem.require_nonnegative(room)
        return flag

    # -- reading a solution ----------------------------------------------------

    def read(self, values: Sequence[int]) -> FoundRow:
        """The row of a solution."""
        rows: Row = {}
        weights = {}
        for u in self.units:
            weights[u.name] = tuple(
                self._weight(u, k).evaluate(values) for k in range(len(u.axes))
            )
            shifts = {p: values[self._shift[u.name, p]] for p in self._parameters}
            constant = values[self._constant[u.name]]
            rows.update(u.combined(weights[u.name], constant, shifts))
        return FoundRow(rows, weights)

    # -- building --------------------------------------------------------------

    def _add_variables(self, u: Unit) -> None:
        bound = self.bounds.coefficient
        for k in range(len(u.axes)):
            self._plus[u.name, k] = self.problem.add_variable(0, bound)
            if self.bounds.negative:
                self._minus[u.name, k] = self.problem.add_variable(0, bound)
        self._constant[u.name] = self.problem.add_variable(0, self.bounds.shift)
        for p in self._parameters:
            self._shift[u.name, p] = self.problem.add_variable(0, bound)

    def _weight(self, u: Unit, axis: int) -> Linear:
        form = Linear.of(self._plus[u.name, axis])
        if self.bounds.negative:
            form.add(self._minus[u.name, axis], -1)
        return form

    def _require_independent(
        self, u: Unit, basis: Sequence[Vector], independence: Independence
    ) -> None:
        products = []
        for vector in basis:
            product = Linear()
            for k, weight in enumerate(vector):
                product.add_form(self._weight(u, k), weight)
            products.append(product)
        if independence == "signs":
            self._require_nonzero(products, basis)
            return
        total = Linear(constant=-1)
        for product in products:
            total.add_form(product)
            self.problem.require_nonnegative(product)
        self.problem.require_nonnegative(total)

    def _require_nonzero(
        self, products: Sequence[Linear], basis: Sequence[Vector]
    ) -> None:
        """Not all products are zero: their positional number is at least one apart."""
        largest = max(sum(abs(w) for w in v) for v in basis) * self.bounds.coefficient
        number, weight = Linear(), 1
        for product in products:
            number.add_form(product, weight)
            weight *= largest + 1
        is_negative = self.problem.add_variable(0, 1)
        above, below = number.scaled(1), number.scaled(-1)
        above.add(is_negative, weight)
        above.constant -= 1
        below.add(is_negative, -weight)
        below.constant += weight - 1
        self.problem.require_nonnegative(above)
        self.problem.require_nonnegative(below)

    def _distance(self, e: Edge, g: ConeRow) -> Linear:
        form = Linear()
        for name, at_sink in ((e.sink, True), (e.source, False)):
            sign = 1 if at_sink else -1
            u = self._unit_of[name]
            for k, axis in enumerate(u.axes):
                moved = sign * e.along(g, axis[name], at_sink=at_sink)
                if moved:
                    form.add_form(self._weight(u, k), moved)
            form.add(self._constant[u.name], sign * g.constant)
            for p in self._parameters:
                weight = g.by_parameter[e.parameters.index(p)]
                form.add(self._shift[u.name, p], sign * weight)
        form.terms = {v: c for v, c in form.terms.items() if c}
        return form


def _growth(g: ConeRow) -> int:
    """Sum of the sizes along a generator; one for rays along which no size grows."""
    return g.parameters if g.parameters or g.constant else 1
