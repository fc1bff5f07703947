"""What a kernel of overlapped tiles asks of a device.

A block walks along the rows of its tile, and as many more as its sweeps read, and
computes all sweeps of a row of its window in each step: what other blocks need too is
computed and read again by each. What threads read of each other goes through shared
memory; global memory is read by the first sweep and written by the last alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import ceil, prod

from polysched.cost.gpu import KernelWork, LoadLoop, Operations
from polysched.cost.gpu.work import SECTOR_BYTES
from polysched.cost.warps import WARP
from polysched.ir import Overlap, ScalarType

FLOAT_BYTES = 4
REGISTERS = 65536  # of an SM, which one block may have
WARPS_AT_A_TIME = 4  # registers are given out for so many
WORK_REGISTERS = 36  # of a thread, beside rows: addresses, conditions, the loop
STEP_OPERATIONS = 8.0  # on integers, of a thread for a sweep: what is written where
VECTOR_BYTES = 16  # the widest load of a thread


@dataclass(frozen=True)
class OverlapLoad:
    """Sweeps of a kernel in overlapped tiles.

    Attributes
    ----------
    overlap : Overlap
        Shape of blocks.
    extents : tuple of float
        Points per loop over space.
    element : ScalarType
        Of both arrays.
    n_operations : float
        Of a point, a multiplication and an addition behind it as one.
    """

    overlap: Overlap
    extents: tuple[float, ...]
    element: ScalarType
    n_operations: float

    @property
    def radius(self) -> int:
        """How far a sweep reads, as far as tiles are made for it."""
        halos = self.overlap.halos[1:]
        return max(1, min(halo // self.overlap.n_sweeps for halo in halos))

    @property
    def n_blocks(self) -> float:
        """Tiles of the grid."""
        pairs = zip(self.extents, self.overlap.tile, strict=True)
        return prod(float(ceil(extent / size)) for extent, size in pairs)

    @property
    def n_threads(self) -> int:
        """Of a block."""
        return prod(self.overlap.threads)

    @property
    def n_steps(self) -> int:
        """Rows that a block walks along."""
        rows = min(self.overlap.tile[0], ceil(self.extents[0]))
        return rows + 2 * self.radius * self.overlap.n_sweeps

    @property
    def n_points(self) -> int:
        """Of a thread in a row."""
        return prod(self.overlap.runs)

    @property
    def n_shared(self) -> int:
        """Points of a thread that its neighbours read."""
        return sum(
            any(_is_edge(x, run, self.radius) for x, run in zip(at, runs, strict=True))
            for runs in [self.overlap.runs[1:]]
            for at in product(*(range(run) for run in runs))
        )

    @property
    def n_read(self) -> int:
        """Points of its neighbours that a thread reads, along each loop on its own."""
        runs = self.overlap.runs[1:]
        return sum(2 * self.radius * self.n_points // run for run in runs)


def _is_edge(at: int, run: int, radius: int) -> bool:
    return at < radius or at >= run - radius


def overlap_work(load: OverlapLoad) -> KernelWork:
    """The kernel as the model takes it: per block, counts as whole numbers."""
    overlap, size = load.overlap, load.element.n_bytes
    words = max(1, size // FLOAT_BYTES)
    n_blocks = max(1, round(load.n_blocks))
    n_rows = 2 * load.radius + 1
    held = (overlap.n_sweeps * n_rows + 2) * load.n_points * words
    turns = float(load.n_steps * overlap.n_sweeps)  # of a thread: sweeps of rows
    n_warps = ceil(load.n_threads / WARP)
    allotted = ceil(n_warps / WARPS_AT_A_TIME) * WARPS_AT_A_TIME * WARP
    most = min(255, REGISTERS // allotted // 8 * 8)
    near = turns * n_warps * (load.n_shared + load.n_read)
    rows = load.n_steps
    window = load.n_points * load.n_threads * size
    loaded = float(rows * window)
    stored = float(prod(overlap.tile) * size)
    kind = "fp64" if size > FLOAT_BYTES else "fp32"
    points = turns * load.n_points * load.n_threads
    vectors = max(1.0, load.n_points * size / VECTOR_BYTES)
    return KernelWork(
        n_blocks=n_blocks,
        threads_per_block=load.n_threads,
        registers_per_thread=min(most, held + WORK_REGISTERS),
        shared_bytes_per_block=2
        * overlap.n_sweeps
        * load.n_shared
        * load.n_threads
        * size,
        operations=Operations(
            **{kind: points * load.n_operations},
            integer=turns * load.n_threads * STEP_OPERATIONS,
        ),
        load_bytes=loaded,
        store_bytes=stored,
        load_sectors=loaded / SECTOR_BYTES,
        store_sectors=stored / SECTOR_BYTES,
        memory_bytes=2.0 * prod(load.extents) * size,
        shared_wavefronts=near * words,
        memory_instructions=near + 2 * rows * n_warps * vectors,
        loop=LoadLoop(n_steps=rows, n_stages=2, barriers_per_step=1),
        n_independent=float(load.n_points),
    )


def overlap_of(marks: Sequence[str]) -> Overlap | None:
    """The shape of blocks that one of some marks says, or None."""
    return next((found for m in marks if (found := Overlap.of_mark(m))), None)
