"""A peer whose modes and tile sizes are chosen by measuring its programs."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from statistics import median

from polysched.base import RunError
from polysched.bench.autotune import Point, search_point
from polysched.bench.build import Builder
from polysched.bench.peers import Found
from polysched.bench.race import Runner
from polysched.bench.report import contest_of
from polysched.records import Failure

_REPEATED_SECONDS = 0.5  # shorter runs are measured several times
_REPEATS = 3


def build_tuned(builder: Builder, found: Found) -> Runner | Failure:
    """The fastest right program of a peer that a search finds; or why there is none.

    Each program is checked like every peer's; one that is wrong only costs its place in
    the budget.

    Parameters
    ----------
    builder : Builder
        Of the kernel; its setting has the budget.
    found : Found
        A peer with `tile_modes`.
    """
    tuning = _Tuning(builder, found)
    peer, setting = found.peer, builder.setting
    best = search_point(
        tuning.measure,
        peer.option_sets,
        peer.tile_modes,
        depth=_depth(builder),
        most=setting.peer_budget,
    )
    if best is None:
        return tuning.failure or Failure("codegen", "no program was right")
    runner = tuning.runners[best]
    words = " ".join(w for w in best.options if "{" not in w and w != "-o")
    sizes = f", tiles {'x'.join(map(str, best.sizes))}" if best.sizes else ""
    told = f"best of {tuning.n_tried} programs: {words}{sizes}"
    return replace(
        runner,
        names=(peer.name,),
        note="; ".join(filter(None, (told, runner.note))),
        contest=contest_of(peer.name),
    )


def _depth(builder: Builder) -> int:
    """Loops of the deepest statement."""
    return max(1, *(len(s.iterators) for s in builder.scop.statements))


class _Tuning:
    """Programs of one peer for one kernel, as they are asked for."""

    def __init__(self, builder: Builder, found: Found) -> None:
        self.builder = builder
        self.found = found
        self.runners: dict[Point, Runner] = {}
        self.failure: Failure | None = None
        self.n_tried = 0
        self._ends = time.monotonic() + builder.setting.peer_seconds

    def measure(self, point: Point) -> float | None:
        """Seconds of the program; None where it is wrong or time is up."""
        if time.monotonic() > self._ends:
            return None
        self.n_tried += 1
        built = self._build(point)
        if isinstance(built, Failure):
            self.failure = self.failure or built
            return None
        self.runners[point] = built
        return self._seconds(built)

    def _build(self, point: Point) -> Runner | Failure:
        """With a directory of its own; the fallback where the first words fail."""
        name = f"{self.found.peer.name}-{len(self.runners)}"
        found = replace(self.found, peer=replace(self.found.peer, name=name))
        built = self.builder.build_with(found, point.options, sizes=point.sizes)
        fallback = self.found.peer.fallback
        if isinstance(built, Failure) and fallback:
            again = (*point.options, *fallback)
            other = self.builder.build_with(found, again, sizes=point.sizes)
            built = other if isinstance(other, Runner) else built
        return built

    def _seconds(self, runner: Runner) -> float | None:
        checked = math.inf if runner.first_seconds is None else runner.first_seconds
        if checked > _REPEATED_SECONDS:
            return checked
        try:
            limit = self.builder.limit_seconds
            return median(runner.run(limit) for _ in range(_REPEATS))
        except RunError:
            return None
