"""The points of a thread of overlapped tiles, and which of them its neighbours read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod

from polysched.codegen.cuda.overlap_form import OverlapForm
from polysched.ir import Load

Place = tuple[int, ...]  # of a point, from the first one of its thread on


@dataclass(frozen=True)
class Read:
    """What a point reads: a value that its own thread holds, or a neighbour's.

    Attributes
    ----------
    row : int
        From the point's row on.
    thread : tuple of int
        Steps to the thread that holds it, per loop that threads share.
    place : tuple of int
        In that thread.
    """

    row: int
    thread: Place
    place: Place

    @property
    def is_own(self) -> bool:
        """Whether the reading thread holds it."""
        return not any(self.thread)


@dataclass(frozen=True, eq=False)
class ThreadPoints:
    """The points that a thread computes of one row of a sweep.

    Attributes
    ----------
    form : OverlapForm
        The sweeps.
    """

    form: OverlapForm

    @property
    def runs(self) -> tuple[int, ...]:
        """How many, per loop that threads share."""
        return self.form.overlap.runs[1:]

    @property
    def counts(self) -> tuple[int, ...]:
        """Threads, alike."""
        return self.form.overlap.threads[1:]

    @property
    def n(self) -> int:
        """How many in all."""
        return prod(self.runs)

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """All of them, the last loop fastest."""
        return tuple(product(*(range(run) for run in self.runs)))

    def number(self, place: Place) -> int:
        """Position in `places`."""
        return self.places.index(place)

    def read(self, place: Place, load: Load, sweep: int) -> Read:
        """Where the value of a load is, for one point of a sweep."""
        row, *beside = self.form.sweeps[sweep].offsets[load]
        ends = [p + d for p, d in zip(place, beside, strict=True)]
        found = [divmod(e, run) for e, run in zip(ends, self.runs, strict=True)]
        return Read(row, tuple(t for t, _ in found), tuple(p for _, p in found))

    @cached_property
    def _far(self) -> tuple[Read, ...]:
        """All that threads read of each other."""
        found = (
            self.read(place, load, number)
            for number, sweep in enumerate(self.form.sweeps)
            for load in sweep.offsets
            for place in self.places
        )
        return tuple(dict.fromkeys(r for r in found if not r.is_own))

    @cached_property
    def shared(self) -> tuple[Place, ...]:
        """Points whose values go through shared memory."""
        wanted = {r.place for r in self._far}
        return tuple(p for p in self.places if p in wanted)

    @cached_property
    def ages(self) -> tuple[int, ...]:
        """Steps of the block since values were shared that are read."""
        return tuple(sorted({self.age(r.row) for r in self._far}))

    def age(self, row: int) -> int:
        """Steps since a row, from the point's on, was computed by the sweep before."""
        return self.form.lag - row

    @property
    def n_slots(self) -> int:
        """Steps of which shared memory has the values."""
        return max(self.ages, default=0) + 1

    def steps_to(self, member: int) -> Iterator[int]:
        """How far apart threads are that read of each other, along one loop."""
        yield from sorted({r.thread[member] for r in self._far} - {0})

    @property
    def shared_extents(self) -> tuple[int, ...]:
        """Of the array in shared memory: steps, sweeps, points, threads."""
        return (self.n_slots, len(self.form.sweeps), len(self.shared), *self.counts)

    @property
    def shared_elements(self) -> int:
        """Of it in all; 0 where threads read nothing of each other."""
        return prod(self.shared_extents)
