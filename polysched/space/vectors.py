"""Schedules as points of a feature space: fronts, distances, spread."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from polysched.analysis import Better

Vectors = NDArray[np.float64]
WIDE = 1e3


def read_vectors(rows: Sequence[Sequence[float]], n_features: int) -> Vectors:
    """Points, shape (n_schedules, n_features); there may be none."""
    found: Vectors = np.array(rows, dtype=np.float64)
    return found.reshape(len(rows), n_features)


def normalise(vectors: Vectors) -> Vectors:
    """Every feature scaled to 0..1 over the points; those that never vary left out.

    Features that spread over more than `WIDE`, bytes for example, are scaled by their
    logarithms.
    """
    if not len(vectors):
        return vectors
    low, high = vectors.min(axis=0), vectors.max(axis=0)
    varies = high > low
    kept = vectors[:, varies]
    low, high = low[varies], high[varies]
    wide = (low >= 0) & (high - low > WIDE)
    kept[:, wide] = np.log1p(kept[:, wide])
    low, high = kept.min(axis=0, initial=np.inf), kept.max(axis=0, initial=-np.inf)
    scaled: Vectors = (kept - low) / (high - low)
    return scaled


def pareto_positions(vectors: Vectors, better: Sequence[Better]) -> list[int]:
    """Positions of the points that no other dominates, in the order given.

    A point dominates another when it is at least as good in every feature and better in
    one. Points with a missing value (not-a-number) are dominated.

    Parameters
    ----------
    vectors : array of float, shape (n_schedules, n_features)
    better : sequence of {"low", "high"}
        Per feature.
    """
    signs = np.array([1.0 if b == "low" else -1.0 for b in better])
    costs = vectors * signs
    known = ~np.isnan(costs).any(axis=1)
    front = []
    for k, cost in enumerate(costs):
        no_worse = (costs <= cost).all(axis=1)
        less = (costs < cost).any(axis=1)
        if known[k] and not (no_worse & less & known).any():
            front.append(k)
    return front


def spread_positions(vectors: Vectors, n_points: int, first: int) -> list[int]:
    """Positions of points far from each other, in the order they were chosen.

    Each is the one farthest from all before it (Gonzalez, "Clustering to minimize the
    maximum intercluster distance", 1985); among equals the earliest.

    Parameters
    ----------
    vectors : array of float, shape (n_schedules, n_features)
        Normalised.
    n_points : int
        How many, at least one; all when there are not so many.
    first : int
        Where to start.
    """
    chosen = [first]
    gaps = np.linalg.norm(vectors - vectors[first], axis=1)
    while len(chosen) < min(n_points, len(vectors)):
        gaps[chosen] = -1.0
        farthest = int(np.argmax(gaps))
        chosen.append(farthest)
        away = np.linalg.norm(vectors - vectors[farthest], axis=1)
        gaps = np.minimum(gaps, away)
    return chosen


def nearest_positions(vectors: Vectors, to: int) -> list[int]:
    """All other positions, the nearest to one first; equals in the order given."""
    gaps = np.linalg.norm(vectors - vectors[to], axis=1)
    order = np.argsort(gaps, kind="stable")
    return [int(k) for k in order if k != to]
