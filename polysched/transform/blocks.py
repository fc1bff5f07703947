"""Factorisations in place, block by block: panels, then one large contraction.

``A[i][j] -= A[i][k] * A[k][j]`` of a factorisation waits for rows and columns that it
computes itself. Cut into blocks of `k` (right-looking), each block falls into parts,
which run one after another::

    for kt:                         k = kt .. kt + 95
      i, j within the block         the diagonal block: small, in order
      j behind it, i within         panel of rows
      i behind it, j within         panel of columns, rows shared by threads
      i, j behind it                all else: no instance waits for another one

The last part holds nearly all the work; each statement in it, alone, is a contraction
like any other, for tiles in registers and packed operands. (Golub and van Loan, "Matrix
Computations", section 3.2.10.)
"""

from __future__ import annotations

from math import gcd, lcm

from polysched.ir import NodePath, Scop
from polysched.machine import Cpu
from polysched.transform.band_view import BandView, view_band
from polysched.transform.contraction import (
    L2_SHARE,
    choose_register_tile,
    element_bytes,
    tile_contraction,
)
from polysched.transform.distribute import Distribute, find_order
from polysched.transform.draft import Draft
from polysched.transform.operand_copies import (
    can_pack,
    pack_operand,
    reads_neighbours,
)
from polysched.transform.order import Order
from polysched.transform.roles import (
    Contraction,
    find_contraction,
    find_roles,
)
from polysched.transform.split import Split
from polysched.transform.tile import Tile

MIN_SIDE, MAX_SIDE = 96, 192  # of a block: longer ones leave more work to the panels
N_CACHED = 2  # blocks that the second cache holds
MIN_BLOCKS = 8  # along a loop: one thread alone computes those on the diagonal
ROWS = 48  # of a panel of columns that a thread takes at a time
STRIP = 16  # columns of a panel that are finished before others: wider ones wait longer
K, ROW, LANE = 0, 1, 2  # positions of the members once they are in order


