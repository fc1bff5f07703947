"""Contractions in tiles of shared memory, for a planned script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, prod

from polysched.analysis import subscript_moves
from polysched.ir import Const, NodePath, ScheduleTree, Scop
from polysched.transform.band_view import BandView, StatementView, view_band
from polysched.transform.bands import join_below
from polysched.transform.contract import Contract
from polysched.transform.draft import Draft, has_band_below
from polysched.transform.launch import MAX_GRID_MEMBERS
from polysched.transform.order import Order
from polysched.transform.roles import Contraction, find_contraction

MAX_REGISTERS = 255  # of a thread, on every architecture
MAX_STAGED_THREADS = 512  # of a block
SHARED_BYTES = 227 * 1024  # of a block, where most
MIN_USES = 2  # of an element in shared memory, for its copy to pay
ADDRESS_REGISTERS = 28  # pointers, loop counters, and what the compiler adds
WORD_BYTES = 4
MAX_LOOPS = 32  # more than any nest has


@dataclass(frozen=True)
class StagedShape:
    """How a block of a contraction looks, for elements of four bytes.

    Attributes
    ----------
    rows, columns : int
        Results of a block.
    depth : int
        Terms of a tile.
    threads : tuple of int
        Threads over rows and columns.
    stages : int
        Tiles in shared memory.
    bulk : bool
        Copy long rows of a tile as such.
    """

    rows: int
    columns: int
    depth: int
    threads: tuple[int, int]
    stages: int
    bulk: bool = False


def stage_contraction(
    draft: Draft, scop: Scop, shape: StagedShape, path: NodePath
) -> Draft | None:
    """Tile a contraction, or None where the band runs none that is worth it."""
    band = _with_loops_below(draft, scop, path)
    found = None if band is None else find_contraction(band)
    if found is None or found.statement.single or not found.inside:
        return None
    n_bytes = scop.array(_target(found)).type.n_bytes
    shared = (*found.outside, found.row, found.lane)
    is_free = all(found.band.coincident[k] for k in shared)
    n_first = draft.node(path).band_n_member()
    if len(shared) > MAX_GRID_MEMBERS or not is_free or max(shared) >= n_first:
        return None
    if not _has_known_sizes(found, scop):
        shape = replace(shape, columns=min(shape.columns, 128), threads=(16, 16))
    wide = n_bytes > 4
    rows, columns = shape.rows // (2 if wide else 1), shape.columns
    while rows > 16 and rows >= 2 * found.extent(found.row):
        rows //= 2
    while columns > 16 and columns >= 2 * found.extent(found.lane):
        columns //= 2
    threads = min(shape.threads[0], rows), min(shape.threads[1], columns)
    threads = _enough_threads(found, threads, (rows, columns), n_bytes)
    run = min(max(1, 16 // n_bytes), columns // threads[1])
    depths = share_depth([found.extent(k) for k in found.inside], shape.depth)
    sizes = dict(zip(found.inside, depths, strict=True))
    sizes |= {found.row: rows, found.lane: columns}
    windows = window_lengths(found.statement, sizes)
    if shape.stages * n_bytes * sum(windows) > SHARED_BYTES:
        return None
    if any(MIN_USES * n > prod(sizes.values()) for n in windows):
        return None
    n_outside = len(found.outside)
    order = (*shared, *(k for k in found.inside if k < n_first))
    if order != tuple(range(n_first)):
        draft = draft.do(Order(path, order))
    step = Contract(
        path,
        (*(1,) * n_outside, rows, columns, *depths),
        (*(1,) * n_outside, *threads),
        (*(1,) * n_outside, 1, run),
        shape.stages,
        bulk=shape.bulk,
    )
    return draft.attempt(step)


def _with_loops_below(draft: Draft, scop: Scop, path: NodePath) -> BandView | None:
    """The band with those directly below it, or None where other nodes are there.

    Loops that may not be reordered, as of a window whose sum keeps its order, are bands
    of their own; they keep theirs inside of a tile.
    """
    node = draft.node(path)
    if not has_band_below(node):
        return view_band(draft, scop, path)
    joined = join_below(node, MAX_LOOPS)
    if not node.band_get_permutable() or has_band_below(joined):
        return None
    tree = ScheduleTree(joined.get_schedule())
    view = view_band(Draft(tree, draft.deps, draft.steps), scop, path)
    return replace(view, permutable=True)


def _enough_threads(
    found: Contraction, threads: tuple[int, int], block: tuple[int, int], n_bytes: int
) -> tuple[int, int]:
    """Threads over rows and columns whose registers hold results and operands.

    A term that reads four operands, and not two, takes twice as many for them: more
    threads have fewer results each then.
    """
    rows, columns = threads
    while rows * columns < MAX_STAGED_THREADS:
        shares = block[0] // rows, block[1] // columns
        if _registers(found, shares, n_bytes) <= MAX_REGISTERS or max(shares) == 1:
            break
        rows, columns = (
            (2 * rows, columns) if shares[0] > shares[1] else (rows, 2 * columns)
        )
    return rows, columns


def _registers(found: Contraction, shares: tuple[int, int], n_bytes: int) -> int:
    """Of a thread: results, two sets of operands, addresses."""
    view = found.statement
    (target,) = (r for r in view.references if r.is_write)
    operands = {
        (r.array, r.rows, r.offsets): r
        for r in view.references
        if (r.array, r.rows, r.offsets) != (target.array, target.rows, target.offsets)
    }
    moved = [(view.direction(found.row), shares[0])]
    moved.append((view.direction(found.lane), shares[1]))
    elements = sum(
        share
        for r in operands.values()
        for direction, share in moved
        if direction and any(r.moves(direction))
    )
    words = max(1, n_bytes // WORD_BYTES)
    return (prod(shares) + 2 * elements) * words + ADDRESS_REGISTERS


def window_lengths(view: StatementView, sizes: dict[int, int]) -> list[int]:
    """Elements of each operand that a tile reads, from the first one to the last."""
    (target,) = (r for r in view.references if r.is_write)
    moved = [
        (direction, size)
        for member, size in sizes.items()
        if (direction := view.direction(member)) is not None
    ]
    lengths = {}
    for r in view.references:
        if (r.array, r.rows, r.offsets) == (target.array, target.rows, target.offsets):
            continue
        length = [1] * len(r.expanded + r.rows)
        for direction, size in moved:
            moves = subscript_moves((*r.expanded, *r.rows), direction)
            length = [
                n + ceil(abs(Fraction(move)) * (size - 1))
                for n, move in zip(length, moves, strict=True)
            ]
        lengths[r.array, r.rows, r.offsets] = prod(length)
    return list(lengths.values())


def _has_known_sizes(found: Contraction, scop: Scop) -> bool:
    """Whether rows of all arrays are a known number of elements apart.

    Where they are not, addresses take registers of their own.
    """
    arrays = (scop.array(r.array) for r in found.statement.references)
    return all(
        isinstance(e, Const) for a in arrays for e in (*a.extents[1:], *a.pitches)
    )


def share_depth(extents: Sequence[int], depth: int) -> tuple[int, ...]:
    """Tile sizes of loops over terms: the last ones whole while they are short."""
    sizes: list[int] = []
    left = depth
    for extent in reversed(extents):
        size = max(1, min(left, extent))
        sizes.append(size)
        left = max(1, left // size)
    return tuple(reversed(sizes))


def _target(found: Contraction) -> str:
    return next(r.array for r in found.statement.references if r.is_write)
