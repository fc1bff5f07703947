"""Register tiles, cache tiles and packing of contractions, for a planned script.

A contraction updates one element along loops that do not move it: matrix products and
their kin, over boxes or triangles. Its plan is that of Goto and van de Geijn ("Anatomy
of High-Performance Matrix Multiplication", TOMS 2008), stated on the tree: a register
tile over two loops that move the element, the others inside; a tile of the operand that
moves with the lanes packed for the second cache, a block of the other one beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, lcm

from polysched.analysis import Reference, find_operands, find_overwritten
from polysched.base import AnalysisError
from polysched.ir import MARK_PACK, MAX_COPY_BYTES, Load, NodePath, Scop
from polysched.machine import Cpu
from polysched.transform.band_view import (
    BandView,
    StatementView,
    limits_others,
    view_band,
)
from polysched.transform.draft import Draft, is_under_mark
from polysched.transform.order import Order
from polysched.transform.pack import Pack
from polysched.transform.registers import Registers
from polysched.transform.tile import Tile
from polysched.transform.uneven import choose_uneven_size, find_ends

MAX_VECTORS = 4  # of one row of a register tile: more only wait for loads
LARGE = 1024  # iterations where a trip count is unknown
L1_SHARE = 0.25  # for the rows that stay while panels pass by
L2_SHARE = 0.8  # for the packed tile that moves with the lanes
BLOCK_SHARE = 0.25  # for the packed block of the other operand


@dataclass(frozen=True)
class Contraction:
    """The roles of a band's members.

    Attributes
    ----------
    band : BandView
        Permutable.
    statement : StatementView
        The only one under the band; all members move it.
    lane, row : int
        Members of the register tile: contiguous in the target, and the other one.
    inside : tuple of int
        Members that do not move the target.
    outside : tuple of int
        Members that move it besides.
    """

    band: BandView
    statement: StatementView
    lane: int
    row: int
    inside: tuple[int, ...]
    outside: tuple[int, ...]

    @property
    def number(self) -> int:
        """Of the statement."""
        return int(self.statement.name[1:])

    def iterator(self, member: int) -> int:
        """Position of the statement's iterator that a member is."""
        position = _unit_position(self.statement, member)
        assert position is not None
        return position

    def extent(self, member: int) -> int:
        """Trip count of a member, known or estimated; `LARGE` where it is neither."""
        return self.band.extent(member) or LARGE


def find_contraction(band: BandView) -> Contraction | None:
    """What a band's members mean to the contraction it runs, None where it is none."""
    if not band.permutable or len(band.statements) != 1:
        return None
    return find_roles(band, band.statements[0], band.coincident)


def find_roles(
    band: BandView, s: StatementView, free: tuple[bool, ...]
) -> Contraction | None:
    """The roles of a band's members for one statement, None where they have none.

    Parameters
    ----------
    band : BandView
        Permutable.
    s : StatementView
        One of its statements.
    free : tuple of bool
        For each member whether lanes may run along it.
    """
    if band.n_members < 3 or len(s.moving) != band.n_members:
        return None
    if any(_unit_position(s, k) is None for k in range(band.n_members)):
        return None
    target, moves = find_target(s), {k: s.direction(k) for k in s.moving}
    if target is None:
        return None
    touching = [k for k, d in moves.items() if d and any(target.moves(d))]
    inside = tuple(k for k in s.moving if k not in touching)
    lanes = [
        k for k in touching if free[k] and target.stride_class(moves[k] or ()) == "1"
    ]
    if not inside or not lanes or len(touching) < 2:
        return None
    lane = lanes[-1]
    rows = [k for k in touching if k != lane and _is_reused(s, lane, k)]
    if not rows:
        return None
    row = max(rows, key=lambda k: (min(band.extent(k) or LARGE, LARGE), k))
    outside = tuple(k for k in touching if k not in (lane, row))
    return Contraction(band, s, lane, row, inside, outside)