def block_updates(draft: Draft, band: BandView, cpu: Cpu) -> Draft | None:
    """Blocks and parts for a band whose updates wait for each other.

    None where the band is no such thing: it takes one loop along which the targets of
    all its main statements stay, and behind the block their updates must be free.
    """
    found = _find_update(band)
    if found is None:
        return None
    rows, vectors, lanes = choose_register_tile(cpu, element_bytes(found))
    multiple = lcm(rows, vectors * lanes)
    shortest = min(found.extent(k) for k in range(3))
    fitting = int((cpu.l2_bytes * L2_SHARE / N_CACHED / element_bytes(found)) ** 0.5)
    largest = min(fitting, MAX_SIDE, max(MIN_SIDE, shortest // MIN_BLOCKS))
    side = max(multiple, largest // multiple * multiple)
    if 2 * shortest < 3 * side:
        return None
    (inside,) = found.inside
    scop = band.scop
    draft = draft.do(Order(band.path, (inside, found.row, found.lane)))
    cut = _cut(draft, band.path, side)
    if cut is None:
        return None
    draft, parts = cut
    for path in reversed(parts):
        draft = _arrange_part(draft, scop, path, cpu, side)
    return draft


def _find_update(band: BandView) -> Contraction | None:
    """The roles of a band's three members, the same for all its main statements."""
    if not band.permutable or band.n_members != 3 or not band.main:
        return None
    if any(band.coincident):  # some loop is free as it stands
        return None
    free = (True,) * band.n_members
    found = [find_roles(band, s, free) for s in band.main]
    first = found[0]
    if first is None or len(first.inside) != 1:
        return None
    same = [f is not None and (f.lane, f.row) == (first.lane, first.row) for f in found]
    return first if all(same) else None


def _cut(
    draft: Draft, path: NodePath, side: int
) -> tuple[Draft, list[NodePath]] | None:
    """Tiles of the first member, and their parts by where the other two stand.

    Gives the bands of the parts, each ``[k, row, lane]``, in order; None where nothing
    lies behind a block.
    """
    draft = draft.do(Tile(path, (side, 0, 0)))
    points = (*path, 0, 0)
    last = draft.node(points).get_schedule_depth() - 1
    cuts = (f"c{last} + {side}",)
    draft = draft.do(Order(points, (ROW, K, LANE)))
    by_row = Split(points, 0, cuts)
    if by_row.find_misfit(draft.tree) is not None:
        return None
    draft = draft.do(by_row)
    parts: list[NodePath] = []
    for k in reversed(range(draft.node(points).n_children())):
        band = (*points, k, 0)
        draft = draft.do(Order(band, (2, 1, 0)))  # lane, k, row
        by_lane = Split(band, 0, cuts)
        below = [band]
        if by_lane.find_misfit(draft.tree) is None:
            draft = draft.do(by_lane)
            n = draft.node(band).n_children()
            below = [(*band, c, 0) for c in range(n)]
        for one in below:
            draft = draft.do(Order(one, (1, 2, 0)))
        parts += reversed(below)
    return draft, parts[::-1]


def _arrange_part(
    draft: Draft, scop: Scop, path: NodePath, cpu: Cpu, side: int
) -> Draft:
    """Loops for one part: contractions alone and tiled, panels row by row."""
    band = view_band(draft, scop, path)
    found = find_contraction(band)
    if found is not None:
        return tile_contraction(draft, found, cpu, side)
    if band.coincident[ROW] and band.coincident[LANE]:
        return _arrange_free(draft, band, cpu, side)
    copied = _copy_block(draft, band)
    below = path if copied is None else (*path, 0)
    draft = draft if copied is None else copied
    if band.coincident[ROW]:
        return _arrange_columns(draft, below, gcd(side, STRIP))
    return _part_rows(draft, below)


def _part_rows(draft: Draft, path: NodePath) -> Draft:
    """Row by row, every statement in an innermost loop of its own."""
    return _part(draft.do(Order(path, (ROW, K, LANE))), path, 2)


def _part(draft: Draft, path: NodePath, member: int) -> Draft:
    """Every statement in loops of its own from a member on, where that is legal."""
    order = find_order(draft, path, member)
    return draft.do(Distribute(path, member, order)) if len(order) > 1 else draft


def _arrange_columns(draft: Draft, path: NodePath, width: int) -> Draft:
    """Strips of so many columns of a panel of columns, some rows at a time.

    What the strips before it take from a strip is a contraction of free loops; within
    the strip columns follow each other.
    """
    strips = draft.do(Order(path, (ROW, LANE, K)))
    strips = strips.do(Tile(path, (ROWS, width, 0)))
    points = (*path, 0, 0)
    strip = strips.node(points).get_schedule_depth() - 1
    strips = strips.do(Order(points, (2, 0, 1)))
    earlier = Split(points, 0, (f"c{strip}",))
    if earlier.find_misfit(strips.tree) is not None:
        return _part_rows(draft, path)
    strips = strips.do(earlier)
    return _part(strips, (*points, 1, 0), 1)


def _copy_block(draft: Draft, band: BandView) -> Draft | None:
    """Updates of a panel read the block before it from a copy.

    Where lanes would gather its columns otherwise, and nothing below writes it. The
    copy's mark takes the band's place.
    """
    for s in band.main:
        found = find_roles(band, s, (True,) * band.n_members)
        if found is None or reads_neighbours(found):
            continue
        if can_pack(draft, found, band.path, found.lane):
            return draft.do(pack_operand(found, band.path, found.lane))
    return None


def _arrange_free(draft: Draft, band: BandView, cpu: Cpu, side: int) -> Draft:
    """Every statement for itself, contractions among them tiled."""
    order = find_order(draft, band.path, 0)
    if len(order) < 2:
        return draft
    draft = draft.do(Distribute(band.path, 0, order))
    for k in reversed(range(len(order))):
        path = (*band.path, k, 0)
        found = find_contraction(view_band(draft, band.scop, path))
        if found is not None:
            draft = tile_contraction(draft, found, cpu, side)
    return draft
