"""Accesses that jump: pages that are not known, rows that no stream follows."""

from __future__ import annotations

from collections.abc import Collection

from polysched.analysis import Reference, Vector, step_bytes
from polysched.cost.nest import Nest
from polysched.ir import packed_iterators

MAX_STREAMS = 16  # rows that the prefetchers follow at the same time
SHORT_RUN_BYTES = 256.0  # of a row, for which memory takes twice as long
MAX_SCATTER = 4.0


def far_pages(
    nest: Nest, n_pages: int, page_bytes: int, met: Collection[str] = ()
) -> float:
    """How often a page is touched that was not among the last `n_pages`.

    Counted for arrays of which some accesses go down a column, each element in the
    innermost loop far from the one before it: streams enter a page once for many
    elements. What another access with the same subscripts but for their offsets
    streams through is known already, and so is what another statement of the same
    iteration has `met`.
    """
    far: dict[tuple[str, tuple[Vector, ...]], bool] = {}
    for reference, found in nest.inner_classes():
        key = reference.array, reference.rows
        far[key] = found == "N" and far.get(key, True)
    arrays = dict.fromkeys(array for (array, _), is_far in far.items() if is_far)
    return sum(
        nest.traffic(n_pages * page_bytes, page_bytes, array) / page_bytes
        for array in arrays
        if array not in met
    )


def scatter(nest: Nest, capacity_bytes: int, line_bytes: int) -> float:
    """How much longer the traffic into a cache takes than one long stream would.

    A row of which a few lines are read before the next row is fetched without
    the prefetcher's help and opens a page of its own. The mean over arrays, by
    their traffic; 1.0 where all are streams, and for what is packed: loads that only
    copy wait for nothing, so that many are under way at a time.
    """
    factors: dict[str, float] = {}
    for reference in nest.references:
        is_copied = _is_packed(nest, reference)
        factor = 1.0 if is_copied else _scatter(nest, reference, line_bytes)
        factors[reference.array] = min(factor, factors.get(reference.array, factor))
    weights = {a: nest.traffic(capacity_bytes, line_bytes, a) for a in factors}
    total = sum(weights.values())
    if total <= 0:
        return 1.0
    return sum(weights[a] * factors[a] for a in factors) / total


def _scatter(nest: Nest, reference: Reference, line_bytes: int) -> float:
    n_bytes = nest.scop.array(reference.array).type.n_bytes
    run = float(n_bytes)
    rows = 1.0
    for direction, trips in zip(
        reversed(_movements(nest)), reversed(nest.trips), strict=True
    ):
        found = "0" if direction is None else reference.stride_class(direction)
        if found == "1":
            run *= trips
        elif found == "N" and direction is not None:
            step = step_bytes(nest.scop, reference, direction) or line_bytes
            if step < line_bytes:
                run *= trips * step / n_bytes
            else:
                rows *= trips
        if rows > MAX_STREAMS:
            return min(MAX_SCATTER, 1.0 + SHORT_RUN_BYTES / max(run, line_bytes))
    return 1.0


def _movements(nest: Nest) -> list[Vector | None]:
    """How each loop moves the iterators: one over tiles as the loop within them."""
    points = zip(nest.members, nest.directions, strict=True)
    within = {m.coefficients: d for m, d in points if d is not None}
    return [within.get(m.function) for m in nest.members]


def _is_packed(nest: Nest, reference: Reference) -> bool:
    """Whether a packed copy is made of what an access reads."""
    used = {k for row in reference.rows for k, c in enumerate(row) if c}
    found = filter(None, map(packed_iterators, nest.marks))
    copied = (set(packed) for name, packed in found if name == nest.statement.name)
    return not reference.is_write and any(used <= packed for packed in copied)
