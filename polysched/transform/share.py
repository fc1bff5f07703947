"""Which loops threads share, for a planned script."""

from __future__ import annotations

from math import prod

import islpy as isl

from polysched.analysis import LARGE_EXTENT, loop_is_parallel
from polysched.ir import MARK_PARALLEL, NodePath, Scop
from polysched.machine import Cpu
from polysched.sets import node_kind
from polysched.transform.band_view import (
    BandView,
    is_tile_band,
    view_band,
)
from polysched.transform.draft import Draft, has_band_below, mark_kind
from polysched.transform.mapping import Parallel
from polysched.transform.order import Order
from polysched.transform.tile import Tile, Wavefront
from polysched.transform.work import spread_work

STRIP = 256  # iterations of a vector loop that are worth a thread
SHORT = 2048  # iterations that are done sooner than threads are called
SHORT_IN_LANES = 32 * SHORT  # those of a vector loop
STRIP_ALIGN = 16  # elements: whole cache lines, so that no two threads write to one


def share_loops(draft: Draft, scop: Scop, cpu: Cpu) -> Draft:
    """Mark the outermost loop that threads can share on every way down."""
    return _share(draft, scop, cpu, draft.tree.root, ())


def _share(
    draft: Draft, scop: Scop, cpu: Cpu, node: isl.ScheduleNode, path: NodePath
) -> Draft:
    if node_kind(node) == "mark" and mark_kind(node) == MARK_PARALLEL:
        return draft
    if node_kind(node) == "band":
        marked = _share_band(draft, scop, cpu, path)
        if marked is not None:
            return marked
    for k in reversed(range(node.n_children())):
        draft = _share(draft, scop, cpu, node.child(k), (*path, k))
    return draft


def _share_band(draft: Draft, scop: Scop, cpu: Cpu, path: NodePath) -> Draft | None:
    band = view_band(draft, scop, path)
    if band.is_thin:
        return draft  # too little for the threads to meet twice
    node = draft.node(path)
    innermost = not has_band_below(node)
    if innermost and _is_short(band):
        return None
    found = [k for k in range(band.n_members) if band.coincident[k]]
    if not band.permutable:
        found = [
            k
            for k in range(band.n_members)
            if loop_is_parallel(node, k, draft.deps.validity)
        ][:1]
    useful = [k for k in found if (band.extent(k) or 1000) > 1]
    if innermost and useful == [band.n_members - 1] and useful[0]:
        return _share_strips(draft, band, cpu) if band.permutable else None
    if useful:
        return _share_member(draft, band, useful[0], cpu)
    if is_tile_band(draft, path) and band.permutable and band.n_members > 1:
        draft = draft.do(Wavefront(path, min(band.n_members, 2)))
        return draft.attempt(Parallel((*path, 0), 1)) or draft
    return None


def _is_short(band: BandView) -> bool:
    """Whether a part of a band, where loops were cut, is over before threads meet."""
    extents = [band.extent(k) or LARGE_EXTENT for k in range(band.n_members)]
    last = band.n_members - 1
    in_lanes = band.coincident[last] and band.is_worth_vector(last)
    return band.is_part and prod(extents) < (SHORT_IN_LANES if in_lanes else SHORT)


def _share_strips(draft: Draft, band: BandView, cpu: Cpu) -> Draft | None:
    """Share long strips of the vector loop where no other loop is parallel."""
    extent = band.extent(band.n_members - 1)
    if extent is not None and extent < 2 * STRIP:
        return None
    sizes = (0,) * (band.n_members - 1) + (choose_strip(extent, cpu),)
    draft = draft.do(Tile(band.path, sizes))
    return draft.do(Parallel((*band.path, 0)))


def choose_strip(extent: int | None, cpu: Cpu) -> int:
    """Iterations of a vector loop that one thread takes at a time.

    As many strips for each thread, as long as half of the first cache allows:
    every row of a matrix is then read in long pieces.
    """
    longest = max(STRIP, cpu.l1_bytes // 2 // 8)
    if extent is None:
        return STRIP
    rounds = -(-extent // (longest * cpu.n_cores))
    even = -(-extent // (rounds * cpu.n_cores))
    return max(STRIP, -(-even // STRIP_ALIGN) * STRIP_ALIGN)


def _share_member(draft: Draft, band: BandView, member: int, cpu: Cpu) -> Draft:
    path = band.path
    if member and band.permutable:
        order = (member, *(k for k in range(band.n_members) if k != member))
        draft, member = draft.do(Order(path, order)), 0
    work = spread_work(draft, band, member, cpu)
    return draft.do(Parallel(path, member, work.is_uneven, work.grows, work.chunk))
