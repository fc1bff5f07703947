"""How far dependences reach along the rows of a schedule, by integer programming.

The bounds ``u.n + w`` of Bondhugula et al., PLDI 2008, in two numbers: whether a
distance grows with the parameters, and the largest that does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import islpy as isl

from polysched.analysis.dependences import Dependence, Dependences
from polysched.analysis.distance import DistanceRange
from polysched.analysis.places import Member
from polysched.analysis.statement_nest import StatementNest
from polysched.base import LimitError
from polysched.ir import NodePath
from polysched.sets import operation_limit

MAX_OPERATIONS = 200_000  # of one bound; the largest example needs a tenth

_Row = tuple[tuple[int, ...], tuple[tuple[str, int], ...]]


@dataclass(frozen=True)
class RowDistance:
    """Distances of one dependence along one row that its statements share.

    Attributes
    ----------
    path : tuple of int
        Path of the band node.
    position : int
        Position in the band.
    dependence : Dependence
    least, greatest : int or None
        Over all pairs; None where it grows with the parameters or is not known.
    """

    path: NodePath
    position: int
    dependence: Dependence
    least: int | None
    greatest: int | None

    @property
    def is_zero(self) -> bool:
        """Whether source and sink are in the same iteration."""
        return self.least == self.greatest == 0


def row_distances(
    nests: Sequence[StatementNest], dependences: Dependences
) -> tuple[tuple[RowDistance, ...], ...]:
    """For every dependence that orders, its distances along the shared point rows.

    Rows behind one that orders all its pairs are left out: there it is satisfied.

    Parameters
    ----------
    nests : sequence of StatementNest
        All statements of a tree.
    dependences : Dependences
        Of the SCoP in its original order.
    """
    by_name = {n.name: n for n in nests}
    return tuple(
        tuple(_distances(by_name[d.source], by_name[d.sink], d))
        for d in dependences.items
        if d.orders and d.source in by_name and d.sink in by_name
    )


def shared_points(
    first: StatementNest, second: StatementNest
) -> Iterator[tuple[Member, Member]]:
    """Point members of bands that two statements are in together, outermost first."""
    theirs = {(m.path, m.position): m for m in second.members}
    for member in first.members:
        other = theirs.get((member.path, member.position))
        if other is not None and member.kind == other.kind == "point":
            yield member, other


def _distances(
    source: StatementNest, sink: StatementNest, dependence: Dependence
) -> Iterator[RowDistance]:
    for early, late in shared_points(source, sink):
        shift = late.constant - early.constant
        rows = (
            (early.coefficients, early.parameters),
            (
                late.coefficients,
                late.parameters,
            ),
        )
        low, high = _range(dependence, *rows)
        low = None if low is None else low + shift
        high = None if high is None else high + shift
        yield RowDistance(early.path, early.position, dependence, low, high)
        if low is not None and low > 0:
            return


@lru_cache(maxsize=8192)
def _range(dependence: Dependence, early: _Row, late: _Row) -> DistanceRange:
    """Least and greatest value of the late row minus the early one, without shifts."""
    pairs = dependence.relation.wrap()
    space = pairs.get_space()
    form = isl.Aff.zero_on_domain(isl.LocalSpace.from_space(space))
    coefficients = [*(-c for c in early[0]), *late[0]]
    for k, c in enumerate(coefficients):
        form = form.set_coefficient_val(isl.dim_type.in_, k, isl.Val(c))
    for (_, parameters), sign in ((early, -1), (late, 1)):
        for name, c in parameters:
            k = space.find_dim_by_name(isl.dim_type.param, name)
            if k < 0:
                return None, None
            form = form.add_coefficient_val(isl.dim_type.param, k, isl.Val(sign * c))
    try:
        with operation_limit(space.get_ctx(), MAX_OPERATIONS):
            return _finite(pairs.min_val(form)), _finite(pairs.max_val(form))
    except LimitError:
        return None, None


def _finite(value: isl.Val) -> int | None:
    return int(value.to_python()) if value.is_int() else None
