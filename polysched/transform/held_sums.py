"""Sums over several loops whose results stay in registers through all of them.

A convolution adds up over channels and over a window, in that order, which no band
joins. The loops over its results are tiled first, and the points of a tile go inside::

    for o, j:                             for ot in steps of 8, jt in steps of 48:
      for q, u, v, e:                       for q, u, v, e:
        y[o][j] += x[q][j + e] * ...   →      for o, j in tile:
                                                y[o][j] += x[q][j + e] * ...

so that a register tile is loaded and stored once. Full tiles are told apart outside of
the sum, rows first: columns that are left over then hold all rows of a tile, too.
"""

from __future__ import annotations

from dataclasses import dataclass

from polysched.ir import NodePath, Scop
from polysched.sets import node_kind
from polysched.transform.band_view import view_band
from polysched.transform.draft import Draft
from polysched.transform.merge import Merge
from polysched.transform.order import Order
from polysched.transform.registers import MAX_POINTS
from polysched.transform.roles import Contraction, find_contraction
from polysched.transform.sink import Sink
from polysched.transform.tile import Tile
from polysched.transform.version import Version


@dataclass(frozen=True)
class HeldTile:
    """Loops over register tiles, outside of loops of the sum.

    Attributes
    ----------
    row_tiles, lane_tiles : tuple of int
        Paths of the bands over tiles of rows and of columns.
    rows, columns : int
        Their sizes.
    """

    row_tiles: NodePath
    rows: int
    lane_tiles: NodePath
    columns: int


def sink_points(draft: Draft, nest: NodePath) -> Draft | None:
    """A band moved below those inside of it, and joined with the last of them."""
    sunk = draft.attempt(Sink(nest))
    if sunk is None:
        return None
    while node_kind(sunk.node(nest).child(0).child(0)) == "band":
        nest = (*nest, 0)
    return sunk.attempt(Merge(nest))


def tile_results(
    draft: Draft, nest: NodePath, row: int, lane: int, sizes: tuple[int, int]
) -> Draft | None:
    """Tiles of a nest's results around the loops of their sums, None where illegal.

    Parameters
    ----------
    draft : Draft
    nest : tuple of int
        The band over results, above the bands of the sum.
    row, lane : int
        Its members that are rows and lanes of register tiles.
    sizes : tuple of int
        Rows and columns of a tile.
    """
    n = draft.node(nest).band_n_member()
    others = tuple(k for k in range(n) if k not in (row, lane))
    order = (*others, row, lane)
    if order != tuple(range(n)):
        ordered = draft.attempt(Order(nest, order))
        if ordered is None:
            return None
        draft = ordered
    rows, columns = sizes
    tiled = draft.attempt(Tile(nest, (*(1 for _ in others), rows, 0)))
    points = (*nest, 0, 0)
    tiled = tiled and tiled.attempt(Tile(points, (*(0 for _ in others), 0, columns)))
    return tiled and sink_points(tiled, (*points, 0, 0))


def find_held(found: Contraction, path: NodePath) -> HeldTile | None:
    """The loops over tiles around a contraction's other loops, None without them.

    Tiles of more results than code is unrolled for are for caches, not for registers.
    """
    members = found.statement.members
    tiles = []
    for role in (found.row, found.lane):
        point = members[found.statement.positions[role]]
        around = [
            m
            for m in members
            if m.kind == "tile" and m.coefficients == point.coefficients
        ]
        if len(around) != 1:
            return None
        tiles.append(around[0])
    row, lane = tiles
    inside = range(len(lane.path) + 1, len(path))
    sums = [m for m in members if m.kind == "point" and len(m.path) in inside]
    is_around = lane.path[: len(row.path)] == row.path != lane.path
    if not sums or not is_around or row.size * lane.size > MAX_POINTS:
        return None
    return HeldTile(row.path, row.size, lane.path, lane.size)


def version_results(draft: Draft, scop: Scop) -> Draft:
    """Full tiles of results told apart outside of the loops of their sums."""
    for path in draft.innermost_paths():
        found = find_contraction(view_band(draft, scop, path))
        held = None if found is None else find_held(found, path)
        if found is None or held is None:
            continue
        last = found.band.n_members - 1
        columns = Version(held.lane_tiles, held.columns, last - found.lane)
        rows = Version(held.row_tiles, held.rows, last - found.row)
        draft = draft.attempt(columns) or draft
        draft = draft.attempt(rows) or draft
    return draft
