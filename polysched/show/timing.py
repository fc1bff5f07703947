"""When a schedule tree runs the instances that a picture shows, and in which tile."""

from __future__ import annotations

from dataclasses import dataclass

import islpy as isl
import numpy as np
from numpy.typing import NDArray

from polysched.ir import MARK_TILE, ScheduleTree
from polysched.sets import (
    Points,
    list_maps,
    map_names,
    map_points,
    node_kind,
)
from polysched.show.window import Window, fix_sizes


@dataclass(frozen=True, eq=False)
class Timing:
    """The order of the points of a window.

    Attributes
    ----------
    ranks : array of int, shape (n_points,)
        Place of each point's time among the distinct times.
    n_times : int
        Distinct times.
    tiles : array of int, shape (n_points, n_tile_dims)
        Each point's tile by the rank of its coordinates; no columns without tiles.
    """

    ranks: NDArray[np.int64]
    n_times: int
    tiles: Points


def find_timing(window: Window, tree: ScheduleTree) -> Timing:
    """Times and tiles of a window's points under a tree.

    Tiles are what the innermost band below a `tile` mark enumerates, together with the
    tile bands around it.
    """
    name = window.statement.name
    moments = _evaluate(tree.map, name, window)
    distinct, ranks = np.unique(moments, axis=0, return_inverse=True)
    tiles = np.zeros((len(window.points), 0), dtype=np.int64)
    band = _tile_band(tree.root, name)
    if band is not None:
        prefix = band.child(0).get_prefix_schedule_union_map()
        prefix = prefix.intersect_domain(band.get_domain())
        tiles = _rank_columns(_evaluate(prefix, name, window))
    return Timing(ranks.reshape(-1), len(distinct), tiles)


def _evaluate(relation: isl.UnionMap, name: str, window: Window) -> Points:
    """Values of a statement's function at the window's points."""
    own = [m for m in list_maps(relation) if map_names(m)[0] == name]
    merged = own[0]
    for further in own[1:]:
        merged = merged.union(further)
    return map_points(fix_sizes(merged, window), window.points)


def _tile_band(node: isl.ScheduleNode, name: str) -> isl.ScheduleNode | None:
    """The innermost band under a tile mark that holds the statement."""
    found = None
    is_tile = False
    while True:
        kind = node_kind(node)
        if kind == "mark":
            is_tile = is_tile or str(node.mark_get_id().get_name()) == MARK_TILE
        elif kind == "band":
            found = node if is_tile else found
            is_tile = False
        below = [node.child(k) for k in range(node.n_children())]
        inside = [c for c in below if _holds(c, name)]
        if len(inside) != 1 or kind == "leaf":
            return found
        node = inside[0]


def _holds(node: isl.ScheduleNode, name: str) -> bool:
    below = node.child(0) if node_kind(node) == "filter" else node
    sets: list[isl.Set] = []
    below.get_domain().foreach_set(sets.append)
    return any(s.get_tuple_name() == name for s in sets)


def _rank_columns(values: Points) -> Points:
    """Each column's values by their rank, columns that never change left out."""
    columns = [
        np.unique(values[:, k], return_inverse=True)[1].reshape(-1)
        for k in range(values.shape[1])
        if len(np.unique(values[:, k])) > 1
    ]
    if not columns:
        return np.zeros((len(values), 1 if values.shape[1] else 0), dtype=np.int64)
    return np.column_stack(columns)
