"""Dependence pieces as the row-by-row search sees them: carried, restricted, left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import islpy as isl

from polysched.base import LimitError
from polysched.ir import LinearRow
from polysched.schedule.pieces import Piece
from polysched.sets import (
    LIFTED_PREFIX,
    ConeRow,
    dependence_cone,
    operation_limit,
    param_names,
)

RowOf = Mapping[str, LinearRow]
RESTRICT_OPERATIONS = 2_000_000  # the largest example needs a few thousand


@dataclass(frozen=True, eq=False)
class Edge:
    """What is left to be ordered of one convex piece of a dependence.

    Attributes
    ----------
    source, sink : str
        Statements.
    flow : bool
        Whether a value flows along it.
    relation : isl.BasicMap
        The pairs that no row so far has set apart.
    cone : tuple of ConeRow
        Vertices, rays and lines of the relation (Farkas conditions of affine forms
        that are non-negative on it).
    parameters : tuple of str
        Names for `ConeRow.by_parameter`.
    is_exact : bool
        Whether lifted sizes have their values.
    """

    source: str
    sink: str
    flow: bool
    relation: isl.BasicMap
    cone: tuple[ConeRow, ...]
    parameters: tuple[str, ...]
    is_exact: bool = False

    def distances(self, rows: RowOf) -> Iterator[tuple[ConeRow, int]]:
        """The distance of a row, sink minus source, along each generator.

        At a vertex it is scaled by the vertex' `constant`; along a ray or a line it is
        the growth of the distance.
        """
        source, sink = rows[self.source], rows[self.sink]
        for g in self.cone:
            there = self.along(g, sink, at_sink=True)
            yield g, there - self.along(g, source, at_sink=False)

    def along(self, g: ConeRow, row: LinearRow, *, at_sink: bool) -> int:
        """How far a row moves its statement along a generator, constants counted."""
        weights = g.sink if at_sink else g.source
        value = g.constant * row.constant + _dot(weights, row.coefficients)
        for p, c in row.parameters:
            value += c * g.by_parameter[self.parameters.index(p)]
        return value

    def is_carried(self, rows: RowOf) -> bool:
        """Whether a row sets all its pairs apart: distance at least one everywhere."""
        return all(
            value == 0 if g.equality else value >= g.constant
            for g, value in self.distances(rows)
        )

    def is_kept(self, rows: RowOf) -> bool:
        """Whether no pair has a negative distance (by its rational hull)."""
        return all(
            value == 0 if g.equality else value >= 0
            for g, value in self.distances(rows)
        )

    def is_still(self, rows: RowOf) -> bool:
        """Whether all pairs have distance zero."""
        return all(value == 0 for _, value in self.distances(rows))

    def is_near(self, rows: RowOf, limit: int) -> bool:
        """Whether no pair is further apart than `limit`."""
        return all(
            value == 0 if g.equality else value <= limit * g.constant
            for g, value in self.distances(rows)
        )

    def left_by(self, rows: Sequence[RowOf]) -> Edge | None:
        """The pairs with distance zero in all of some rows; None when there are none.

        A restriction that takes isl too long is not made, which keeps pairs that no
        longer matter but loses none.
        """
        if any(self.is_carried(row) for row in rows):
            return None
        moving = [row for row in rows if not self.is_still(row)]
        if not moving:
            return self
        try:
            with operation_limit(self.relation.get_ctx(), RESTRICT_OPERATIONS):
                return self._restricted(moving)
        except LimitError:
            return self

    def _restricted(self, rows: Sequence[RowOf]) -> Edge | None:
        relation = self.relation
        for row in rows:
            relation = relation.add_constraint(self._zero_distance(row))
        if relation.is_empty():
            return None
        relation = relation.detect_equalities().remove_redundancies()
        return replace(self, relation=relation, cone=dependence_cone(relation))

    def exactly(self) -> Edge | None:
        """The edge for the values of its lifted sizes; None when nothing is left.

        A size seen as a parameter is easier to schedule, but what follows from its
        value alone (that 18 is more than 3) is lost.
        """
        relation = self.relation
        for k, name in enumerate(self.parameters):
            if name.startswith(LIFTED_PREFIX):
                value = isl.Val(lifted_value(name))
                relation = relation.fix_val(isl.dim_type.param, k, value)
        if relation.is_empty():
            return None
        cone = dependence_cone(relation)
        return replace(self, relation=relation, cone=cone, is_exact=True)

    def _zero_distance(self, rows: RowOf) -> isl.Constraint:
        source, sink = rows[self.source], rows[self.sink]
        space = isl.LocalSpace.from_space(self.relation.get_space())
        equal = isl.Constraint.alloc_equality(space)
        for k, c in enumerate(source.coefficients):
            equal = equal.set_coefficient_val(isl.dim_type.in_, k, isl.Val(-c))
        for k, c in enumerate(sink.coefficients):
            equal = equal.set_coefficient_val(isl.dim_type.out, k, isl.Val(c))
        for k, name in enumerate(self.parameters):
            c = dict(sink.parameters).get(name, 0) - dict(source.parameters).get(
                name, 0
            )
            equal = equal.set_coefficient_val(isl.dim_type.param, k, isl.Val(c))
        return equal.set_constant_val(isl.Val(sink.constant - source.constant))


def lifted_value(parameter: str) -> int:
    """The number that a lifted size stands for."""
    return int(parameter.removeprefix(LIFTED_PREFIX))


def make_edges(pieces: Iterable[Piece]) -> tuple[Edge, ...]:
    """One edge per piece, nothing of it ordered yet, all with the same parameters."""
    given = list(pieces)
    space = isl.Space.params_alloc(isl.DEFAULT_CONTEXT, 0)
    for p in given:
        space = space.align_params(p.relation.get_space())
    found = []
    for p in given:
        relation = p.relation.align_params(space)
        parameters = param_names(isl.Map.from_basic_map(relation))
        is_same = parameters == param_names(isl.Map.from_basic_map(p.relation))
        cone = p.cone if is_same else dependence_cone(relation)
        found.append(Edge(p.source, p.sink, p.flow, relation, cone, parameters))
    return tuple(found)


def edges_within(edges: Iterable[Edge], members: Iterable[str]) -> tuple[Edge, ...]:
    """The edges with both ends among some statements."""
    inside = frozenset(members)
    return tuple(e for e in edges if e.source in inside and e.sink in inside)


def _dot(a: Sequence[int], b: Sequence[int]) -> int:
    return sum(x * y for x, y in zip(a, b, strict=True))
