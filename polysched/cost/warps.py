"""What the lanes of a warp touch through one access."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, product
from math import ceil, floor

from polysched.analysis import LARGE_EXTENT, Reference, Vector
from polysched.ir import Array, Const

WARP = 32  # lanes
SECTOR_BYTES = 32  # what a device moves at least
LINE_BYTES = 128  # of the first cache


@dataclass(frozen=True)
class WarpAccess:
    """One access of a whole warp.

    Attributes
    ----------
    n_lanes : int
        Threads that take part: fewer than a warp in small blocks.
    n_sectors : int
        Sectors of 32 bytes that they touch.
    is_coalesced : bool
        Whether the elements they touch would not fit into fewer.
    n_lines : int
        Lines of 128 bytes that they touch: each takes the first cache a cycle.
    """

    n_lanes: int
    n_sectors: int
    is_coalesced: bool
    n_lines: int = 1

    @classmethod
    def of(
        cls,
        array: Array,
        reference: Reference,
        counts: Sequence[int],
        directions: Sequence[Vector | None],
        n_elements: int = 1,
        *,
        is_aligned: bool = True,
    ) -> WarpAccess:
        """What the first warp of a block touches.

        Parameters
        ----------
        array : Array
            Its layout decides what lies side by side.
        reference : Reference
            The access.
        counts : sequence of int
            Threads of a block per shared member, the fastest varying last.
        directions : sequence of vectors
            How iterators move from a thread to the next along each of these members;
            None where they stay.
        n_elements : int
            Neighbours that each lane takes as one vector.
        is_aligned : bool
            Whether the first lane's element begins a line.

        Examples
        --------
        A row of 32 doubles takes eight sectors; a column of them 32, and so do eight
        columns of four.
        """
        size = array.type.n_bytes
        strides = [_stride(array, reference, d) for d in directions]
        lanes = _lanes(tuple(counts))
        offsets = {
            sum(x * stride for x, stride in zip(lane, strides, strict=True)) + k
            for lane in lanes
            for k in range(n_elements)
        }
        sectors = {floor(offset * size / SECTOR_BYTES) for offset in offsets}
        fewest = ceil(len(offsets) * size / SECTOR_BYTES)
        begin = 0 if is_aligned else LINE_BYTES - size
        lines = {floor((offset * size + begin) / LINE_BYTES) for offset in offsets}
        is_coalesced = len(sectors) <= fewest
        return cls(len(lanes), len(sectors), is_coalesced, len(lines))


@lru_cache
def _lanes(counts: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Where the threads of a block's first warp stand."""
    return list(islice(product(*map(range, counts)), WARP))


def _stride(array: Array, reference: Reference, direction: Vector | None) -> float:
    """Elements between what two neighbours touch."""
    if direction is None:
        return 0.0
    moves = reference.moves(direction)
    return float(sum(float(m) * p for m, p in zip(moves, _pitches(array), strict=True)))


def _pitches(array: Array) -> list[float]:
    """Elements per step of each subscript; unknown lengths count as large."""
    if array.pitches:
        return [*(_length(p) for p in array.pitches), 1.0]
    found: list[float] = []
    pitch = 1.0
    for extent in reversed(array.extents):
        found.append(pitch)
        pitch *= _length(extent)
    return found[::-1]


def _length(value: object) -> float:
    return float(value.value) if isinstance(value, Const) else LARGE_EXTENT
