"""How often loops run: values of their functions of the iterators, one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

from polysched.analysis import (
    LARGE_EXTENT,
    Member,
    box_terms,
    iterator_extent,
    run_extent,
)
from polysched.ir import Scop

Row = tuple[int, ...]


def row_extent(scop: Scop, statement: str, row: Row) -> int:
    """Values of a function of a statement's iterators; large where that is unknown."""
    extent = iterator_extent(scop, statement, row)
    return LARGE_EXTENT if extent is None else extent


def count_trips(scop: Scop, statement: str, members: Sequence[Member]) -> list[float]:
    """Trip count of each loop around a statement, given the loops around it.

    Parameters
    ----------
    scop : Scop
        With known parameters fixed in its context.
    statement : str
        Name of the statement.
    members : sequence of Member
        Its loops, from the outside in.
    """
    counter = _Counter(scop, statement, members)
    return [counter.enter(member) for member in members]


@dataclass
class _Counter:
    """Goes inwards: how many values functions of the iterators still have.

    Those of loops that were entered stay in windows, of one value where they step by
    one and of a tile's size where they step from tile to tile.
    """

    scop: Scop
    statement: str
    members: Sequence[Member]
    inside: dict[Row, float] = field(default_factory=dict)
    windows: dict[Row, int] = field(default_factory=dict)
    last: Row | None = None

    def enter(self, member: Member) -> float:
        """Trip count of the next loop."""
        if member.level_row is not None:
            return self._enter_level(member, member.level_row)
        row, size = member.coefficients, member.size
        if member.kind == "wave":
            row, size = member.summed[0] if member.summed else (row, 1)
        if row not in self.inside:
            self.inside[row] = self._slanted_extent(row) or self._fresh_extent(row)
        elif self.inside[row] > 1 and row != self.last:  # loops between may say more
            self.inside[row] = min(self.inside[row], self._fresh_extent(row))
        self.last = row
        trips = max(1.0, self.inside[row] / size)
        self.inside[row] = min(self.inside[row], float(size))
        self.windows[row] = max(1, ceil(self.inside[row]))
        return trips

    def _enter_level(self, wave: Member, row: Row) -> float:
        """Waves whose tiles start together, and what is then known of the tiles."""
        cut = {m.coefficients for m in self.members if m.kind == "tile"}
        self.inside |= {lost: float(n) for lost, n in wave.summed if lost not in cut}
        self.windows[row] = 1
        return max(1.0, self._extent(row) / wave.summed[0][1])

    def _extent(self, row: Row) -> int:
        return row_extent(self.scop, self.statement, row)

    def _fresh_extent(self, row: Row) -> float:
        """Values of a function while the others keep to what they still have."""
        if not self.windows:
            return float(self._extent(row))
        windows = tuple(sorted(self.windows.items()))
        found = run_extent(self.scop, self.statement, row, windows)
        return float(LARGE_EXTENT if found is None else found)

    def _slanted_extent(self, row: Row) -> float | None:
        """Values of a function within a box of functions that add up to it.

        In one run the last of those has as many values as leave the box its instances.
        """
        terms = box_terms(row, self.inside)
        if terms is None:
            return None
        reach, last = 1.0 + sum(terms.values()), list(terms)[-1]
        left = self.inside[last] * (reach - terms[last]) / reach
        self.inside[last] = max(1.0, left)
        return reach
