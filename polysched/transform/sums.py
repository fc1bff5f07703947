"""Loops that threads share by adding to copies of their own, for a planned script."""

from __future__ import annotations

import islpy as isl

from polysched.analysis import find_copied_reduction, loop_is_parallel
from polysched.ir import MARK_PARALLEL, NodePath, Scop
from polysched.machine import Cpu
from polysched.sets import node_kind, union_of_maps
from polysched.transform.band_view import view_band
from polysched.transform.draft import Draft, has_band_below, is_under_mark
from polysched.transform.lanes import accumulate_in_lanes
from polysched.transform.mapping import ShareSums
from polysched.transform.strips import Meeting, find_fused, fuse_meetings, fuse_strip
from polysched.transform.tile import Tile

ROWS = 4  # at least, in a strip: as many as are added up together
PART = 4096  # terms of one sum that are worth a thread's while


def share_sums(draft: Draft, scop: Scop, cpu: Cpu) -> Draft:
    """Share loops that nothing but free sums keeps from being parallel.

    Neighbours that read one large array pass over it together, in strips that one
    thread's second cache holds. A sum in a single loop is cut into parts. Loops in
    which threads find something to share without copies are left alone.
    """
    if cpu.n_cores < 2 or not draft.deps.reductions:
        return draft
    shared = _share_strips(draft, scop, cpu)
    shared = _share(shared, scop, shared.tree.root, ())
    return draft if shared is draft else accumulate_in_lanes(shared, scop)


def _share_strips(draft: Draft, scop: Scop, cpu: Cpu) -> Draft:
    """Let neighbours pass over an array together, their strips shared by threads."""

    def share(draft: Draft, path: NodePath, meeting: Meeting) -> Draft | None:
        fused = fuse_strip(draft, path, meeting, cpu.l2_bytes, ROWS)
        return fused and _share_loop(fused, scop, find_fused(fused, path))

    return fuse_meetings(draft, scop, cpu, share)


def _share(draft: Draft, scop: Scop, node: isl.ScheduleNode, path: NodePath) -> Draft:
    """The outermost loops on every way down, where copies alone make them parallel."""
    if node_kind(node) == "band":
        return _share_band(draft, scop, path)
    for k in reversed(range(node.n_children())):
        draft = _share(draft, scop, node.child(k), (*path, k))
    return draft


def _share_band(draft: Draft, scop: Scop, path: NodePath) -> Draft:
    band = view_band(draft, scop, path)
    last = band.n_members - 1
    if band.is_thin or is_under_mark(draft.node(path), MARK_PARALLEL):
        return draft
    if any(band.coincident[:last]) or loop_is_parallel(
        draft.node(path), 0, draft.deps.validity
    ):
        return draft
    if last or has_band_below(draft.node(path)):
        return _share_loop(draft, scop, path) or draft
    extent = band.extent(0)
    if extent is not None and extent < 2 * PART:
        return draft
    cut = draft.attempt(Tile(path, (PART,)))
    return (cut and _share_loop(cut, scop, (*path, 0))) or draft


def _share_loop(draft: Draft, scop: Scop, path: NodePath) -> Draft | None:
    """Threads for a band's first loop, each with copies of the sums that it carries."""
    arrays = _carried_sums(draft, scop, path)
    return draft.attempt(ShareSums(path, 0, arrays)) if arrays else None


def _carried_sums(draft: Draft, scop: Scop, path: NodePath) -> tuple[str, ...]:
    """Arrays whose sums a loop carries; none where it carries anything else."""
    node, deps = draft.node(path), draft.deps
    carried = {
        d.array
        for d in deps.items
        if d.orders and not loop_is_parallel(node, 0, union_of_maps([d.relation]))
    }
    for name in carried:
        array = scop.array(name)
        is_private = array.n_expanded or array.storage == "scop"
        if is_private or find_copied_reduction(node, name, deps) is None:
            return ()
    return tuple(sorted(carried))
