"""Recurrences along rows: several rows advance together, for a planned script."""

from __future__ import annotations

import islpy as isl

from polysched.analysis import Reference, loop_is_parallel
from polysched.ir import NodePath, Scop
from polysched.machine import Cpu
from polysched.sets import node_kind
from polysched.transform.band_view import BandView, StatementView, view_band
from polysched.transform.draft import Draft, has_band_below
from polysched.transform.sink import Sink
from polysched.transform.tile import Tile
from polysched.transform.version import Version

MIN_ROWS = 8  # enough to fill the time that one row's division takes
MAX_ROWS = 32


def gather_rows(draft: Draft, scop: Scop, cpu: Cpu) -> Draft:
    """Tile parallel loops over recurrences and sink their points below these.

    A loop whose iterations each run sequential loops keeps the processor waiting for
    one chain of operations; a few iterations side by side are so many chains. Of
    several such loops the innermost one is tiled. What the recurrences keep in private
    arrays may then stay in registers, if all of it is computed in one loop over rows.
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
        together = _keeps_to_itself(scop, band)
        draft = tiled.attempt(Sink((*path, 0, 0), together)) or draft
    return draft


def version_rows(draft: Draft, scop: Scop) -> Draft:
    """Two versions of what tiles of rows hold, where they are lanes of private arrays.

    Of arrays in memory, vectors as long as lines would mostly lie in two: rows of them
    take half of that, see `choose_lanes`.
    """
    for path in draft.band_paths():
        size = _rows_below(draft, scop, path)
        if size:
            draft = draft.attempt(Version(path, size)) or draft
    return draft


def _rows_below(draft: Draft, scop: Scop, path: NodePath) -> int:
    """Size of the tiles over which a band runs, if rows of them were sunk below it."""
    around = view_band(draft, scop, path)
    if not (around.is_above_others and _keeps_to_itself(scop, around)):
        return 0
    rows = [
        view_band(draft, scop, below)
        for below in draft.innermost_paths()
        if below[: len(path)] == path
    ]
    sizes = {_tile_size(s, path) for band in rows for s in band.statements}
    is_lanes = all(
        band.is_worth_vector(band.n_members - 1) for band in rows if _is_deep(band)
    )
    return sizes.pop() if is_lanes and len(sizes) == 1 else 0


def _keeps_to_itself(scop: Scop, band: BandView) -> bool:
    """Whether loops below a band write only what is its iterations' own.

    That is private arrays, and elements that stay as the loops below go on: sums.
    """
    deep = [s for s in band.statements if _has_loops_below(s, band)]
    return bool(deep) and all(
        scop.array(r.array).n_expanded or _stays(r, s, band)
        for s in deep
        for r in s.references
        if r.is_write
    )


def _is_deep(band: BandView) -> bool:
    """Whether a loop that rows share is around them."""
    return any(s.loops_of_rows(band.n_members - 1) for s in band.statements)


def _stays(reference: Reference, statement: StatementView, band: BandView) -> bool:
    """Whether the loops below a band do not move what is written."""
    here = statement.positions[-1]
    over = statement.members[here].function
    below = zip(
        statement.members[here + 1 :], statement.directions[here + 1 :], strict=True
    )
    moving = [d for m, d in below if d is not None and m.function != over]
    return not any(any(reference.moves(d)) for d in moving)


def _has_loops_below(statement: StatementView, band: BandView) -> bool:
    """Whether a loop below a band moves a statement, but for that over its points."""
    here = statement.positions[-1]
    over = statement.members[here].function
    below = statement.members[here + 1 :]
    return any(not m.is_constant and m.function != over for m in below)


def _tile_size(statement: StatementView, path: NodePath) -> int:
    """Size of the tile at a path whose points the innermost loop runs over, else 0."""
    tile = next(m for m in reversed(statement.members) if m.path == path)
    is_tiled = tile.kind == "tile" and tile.function == statement.members[-1].function
    return tile.size if is_tiled else 0


def _holds_recurrences(draft: Draft, node: isl.ScheduleNode) -> bool:
    """Whether a loop without waiting holds only innermost loops that wait."""
    if not has_band_below(node):
        return False
    last = node.band_n_member() - 1
    if not loop_is_parallel(node, last, draft.deps.validity):
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
    """Rows whose data stays in half of the second cache; 0 where there are too few.

    All of a few, where some would be left over.
    """
    last = band.n_members - 1
    extent = band.extent(last)
    if extent is not None and extent < 2 * MIN_ROWS:
        return 0
    rows = MIN_ROWS
    while rows < MAX_ROWS and _fits(band, 2 * rows, cpu):
        rows *= 2
    if extent is None or not rows < extent < 2 * rows or not band.is_bounded(last):
        return rows
    return extent if _fits(band, extent, cpu) else rows


def _fits(band: BandView, rows: int, cpu: Cpu) -> bool:
    """Whether what a tile of so many rows touches takes half of the second cache."""
    return band.footprint({band.n_members - 1: rows}) <= cpu.l2_bytes // 2
