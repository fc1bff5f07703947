"""Recurrences of two loops in tiles, which threads share in waves.

Where both loops wait, as for the distance of two words, the tiles along a diagonal are
independent of each other; within a tile several rows advance together::

    wavefront: it/64 + jt/256
      parallel: it
        i/8, j
          8 rows, unrolled
"""

from __future__ import annotations

from collections.abc import Sequence

from polysched.analysis import loop_is_parallel
from polysched.ir import Scop
from polysched.machine import Cpu
from polysched.transform.band_view import BandView, StatementView, view_band
from polysched.transform.draft import Draft
from polysched.transform.tile import Tile

SIZES = 64, 256  # rows, and columns: what two rows of tiles share stays in the caches
TILES_PER_CORE = 4  # at least, along each loop: waves begin and end with few
ROWS_TOGETHER = 8  # of a register tile, which tiles hold whole


def tile_in_waves(draft: Draft, scop: Scop, cpu: Cpu) -> Draft:
    """Tile innermost bands of two loops that both wait, for threads to share."""
    if cpu.n_cores < 2:
        return draft
    for path in draft.innermost_paths():
        band = view_band(draft, scop, path)
        waits = not loop_is_parallel(
            draft.node(path), 1 % band.n_members, draft.deps.validity
        )
        if waits and _is_recurrence(band):
            draft = draft.do(Tile(path, _choose_sizes(band, cpu)))
    return draft


def _is_recurrence(band: BandView) -> bool:
    """Whether statements fill a permutable band whose two loops always wait."""
    return (
        band.permutable
        and band.n_members == 2
        and not any(band.coincident)
        and band.main == band.statements
        and all(len(s.moving) == 2 for s in band.main)
        and _reads_neighbours(band.main)
    )


def _reads_neighbours(statements: Sequence[StatementView]) -> bool:
    """Whether what they read of their own results lies at constant distances."""
    written = {r.array: r.rows for s in statements for r in s.references if r.is_write}
    return all(
        r.rows == written[r.array]
        for s in statements
        for r in s.references
        if r.array in written
    )


def _choose_sizes(band: BandView, cpu: Cpu) -> tuple[int, ...]:
    """Multiples of a register tile, small enough for enough tiles of each loop."""
    found = []
    for k, size in enumerate(SIZES):
        extent = band.extent(k)
        if extent is not None:
            fair = extent // (TILES_PER_CORE * cpu.n_cores)
            size = min(size, max(1, fair // ROWS_TOGETHER) * ROWS_TOGETHER)
        found.append(size)
    return tuple(found)
