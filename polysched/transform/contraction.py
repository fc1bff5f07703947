"""Register tiles, cache tiles and packing of contractions, for a planned script.

A contraction updates one element along loops that do not move it: matrix products and
their kin, over boxes or triangles. Its plan is that of Goto and van de Geijn ("Anatomy
of High-Performance Matrix Multiplication", TOMS 2008), stated on the tree: a register
tile over two loops that move the element, the others inside; a tile of the operand that
moves with the lanes packed for the second cache, a block of the other one beside it.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil, gcd, lcm

from polysched.analysis import has_terms
from polysched.ir import MARK_PACK, MAX_COPY_BYTES, NodePath, Scop
from polysched.machine import Cpu
from polysched.transform.band_view import limits_others, view_band
from polysched.transform.draft import Draft, is_under_mark
from polysched.transform.grouping import Grouping, find_grouping
from polysched.transform.held_sums import HeldTile, find_held
from polysched.transform.operand_copies import (
    batch_members,
    can_copy,
    can_pack,
    count_operands,
    is_packed_outside,
    pack_group,
    pack_operand,
    pays,
    reads_neighbours,
)
from polysched.transform.order import Order
from polysched.transform.pack import Pack
from polysched.transform.registers import Registers
from polysched.transform.roles import Contraction, find_contraction, n_values
from polysched.transform.tile import Tile
from polysched.transform.uneven import (
    Shrinking,
    choose_shrinking_size,
    choose_uneven_size,
    find_ends,
)
from polysched.transform.work import spread_work

MAX_VECTORS = 4  # of one row of a register tile: more only wait for loads
FEW = 64  # rows or columns of which a register tile should leave none over
L1_SHARE = 0.25  # for the rows that stay while panels pass by
L2_SHARE = 0.8  # for the packed tile that moves with the lanes
BLOCK_SHARE = 0.25  # for the packed block of the other operand


def choose_register_tile(
    cpu: Cpu,
    element_bytes: int,
    *,
    sums_rows: bool = False,
    columns: int = 0,
    n_rows: int = 0,
) -> tuple[int, int, int]:
    """Rows, vectors per row, and lanes of the register tile of a contraction.

    The most multiply-adds per load among the tiles whose accumulators, one row of
    vectors and a broadcast fit the registers; more accumulators among equals, since
    each waits for its last multiply-add. With `sums_rows` each row has one more. Of a
    known number of columns the narrower tiles that are left over count as well; rows
    that are left over take as long as a whole tile, as they are held with copies. None
    are better among equals.
    """
    n_registers = 32 if "avx512f" in cpu.isa or "neon" in cpu.isa else 16
    n_registers -= sums_rows  # ones to add up a row with
    lanes = cpu.vector_elements(element_bytes)
    n_vectors = ceil(columns / lanes)
    widest = min(MAX_VECTORS, max(1, columns // lanes)) if columns else MAX_VECTORS
    best = (0.0, False, 0, 1, 1)
    for vectors in range(1, widest + 1):
        most = max(1, (n_registers - 2 - vectors) // (vectors + sums_rows))
        for rows in range(1, min(most, n_rows) + 1) if n_rows else (most,):
            wide = _parts(n_vectors, vectors)
            n_tall = ceil(n_rows / rows) or 1
            loads = n_tall * (rows * len(wide) + sum(wide))
            score = round((n_rows or rows) * sum(wide) / loads, 9)
            is_whole = not (n_rows % rows or columns % (vectors * lanes))
            best = max(best, (score, is_whole, rows * vectors, rows, vectors))
    return best[3], best[4], lanes


def _parts(extent: int, size: int) -> list[int]:
    """Sides of the tiles of a loop; of one tile where nobody knows the extent."""
    if not extent:
        return [size]
    left = [extent % size] if extent % size else []
    return [size] * (extent // size) + left


def tile_contraction(
    draft: Draft, found: Contraction, cpu: Cpu, align: int = 1
) -> Draft:
    """Order and tile the band of a contraction for packed operands.

    With `align` above 1 the depth is that already, the loops begin at multiples of it,
    and rows are whole.
    """
    band = found.band
    grouping = find_grouping(found, cpu) if align == 1 else None
    rows, vectors, lanes = choose_shape(found, cpu, grouping)
    n_bytes = grouping.element_bytes if grouping else element_bytes(found)
    width = vectors * lanes
    depth = int(cpu.l1_bytes * L1_SHARE) // (n_bytes * rows)
    depth = _even(found.extent(found.inside[-1]), max(8, depth), 4)
    if align > 1:
        depth = align
    columns, block = (
        min(int(cpu.l2_bytes * share), MAX_COPY_BYTES)
        // (n_bytes * depth * max(1, count_operands(found, member)))
        for share, member in ((L2_SHARE, found.lane), (BLOCK_SHARE, found.row))
    )
    if align % width:
        width = lcm(width, align)
    columns = _share_columns(draft, found, cpu, max(width, columns), width, align)
    block = _even(found.extent(found.row), max(rows, block), rows)
    ahead = (*found.statement.single, *found.outside)
    order = (*ahead, found.row, found.lane, *found.inside)
    draft = draft.do(Order(band.path, order))
    outer = [0] * band.n_members
    if align == 1 and not reads_neighbours(found):
        for k in batch_members(found, found.lane):  # one product's operand is copied
            outer[ahead.index(k)] = 1
    outer[len(ahead) + 1] = columns
    outer[-1] = depth if align == 1 else 0
    if align == 1 and _is_for_rows(found, cpu, columns, rows):
        block = _even(found.extent(found.row), block, rows, cpu.n_cores)
        outer[len(ahead)] = block
    inner = [0] * band.n_members
    inner[len(ahead)] = block
    draft = draft.do(Tile(band.path, tuple(outer)))
    points = (*band.path, 0, 0)
    is_cut = block < found.extent(found.row) or not band.is_bounded(found.row)
    if is_cut and align == 1 and not outer[len(ahead)]:
        draft = draft.do(Tile(points, tuple(inner)))
    return draft


def choose_shape(
    found: Contraction, cpu: Cpu, grouping: Grouping | None
) -> tuple[int, int, int]:
    """Rows, vectors per row, and lanes of the register tile."""
    n_bytes = element_bytes(found)
    if grouping is None:
        n_rows, n_columns = (
            n if n <= FEW else 0 for n in map(found.extent, (found.row, found.lane))
        )
        return choose_register_tile(cpu, n_bytes, columns=n_columns, n_rows=n_rows)
    columns = n_values(found.band.scop, found.statement, found.iterator(found.lane))
    return choose_register_tile(
        cpu, n_bytes, sums_rows=grouping.shift != 0, columns=columns or 0
    )


def _is_for_rows(found: Contraction, cpu: Cpu, columns: int, rows: int) -> bool:
    """Whether threads share rows: of columns there are too few, of rows enough.

    Each thread then copies the same columns, which are few.
    """
    band = found.band
    if found.outside or not band.coincident[found.row] or cpu.n_cores < 2:
        return False
    few = found.extent(found.lane) <= columns
    return few and found.extent(found.row) >= 2 * cpu.n_cores * rows


def _share_columns(
    draft: Draft,
    found: Contraction,
    cpu: Cpu,
    largest: int,
    multiple: int,
    align: int,
) -> int:
    """Columns of a tile: threads that share the loop are to have as much work.

    With `align` above 1 what is left of the loop is that much shorter in every run.
    """
    band, lane = found.band, found.lane
    extent = found.extent(lane)
    n_threads = cpu.n_cores if band.coincident[lane] else 1
    if n_threads > 1 and align > 1:
        is_triangle = spread_work(draft, band, lane, cpu).is_uneven
        shape = Shrinking(align + extent, align, is_triangle=is_triangle)
        return choose_shrinking_size(shape, multiple, largest, n_threads)
    if n_threads > 1 and limits_others(band, lane):
        ends = find_ends(band, found.statement, lane)
        return choose_uneven_size(ends, extent, multiple, largest, n_threads)
    return _even(extent, largest, multiple, n_threads)


def _even(extent: int, largest: int, multiple: int, shares: int = 1) -> int:
    """Tile size of at most `largest` such that the tiles are of nearly equal size.

    A multiple of `multiple`; their number is one of `shares` where there are several.
    """
    largest = max(multiple, largest // multiple * multiple)
    n_tiles = ceil(extent / largest)
    if n_tiles > 1 or extent >= shares * 2 * multiple:
        n_tiles = ceil(n_tiles / shares) * shares
    return ceil(ceil(extent / n_tiles) / multiple) * multiple


def element_bytes(found: Contraction) -> int:
    """Size of an element of the target."""
    target = next(r for r in found.statement.references if r.is_write)
    return found.band.scop.array(target.array).type.n_bytes


def hold_contraction(
    draft: Draft, scop: Scop, path: NodePath, cpu: Cpu
) -> Draft | None:
    """Register tile and packing of an innermost band, None where it has none."""
    found = find_contraction(view_band(draft, scop, path))
    if found is None:
        return None
    if around := find_held(found, path):
        return draft.attempt(_fill_tile(found, path, around, cpu))
    return _hold_block(draft, found, path, cpu)


def _hold_block(
    draft: Draft, found: Contraction, path: NodePath, cpu: Cpu
) -> Draft | None:
    """The same of a band that has no tiles of results around loops of a sum."""
    scop = found.band.scop
    grouping = find_grouping(found, cpu)
    rows, vectors, lanes = choose_shape(found, cpu, grouping)
    factors = [1] * found.band.n_members
    factors[found.row] = min(rows, found.extent(found.row))
    full = max(1, found.extent(found.lane) // lanes)
    factors[found.lane] = min(vectors, full) * lanes
    step = Registers(path, tuple(factors), lanes)
    free = {r.statement for r in draft.deps.reductions}
    if found.statement.name in free and any(
        map(has_terms, scop.statement(found.statement.name).body)
    ):
        step = replace(step, in_turn=True)
    if grouping:
        held = _hold_groups(draft, found, step, grouping, vectors * lanes)
        if held is not None:
            return held
    if step.check(draft.tree, draft.deps) is not None:
        return None
    held = draft.do(step)
    if is_under_mark(draft.node(path), MARK_PACK):
        return held
    if reads_neighbours(found) and _is_in_row_tiles(found, path):
        return held
    if not reads_neighbours(found) and not can_pack(draft, found, path, found.lane):
        return None
    tile, inner = _outer_tile(found, path), path
    if pays(found, found.row) and can_pack(draft, found, path, found.row):
        held = held.do(pack_operand(found, path, found.row))
        inner = (*path, 0)  # below the mark of the other copy
    for place, at in ((tile, tile if tile != path else inner), (path, inner)):
        if can_pack(draft, found, place, found.lane):
            return held.do(pack_operand(found, at, found.lane, vectors * lanes))
    return held


def _fill_tile(
    found: Contraction, path: NodePath, around: HeldTile, cpu: Cpu
) -> Registers:
    """The register tile as large as the tile around it."""
    factors = [1] * found.band.n_members
    factors[found.row], factors[found.lane] = around.rows, around.columns
    lanes = cpu.vector_elements(element_bytes(found))
    return Registers(path, tuple(factors), gcd(lanes, around.columns))


def _hold_groups(
    draft: Draft, found: Contraction, step: Registers, grouping: Grouping, width: int
) -> Draft | None:
    """Register tile and copies in groups, None where copies cannot be made.

    The lanes' factor is copied in any case, the rows' where it does not lie so.
    """
    path, place = step.band, _outer_tile(found, step.band)
    lanes = pack_group(found, path, grouping, width)
    is_done = is_packed_outside(draft, path, lanes)
    if is_under_mark(draft.node(path), MARK_PACK) and not is_done:
        return None
    copied = [x for x in (grouping.rows, () if is_done else grouping.lanes) if x]
    if not all(can_copy(draft, found, path, iterators) for iterators in copied):
        return None
    held = draft.attempt(replace(step, terms=grouping.n_terms))
    if held is None:
        return None
    is_outside = place != path and can_copy(draft, found, place, grouping.lanes)
    if grouping.rows:
        rows = Pack(path, found.number, grouping.rows, terms=grouping.n_terms)
        held = held.do(rows)
        path = (*path, 0)  # below the mark of the other copy
    if is_done:
        return held
    return held.do(replace(lanes, band=place if is_outside else path))


def _outer_tile(found: Contraction, path: NodePath) -> NodePath:
    """The loop over blocks of rows where one has a band, else the points' band."""
    row = found.statement.members[found.statement.positions[found.row]]
    tiles = [
        member.coefficients
        for member in found.statement.members
        if member.path == path[:-1] and member.kind == "tile"
    ]
    return path[:-1] if tiles == [row.coefficients] else path


def _is_in_row_tiles(found: Contraction, path: NodePath) -> bool:
    """Whether loops over tiles of rows, further out, would make the same copy again."""
    row = found.statement.members[found.statement.positions[found.row]]
    return any(
        member.kind == "tile"
        and member.coefficients == row.coefficients
        and member.path != path[:-1]
        for member in found.statement.members
    )
