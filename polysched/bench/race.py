"""Programs run in turn, so that all meet the same disturbances."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from polysched.base import RunError
from polysched.bench.load import LoadMeter
from polysched.records import Failure
from polysched.runtime import ChildError


@dataclass(frozen=True)
class Runner:
    """A program that was found right and can be timed.

    Attributes
    ----------
    names : tuple of str
        The tools it stands for; several where they came to the same program.
    run : callable
        Runs it once within a limit of seconds; gives the seconds inside its region;
        raises `ChildError` when it fails.
    note : str
        What a reader of its times should know.
    max_relative_error : float
        Of its results.
    """

    names: tuple[str, ...]
    run: Callable[[float], float]
    note: str = ""
    max_relative_error: float = 0.0


@dataclass(frozen=True)
class RaceResult:
    """Times of one race.

    Attributes
    ----------
    times : tuple of (Runner, tuple of float or Failure)
        For each program its seconds, one per round, or how a run failed.
    rounds : int
        Complete rounds.
    foreign_cores : float or None
        What others used of the machine meanwhile, in cores.
    """

    times: tuple[tuple[Runner, tuple[float, ...] | Failure], ...]
    rounds: int
    foreign_cores: float | None


def race(
    runners: Sequence[Runner], *, rounds: int, seconds: float, limit_seconds: float
) -> RaceResult:
    """Run all programs once per round: A B C, A B C, ...

    Parameters
    ----------
    runners : sequence of Runner
        Each is checked already, and so its files are warm.
    rounds : int
        How many rounds, unless time runs out.
    seconds : float
        No round is begun when the next would, by the last one, end later than this;
        one round is always run.
    limit_seconds : float
        Wall time of one run.
    """
    meter = LoadMeter()
    series: list[list[float] | Failure] = [[] for _ in runners]
    started = time.monotonic()
    done, last = 0, 0.0
    while done < rounds and (not done or time.monotonic() - started + last <= seconds):
        began = time.monotonic()
        for k, runner in enumerate(runners):
            known = series[k]
            if isinstance(known, Failure):
                continue
            try:
                known.append(runner.run(limit_seconds))
            except ChildError as error:
                series[k] = error.failure
            except RunError as error:
                series[k] = Failure("crash", str(error))
        last = time.monotonic() - began
        done += 1
    times = tuple(
        (r, s if isinstance(s, Failure) else tuple(s))
        for r, s in zip(runners, series, strict=True)
    )
    return RaceResult(times, done, meter.foreign_cores())
