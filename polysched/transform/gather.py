"""Contractions made whole: nests under a common loop get it each for themselves.

A matrix product that ends in a buffer of one row has two loops of its own only::

    for r, q:                         for r:
      for p: sum[p] = 0                 for q, p: sum[q][p] = 0
      for p, s: sum[p] += ...    →      for q, p, s: sum[q][p] += ...
      for p: A[r][q][p] = sum[p]        for q, p: A[r][q][p] = sum[q][p]

Where the buffer is private, each nest may have the loop over rows for itself, and the
product has the three that a register tile needs. A convolution has its loops of points
around those of windows, which add up in their order and cannot be joined with others::

    for i, j:                         for i:
      for f: out[j][f] = bias[f]        for j, f: out[j][f] = bias[f]
      for p, q:                    →    for p, q:
        for c, f: out[j][f] += ...        for j, c, f: out[j][f] += ...

What the lanes read may be used again along an outer loop alone, as a picture's rows are
along the filters: that loop is moved in first.
"""

from __future__ import annotations

from collections.abc import Iterator

from polysched.ir import NodePath, Scop
from polysched.machine import Cpu
from polysched.sets import node_kind
from polysched.transform.band_view import view_band
from polysched.transform.contraction import choose_shape
from polysched.transform.distribute import Distribute, find_order
from polysched.transform.draft import Draft, is_below_band
from polysched.transform.grouping import find_grouping
from polysched.transform.held_sums import sink_points, tile_results
from polysched.transform.merge import Merge
from polysched.transform.order import Order
from polysched.transform.roles import find_contraction


def gather_contractions(draft: Draft, scop: Scop, cpu: Cpu) -> Draft:
    """Distribute the last members of bands over nests that they make contractions.

    As few members as are needed; one at least stays around all nests, or a loop that is
    around the band: threads share that.
    """
    done: list[NodePath] = []
    for path in sorted(draft.band_paths()):
        if any(path[: len(d)] == d for d in done):
            continue
        node = draft.node(path)
        n_members = node.band_n_member()
        if n_members < 2 or node_kind(node.child(0)) != "sequence":
            continue
        if _holds_contraction(draft, scop, path):
            continue
        for start, member in _cuts(draft, path, n_members):
            found = _distribute(start, path, member, scop, cpu)
            if found is not None and _holds_contraction(found, scop, path):
                draft = found
                done.append(path)
                break
    return draft


def _cuts(draft: Draft, path: NodePath, n_members: int) -> Iterator[tuple[Draft, int]]:
    """Members from which on each nest gets its own: the last ones as they stand.

    Then the last one with one from further out, which is moved before it.
    """
    first = 0 if is_below_band(draft.node(path)) else 1
    for member in reversed(range(first, n_members)):
        yield draft, member
    for row in reversed(range(n_members - 2)):
        others = [k for k in range(n_members - 1) if k != row]
        moved = draft.attempt(Order(path, (*others, row, n_members - 1)))
        if moved is not None:
            yield moved, n_members - 2


def _distribute(
    draft: Draft, path: NodePath, member: int, scop: Scop, cpu: Cpu
) -> Draft | None:
    """Nests of their own for all statements, each with its bands joined."""
    order = find_order(draft, path, member)
    if len(order) < 2:
        return None
    found = draft.attempt(Distribute(path, member, order))
    if found is None:
        return None
    apart = (*path, 0) if member else path
    for k in range(len(order)):
        found = _join(found, (*apart, k, 0), scop, cpu)
    return found


def _join(draft: Draft, nest: NodePath, scop: Scop, cpu: Cpu) -> Draft:
    """The bands of a nest as one; else its first one moved to the last and joined.

    The loops between keep their order then, in which a sum over several is added up.
    """
    joined = draft
    while node_kind(joined.node(nest).child(0)) == "band":
        merged = joined.attempt(Merge(nest))
        if merged is None:
            return _sink(draft, nest, scop, cpu) or joined
        joined = merged
    return joined


def _sink(draft: Draft, nest: NodePath, scop: Scop, cpu: Cpu) -> Draft | None:
    """Points below the loops of their sum, in tiles around these where they fit."""
    sunk = sink_points(draft, nest)
    if sunk is None:
        return None
    n_points = draft.node(nest).band_n_member()
    inside = [p for p in sunk.innermost_paths() if p[: len(nest)] == nest]
    found = find_contraction(view_band(sunk, scop, inside[0]))
    if found is None or find_grouping(found, cpu) is not None:
        return sunk
    rows, vectors, lanes = choose_shape(found, cpu, None)
    n_before = found.band.n_members - n_points
    row, lane = found.row - n_before, found.lane - n_before
    if min(row, lane) < 0 or rows < 2:
        return sunk
    return tile_results(draft, nest, row, lane, (rows, vectors * lanes)) or sunk


def _holds_contraction(draft: Draft, scop: Scop, path: NodePath) -> bool:
    return any(
        find_contraction(view_band(draft, scop, inner)) is not None
        for inner in draft.innermost_paths()
        if inner[: len(path)] == path
    )
