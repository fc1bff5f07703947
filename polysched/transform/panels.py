"""Loops over the columns of a matrix, cut into panels of columns.

An orthogonalisation takes a column ``k`` from every later column ``j``, each time in
loops over the whole columns. Both loops wait for column ``k``, and the whole matrix
passes through the caches for every one. Cut into blocks of `k` (right-looking)::

    for k:                        for kt:                   k = kt .. kt + 31
      finish column k               for k, j within:        the panel itself, in order
      for j > k:              →     parallel for jt behind: a panel of 16 columns
        column j -= column k          for k, j:             stays in the second cache

What runs behind the block waits for no other column: threads share it, and a panel is
read from memory once for each block. (Golub and van Loan, "Matrix Computations",
section 5.2.9: modified Gram-Schmidt by blocks.)

So it is where one element stands for a column, as in the solution of a triangular
system, whose rows wait for each other::

    for i:                            for jt:            j = jt .. jt + 127
      for j < i: x[i] -= L[i][j] * x[j]    i, j within:      the triangle, in order
      x[i] /= L[i][i]            →         parallel for i behind:
                                            j within: x[i] -= L[i][j] * x[j]

(Section 3.1.5: column-oriented, by blocks.) Where the matrix lies in rows along `j`,
blocks of `i` are cut in front of their triangles: rows are read as long as they are.
"""

from __future__ import annotations

from polysched.analysis import LARGE_EXTENT, loop_is_parallel
from polysched.ir import NodePath, Scop
from polysched.machine import Cpu
from polysched.sets import node_kind
from polysched.transform.band_view import BandView, view_band
from polysched.transform.distribute import Distribute, find_order
from polysched.transform.draft import Draft
from polysched.transform.merge import Merge
from polysched.transform.order import Order
from polysched.transform.shift import Shift
from polysched.transform.split import Split
from polysched.transform.tile import Tile

SIDE = 32  # columns of a block: longer ones leave more work to one thread
ROWS_SIDE = 128  # of a block of single elements: threads meet behind each
MAX_WIDTH = 64  # columns of a panel behind it
MIN_WIDTH = 8
MIN_EXTENT = 4 * SIDE
L2_SHARE = 0.4  # of the second cache for a panel and its block; both lie in pieces


def cut_panels(draft: Draft, scop: Scop, cpu: Cpu) -> Draft:
    """Cut bands of two loops that both wait, above loops over all of a column."""
    for path in draft.band_paths():
        band = view_band(draft, scop, path)
        if not _is_candidate(band):
            continue
        if band.is_above_others:
            draft = _cut_columns(draft, band, cpu) or draft
        else:
            draft = _cut_rows(draft, band) or draft
    return draft


def _is_candidate(band: BandView) -> bool:
    return (
        band.permutable
        and band.n_members == 2
        and not any(band.coincident)
        and all((band.extent(k) or LARGE_EXTENT) >= MIN_EXTENT for k in (0, 1))
    )


def _cut_columns(draft: Draft, band: BandView, cpu: Cpu) -> Draft | None:
    """Panels behind blocks of the first loop; None where they wait for others."""
    parts = _cut(draft, band, 0, SIDE)
    if parts is None:
        return None
    draft, first, second = parts
    draft = draft.do(Tile(second, (_choose_width(draft, band.scop, second, cpu), 0)))
    panel = (*second, 0, 0)
    for one in (panel, first):
        draft = draft.do(Order(one, (1, 0)))
        apart = _part_statements(draft, one)
        if apart is None:
            return None
        draft = apart
    return draft.attempt(Shift(panel)) or draft


def _cut_rows(draft: Draft, band: BandView) -> Draft | None:
    """Blocks of either loop, if the rows in front of or behind them are then free.

    What is free goes on along the rows of the matrix, if it may.
    """
    if len(band.main) != 1 or len(band.statements) == 1:
        return None
    for member in range(band.n_members):
        if _reads_along(band, 1 - member):
            found = _cut_before(draft, band, member, ROWS_SIDE)
            if found is not None:
                return found
    for member in range(band.n_members):
        parts = _cut(draft, band, member, ROWS_SIDE)
        if parts is not None:
            return parts[0]
    return None


def _reads_along(band: BandView, member: int) -> bool:
    """Whether what moves along both loops is read along rows by one of them."""
    (main,) = band.main
    along, across = main.direction(member), main.direction(1 - member)
    if along is None or across is None:
        return False
    both = [r for r in main.references if any(r.moves(along)) and any(r.moves(across))]
    return bool(both) and all(r.stride_class(along) == "1" for r in both)


def _cut_before(draft: Draft, band: BandView, member: int, side: int) -> Draft | None:
    """Blocks of one loop, and the other cut in front of each.

    None where what is in front is not free.
    """
    draft = draft.do(Tile(band.path, tuple(side * (k == member) for k in range(2))))
    points = (*band.path, 0, 0)
    block = draft.node(points).get_schedule_depth() - 1
    draft = draft.do(Order(points, (1 - member, member)))
    before = Split(points, 0, (f"c{block}",))
    if before.find_misfit(draft.tree) is not None:
        return None
    free = (*points, 0, 0)
    draft = draft.do(before).do(Order(free, (1, 0)))
    is_free = loop_is_parallel(draft.node(free), 0, draft.deps.validity)
    return draft if is_free else None


def _cut(
    draft: Draft, band: BandView, member: int, side: int
) -> tuple[Draft, NodePath, NodePath] | None:
    """Blocks of one loop, and the other cut behind each.

    Gives the bands, the other loop first in each; None where what is behind is not
    free.
    """
    draft = draft.do(Tile(band.path, tuple(side * (k == member) for k in range(2))))
    points = (*band.path, 0, 0)
    block = draft.node(points).get_schedule_depth() - 1
    draft = draft.do(Order(points, (1 - member, member)))
    behind = Split(points, 0, (f"c{block} + {side}",))
    if behind.find_misfit(draft.tree) is not None:
        return None
    draft = draft.do(behind)
    first, second = (*points, 0, 0), (*points, 1, 0)
    if not loop_is_parallel(draft.node(second), 0, draft.deps.validity):
        return None
    return draft, first, second


def _choose_width(draft: Draft, scop: Scop, path: NodePath, cpu: Cpu) -> int:
    """Columns of a panel that stay in the second cache while a block is taken off."""
    band, width = view_band(draft, scop, path), MAX_WIDTH
    fitting = L2_SHARE * cpu.l2_bytes
    while width > MIN_WIDTH:
        if band.footprint({0: width, 1: SIDE}, cpu.line_bytes) <= fitting:
            break
        width //= 2
    return width


def _part_statements(draft: Draft, path: NodePath) -> Draft | None:
    """Every statement in loops of its own below the first member of a band."""
    order = find_order(draft, path, 1)
    if not order:
        return None
    if len(order) == 1:
        return _join(draft, path)
    parted = draft.attempt(Distribute(path, 1, order))
    if parted is None:
        return None
    for k in reversed(range(len(order))):
        parted = _join(parted, (*path, 0, k, 0))
    return parted


def _join(draft: Draft, path: NodePath) -> Draft:
    """A band and those directly below it as one, as far as they are permutable."""
    while node_kind(draft.node(path).child(0)) == "band":
        merged = draft.attempt(Merge(path))
        if merged is None:
            break
        draft = merged
    return draft
