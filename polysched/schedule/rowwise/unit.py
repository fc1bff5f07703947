"""What gets one row at a time: a statement, or a cluster with a band of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from polysched.ir import LinearRow, Statement
from polysched.schedule.rowwise.algebra import Vector

Row = dict[str, LinearRow]


@dataclass(frozen=True, eq=False)
class Unit:
    """Statements whose next row is one combination of rows that they have.

    Attributes
    ----------
    name : str
        Unique among the units of a problem.
    statements : tuple of Statement
    axes : tuple of dict of statement name to LinearRow
        The rows that are combined. A statement's own axes are its loops, each in the
        direction in which it counts.
    """

    name: str
    statements: tuple[Statement, ...]
    axes: tuple[Row, ...]

    @classmethod
    def of_statement(cls, s: Statement) -> Unit:
        """The unit of one statement."""
        axes = []
        for j, direction in enumerate(s.directions):
            coefficients = [0] * s.n_loops
            coefficients[j] = direction
            axes.append({s.name: LinearRow(tuple(coefficients))})
        return cls(s.name, (s,), tuple(axes))

    @property
    def members(self) -> tuple[str, ...]:
        """Names of the statements."""
        return tuple(s.name for s in self.statements)

    def combined(
        self, weights: Sequence[int], constant: int, parameters: Mapping[str, int]
    ) -> Row:
        """The rows of all members: weighted axes, shifted."""
        found = {}
        for s in self.statements:
            total, shift, by_name = [0] * s.n_loops, constant, dict(parameters)
            for weight, axis in zip(weights, self.axes, strict=True):
                if not weight:
                    continue
                row = axis[s.name]
                total = [
                    t + weight * c for t, c in zip(total, row.coefficients, strict=True)
                ]
                shift += weight * row.constant
                for p, c in row.parameters:
                    by_name[p] = by_name.get(p, 0) + weight * c
            kept = tuple((p, c) for p, c in sorted(by_name.items()) if c)
            found[s.name] = LinearRow(tuple(total), shift, kept)
        return found


def own_weights(s: Statement, row: LinearRow) -> Vector:
    """A row of a statement in its own axes."""
    pairs = zip(s.directions, row.coefficients, strict=True)
    return tuple(d * c for d, c in pairs)
