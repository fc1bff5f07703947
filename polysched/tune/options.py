"""How long and how often is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from polysched.records import Measurement, Outcome


@dataclass(frozen=True)
class TuneOptions:
    """Limits of the measurements.

    Attributes
    ----------
    budget : int
        How many variants are tried, best-ranked first, those with stored outcomes
        included.
    repeats : int
        Runs per variant; one where a run is long, more where it is very short.
    timeout_seconds : float or None
        Longest wall time of any one run; None for limits from what was measured.
    baseline_seconds : float
        Longest wall time of a run of the original.
    jobs : int
        Variants compiled side by side; nothing is compiled while one is timed.
    least_limit_seconds : float
        Wall time that any run may take, however fast the best one is.
    fp : str
        Mode of floating point, "strict", "reassociate" or "tf32"; part of the records'
        key.
    """

    budget: int = 12
    repeats: int = 5
    timeout_seconds: float | None = None
    baseline_seconds: float = 1200.0
    jobs: int = 1
    least_limit_seconds: float = 10.0
    fp: str = "strict"


LONG_RUN_SECONDS = 3.0  # one run is enough
SHORT_RUN_SECONDS = 0.02  # the clock and the system disturb such a run
SHORT_RUN_FACTOR = 3  # so many times more runs of it
SERIES_SECONDS = 20.0  # wall time after which no further repeat is begun
FINAL_FACTOR = 1.2  # who is within this of the best may be the best
N_FINALISTS = 3
HOPELESS_FACTOR = 2.0  # slower than the best by this: two runs show it
RETRY_FACTOR = 1.5  # a limit higher by this makes a stored timeout void
LIMIT_FACTOR = 3.0  # a run may take so many times the best one's time


def count_repeats(first_seconds: float, best_seconds: float, repeats: int) -> int:
    """How many runs a variant deserves after its first.

    Parameters
    ----------
    first_seconds : float
        Time of the first run.
    best_seconds : float
        The best median so far, the baseline's included.
    repeats : int
        Runs of an ordinary variant.
    """
    if first_seconds > LONG_RUN_SECONDS:
        return 1
    if first_seconds > HOPELESS_FACTOR * best_seconds:
        return min(2, repeats)
    if first_seconds < SHORT_RUN_SECONDS:
        return SHORT_RUN_FACTOR * repeats
    return repeats


def limit_run(
    best_seconds: float, overhead_seconds: float, options: TuneOptions
) -> float:
    """Wall time that a run may take.

    Parameters
    ----------
    best_seconds : float
        The best median so far, the baseline's included.
    overhead_seconds : float
        What the program needs outside the region.
    """
    limit = max(options.least_limit_seconds, LIMIT_FACTOR * best_seconds)
    limit += 2.0 * overhead_seconds
    if options.timeout_seconds is not None:
        limit = min(limit, options.timeout_seconds)
    return limit


def choose_finalists(
    baseline: Measurement, outcomes: Sequence[Outcome], options: TuneOptions
) -> tuple[int, ...]:
    """Who is timed once more, in turn with the original.

    Parameters
    ----------
    baseline : Measurement
        The original's.
    outcomes : sequence of Outcome
        The variants', in the order of trial.
    options : TuneOptions
        A search without repeats has no final.

    Returns
    -------
    tuple of int
        Positions of the fastest variants, fastest first; none where runs are long, so
        that one run tells enough, or where no variant is near the original.
    """
    times = _by_time(outcomes)
    if not times or options.repeats < 2:
        return ()
    best = times[0][0]
    if baseline.median_seconds > LONG_RUN_SECONDS:
        return ()
    if best > FINAL_FACTOR * baseline.median_seconds:
        return ()
    return tuple(k for s, k in times if s <= FINAL_FACTOR * best)[:N_FINALISTS]


def choose_late_finalists(
    outcomes: Sequence[Outcome], finalists: Sequence[int]
) -> tuple[int, ...]:
    """Who is timed together, where the machine changed its pace before the final.

    Parameters
    ----------
    outcomes : sequence of Outcome
        The variants', those of the finalists from the final.
    finalists : sequence of int
        Who was in it.

    Returns
    -------
    tuple of int
        The best finalist, and the fastest of those that took less time in their trial
        than it in the final; none where there are none.
    """
    times = _by_time(outcomes)
    best = next((n for n, (_, k) in enumerate(times) if k in finalists), 0)
    if not best:
        return ()
    return (times[best][1], *(k for _, k in times[: min(best, N_FINALISTS - 1)]))


def _by_time(outcomes: Sequence[Outcome]) -> list[tuple[float, int]]:
    """Seconds and positions of those that were right, fastest first."""
    return sorted(
        (o.median_seconds, k)
        for k, o in enumerate(outcomes)
        if isinstance(o, Measurement) and o.matches
    )