def find_target(s: StatementView) -> Reference | None:
    """What a statement writes, None where that is several elements or a scalar.

    A private scalar, expanded, that other bands use has a dimension for every loop of
    this band that moves it.
    """
    targets = [r for r in s.references if r.is_write]
    if len(targets) != 1:
        return None
    one = targets[0]
    target = replace(one, rows=(*one.expanded, *one.rows), expanded=())
    return target if target.rows else None


def _unit_position(s: StatementView, member: int) -> int | None:
    """The iterator that a member is, None for sums of several."""
    found = s.members[s.positions[member]]
    moved = [k for k, c in enumerate(found.coefficients) if c]
    if found.kind != "point" or len(moved) != 1 or found.coefficients[moved[0]] != 1:
        return None
    return moved[0]


def _is_reused(s: StatementView, lane: int, row: int) -> bool:
    """Whether some read that moves with the lanes stays along the row."""
    along, across = s.direction(lane), s.direction(row)
    assert along is not None
    assert across is not None
    return any(
        not r.is_write and any(r.moves(along)) and not any(r.moves(across))
        for r in s.references
    )


def choose_register_tile(cpu: Cpu, element_bytes: int) -> tuple[int, int, int]:
    """Rows, vectors per row, and lanes of the register tile of a contraction.

    The most multiply-adds per load among the tiles whose accumulators, one row of
    vectors and a broadcast fit the registers; more accumulators among equals, since
    each waits for its last multiply-add.
    """
    n_registers = 32 if "avx512f" in cpu.isa or "neon" in cpu.isa else 16
    lanes = cpu.vector_elements(element_bytes)
    best = (0.0, 0, 1, 1)
    for vectors in range(1, MAX_VECTORS + 1):
        rows = (n_registers - 2 - vectors) // vectors
        if rows > 0:
            n = rows * vectors
            best = max(best, (n / (rows + vectors), n, rows, vectors))
    return best[2], best[3], lanes


def tile_contraction(
    draft: Draft, found: Contraction, cpu: Cpu, align: int = 1
) -> Draft:
    """Order and tile the band of a contraction for packed operands.

    With `align` above 1 the depth is that already, the loops begin at multiples of it,
    and rows are whole.
    """
    band = found.band
    n_bytes = element_bytes(found)
    rows, vectors, lanes = choose_register_tile(cpu, n_bytes)
    width = vectors * lanes
    depth = int(cpu.l1_bytes * L1_SHARE) // (n_bytes * rows)
    depth = _even(found.extent(found.inside[-1]), max(8, depth), 4)
    if align > 1:
        depth = align
    columns, block = (
        min(int(cpu.l2_bytes * share), MAX_COPY_BYTES) // (n_bytes * depth)
        for share in (L2_SHARE, BLOCK_SHARE)
    )
    width = lcm(width, align)
    columns = _share_columns(found, cpu, max(width, columns), width)
    block = _even(found.extent(found.row), max(rows, block), rows)
    order = (*found.outside, found.row, found.lane, *found.inside)
    draft = draft.do(Order(band.path, order))
    outer = [0] * band.n_members
    outer[len(found.outside) + 1] = columns
    outer[-1] = depth if align == 1 else 0
    if align == 1 and _is_for_rows(found, cpu, columns, rows):
        block = _even(found.extent(found.row), block, rows, cpu.n_cores)
        outer[len(found.outside)] = block
    inner = [0] * band.n_members
    inner[len(found.outside)] = block
    draft = draft.do(Tile(band.path, tuple(outer)))
    points = (*band.path, 0, 0)
    is_cut = block < found.extent(found.row) or not band.is_bounded(found.row)
    if is_cut and align == 1 and not outer[len(found.outside)]:
        draft = draft.do(Tile(points, tuple(inner)))
    return draft


