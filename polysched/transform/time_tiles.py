"""Time tiles for a device: a block runs several time steps of a part of the grid.

A permutable band without a parallel member, ``[t, i, j]``, is tiled; the tiles run in
wavefronts, one launch for each, and the tiles of a wave are blocks. Within a tile time
is a loop of all threads, between whose iterations they meet::

    wavefront: it/32 + jt/64 + tt/8              loop of the host
      kernel: grid: jt, tt
        t
          sequence: threads: i, j of S0;  threads: i, j of S1

The tile loop that the wave takes the place of is the first over space, not the one over
time: that has the fewest tiles, so that the box of blocks around a wave is nearly full.
"""

from __future__ import annotations

from dataclasses import dataclass

from polysched.ir import NodePath, Scop
from polysched.sets import list_sets
from polysched.transform.band_view import view_band
from polysched.transform.choose import choose_innermost
from polysched.transform.distribute import Distribute
from polysched.transform.draft import Draft, has_band_below
from polysched.transform.grid import ROWS, Grid, Threads
from polysched.transform.order import Order
from polysched.transform.tile import Tile, Wavefront


@dataclass(frozen=True)
class TimeShape:
    """How a tile looks.

    Attributes
    ----------
    steps : int
        Values of the first member in a tile: time steps.
    tile : tuple of tuple of int
        Values of the others, by their number, ``tile[n - 1]`` for n of them.
    threads : tuple of tuple of int
        Threads that share them, alike.
    rows : int
        Most values of the first of several that a thread takes at once.
    """

    steps: int
    tile: tuple[tuple[int, ...], ...]
    threads: tuple[tuple[int, ...], ...]
    rows: int = 4


def tile_time(
    draft: Draft, scop: Scop, shape: TimeShape, path: NodePath
) -> Draft | None:
    """Run a band in time tiles, or None where it has another form.

    Parameters
    ----------
    draft : Draft
        With a permutable band at the path.
    scop : Scop
        Its accesses decide which loop runs over neighbouring elements.
    shape : TimeShape
        Sizes of tiles and blocks.
    path : tuple of int
        Of the band; its first member is time.
    """
    node = draft.node(path)
    n_space = node.band_n_member() - 1
    if not 1 <= n_space <= len(shape.tile) or has_band_below(node):
        return None
    best = choose_innermost(view_band(draft, scop, path))
    if best not in (0, n_space):
        others = (k for k in range(n_space + 1) if k != best)
        draft = draft.do(Order(path, (*others, best)))
    statements = [s for s in list_sets(node.get_domain()) if not s.is_empty()]
    numbers = sorted(int(s.get_tuple_name()[1:]) for s in statements)
    threads = shape.threads[n_space - 1]
    tiles, points = (*path, 0), (*path, 0, 0, 0)
    tile = shape.tile[n_space - 1]
    waves: Draft | None = draft.do(Tile(path, (shape.steps, *tile)))
    if waves is not None:
        waves = waves.do(Order(tiles, (*range(1, n_space + 1), 0)))
        waves = waves.attempt(Wavefront(tiles, n_space + 1))
    if waves is None:
        return None
    most = min(shape.rows, tile[0] // threads[0]) if n_space > 1 else 1
    rows = max(n for n in ROWS if n <= max(1, most))
    shared = _share_steps(waves, numbers, threads, points, rows)
    shared = shared or _share_waves(waves, threads, points)
    return shared and shared.attempt(Grid((*tiles, 0), 1, n_space))


def _share_steps(
    draft: Draft,
    numbers: list[int],
    threads: tuple[int, ...],
    points: NodePath,
    rows: int,
) -> Draft | None:
    """Share what every statement does in one time step, so many rows at once."""
    if len(numbers) == 1:
        return draft.attempt(Threads(points, threads, 1, rows))
    parts = draft.attempt(Distribute(points, 1, tuple(numbers)))
    for k in range(len(numbers)):
        if parts is None:
            return None
        parts = parts.attempt(Threads((*points, 0, k, 0), threads, 0, rows))
    return parts


def _share_waves(
    draft: Draft, threads: tuple[int, ...], points: NodePath
) -> Draft | None:
    """Share the points of a wavefront through the tile."""
    waves = draft.attempt(Wavefront(points, len(threads) + 1))
    return waves and waves.attempt(Threads((*points, 0), threads, 1))
