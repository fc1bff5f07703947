"""Contractions made whole: nests under a common loop get it each for themselves.

A matrix product that ends in a buffer of one row has two loops of its own only::

    for r, q:                         for r:
      for p: sum[p] = 0                 for q, p: sum[q][p] = 0
      for p, s: sum[p] += ...    →      for q, p, s: sum[q][p] += ...
      for p: A[r][q][p] = sum[p]        for q, p: A[r][q][p] = sum[q][p]

Where the buffer is private, each nest may have the loop over rows for itself, and the
product has the three that a register tile needs.
"""

from __future__ import annotations

from polysched.ir import NodePath, Scop
from polysched.sets import node_kind
from polysched.transform.band_view import view_band
from polysched.transform.contraction import find_contraction
from polysched.transform.distribute import Distribute, find_order
from polysched.transform.draft import Draft
from polysched.transform.merge import Merge


def gather_contractions(draft: Draft, scop: Scop) -> Draft:
    """Distribute the last member of bands over nests that it makes contractions.

    Only bands with a member left for the loop around all nests are looked at: threads
    share that.
    """
    done: list[NodePath] = []
    for path in sorted(draft.band_paths()):
        if any(path[: len(d)] == d for d in done):
            continue
        node = draft.node(path)
        member = node.band_n_member() - 1
        if member < 1 or node_kind(node.child(0)) != "sequence":
            continue
        if _holds_contraction(draft, scop, path):
            continue
        found = _distribute(draft, path, member)
        if found is not None and _holds_contraction(found, scop, path):
            draft = found
            done.append(path)
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
        nest = (*path, 0, k, 0)
        while node_kind(found.node(nest).child(0)) == "band":
            merged = found.attempt(Merge(nest))
            if merged is None:
                break
            found = merged
    return found


def _holds_contraction(draft: Draft, scop: Scop, path: NodePath) -> bool:
    return any(
        find_contraction(view_band(draft, scop, inner)) is not None
        for inner in draft.innermost_paths()
        if inner[: len(path)] == path
    )
