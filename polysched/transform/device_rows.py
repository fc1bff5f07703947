"""All that is done to a row in one kernel, for a planned script."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import islpy as isl

from polysched.analysis import LARGE_EXTENT, loop_is_parallel
from polysched.ir import NodePath, Scop
from polysched.sets import list_sets, node_kind
from polysched.transform.band_view import view_band
from polysched.transform.draft import Draft
from polysched.transform.launch import MAX_GRID_MEMBERS, N_AXES
from polysched.transform.launch_rows import LaunchRows, shared_bands

WARP = 32  # threads
MIN_ROWS = 32  # blocks: fewer leave a device idle


@dataclass(frozen=True)
class RowShape:
    """How a block looks that has a row.

    Attributes
    ----------
    threads : int
        Most threads of a block; fewer where rows are short.
    """

    threads: int


def launch_rows(
    draft: Draft, scop: Scop, shape: RowShape, path: NodePath, free: list[int]
) -> Draft | None:
    """Share each part below a band by the threads of a block; None where they cannot.

    Parameters
    ----------
    draft : Draft
        With a band at the path, and several parts below it.
    scop : Scop
        Tells how long rows are.
    shape : RowShape
        Threads of a block.
    path : tuple of int
        Of the band.
    free : list of int
        Its members along which no dependence of the band moves.
    """
    node = draft.node(path)
    n_rows = node.band_n_member()
    below = node.child(0)
    if free != list(range(n_rows)) or n_rows > MAX_GRID_MEMBERS:
        return None
    if node_kind(below) != "sequence":
        return None
    if prod(_extents(draft, scop, path)) < MIN_ROWS:
        return None
    for n_loops in range(N_AXES, 0, -1):
        step = _row_step(draft, scop, shape, path, n_loops)
        found = None if step is None else draft.attempt(step)
        if found is not None:
            return found
    return None


def _row_step(
    draft: Draft, scop: Scop, shape: RowShape, path: NodePath, n_loops: int
) -> LaunchRows | None:
    """The step with so many loops of the longest part shared, None where none has."""
    below = draft.node(path).child(0)
    sums: list[tuple[str, int]] = []
    longest: list[int] = []
    for k in range(below.n_children()):
        part = below.child(k).child(0)
        bands = shared_bands(part, n_loops)
        if not bands:
            if node_kind(part) == "leaf":
                continue
            return None
        sums += [(array, k) for array in _sums_of(draft, bands)]
        at = (*path, 0, k, 0)
        extents = []
        for depth in range(len(bands)):
            extents += _extents(draft, scop, (*at, *(0,) * depth))
        longest = max(longest, extents, key=lambda e: (len(e), prod(e)))
    if len(longest) < n_loops or prod(longest) < WARP:
        return None
    arrays = tuple(array for array, _ in sums)
    parts = tuple(k for _, k in sums)
    n_rows = draft.node(path).band_n_member()
    return LaunchRows(path, n_rows, _deal(shape.threads, longest), arrays, parts)


def _deal(n_threads: int, extents: list[int]) -> tuple[int, ...]:
    """Threads over some loops, as many as fit over the last ones."""
    counts: list[int] = []
    for extent in reversed(extents):
        count = 1
        while 2 * count <= min(n_threads, extent):
            count *= 2
        counts.insert(0, count)
        n_threads //= count
    return tuple(counts)


def _sums_of(draft: Draft, bands: list[isl.ScheduleNode]) -> tuple[str, ...]:
    """Arrays whose sums the threads of a part share, if its loops carry any."""
    validity = draft.deps.validity
    if all(
        loop_is_parallel(band, m, validity)
        for band in bands
        for m in range(band.band_n_member())
    ):
        return ()
    here = {s.get_tuple_name() for s in list_sets(bands[0].get_domain())}
    found = [r.array for r in draft.deps.reductions if r.statement in here]
    return tuple(dict.fromkeys(found))


def _extents(draft: Draft, scop: Scop, path: NodePath) -> list[int]:
    """Iterations of a band's members, those of unknown length long."""
    band = view_band(draft, scop, path)
    return [band.extent(k) or int(LARGE_EXTENT) for k in range(band.n_members)]
