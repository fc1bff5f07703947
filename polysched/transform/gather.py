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
"""

from __future__ import annotations

from polysched.ir import NodePath, Scop
from polysched.sets import node_kind
from polysched.transform.band_view import view_band
from polysched.transform.distribute import Distribute, find_order
from polysched.transform.draft import Draft
from polysched.transform.merge import Merge
from polysched.transform.roles import (
    find_contraction,
)
from polysched.transform.sink import Sink


def gather_contractions(draft: Draft, scop: Scop) -> Draft:
    """Distribute the last members of bands over nests that they make contractions.

    As few members as are needed; one at least stays around all nests: threads share
    that.
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
        for member in reversed(range(1, n_members)):
            found = _distribute(draft, path, member)
            if found is not None and _holds_contraction(found, scop, path):
                draft = found
                done.append(path)
                break
    return draft


def _distribute(draft: Draft, path: NodePath, member: int) -> Draft | None:
    """Nests of their own for all statements, each with its bands joined."""
    order = find_order(draft, path, member)
    if len(order) < 2:
        return None
    found = draft.attempt(Distribute(path, member, order))
    if found is None:
        return None
    for k in range(len(order)):
        found = _join(found, (*path, 0, k, 0))
    return found


def _join(draft: Draft, nest: NodePath) -> Draft:
    """The bands of a nest as one; else its first one moved to the last and joined.

    The loops between keep their order then, in which a sum over several is added up.
    """
    joined = draft
    while node_kind(joined.node(nest).child(0)) == "band":
        merged = joined.attempt(Merge(nest))
        if merged is None:
            return _sink(draft, nest) or joined
        joined = merged
    return joined


def _sink(draft: Draft, nest: NodePath) -> Draft | None:
    sunk = draft.attempt(Sink(nest))
    if sunk is None:
        return None
    while node_kind(sunk.node(nest).child(0).child(0)) == "band":
        nest = (*nest, 0)
    return sunk.attempt(Merge(nest))


def _holds_contraction(draft: Draft, scop: Scop, path: NodePath) -> bool:
    return any(
        find_contraction(view_band(draft, scop, inner)) is not None
        for inner in draft.innermost_paths()
        if inner[: len(path)] == path
    )
