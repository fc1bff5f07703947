"""How well the model's order of variants agrees with their measured times."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, geometric_mean
from typing import Any

import numpy as np
import numpy.typing as npt

DEPTHS = (1, 4, 16)  # regret is told of so many first choices
_LEAST_PAIRS = 3  # two agree or not by chance


@dataclass(frozen=True)
class Trial:
    """One variant of a space, in the model's order.

    Attributes
    ----------
    id : str
        Of the schedule.
    predicted_seconds : float or None
        None where the model has no opinion.
    seconds : float or None
        Median of its runs; None where it was tried and has no right result.
    """

    id: str
    predicted_seconds: float | None
    seconds: float | None


@dataclass(frozen=True)
class Ranking:
    """The trials of one space, best predicted first.

    Attributes
    ----------
    n_kept : int
        Variants of the space, the source order not among them.
    trials : tuple of (int, Trial)
        Those that were tried, with their places in the model's order.
    """

    n_kept: int
    trials: tuple[tuple[int, Trial], ...]

    @property
    def pairs(self) -> tuple[tuple[float, float], ...]:
        """Predicted and measured seconds where both are known."""
        return tuple(
            (t.predicted_seconds, t.seconds)
            for _, t in self.trials
            if t.predicted_seconds is not None and t.seconds is not None
        )

    @property
    def spearman(self) -> float | None:
        """Correlation of the ranks; None for fewer than three pairs or equal ones."""
        predicted, measured = (_ranks(side) for side in self._sides())
        return self._correlate(predicted - predicted.mean(), measured - measured.mean())

    @property
    def kendall(self) -> float | None:
        """Kendall's tau-b: pairs in the right order less those in the wrong one."""
        signs = (np.sign(v[:, None] - v[None, :]).ravel() for v in self._sides())
        return self._correlate(*signs)

    def regret(self, depth: int) -> float | None:
        """Best of the first variants over the best of all that were tried.

        1.0 is no regret. None where not all of the first were tried, or none of them
        has a right result.

        Parameters
        ----------
        depth : int
            How many of the first.
        """
        places = {place for place, _ in self.trials}
        if any(k not in places for k in range(min(depth, self.n_kept))):
            return None
        times = [(k, t.seconds) for k, t in self.trials if t.seconds is not None]
        first = [s for k, s in times if k < depth]
        return min(first) / min(s for _, s in times) if first else None

    def to_json(self) -> dict[str, object]:
        """Figures, and the trials that they are made of."""
        return {
            "n_kept": self.n_kept,
            "n_tried": len(self.trials),
            "n_measured": len(self.pairs),
            "spearman": self.spearman,
            "kendall": self.kendall,
            "regret": {str(n): self.regret(n) for n in DEPTHS},
            "trials": [{"rank": k, **vars(t)} for k, t in self.trials],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Ranking:
        """Read what `to_json` wrote; the figures are made anew."""
        trials = (
            (int(t["rank"]), Trial(t["id"], t["predicted_seconds"], t["seconds"]))
            for t in data["trials"]
        )
        return cls(int(data["n_kept"]), tuple(trials))

    def _sides(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        pairs = np.array(self.pairs, dtype=float).reshape(-1, 2)
        return pairs[:, 0], pairs[:, 1]

    def _correlate(
        self, first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]
    ) -> float | None:
        """Cosine of the angle between two vectors; None without a spread."""
        if len(self.pairs) < _LEAST_PAIRS:
            return None
        length = math.sqrt(float(first @ first) * float(second @ second))
        return float(first @ second) / length if length else None


@dataclass(frozen=True)
class RankingSummary:
    """Rankings of several kernels taken together.

    Attributes
    ----------
    n_kernels : int
        With a correlation.
    spearman, kendall : float or None
        Arithmetic means.
    regrets : tuple of (int, float or None, int)
        For each depth the geometric mean, and of how many kernels.
    """

    n_kernels: int
    spearman: float | None
    kendall: float | None
    regrets: tuple[tuple[int, float | None, int], ...]

    def to_json(self) -> dict[str, object]:
        """The means by name."""
        return {
            "n_kernels": self.n_kernels,
            "spearman": self.spearman,
            "kendall": self.kendall,
            "regret": {
                str(n): {"geometric_mean": mean, "n_kernels": count}
                for n, mean, count in self.regrets
            },
        }


def summarise_rankings(rankings: Sequence[Ranking]) -> RankingSummary:
    """Mean correlations and regrets of rankings."""
    spearman = _known(r.spearman for r in rankings)
    kendall = _known(r.kendall for r in rankings)
    regrets = []
    for depth in DEPTHS:
        found = _known(r.regret(depth) for r in rankings)
        mean = geometric_mean(found) if found else None
        regrets.append((depth, mean, len(found)))
    return RankingSummary(
        len(spearman),
        fmean(spearman) if spearman else None,
        fmean(kendall) if kendall else None,
        tuple(regrets),
    )


def _known(values: Iterable[float | None]) -> list[float]:
    return [v for v in values if v is not None]


def _ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Places in ascending order, from 0; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    means: npt.NDArray[np.float64] = (ends - counts + ends - 1) / 2.0
    return means[inverse]
