"""Where to cut a group of statements that has no common row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Literal

from polysched.schedule.rowwise.edges import Edge
from polysched.schedule.rowwise.graph import strong_components

Fusion = Literal["none", "smart", "max", "components", "cluster"]
FUSIONS: tuple[Fusion, ...] = ("none", "smart", "max", "components", "cluster")
Members = tuple[str, ...]
Parts = tuple[Members, ...]


def components_in_order(members: Members, edges: Sequence[Edge]) -> Parts:
    """Strongly connected components, topologically sorted as Pluto sorts them."""
    return strong_components(members, ((e.source, e.sink) for e in edges))


def cut_by_depth(
    components: Parts, edges: Sequence[Edge], depth: Mapping[str, int]
) -> Parts:
    """Cut between neighbours of different depth, if that orders any dependence."""
    deepest = [max(depth[m] for m in c) for c in components]
    cuts = [k for k in range(1, len(components)) if deepest[k] != deepest[k - 1]]
    if not any(_crosses(cuts, ends) for ends in _ends(components, edges)):
        return (_joined(components),)
    return _cut(components, cuts)


def cut_smart(
    components: Parts, edges: Sequence[Edge], depth: Mapping[str, int]
) -> Parts:
    """Pluto's order of cuts: by depth, in the middle, between far components.

    Parameters
    ----------
    components : tuple of tuple of str
        In topological order.
    edges : sequence of Edge
        Between them.
    depth : mapping of str to int
        Loops of every statement.

    Returns
    -------
    tuple of tuple of str
        Parts in order; one part only when nothing connects the components.

    References
    ----------
    .. [1] Bondhugula et al., "A model for fusion and code motion in an automatic
       parallelizing compiler", PACT 2010 (and Pluto's own ``smartfuse``).
    """
    parts = cut_by_depth(components, edges, depth)
    if len(parts) > 1:
        return parts
    ends = _ends(components, edges)
    middle = (len(components) + 1) // 2
    if (middle - 1, middle) in ends:
        return _cut(components, [middle])
    cuts: list[int] = []
    for source in range(len(components) - 1):
        for sink in range(len(components) - 1, source, -1):
            if (source, sink) in ends and not _crosses(cuts, (source, sink)):
                cuts.append(sink)
    return _cut(components, sorted(cuts))


def cut_late(components: Parts, has_row: Callable[[Members], bool]) -> Parts:
    """The longest beginning that still has a common row, and the rest.

    What a group can do together every part of it can, so halving finds the place.

    Parameters
    ----------
    components : tuple of tuple of str
        In topological order; together they have no row.
    has_row : callable
        Whether some statements have a row in common.
    """
    few, many = 1, len(components)
    while many - few > 1:
        half = (few + many) // 2
        if has_row(_joined(components[:half])):
            few = half
        else:
            many = half
    return _cut(components, [few])


def _ends(components: Parts, edges: Sequence[Edge]) -> set[tuple[int, int]]:
    place = {m: k for k, c in enumerate(components) for m in c}
    pairs = {(place[e.source], place[e.sink]) for e in edges}
    return {(a, b) for a, b in pairs if a != b}


def _crosses(cuts: Sequence[int], ends: tuple[int, int]) -> bool:
    return any(ends[0] < cut <= ends[1] for cut in cuts)


def _cut(components: Parts, cuts: Sequence[int]) -> Parts:
    places = [0, *cuts, len(components)]
    return tuple(_joined(components[a:b]) for a, b in pairwise(places))


def _joined(components: Parts) -> Members:
    return tuple(m for c in components for m in c)
