"""All passes over the rows of matrices, a few rows at a time, for a planned script.

``xh[i][j] = (x[i][j] - m[i]) * r[i]``, sums of it along rows and along columns, and at
last ``dx[i][j]``, which needs the sums of row ``i``: loops of their own have vectors
and register tiles, but each passes over whole matrices, and what is private has as many
rows. Strips of all the loops keep a few rows in the caches, and as many of what is
private.
"""

from __future__ import annotations

from polysched.analysis import Reference, loop_is_parallel
from polysched.ir import NodePath, Scop
from polysched.machine import Cpu
from polysched.sets import node_kind
from polysched.transform.band_view import BandView, StatementView, view_band
from polysched.transform.draft import Draft, has_band_below
from polysched.transform.fuse_tiles import FuseTiles
from polysched.transform.mapping import Parallel
from polysched.transform.strips import find_fused

STRIPS = (64, 32, 16)  # rows; register tiles have sixteen at most
MIN_PASSES = 3
CACHE_SHARE = 2  # strips that a second cache holds


def fuse_passes(draft: Draft, scop: Scop, cpu: Cpu) -> Draft:
    """Strips of all nests of a sequence that hand a private matrix on row by row.

    The strips are for threads where none waits for another.
    """
    path: NodePath = ()
    if node_kind(draft.node(path)) == "domain":
        path = (0,)
    node = draft.node(path)
    if node_kind(node) != "sequence" or node.n_children() < MIN_PASSES:
        return draft
    nests = [node.child(k).child(0) for k in range(node.n_children())]
    if any(node_kind(n) != "band" or has_band_below(n) for n in nests):
        return draft
    bands = [view_band(draft, scop, (*path, k, 0)) for k in range(len(nests))]
    rows = [_row_member(band) for band in bands]
    if None in rows or not _hands_matrix_on(bands):
        return draft
    members = tuple(row for row in rows if row is not None)
    size = _strip_rows(bands, members, cpu)
    step = FuseTiles(path, tuple(range(len(nests))), members, size)
    fused = draft.attempt(step) if size else None
    if fused is None:
        return draft
    strips = find_fused(fused, path)
    if not loop_is_parallel(fused.node(strips), 0, fused.deps.validity):
        return fused
    return fused.attempt(Parallel(strips)) or fused


def _row_member(band: BandView) -> int | None:
    """The member that is the first iterator of all statements."""
    for k in range(band.n_members):
        members = [s.members[s.positions[k]] for s in band.statements]
        if all(_is_first_iterator(m.coefficients) and not m.constant for m in members):
            return k
    return None


def _is_first_iterator(coefficients: tuple[int, ...]) -> bool:
    return coefficients[:1] == (1,) and not any(coefficients[1:])


def _hands_matrix_on(bands: list[BandView]) -> bool:
    """Whether two nests or more use the rows and columns of one private array."""
    users = [
        {r.array for s in band.statements for r in s.references if _is_matrix(s, r)}
        for band in bands
    ]
    everywhere = [array for found in users for array in found]
    return any(everywhere.count(array) > 1 for array in everywhere)


def _is_matrix(statement: StatementView, reference: Reference) -> bool:
    """Whether a private array has an element for each of a statement's two loops."""
    n_subscripts = len(reference.expanded) + len(reference.rows)
    return bool(reference.expanded) and min(n_subscripts, len(statement.moving)) > 1


def _strip_rows(bands: list[BandView], members: tuple[int, ...], cpu: Cpu) -> int:
    """The most rows whose data a part of the second cache holds; 0 for too few."""
    for size in STRIPS:
        used = sum(
            band.footprint(
                {k: band.extent(k) or size for k in range(band.n_members)} | {row: size}
            )
            for band, row in zip(bands, members, strict=True)
        )
        if used <= cpu.l2_bytes // CACHE_SHARE:
            return size
    return 0
