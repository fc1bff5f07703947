"""Rows whose elements compete for the same few places of the first cache.

Addresses that differ by a multiple of 4 KiB fall into one set of the first cache, and a
load has to wait for an earlier store until the upper halves of their addresses are
compared. A register tile that walks along such rows side by side is slower than none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from polysched.analysis import Reference, Vector
from polysched.ir import Array, Expr, Scop, evaluate_size

WAY_BYTES = 4096  # of a first cache: its size over its ways
MAX_READ_ROWS = 4  # in one set, of eight or twelve ways


def too_many_alias(
    scop: Scop,
    reference: Reference,
    directions: list[Vector | None],
    factors: tuple[int, ...],
) -> bool:
    """Whether the copies of a register tile touch too many rows of one set.

    Parameters
    ----------
    scop : Scop
        Knows the array's extents, or has estimates of them; rows of unknown length are
        taken not to compete.
    reference : Reference
        One access, contiguous along the innermost loop.
    directions : list of vectors
        How each member of the band moves the statement.
    factors : tuple of int
        Copies along each member.
    """
    rows = 1
    for direction, factor in zip(directions, factors, strict=True):
        if direction is not None and factor > 1:
            array, sizes = scop.array(reference.array), dict(scop.estimates)
            distance = _distance_bytes(array, reference, direction, sizes)
            if distance and distance % WAY_BYTES == 0:
                rows *= factor
    return rows > (1 if reference.is_write else MAX_READ_ROWS)


def _distance_bytes(
    array: Array, reference: Reference, direction: Vector, sizes: Mapping[str, int]
) -> int:
    """Bytes from what one step of a loop touches to what the next does; 0: unknown."""
    total = 0
    moves = reference.moves(direction)
    for move, pitch in zip(reversed(moves), _pitches(array, sizes), strict=False):
        if move and not pitch:
            return 0
        total += int(move) * pitch
    return total * array.type.n_bytes


def _pitches(array: Array, sizes: Mapping[str, int]) -> Iterator[int]:
    """Elements per step of each subscript, the last first; 0: unknown."""
    yield 1
    if array.pitches:
        yield from (_length(pitch, sizes) for pitch in reversed(array.pitches))
        return
    pitch = 1
    for extent in reversed(array.extents):
        pitch *= _length(extent, sizes)
        yield pitch


def _length(extent: Expr | None, sizes: Mapping[str, int]) -> int:
    return 0 if extent is None else evaluate_size(extent, sizes) or 0
