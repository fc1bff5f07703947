"""Columns of arrays whose rows are so long that few cache sets take all of one."""

from __future__ import annotations

from math import gcd, prod

from polysched.analysis import Reference, step_bytes
from polysched.cost.nest import Nest

PAGE_BYTES = 4096  # the first cache finds its sets by what a page leaves of an address


def crowded_bytes(nest: Nest, capacity_bytes: int, line_bytes: int) -> float:
    """Bytes that enter the first cache as columns push out their own lines.

    Elements that lie a multiple of a power of two apart share a part of the sets: of a
    column with rows of 1024 bytes, one line in sixteen finds another set. Where the
    innermost loop walks down more of a column than those sets hold, every element is
    loaded with its line, also where the next column lies in the same lines.

    Parameters
    ----------
    nest : Nest
        One statement in its loops.
    capacity_bytes, line_bytes : int
        Of the first cache.
    """
    direction = None if nest.inner is None else nest.directions[nest.inner]
    if direction is None or nest.lanes:
        return 0.0
    ways = max(1, capacity_bytes // PAGE_BYTES)
    seen = set()
    lines = 0.0
    for reference, found in nest.inner_classes():
        key = reference.array, reference.rows, reference.offsets[:-1]
        if found != "N" or key in seen:
            continue
        seen.add(key)
        step = step_bytes(nest.scop, reference, direction)
        if step is None or step % line_bytes:
            continue
        n_sets = PAGE_BYTES // line_bytes
        used = n_sets // gcd(step // line_bytes, n_sets)
        if used < n_sets and nest.inner_trips > used * ways:
            lines += _share(nest, reference)
    return nest.n_instances * lines * line_bytes


def _share(nest: Nest, reference: Reference) -> float:
    """Lines of one instance, where copies of the body find neighbours in a line."""
    return prod(
        1.0 / nest.trips[k]
        for k, member in enumerate(nest.members)
        if member.unrolled
        and (along := nest.directions[k]) is not None
        and reference.stride_class(along) != "N"
    )
