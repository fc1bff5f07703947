"""Which neighbours of a sequence read one large array and run strip by strip."""

from __future__ import annotations

from collections.abc import Iterator

import islpy as isl

from polysched.analysis import Reference
from polysched.ir import NodePath, Scop
from polysched.machine import Cpu
from polysched.sets import node_kind
from polysched.transform.band_view import BandView, StatementView, view_band
from polysched.transform.choose import has_cache_reuse
from polysched.transform.draft import Draft, has_band_below
from polysched.transform.fuse_tiles import FuseTiles

CACHE_SHARE = 0.75  # of the second caches of all cores
MAX_STRIP = 256
ROWS_PER_THREAD = 8  # at least: register tiles of rows need as many


def fuse_strips(draft: Draft, scop: Scop, cpu: Cpu) -> Draft:
    """Let neighbours that share a large array pass over it together, strip by strip.

    A strip is so many rows of the array as the second caches of the threads hold, at
    least a register tile for each thread; where they do not hold that, nothing is done.
    """
    for path in _sequence_paths(draft):
        n_children = draft.node(path).n_children()
        nests = [
            (k, view_band(draft, scop, (*path, k, 0)))
            for k in range(n_children)
            if _is_plain_nest(draft.node(path).child(k).child(0))
        ]
        bands = {k: band for k, band in nests if not has_cache_reuse(band)}
        for step in _pairs(path, bands, cpu):
            fused = draft.attempt(step)
            if fused is not None:
                draft = fused
                break
    return draft


def _sequence_paths(draft: Draft) -> list[NodePath]:
    """Sequences that no band surrounds: their neighbours make passes over arrays."""
    found = [p for p, n in draft.tree.nodes() if node_kind(n) == "sequence"]
    return [p for p in found if not _is_under_band(draft.node(p))]


def _is_under_band(node: isl.ScheduleNode) -> bool:
    while node.has_parent():
        node = node.parent()
        if node_kind(node) == "band":
            return True
    return False


def _is_plain_nest(node: isl.ScheduleNode) -> bool:
    return node_kind(node) == "band" and not has_band_below(node)


def _pairs(path: NodePath, bands: dict[int, BandView], cpu: Cpu) -> Iterator[FuseTiles]:
    """Steps for every two nests that share a large array, the nearest first."""
    for b in sorted(bands):
        for a in sorted((k for k in bands if k < b), reverse=True):
            found = _shared_rows(bands[a], bands[b])
            if found is None:
                continue
            one, other, row_bytes, total_bytes = found
            if total_bytes <= cpu.l2_bytes * cpu.n_cores:
                continue
            rows = _strip_rows(row_bytes, cpu)
            if rows:
                yield FuseTiles(path, (a, b), (one, other), rows)


def _strip_rows(row_bytes: int, cpu: Cpu) -> int:
    """Rows that fit the larger part of the second caches; 0 if these are too few."""
    step = ROWS_PER_THREAD * cpu.n_cores
    fitting = int(CACHE_SHARE * cpu.l2_bytes * cpu.n_cores) // max(1, row_bytes)
    return min(fitting, max(step, MAX_STRIP)) // step * step


def _shared_rows(a: BandView, b: BandView) -> tuple[int, int, int, int] | None:
    """Members that walk the rows of one array, bytes of a row, and of the array."""
    for s in a.main:
        for r in s.references:
            one = _row_member(a, s, r)
            if one is None:
                continue
            for t in b.main:
                for q in t.references:
                    if q.array != r.array or q.rows[0] == ():
                        continue
                    other = _row_member(b, t, q)
                    if other is not None and q.offsets[0] == r.offsets[0]:
                        total = a.footprint(_whole(a))
                        extent = a.extent(one) or 1
                        return one, other, total // max(1, extent), total
    return None


def _whole(band: BandView) -> dict[int, int]:
    return {k: band.extent(k) or 1000 for k in range(band.n_members)}


def _row_member(band: BandView, s: StatementView, r: Reference) -> int | None:
    """The only member that moves the first subscript, by one; others move the rest."""
    if len(r.rows) < 2 or len(s.moving) < 2:
        return None
    found = None
    for k in s.moving:
        direction = s.direction(k)
        assert direction is not None
        moves = r.moves(direction)
        if not moves[0]:
            continue
        if found is not None or moves[0] != 1 or any(moves[1:]):
            return None
        found = k
    others = [s.direction(k) for k in s.moving if k != found]
    reached = r.rank_along([d for d in others if d is not None])
    is_swept = reached == len(r.rows) - 1
    return found if band.permutable and is_swept else None
