"""How a contraction's operands go through shared memory, read from its loops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

from polysched.analysis import Reference, box_footprint
from polysched.cost.loads import Stage
from polysched.cost.nest import Nest
from polysched.cost.warps import WARP
from polysched.ir import MARK_STAGE, Const

TENSOR = "tensor"  # word of the mark above a tile
BANK_BYTES, PADDING_BYTES = 32, 16  # of rows that meet in banks, and between them
FLOAT_BYTES = 4
WIDE_LINE = 1 << 20  # bytes, longer than any row of a tile


def read_stage(
    nest: Nest,
    tiles: Sequence[int],
    shared: Sequence[int],
    threads: Sequence[int],
    counts: Sequence[int],
    n_tiles: float,
) -> Stage | None:
    """The tiles of a contraction; None where it has none.

    Parameters
    ----------
    nest : Nest
        The statement and its loops.
    tiles, shared, threads : sequence of int
        Positions of the loops over tiles of terms, over blocks, over threads.
    counts : sequence of int
        Threads of a block for each loop over blocks.
    n_tiles : float
        Tiles that a block loads, one after another.
    """
    if not tiles:
        return None
    members = nest.members
    words = [mark.split(":") for mark in members[tiles[0]].marks]
    stage = next(w for w in words if w[0] == MARK_STAGE)
    n_buffers, is_tensor = int(stage[1]), TENSOR in stage
    per_thread = [
        max(1, members[k].size // count)
        for k, count in zip(shared, counts, strict=True)
    ]
    read = {r.array for r in nest.references if not r.is_write}
    read -= {r.array for r in nest.references if r.is_write}
    targets = {(r.array, r.rows, r.offsets) for r in nest.references if r.is_write}
    places = {
        (r.array, r.rows, r.offsets): r
        for r in nest.references
        if any(r.rows) and (r.array, r.rows, r.offsets) not in targets
    }
    arrays = [nest.scop.array(a) for a in {r.array for r in nest.references}]
    first = tiles[-1] + 1
    return Stage(
        n_buffers=n_buffers,
        n_tiles=n_tiles,
        n_inner=prod(members[k].size for k in tiles),
        tile_bytes=float(sum(_tile_bytes(nest, first, a) for a in sorted(read))),
        per_thread=tuple(per_thread),
        n_operands=len(places),
        n_loops=nest.statement.n_loops,
        has_known_pitches=all(
            isinstance(e, Const) for a in arrays for e in a.extents[1:]
        ),
        padding_bytes=sum(
            _tensor_padding_bytes(nest, first, r)
            if is_tensor
            else _padding_bytes(nest, threads, first, r)
            for r in places.values()
        ),
        is_tensor=is_tensor,
        factor_bytes=min((a.type.n_bytes for a in arrays), default=0),
        reads_results=any(
            (r.array, r.rows, r.offsets) in targets
            for r in nest.references
            if not r.is_write
        ),
    )


def _tile_bytes(nest: Nest, first: int, array: str) -> int:
    """What a tile reads of an array; of private ones every iteration's element."""
    found = [r for r in nest.references if r.array == array]
    if not any(r.expanded for r in found):
        return nest.footprint(first, 1, array)
    whole = [
        replace(
            r,
            rows=(*r.expanded, *r.rows),
            offsets=(*(0 for _ in r.expanded), *r.offsets),
            expanded=(),
        )
        for r in found
    ]
    extents = nest.extents_from(first)
    return box_footprint(nest.scop, whole, nest.directions, extents)


def n_lanes(marks: Sequence[str]) -> int:
    """Threads of what a tile's marks count: warps multiply in tensor cores."""
    return WARP if any(TENSOR in mark.split(":") for mark in marks) else 1


def _padding_bytes(
    nest: Nest, threads: Sequence[int], first: int, operand: Reference
) -> float:
    """What keeps rows of a tile apart that threads side by side read."""
    directions = [nest.directions[k] for k in threads]
    moves = [operand.moves(d) for d in directions if d is not None]
    if not any(any(move[:-1]) for move in moves) or moves[-1][-1]:
        return 0.0
    extents = nest.extents_from(first)
    n_bytes, wide = (
        box_footprint(nest.scop, [operand], nest.directions, extents, line, apart=True)
        for line in (1, WIDE_LINE)
    )
    n_rows = wide // WIDE_LINE
    return 0.0 if n_bytes // n_rows % BANK_BYTES else float(n_rows * PADDING_BYTES)


def _tensor_padding_bytes(nest: Nest, first: int, operand: Reference) -> float:
    """What keeps rows apart that lanes of a warp read: of terms or of results."""
    extents = nest.extents_from(first)
    wide = box_footprint(
        nest.scop, [operand], nest.directions, extents, WIDE_LINE, apart=True
    )
    direction = nest.directions[first]
    by_terms = direction is not None and bool(operand.moves(direction)[-1])
    n_bytes = nest.scop.array(operand.array).type.n_bytes
    return float(wide // WIDE_LINE * tensor_pad_bytes(n_bytes, by_terms))


def tensor_pad_bytes(n_bytes: int, by_terms: bool) -> int:
    """What the generated kernel adds to a row; see `codegen.cuda.operands`."""
    is_narrow = n_bytes < FLOAT_BYTES or (by_terms and n_bytes == FLOAT_BYTES)
    return PADDING_BYTES if is_narrow else 2 * PADDING_BYTES
