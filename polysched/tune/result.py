"""What a tuning found, as a value and as the JSON that is promised to users."""

from __future__ import annotations

from dataclasses import dataclass

from polysched.records import Measurement, Outcome, outcome_to_json
from polysched.runtime import LOADED_CORES


@dataclass(frozen=True)
class MeasuredVariant:
    """One variant and what came of it.

    Attributes
    ----------
    id : str
        The variant's id.
    predicted_seconds : float or None
        What the model said.
    outcome : Outcome
        A measurement or a failure.
    is_stored : bool
        Whether the outcome was found in the records instead of measured now.
    """

    id: str
    predicted_seconds: float | None
    outcome: Outcome
    is_stored: bool = False

    def to_json(self) -> dict[str, object]:
        """The keys ``id``, ``predicted_seconds`` and ``measured`` or ``failure``."""
        return {
            "id": self.id,
            "predicted_seconds": self.predicted_seconds,
            **outcome_to_json(self.outcome),
        }


@dataclass(frozen=True)
class TuneResult:
    """All outcomes of one tuning.

    Attributes
    ----------
    scop : str
        Name of the SCoP.
    baseline : Measurement
        The original text, built with the same options.
    variants : tuple of MeasuredVariant
        In the order in which they were tried.
    n_threads : int
        Threads of every run.
    finalists : tuple of str
        Ids of the fastest variants, whose times, like the baseline's, were taken in
        turn at the end; empty when that was not worth while.
    foreign_cores : float or None
        How many cores other programs kept busy meanwhile, on average; None where the
        system does not say.
    """

    scop: str
    baseline: Measurement
    variants: tuple[MeasuredVariant, ...]
    n_threads: int = 1
    finalists: tuple[str, ...] = ()
    foreign_cores: float | None = None

    @property
    def is_loaded(self) -> bool:
        """Whether others kept the machine busy enough to doubt the times."""
        return self.foreign_cores is not None and self.foreign_cores > LOADED_CORES

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """Outcome by variant id, in the order of trial."""
        return {v.id: v.outcome for v in self.variants}

    @property
    def best(self) -> str | None:
        """Id of the fastest variant with matching results; None without any."""
        times = [
            (v.id not in self.finalists, v.outcome.median_seconds, k)
            for k, v in enumerate(self.variants)
            if isinstance(v.outcome, Measurement) and v.outcome.matches
        ]
        return self.variants[min(times)[2]].id if times else None

    @property
    def speedup(self) -> float | None:
        """Baseline over best, by medians; None without a best or with a zero time."""
        best = self.best
        if best is None:
            return None
        outcome = self.outcomes[best]
        assert isinstance(outcome, Measurement)
        seconds = outcome.median_seconds
        return self.baseline.median_seconds / seconds if seconds > 0 else None

    @property
    def n_measured(self) -> int:
        """Variants that were tried now, not found in the records."""
        return sum(not v.is_stored for v in self.variants)

    def to_json(self) -> dict[str, object]:
        """The object that ``tune --json`` prints, as far as it is known here."""
        return {
            "scop": self.scop,
            "threads": self.n_threads,
            "baseline": outcome_to_json(self.baseline)["measured"],
            "schedules": [v.to_json() for v in self.variants],
            "finalists": list(self.finalists),
            "foreign_cores": self.foreign_cores,
            "loaded": self.is_loaded,
            "best": self.best,
            "speedup": self.speedup,
        }
