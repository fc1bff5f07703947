"""Which neighbours of a sequence read one large array and run strip by strip."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import islpy as isl

from polysched.analysis import LARGE_EXTENT, Reference
from polysched.ir import NodePath, Scop
from polysched.machine import Cpu
from polysched.sets import list_sets, node_kind
from polysched.transform.band_view import (
    BandView,
    StatementView,
    is_tile_band,
    view_band,
)
from polysched.transform.choose import has_cache_reuse
from polysched.transform.draft import Draft, has_band_below
from polysched.transform.fuse_tiles import FuseTiles
from polysched.transform.merge import Merge
from polysched.transform.share import STRIP_ALIGN
from polysched.transform.tile import Tile

CACHE_SHARE = 0.75  # of the second caches of all cores
MAX_STRIP = 256
MIN_BLOCK_COLUMNS = 256  # shorter pieces of rows are read one page at a time
WAVES_PER_THREAD = 16  # at least: each begins and ends with a wave that is not full
ROWS_PER_THREAD = 8  # at least: register tiles of rows need as many


@dataclass(frozen=True)
class Meeting:
    """Two nests of a sequence that sweep the rows of one array.

    Attributes
    ----------
    children : tuple of int
        Positions of the nests.
    rows : tuple of int
        For each, the member that walks the rows.
    row_bytes : int
        Of all that one row's iterations touch.
    columns : tuple of int
        For each, the member that walks along a row; empty if there are several.
    n_columns : int
        Values of that member.
    """

    children: tuple[int, int]
    rows: tuple[int, int]
    row_bytes: int
    columns: tuple[int, ...]
    n_columns: int


def fuse_strips(draft: Draft, scop: Scop, cpu: Cpu) -> Draft:
    """Let neighbours that share a large array pass over it together, strip by strip.

    A strip is so many rows of the array as the second caches of the threads hold, at
    least a register tile for each thread; where they do not hold that, nothing is done.
    Threads share what each nest does in a strip.
    """
    l2_bytes, least = cpu.l2_bytes * cpu.n_cores, ROWS_PER_THREAD * cpu.n_cores

    def fuse(draft: Draft, path: NodePath, meeting: Meeting) -> Draft | None:
        return fuse_strip(draft, path, meeting, l2_bytes, least)

    return fuse_meetings(draft, scop, cpu, fuse)


def fuse_meetings(
    draft: Draft,
    scop: Scop,
    cpu: Cpu,
    fuse: Callable[[Draft, NodePath, Meeting], Draft | None],
) -> Draft:
    """In every outermost sequence the first pair of neighbours that can be fused so."""
    for path, meetings in _find_meetings(draft, scop, cpu):
        for meeting in meetings:
            fused = fuse(draft, path, meeting)
            if fused is not None:
                draft = fused
                break
    return draft


def fuse_strip(
    draft: Draft, path: NodePath, meeting: Meeting, l2_bytes: int, least: int
) -> Draft | None:
    """Two nests strip by strip, for caches of so many bytes, where that is legal.

    A strip is a multiple of the least number of rows.
    """
    rows = _strip_rows(meeting.row_bytes, l2_bytes, least)
    if not rows:
        return None
    after = _waiting(draft, path, *meeting.children)
    step = FuseTiles(path, meeting.children, meeting.rows, rows, after)
    return draft.attempt(step)


def _waiting(draft: Draft, path: NodePath, a: int, b: int) -> tuple[int, ...]:
    """What stands between two nests and needs the first of them, or one that does."""
    node = draft.node(path)
    where = {
        s.get_tuple_name(): k
        for k in range(node.n_children())
        for s in list_sets(node.child(k).filter_get_filter())
    }
    ordering = (d for d in draft.deps.items if d.orders)
    pairs = {(where.get(d.source), where.get(d.sink)) for d in ordering}
    found: list[int] = []
    for k in range(a + 1, b):
        if any((earlier, k) in pairs for earlier in (a, *found)):
            found.append(k)
    return tuple(found)


def fuse_blocks(draft: Draft, scop: Scop, cpu: Cpu) -> Draft:
    """Let such neighbours pass over the array together, block by block.

    A block is a part of a strip's columns, one for each thread, and so many rows as the
    thread's own second cache holds: what the first nest has read is there for the
    second. Threads share blocks, in wavefronts where a nest adds up along the rows, and
    meet once for a strip. Where the second nest needs whole rows of the first, nothing
    is done. Statements that are fused already need no cache between them: their blocks
    are as long as leaves each wave short.
    """

    def fuse(draft: Draft, path: NodePath, meeting: Meeting) -> Draft | None:
        return _fuse_in_blocks(draft, path, meeting, cpu)

    draft = fuse_meetings(draft, scop, cpu, fuse)
    for path in draft.innermost_paths():
        band = view_band(draft, scop, path)
        if _sums_both_ways(band, cpu):
            draft = draft.do(Tile(path, _block_sizes(band, cpu)))
    return draft


def _sums_both_ways(band: BandView, cpu: Cpu) -> bool:
    """Whether fused statements add up along rows and columns of one large array."""
    if not band.waits_both_ways or not band.is_worth_vector(1):
        return False
    whole = {k: band.extent(k) or LARGE_EXTENT for k in range(band.n_members)}
    return band.footprint(whole) > cpu.l2_bytes * cpu.n_cores and not has_cache_reuse(
        band
    )


def _block_sizes(band: BandView, cpu: Cpu) -> tuple[int, int]:
    """A block of columns for each thread, and rows for many waves."""
    rows, columns = (band.extent(k) or LARGE_EXTENT for k in range(2))
    long = rows // (WAVES_PER_THREAD * cpu.n_cores) // ROWS_PER_THREAD * ROWS_PER_THREAD
    least = 2 * ROWS_PER_THREAD
    return min(MAX_STRIP, max(least, long)), _block_columns(columns, cpu)


def _block_columns(n_columns: int, cpu: Cpu) -> int:
    """One thread's share of the columns, in whole cache lines."""
    share = -(-n_columns // cpu.n_cores)
    return -(-share // STRIP_ALIGN) * STRIP_ALIGN


def _fuse_in_blocks(
    draft: Draft, path: NodePath, meeting: Meeting, cpu: Cpu
) -> Draft | None:
    columns = _block_columns(meeting.n_columns, cpu)
    if not meeting.columns or columns < MIN_BLOCK_COLUMNS:
        return None
    row_bytes = meeting.row_bytes * columns // meeting.n_columns
    block = replace(meeting, row_bytes=row_bytes)
    fused = fuse_strip(draft, path, block, cpu.l2_bytes, ROWS_PER_THREAD)
    if fused is None:
        return None
    strips = find_fused(fused, path)
    cut = fused.attempt(FuseTiles((*strips, 0), (0, 1), meeting.columns, columns))
    return cut and cut.attempt(Merge(strips))


def find_fused(draft: Draft, path: NodePath) -> NodePath:
    """The band of tile loops that neighbours in a sequence were just fused in."""
    n = len(path)
    inside = (p for p in sorted(draft.band_paths()) if p[:n] == path)
    return next(p for p in inside if is_tile_band(draft, p))


def _find_meetings(
    draft: Draft, scop: Scop, cpu: Cpu
) -> Iterator[tuple[NodePath, Iterator[Meeting]]]:
    """For every outermost sequence, pairs of nests that may pass together."""
    for path in _sequence_paths(draft):
        n_children = draft.node(path).n_children()
        nests = [
            (k, view_band(draft, scop, (*path, k, 0)))
            for k in range(n_children)
            if _is_plain_nest(draft.node(path).child(k).child(0))
        ]
        bands = {k: band for k, band in nests if not has_cache_reuse(band)}
        yield path, _pairs(bands, cpu)


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


def _pairs(bands: dict[int, BandView], cpu: Cpu) -> Iterator[Meeting]:
    """Every two nests that share a large array, the nearest first."""
    for b in sorted(bands):
        for a in sorted((k for k in bands if k < b), reverse=True):
            found = _shared_rows(bands[a], bands[b])
            if found is None:
                continue
            one, other, row_bytes, total_bytes = found
            if total_bytes <= cpu.l2_bytes * cpu.n_cores:
                continue
            columns, n_columns = _column_members(bands[a], bands[b], one, other)
            yield Meeting((a, b), (one, other), row_bytes, columns, n_columns)


def _column_members(
    a: BandView, b: BandView, one: int, other: int
) -> tuple[tuple[int, ...], int]:
    """The members besides those of the rows, if one each, and how many values."""
    if a.n_members != 2 or b.n_members != 2:
        return (), 0
    extent = max(a.extent(1 - one) or 0, b.extent(1 - other) or 0)
    return (1 - one, 1 - other), extent or LARGE_EXTENT


def _strip_rows(row_bytes: int, l2_bytes: int, least: int) -> int:
    """Rows that fit the larger part of the second caches; 0 if these are too few.

    A multiple of twice the least number where that fits, so that threads have as many
    tiles as each other of twice the rows, too.
    """
    fitting = int(CACHE_SHARE * l2_bytes) // max(1, row_bytes)
    fitting = min(fitting, max(least, MAX_STRIP))
    return fitting // (2 * least) * 2 * least or fitting // least * least


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
