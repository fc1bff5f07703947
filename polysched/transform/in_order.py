"""Neighbours that pass over one array, strips in turn, for a planned script.

``y[i] += A[i][j] * x[j]`` and then ``z[j] += A[i][j] * y[i]`` over the same strip of
rows: a thread takes both, and finds for the second what the first has read. Only the
second waits, for that of the strip before, so that some threads read from memory while
another one adds up.
"""

from __future__ import annotations

from polysched.ir import NodePath, Scop
from polysched.machine import Cpu
from polysched.transform.band_view import view_band
from polysched.transform.draft import Draft
from polysched.transform.fuse_tiles import FuseTiles
from polysched.transform.order import Order
from polysched.transform.ordered import Ordered
from polysched.transform.strips import (
    Meeting,
    find_fused,
    fuse_meetings,
    fuse_strip,
)
from polysched.transform.turn import MIN_ROWS, add_rows, turn_sums

CACHE_SHARE = 2  # strips that a second cache holds: this one, and the next asked for


def share_in_order(draft: Draft, scop: Scop, cpu: Cpu) -> Draft:
    """Let neighbours pass over an array together, strips taken by threads in turn.

    Nothing but the second nest may wait for earlier strips. Half of a thread's next
    strip is asked for by each nest.
    """
    if cpu.n_cores < 2:
        return draft

    def share(draft: Draft, path: NodePath, meeting: Meeting) -> Draft | None:
        return _share(draft, scop, cpu, path, meeting)

    return fuse_meetings(draft, scop, cpu, share)


def _share(
    draft: Draft, scop: Scop, cpu: Cpu, path: NodePath, meeting: Meeting
) -> Draft | None:
    if len(meeting.columns) != 2:
        return None
    l2_bytes = cpu.l2_bytes // CACHE_SHARE
    fused = fuse_strip(draft, path, meeting, l2_bytes, MIN_ROWS)
    if fused is None:
        return None
    strips = find_fused(fused, path)
    shared = fused.attempt(Ordered(strips, 1))
    step = fused.steps[-1]
    if shared is None or not isinstance(step, FuseTiles):
        return None
    return _fill(shared, scop, cpu, strips, meeting, cpu.n_cores * step.size)


def _fill(
    draft: Draft, scop: Scop, cpu: Cpu, strips: NodePath, meeting: Meeting, ahead: int
) -> Draft:
    """Both nests in vectors, the second first: paths before it stay as they are.

    Where the first asks for nothing, the second asks for whole strips.
    """
    second, first = (*strips, 0, 0, 1, 0, 0), (*strips, 0, 0, 0, 0)
    for path, row in ((second, meeting.rows[1]), (first, meeting.rows[0])):
        if row:
            draft = draft.do(Order(path, (1, 0)))
    turns = turn_sums(draft, view_band(draft, scop, first), cpu, ahead) is not None
    band = view_band(draft, scop, second)
    draft = add_rows(draft, band, cpu, ahead, halves=turns) or draft
    return turn_sums(draft, view_band(draft, scop, first), cpu, ahead) or draft
