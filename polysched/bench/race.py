"""Programs run in turn, so that all meet the same disturbances."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from polysched.base import RunError
from polysched.records import Failure
from polysched.runtime import ChildError, LoadMeter

# Nobody's best can be a program whose runs are as long as that and so many times slower
# than the fastest of its contest: it is not repeated, or not raced at all.
_LONG_SECONDS, _SLOW_FACTOR = 0.5, 2.0
_HOPELESS_SECONDS, _HOPELESS_FACTOR = 2.0, 4.0


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
    contest : str
        Whom it is compared with: programs of one contest that are far slower than its
        fastest are not repeated.
    first_seconds : float or None
        What it took when it was checked; None for a program that is always raced.
    """

    names: tuple[str, ...]
    run: Callable[[float], float]
    note: str = ""
    max_relative_error: float = 0.0
    contest: str = ""
    first_seconds: float | None = None


@dataclass(frozen=True)
class RaceResult:
    """Times of one race.

    Attributes
    ----------
    times : tuple of (Runner, tuple of float or Failure)
        For each program its seconds, one per round that it took part in, or how a run
        failed.
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

    A program with long runs that is far slower than the fastest of its contest is timed
    in the first round only, or was timed when it was checked.

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
    firsts = [[] if r.first_seconds is None else [r.first_seconds] for r in runners]
    hopeless = _find_slow(runners, firsts, _HOPELESS_SECONDS, _HOPELESS_FACTOR)
    for k in hopeless:
        series[k] = firsts[k]
    slow: frozenset[int] = frozenset()
    while done < rounds and (not done or time.monotonic() - started + last <= seconds):
        began = time.monotonic()
        for k, runner in enumerate(runners):
            known = series[k]
            if isinstance(known, Failure) or k in hopeless | slow:
                continue
            try:
                known.append(runner.run(limit_seconds))
            except ChildError as error:
                series[k] = error.failure
            except RunError as error:
                series[k] = Failure("crash", str(error))
        last = time.monotonic() - began
        done += 1
        slow = _find_slow(runners, series, _LONG_SECONDS, _SLOW_FACTOR)
    times = tuple(
        (r, s if isinstance(s, Failure) else tuple(s))
        for r, s in zip(runners, series, strict=True)
    )
    return RaceResult(times, done, meter.foreign_cores())


def _find_slow(
    runners: Sequence[Runner],
    series: Sequence[list[float] | Failure],
    least_seconds: float,
    factor: float,
) -> frozenset[int]:
    """Programs with long runs that are slower than their contest's best by a factor."""
    medians = {k: median(s) for k, s in enumerate(series) if isinstance(s, list) and s}
    best: dict[str, float] = {}
    for k, seconds in medians.items():
        contest = runners[k].contest
        best[contest] = min(seconds, best.get(contest, seconds))
    return frozenset(
        k
        for k, seconds in medians.items()
        if seconds > max(least_seconds, factor * best[runners[k].contest])
    )
