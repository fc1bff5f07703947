"""The data that the loops around one statement touch, bring in, and keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod

from polysched.analysis import Reference, box_footprint, reached_elements
from polysched.cost.nest_loops import NestLoops

BOX_SLACK = 4  # boxes of triangles hold so many times what is there, for all schedules


@dataclass(frozen=True, eq=False)
class NestData(NestLoops):
    """A statement's loops, with what they touch.

    Attributes
    ----------
    stored : tuple of (str, int)
        Private arrays, and the first member whose loop stays within one copy.
    """

    stored: tuple[tuple[str, int], ...] = ()
    _footprints: dict[tuple[int, int, str | None], int] = field(
        default_factory=dict, init=False, repr=False
    )

    def traffic(
        self, capacity_bytes: int, line_bytes: int, array: str | None = None
    ) -> float:
        """Bytes that enter a cache of the given size during the whole run.

        The innermost loops whose data fit keep it; the loop around them brings in what
        it touches once, every time it runs. With an array, its share alone.
        """
        outer = max(0, self.first_kept(capacity_bytes, line_bytes) - 1)
        return self.runs(outer) * self.footprint(outer, line_bytes, array)

    def first_kept(self, capacity_bytes: int, line_bytes: int) -> int:
        """The outermost member from which on the loops' data fit a cache."""
        first = len(self.members)
        while first > 0 and self.footprint(first - 1, line_bytes) <= capacity_bytes:
            first -= 1
        return first

    def runs(self, depth: int) -> float:
        """How often the loops from member `depth` on run over whole ranges."""
        return prod(self.trips[:depth]) * self.share * (self.fill if depth else 1.0)

    @cached_property
    def fill(self) -> float:
        """Part of the box of all trips that has instances: less than all in fronts."""
        box = prod(self.trips) * self.share
        return min(1.0, self.n_instances / box) if box else 1.0

    def footprint(self, first: int, line_bytes: int, array: str | None = None) -> int:
        """Bytes touched by the loops from member `first` on, of one array or of all."""
        key = first, line_bytes, array
        if key not in self._footprints:
            self._footprints[key] = self.measure(first, line_bytes, array)
        return self._footprints[key]

    def measure(
        self,
        first: int,
        line_bytes: int,
        array: str | None,
        references: Sequence[Reference] | None = None,
    ) -> int:
        """Bytes that some of the references touch, all of them by default."""
        start_of = dict(self.stored)
        parts: dict[str, list[Reference]] = {}
        for reference in self.references if references is None else references:
            if array in (None, reference.array):
                parts.setdefault(reference.array, []).append(reference)
        total = 0
        for name, found in parts.items():
            extents = self.extents_from(max(first, start_of.get(name, 0)))
            touched = box_footprint(
                self.scop, found, self.directions, extents, line_bytes
            )
            reached = self._reached_bytes(name)
            if name not in start_of and touched > BOX_SLACK * reached:
                touched = reached
            total += touched
        return total

    def _reached_bytes(self, array: str) -> int:
        """Bytes between the least and greatest subscripts of all instances.

        Bands of matrices are stored in few columns, which no box of rows and columns
        tells.
        """
        reached = reached_elements(self.scop, self.statement.name, array)
        return reached * self.scop.array(array).type.n_bytes

    def extents_from(self, first: int) -> dict[int, int]:
        """Trips of the loops from member `first` on that move the statement."""
        inside: dict[tuple[int, ...], float] = {}
        for k in range(first, len(self.members)):
            row = self.members[k].function
            inside[row] = inside.get(row, 1.0) * self.trips[k]
        runs = {m.function: m.size for m in self.members if m.counts_runs}
        found = {}
        for k, m in enumerate(self.members):
            if self.directions[k] is None:
                continue
            values, run = inside.get(m.coefficients, 1.0), runs.get(m.coefficients)
            if run:
                values = values / run if m.counts_runs else min(values, run)
            found[k] = max(1, round(values))
        return found
