"""The loops around one statement: how often they run, and where they lead."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil, prod
from operator import mul

from polysched.analysis import (
    Member,
    Reference,
    Vector,
    estimate_instances,
    member_directions,
)
from polysched.cost.trips import count_trips, row_extent
from polysched.ir import Scop, Statement
from polysched.sets import n_dims


@dataclass(frozen=True, eq=False)
class NestLoops:
    """A statement and its loops, from the outside in.

    Attributes
    ----------
    scop : Scop
        With known parameters fixed in its context.
    statement : Statement
        What runs.
    members : tuple of Member
        Band members around it that move it.
    references : tuple of Reference
        Its accesses.
    share : float
        Part of the statement's instances that the nest runs, where they are split.
    """

    scop: Scop
    statement: Statement
    members: tuple[Member, ...]
    references: tuple[Reference, ...]
    share: float = 1.0

    @property
    def marks(self) -> tuple[str, ...]:
        """The marks of all loops, from the outside in."""
        return tuple(mark for member in self.members for mark in member.marks)

    @cached_property
    def directions(self) -> list[Vector | None]:
        """Movement of the iterators per step of each member."""
        return member_directions(self.members)

    @cached_property
    def n_instances(self) -> float:
        """Instances that the nest runs."""
        return self._n_points * self.share

    @cached_property
    def _n_points(self) -> float:
        """Points of the domain; unbounded loops have many values."""
        name = self.statement.name
        found = estimate_instances(self.scop, name)
        if found is not None:
            return found
        n = n_dims(self.statement.domain)
        return float(prod(row_extent(self.scop, name, _unit(n, k)) for k in range(n)))

    @cached_property
    def trips(self) -> list[float]:
        """Trip count of each member, given the loops around it."""
        trips = count_trips(self.scop, self.statement.name, self.members)
        if self.inner is not None:
            trips[self.inner] = min(trips[self.inner], self._values_along(self.inner))
        return trips

    def _values_along(self, member: int) -> float:
        """Steps along which a member can go before an iterator has no more values.

        Rows of slanted tiles are short where one of the loops that they mix is.
        """
        direction = self.directions[member] or ()
        name, n = self.statement.name, len(direction)
        return min(
            ceil(row_extent(self.scop, name, _unit(n, k)) / abs(float(step)))
            for k, step in enumerate(direction)
            if step
        )

    @cached_property
    def rolled(self) -> list[int]:
        """Members that stay loops."""
        return [k for k, m in enumerate(self.members) if not m.unrolled]

    @cached_property
    def inner(self) -> int | None:
        """The innermost loop, None where no loop moves the statement."""
        moving = [k for k in self.rolled if self.directions[k] is not None]
        return moving[-1] if moving else None

    @property
    def inner_trips(self) -> float:
        """Trip count of the innermost loop."""
        return 1.0 if self.inner is None else self.trips[self.inner]

    @cached_property
    def copies(self) -> float:
        """Copies of the body that unrolling jams together."""
        return prod(self.trips[k] for k, m in enumerate(self.members) if m.unrolled)

    @cached_property
    def chains(self) -> float:
        """Of these, how many update different elements, and so wait for none."""
        return self.copies / prod(
            self.trips[k]
            for k, member in enumerate(self.members)
            if member.unrolled
            and (direction := self.directions[k]) is not None
            and not any(r.goes_on(direction) for r in self.references if r.is_write)
        )

    @cached_property
    def shared(self) -> int | None:
        """The member that threads share."""
        return next((k for k, m in enumerate(self.members) if m.is_parallel), None)

    @cached_property
    def waves_of_a_box(self) -> tuple[float, list[int]] | None:
        """Tiles, and how many each wave has, where tiles of two loops fill a box.

        None where the waves are others, of loops that limit each other.
        """
        for k, member in enumerate(self.members):
            rows = [row for row, _ in member.summed]
            is_a_box = len(rows) == 2 and not any(map(mul, *rows))
            if self.shared == k + 1 and member.kind == "wave" and is_a_box:
                trips = self.trips[k : k + 2]
                a, b = (ceil(n) for n in trips)
                waves = range(1, a + b)
                return prod(trips), [min(w, a, b, a + b - w) for w in waves]
        return None


def _unit(n: int, position: int) -> tuple[int, ...]:
    return tuple(int(k == position) for k in range(n))
