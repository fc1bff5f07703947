"""Recurrences along rows: several rows advance together, for a planned script."""

from __future__ import annotations

import islpy as isl

from polysched.analysis import loop_is_parallel
from polysched.ir import NodePath, Scop
from polysched.machine import Cpu
from polysched.sets import node_kind
from polysched.transform.band_view import BandView, view_band
from polysched.transform.draft import Draft, has_band_below
from polysched.transform.sink import Sink
from polysched.transform.tile import Tile

MIN_ROWS = 8  # enough to fill the time that one row's division takes
MAX_ROWS = 32


def gather_rows(draft: Draft, scop: Scop, cpu: Cpu) -> Draft:
    """Tile parallel loops over recurrences and sink their points below these.

    A loop whose iterations each run sequential loops keeps the processor waiting for
    one chain of operations; a few iterations side by side are so many chains. Of
    several such loops the innermost one is tiled.
    """
    done: list[NodePath] = []
    for path in sorted(draft.band_paths()):
        if any(path[: len(d)] == d for d in done):
            continue
        node = draft.node(path)
        if node_kind(node) != "band" or not _holds_recurrences(draft, node):
            continue
        band = view_band(draft, scop, path)
        size = _choose_rows(band, cpu)
        if not size:
            continue
        done.append(path)
        tiled = draft.do(Tile(path, (*(1,) * (band.n_members - 1), size)))
        draft = tiled.attempt(Sink((*path, 0, 0))) or draft
    return draft


def _holds_recurrences(draft: Draft, node: isl.ScheduleNode) -> bool:
    """Whether loops without waiting hold only innermost loops that wait."""
    if not has_band_below(node):
        return False
    n_members = node.band_n_member()
    if not all(
        loop_is_parallel(node, k, draft.deps.validity) for k in range(n_members)
    ):
        return False
    return all(
        not loop_is_parallel(below, below.band_n_member() - 1, draft.deps.validity)
        for below in _innermost_bands(node)
    )


def _innermost_bands(node: isl.ScheduleNode) -> list[isl.ScheduleNode]:
    if node_kind(node) == "band" and not has_band_below(node):
        return [node]
    children = (node.child(k) for k in range(node.n_children()))
    return [band for child in children for band in _innermost_bands(child)]


def _choose_rows(band: BandView, cpu: Cpu) -> int:
    """Rows whose data stays in half of the second cache; 0 where there are too few."""
    last = band.n_members - 1
    extent = band.extent(last)
    if extent is not None and extent < 2 * MIN_ROWS:
        return 0
    rows = MIN_ROWS
    while rows < MAX_ROWS and band.footprint({last: 2 * rows}) <= cpu.l2_bytes // 2:
        rows *= 2
    return rows
