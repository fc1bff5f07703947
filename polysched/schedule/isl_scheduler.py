"""isl's own schedulers as members of the space, under a hard time limit."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Literal

import islpy as isl

from polysched.analysis import Dependences, check_legal, set_band_flags
from polysched.base import NO_TIME_LEFT, Deadline, LimitError, PolyschedError
from polysched.ir import ScheduleTree, Scop
from polysched.schedule.pieces import Piece, cut_dependences
from polysched.schedule.solve import Solved
from polysched.sets import LIFTED_PREFIX, union_of_maps

Algorithm = Literal["isl", "feautrier"]
# by path: it needs isl alone, and importing this package takes longer than its work
_WORKER = str(Path(__file__).with_name("isl_worker.py"))


@dataclass(frozen=True)
class IslVariant:
    """How to call isl's scheduler.

    Attributes
    ----------
    algorithm : {"isl", "feautrier"}
        The Pluto-like scheduler of isl, or Feautrier's.
    outer_coincidence : bool
        Whether outermost loops must be parallel when possible.
    serialize : bool
        Whether strongly connected components are kept apart (no fusion).
    """

    algorithm: Algorithm = "isl"
    outer_coincidence: bool = False
    serialize: bool = False

    @property
    def name(self) -> str:
        """Name of the schedule in a space: "isl", "isl+serial", "feautrier"."""
        outer = "+outer" if self.outer_coincidence else ""
        return self.algorithm + outer + ("+serial" if self.serialize else "")


class IslBatch:
    """Runs of isl's scheduler in one child process, started early, collected late.

    Parameters
    ----------
    scop : Scop
        What to schedule.
    dependences : Dependences
        Flow, anti and output dependences are validity and coincidence constraints,
        flow dependences are proximity constraints.
    variants : sequence of IslVariant
        Computed one after the other.
    seconds : float
        After so long the child ends by itself, even when nobody waits for it any more.
    pieces : sequence of Piece, optional
        The dependences already cut; large constants in them are parameters, which isl
        schedules many times faster than numbers in the thousands.

    References
    ----------
    .. [1] Verdoolaege and Janssens, "Scheduling for PPCG", KU Leuven CW 706, 2017.
    """

    def __init__(
        self,
        scop: Scop,
        dependences: Dependences,
        variants: Sequence[IslVariant],
        seconds: float = 60.0,
        pieces: Sequence[Piece] | None = None,
    ) -> None:
        self.variants = tuple(variants)
        self._scop = scop
        self._dependences = dependences
        self._answers: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        self._lines: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, _WORKER],
            stdin=subprocess.PIPE,
            stdout=self._answers,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
        if pieces is None:
            pieces = cut_dependences(scop, dependences)
        problem = {
            "domain": str(scop.domain),
            "validity": str(_union(p.relation for p in pieces)),
            "proximity": str(_union(p.relation for p in pieces if p.flow)),
        }
        task = {
            "problem": problem,
            "variants": [asdict(v) for v in self.variants],
            "seconds": max(1, round(seconds)),
        }
        assert self._process.stdin is not None
        try:
            with self._process.stdin as pipe:
                pipe.write(json.dumps(task))
        except BrokenPipeError:
            pass  # the child died; its missing answers are reported

    @property
    def is_done(self) -> bool:
        """Whether the child has ended, so that nobody waits for it."""
        return self._process.poll() is not None

    def wait(self, deadline: Deadline) -> None:
        """Wait for the child, and end it at the deadline."""
        remaining = deadline.remaining_seconds()
        limit = None if remaining == float("inf") else max(0.05, remaining)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(limit)
        self.cancel()

    def cancel(self) -> None:
        """End the child, if it still runs, and keep what it has answered."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if not self._answers.closed:
            self._answers.seek(0)
            self._lines = [line for line in self._answers if line.endswith("\n")]
            self._answers.close()

    def collect(self, position: int) -> Solved:
        """The schedule of one variant, proven legal; call `wait` first.

        Raises
        ------
        LimitError
            When the child was ended before it came to an answer.
        PolyschedError
            When isl refuses the problem.
        """
        name = self.variants[position].name
        if position >= len(self._lines):
            raise LimitError(f"{NO_TIME_LEFT}: isl's scheduler ({name}) did not finish")
        answer = json.loads(self._lines[position])
        if "error" in answer:
            raise PolyschedError(f"isl's scheduler ({name}) failed: {answer['error']}")
        tree = ScheduleTree.parse(_lower_constants(answer["schedule"]))
        tree = set_band_flags(tree, self._dependences)
        check_legal(tree, self._dependences, self._scop)
        return Solved(tree, (name,))


def _lower_constants(schedule: str) -> str:
    """A schedule with the numbers in place of the parameters of `lift_constants`."""
    schedule = _PARAMETERS.sub(_without_lifted, schedule)
    return _LIFTED.sub(lambda m: str(int(m[1] or "1") * int(m[2])), schedule)


def _without_lifted(prefix: re.Match[str]) -> str:
    kept = [n for n in prefix[1].split(", ") if not _LIFTED.fullmatch(n)]
    return f'"[{", ".join(kept)}] -> ' if kept else '"'


_LIFTED = re.compile(rf"(\d*){LIFTED_PREFIX}(\d+)")
_PARAMETERS = re.compile(r'"\[([\w, ]+)\] -> ')


def _union(relations: Iterable[isl.BasicMap]) -> isl.UnionMap:
    return union_of_maps([isl.Map.from_basic_map(r) for r in relations]).coalesce()


def isl_schedule(
    scop: Scop,
    dependences: Dependences,
    variant: IslVariant | None = None,
    deadline: Deadline | None = None,
) -> Solved:
    """Isl's schedule of one variant, computed in a child process."""
    batch = IslBatch(scop, dependences, [variant or IslVariant()])
    batch.wait(deadline or Deadline())
    return batch.collect(0)
