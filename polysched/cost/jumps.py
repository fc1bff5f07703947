"""Accesses that jump: pages that are not known, rows that no stream follows."""

from __future__ import annotations

from polysched.analysis import Reference
from polysched.cost.nest import Nest

MAX_STREAMS = 16  # rows that the prefetchers follow at the same time
SHORT_RUN_BYTES = 256.0  # of a row, for which memory takes twice as long
MAX_SCATTER = 4.0


def far_pages(nest: Nest, n_pages: int, page_bytes: int) -> float:
    """How often a page is touched that was not among the last `n_pages`.

    Counted for arrays whose every element in the innermost loop lies far from the
    one before it, as down a column: streams enter a page once for many elements.
    """
    far: dict[str, bool] = {}
    for reference, found in nest.inner_classes():
        far[reference.array] = found == "N" and far.get(reference.array, True)
    return sum(
        nest.traffic(n_pages * page_bytes, page_bytes, array) / page_bytes
        for array, is_far in far.items()
        if is_far
    )


def scatter(nest: Nest, capacity_bytes: int, line_bytes: int) -> float:
    """How much longer the traffic into a cache takes than one long stream would.

    A row of which a few lines are read before the next row is fetched without
    the prefetcher's help and opens a page of its own. The mean over arrays, by
    their traffic; 1.0 where all are streams.
    """
    factors: dict[str, float] = {}
    for reference in nest.references:
        factor = _scatter(nest, reference, line_bytes)
        factors[reference.array] = min(factor, factors.get(reference.array, factor))
    weights = {a: nest.traffic(capacity_bytes, line_bytes, a) for a in factors}
    total = sum(weights.values())
    if total <= 0:
        return 1.0
    return sum(weights[a] * factors[a] for a in factors) / total


def _scatter(nest: Nest, reference: Reference, line_bytes: int) -> float:
    run = float(nest.scop.array(reference.array).type.n_bytes)
    rows = 1.0
    for direction, trips in zip(
        reversed(nest.directions), reversed(nest.trips), strict=True
    ):
        found = "0" if direction is None else reference.stride_class(direction)
        if found == "1":
            run *= trips
        elif found == "N":
            rows *= trips
        if rows > MAX_STREAMS:
            return min(MAX_SCATTER, 1.0 + SHORT_RUN_BYTES / max(run, line_bytes))
    return 1.0