def _is_for_rows(found: Contraction, cpu: Cpu, columns: int, rows: int) -> bool:
    """Whether threads share rows: of columns there are too few, of rows enough.

    Each thread then copies the same columns, which are few.
    """
    band = found.band
    if found.outside or not band.coincident[found.row] or cpu.n_cores < 2:
        return False
    few = found.extent(found.lane) <= columns
    return few and found.extent(found.row) >= 2 * cpu.n_cores * rows


def _share_columns(found: Contraction, cpu: Cpu, largest: int, multiple: int) -> int:
    """Columns of a tile: threads that share the loop are to have as much work."""
    band, lane = found.band, found.lane
    extent = found.extent(lane)
    n_threads = cpu.n_cores if band.coincident[lane] else 1
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
    rows, vectors, lanes = choose_register_tile(cpu, element_bytes(found))
    factors = [1] * found.band.n_members
    factors[found.row] = min(rows, found.extent(found.row))
    full = max(1, found.extent(found.lane) // lanes)
    factors[found.lane] = min(vectors, full) * lanes
    step = Registers(path, tuple(factors), lanes)
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
    if _pays(found, found.row) and can_pack(draft, found, path, found.row):
        held = held.do(pack_operand(found, path, found.row))
        inner = (*path, 0)  # below the mark of the other copy
    for place, at in ((tile, tile if tile != path else inner), (path, inner)):
        if can_pack(draft, found, place, found.lane):
            return held.do(pack_operand(found, at, found.lane, vectors * lanes))
    return held


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


def reads_neighbours(found: Contraction) -> bool:
    """Whether every read is one value, or neighbours, for the lanes as it stands."""
    along = found.statement.direction(found.lane)
    assert along is not None
    return all(r.stride_class(along) != "N" for r in found.statement.references)


def _operand(found: Contraction, member: int) -> tuple[int, ...]:
    """Iterators of the operand that moves with a member of the register tile."""
    return tuple(found.iterator(k) for k in (*found.inside, member))


def can_pack(draft: Draft, found: Contraction, path: NodePath, member: int) -> bool:
    """Whether nothing below a band writes the operand that moves with a member."""
    scop = found.band.scop
    statement = scop.statement(found.statement.name)
    names = frozenset(statement.iterators[k] for k in _operand(found, member))
    operands = find_operands(statement, names)
    node = draft.node(path)
    try:
        lost = [find_overwritten(node, scop, statement, e) for e in operands]
    except AnalysisError:
        return False
    return bool(operands) and not any(lost)


def _pays(found: Contraction, member: int) -> bool:
    """Whether a copy of the broadcast operand saves arithmetic or far loads."""
    scop = found.band.scop
    statement = scop.statement(found.statement.name)
    names = frozenset(statement.iterators[k] for k in _operand(found, member))
    operands = find_operands(statement, names)
    if any(not isinstance(e, Load) for e in operands):
        return True
    inner = found.statement.direction(found.inside[-1])
    assert inner is not None
    other = found.statement.direction(found.lane if member == found.row else found.row)
    assert other is not None
    arrays = {e.array for e in operands if isinstance(e, Load)}
    return any(
        r.array in arrays and not r.is_write and r.stride_class(inner) == "N"
        for r in found.statement.references
        if not any(r.moves(other))
    )


def pack_operand(
    found: Contraction, path: NodePath, member: int, panel: int = 0
) -> Pack:
    """The copy of an operand: contiguous along lanes, in panels where a width is given.

    What moves with the rows keeps its neighbours, along the rows or the innermost loop.
    """
    iterators = _operand(found, member)
    if member == found.row and not _has_rows_side_by_side(found):
        return Pack(path, found.number, (iterators[-1], *iterators[:-1]))
    return Pack(path, found.number, iterators, panel)


def _has_rows_side_by_side(found: Contraction) -> bool:
    """Whether what moves with the rows has neighbours along them."""
    row, lane = (found.statement.direction(k) for k in (found.row, found.lane))
    assert row is not None
    assert lane is not None
    moving = [r for r in found.statement.references if not any(r.moves(lane))]
    return all(r.stride_class(row) in "01" for r in moving)
