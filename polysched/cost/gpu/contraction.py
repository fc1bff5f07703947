"""A tiled contraction in numbers: what a block of a given tile shape does."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil

from polysched.base import PolyschedError
from polysched.cost.gpu.occupancy import compute_occupancy, round_up
from polysched.cost.gpu.work import SECTOR_BYTES, KernelWork, LoadLoop, Operations
from polysched.machine import Gpu

ASYNC_COPIES_FROM = (8, 0)  # compute capability with copies that need no registers
MAX_SYNCHRONOUS_STAGES = 2
ADDRESS_REGISTERS = 28  # pointers, loop counters, and what the compiler adds
REGISTER_UNIT = 8  # per thread, what allocation by warps amounts to
VECTOR_BYTES = 16  # the widest load of a thread
PAD_BYTES = 16  # per row of a tile in shared memory, against bank conflicts
LANE_BYTES_PER_CYCLE = 8  # a thread gets from shared memory, the same for all or not
STEP_INTEGERS = 10  # of a thread per step: counters, buffer addresses, guards
REDUCTION_THREADS = 256


@dataclass(frozen=True)
class Contraction:
    """``C[b, i, j] += A[b, i, k] * B[b, k, j]``, all in rows.

    Attributes
    ----------
    n_i, n_j, n_k : int
        Extents; `n_k` is summed over.
    element_bytes : int
        4 or 8.
    n_batch : int
        Independent products.
    reads_result : bool
        Whether `C` is added to, not overwritten.
    """

    n_i: int
    n_j: int
    n_k: int
    element_bytes: int = 4
    n_batch: int = 1
    reads_result: bool = True

    def __post_init__(self) -> None:
        """Refuse what is no contraction of float or double."""
        if min(self.n_i, self.n_j, self.n_k, self.n_batch) < 1:
            raise PolyschedError("a contraction's extents must be 1 or more")
        if self.element_bytes not in (4, 8):
            raise PolyschedError(
                f"a contraction of {self.element_bytes}-byte elements is not handled, "
                "expected 4 or 8"
            )

    @property
    def flops(self) -> float:
        """Additions and multiplications."""
        return 2.0 * self.n_batch * self.n_i * self.n_j * self.n_k

    @property
    def result_passes(self) -> int:
        """How often an element of the result is moved."""
        return 1 + self.reads_result


@dataclass(frozen=True)
class TileShape:
    """How a contraction is cut into blocks, steps and threads.

    Attributes
    ----------
    block_i, block_j : int
        Part of the result that a block computes.
    block_k : int
        Terms of the sum in one step; both operands' tiles for it are in shared memory.
    thread_i, thread_j : int
        Part of the result that a thread keeps in registers.
    n_stages : int
        Buffers of a step's tiles.
    vector_elements : int
        Elements that a thread loads from global memory at once.
    n_splits : int
        Parts of the sum that different blocks compute, added up by a second kernel.
    """

    block_i: int
    block_j: int
    block_k: int
    thread_i: int
    thread_j: int
    n_stages: int = 1
    vector_elements: int = 1
    n_splits: int = 1

    def __str__(self) -> str:
        text = (
            f"block {self.block_i}x{self.block_j}x{self.block_k}, "
            f"thread {self.thread_i}x{self.thread_j}, stages {self.n_stages}, "
            f"vector {self.vector_elements}"
        )
        return text if self.n_splits == 1 else f"{text}, splits {self.n_splits}"

    @property
    def n_threads(self) -> int:
        """Threads of a block."""
        return (self.block_i // self.thread_i) * (self.block_j // self.thread_j)

    def shared_bytes(self, element_bytes: int) -> int:
        """Shared memory of a block: all buffers, rows padded."""
        row = (self.block_i + self.block_j) * element_bytes + 2 * PAD_BYTES
        return self.n_stages * self.block_k * row

    def registers(self, element_bytes: int, *, has_async_copies: bool) -> int:
        """Registers of a thread: results, two sets of operands, addresses.

        Without asynchronous copies the next step's tiles wait in registers too, when
        there is a buffer to put them in.
        """
        words = element_bytes // 4
        values = self.thread_i * self.thread_j + 2 * (self.thread_i + self.thread_j)
        if self.n_stages > 1 and not has_async_copies:
            values += ceil(
                (self.block_i + self.block_j) * self.block_k / self.n_threads
            )
        return round_up(values * words + ADDRESS_REGISTERS, REGISTER_UNIT)

    def warp_layout(self, warp_threads: int) -> tuple[int, int] | None:
        """Threads of a warp along i and j; None when warps do not tile the block.

        Of the layouts that do, the one that reads the fewest different operands.
        """
        return _warp_layout(
            self.block_i // self.thread_i,
            self.block_j // self.thread_j,
            self.thread_i,
            self.thread_j,
            warp_threads,
        )


def contraction_work(
    contraction: Contraction, shape: TileShape, gpu: Gpu
) -> KernelWork:
    """What the kernel of a tile shape does; blocks at the edges count as whole ones.

    Raises
    ------
    PolyschedError
        If warps do not tile the block, or no SM takes it.
    """
    c, e = contraction, contraction.element_bytes
    layout = shape.warp_layout(gpu.warp_threads)
    if layout is None:
        raise PolyschedError(f"{shape}: warps do not tile the block")
    has_async = gpu.compute_capability >= ASYNC_COPIES_FROM
    grid_i, grid_j = ceil(c.n_i / shape.block_i), ceil(c.n_j / shape.block_j)
    n_steps = ceil(ceil(c.n_k / shape.n_splits) / shape.block_k)
    n_blocks = grid_i * grid_j * c.n_batch * shape.n_splits
    results = shape.block_i * shape.block_j
    loaded = (shape.block_i + shape.block_j) * shape.block_k  # elements per step
    passes = c.result_passes if shape.n_splits == 1 else 1
    copies = loaded / (shape.vector_elements * gpu.warp_threads)
    n_warps = shape.n_threads / gpu.warp_threads
    fragments = [
        _fragment(n * e, lanes)
        for n, lanes in zip((shape.thread_i, shape.thread_j), layout, strict=True)
    ]
    inner = n_warps * shape.block_k
    wavefronts = inner * sum(w for w, _ in fragments) + _per_line(loaded * e, gpu)
    instructions = inner * sum(n for _, n in fragments)
    instructions += copies * (1 if has_async else 2)
    products = results * shape.block_k * n_steps
    registers = shape.registers(e, has_async_copies=has_async)
    shared = shape.shared_bytes(e)
    resident = compute_occupancy(gpu, shape.n_threads, registers, shared).blocks_per_sm
    integers = STEP_INTEGERS * shape.n_threads * n_steps
    return KernelWork(
        n_blocks=n_blocks,
        threads_per_block=shape.n_threads,
        registers_per_thread=registers,
        shared_bytes_per_block=shared,
        operations=Operations(
            fp32=products if e == 4 else 0.0,
            fp64=products if e == 8 else 0.0,
            integer=integers,
        ),
        load_bytes=n_steps * loaded * e + (passes - 1) * results * e,
        store_bytes=results * e,
        load_sectors=n_steps * _step_sectors(c, shape)
        + (passes - 1) * _row_sectors(shape.block_i, shape.block_j, c.n_j, e),
        store_sectors=_row_sectors(shape.block_i, shape.block_j, c.n_j, e),
        memory_bytes=_memory_bytes(c, shape, gpu, (grid_i, grid_j), resident),
        shared_wavefronts=n_steps * wavefronts,
        memory_instructions=n_steps * instructions
        + passes * results / (shape.vector_elements * gpu.warp_threads),
        loop=LoadLoop(
            n_steps=n_steps,
            n_stages=shape.n_stages,
            n_inner_steps=shape.block_k,
            n_inner_stages=2,
            barriers_per_step=2 if shape.n_stages == 1 else 1,
        ),
        n_independent=float(shape.thread_i * shape.thread_j),
    )


def reduction_work(contraction: Contraction, shape: TileShape) -> KernelWork:
    """What the kernel does that adds up the parts of a split sum."""
    c, e = contraction, contraction.element_bytes
    n_results = c.n_batch * c.n_i * c.n_j
    per_block = REDUCTION_THREADS
    loads = shape.n_splits + c.reads_result
    additions = float(per_block * shape.n_splits)
    return KernelWork(
        n_blocks=ceil(n_results / per_block),
        threads_per_block=REDUCTION_THREADS,
        registers_per_thread=32,
        operations=Operations(
            fp32=additions if e == 4 else 0.0, fp64=additions if e == 8 else 0.0
        ),
        load_bytes=per_block * loads * e,
        store_bytes=per_block * e,
        load_sectors=per_block * loads * e / SECTOR_BYTES,
        store_sectors=per_block * e / SECTOR_BYTES,
        memory_bytes=n_results * c.result_passes * e,
        memory_instructions=(loads + 1) * per_block / 32,
    )


@lru_cache(maxsize=4096)
def _warp_layout(
    threads_i: int, threads_j: int, thread_i: int, thread_j: int, warp_threads: int
) -> tuple[int, int] | None:
    """See `TileShape.warp_layout`."""
    layouts = [
        (along_i, warp_threads // along_i)
        for along_i in range(1, warp_threads + 1)
        if warp_threads % along_i == 0
        and threads_i % along_i == 0
        and threads_j % (warp_threads // along_i) == 0
    ]
    return min(
        layouts,
        key=lambda layout: layout[0] * thread_i + layout[1] * thread_j,
        default=None,
    )


def _fragment(thread_bytes: int, lanes: int) -> tuple[float, int]:
    """Wavefronts and instructions of a warp's load of one operand's values.

    Lanes that want the same value are served together, but each gets no more than a
    few bytes per cycle.
    """
    n_instructions = ceil(thread_bytes / VECTOR_BYTES)
    different = thread_bytes * lanes / 128
    handed_out = thread_bytes / LANE_BYTES_PER_CYCLE
    return max(float(n_instructions), different, handed_out), n_instructions


def _per_line(n_bytes: float, gpu: Gpu) -> float:
    """Wavefronts of so many bytes without conflicts."""
    return n_bytes / gpu.shared_bytes_per_cycle


def _row_sectors(n_rows: int, row_elements: int, pitch: int, element_bytes: int) -> int:
    """Sectors of a tile whose rows lie `pitch` elements apart."""
    row_bytes = row_elements * element_bytes
    aligned = pitch * element_bytes % SECTOR_BYTES == 0
    return n_rows * (ceil(row_bytes / SECTOR_BYTES) + (0 if aligned else 1))


def _step_sectors(c: Contraction, shape: TileShape) -> int:
    """Sectors of both operands' tiles of one step."""
    return _row_sectors(
        shape.block_i, shape.block_k, c.n_k, c.element_bytes
    ) + _row_sectors(shape.block_k, shape.block_j, c.n_j, c.element_bytes)


def _memory_bytes(
    c: Contraction,
    shape: TileShape,
    gpu: Gpu,
    grid: tuple[int, int],
    blocks_per_sm: int,
) -> float:
    """What all blocks move between L2 and global memory.

    Blocks run in rows of the grid, one after another along j. Operands that fit L2 are
    read once; else each round of blocks that run together reads the rows and columns
    that it meets. The parts of a split sum stay in L2 or are written and read.
    """
    e = c.element_bytes
    operands = (c.n_i * c.n_k + c.n_k * c.n_j) * e
    results = c.n_i * c.n_j * c.result_passes * e
    if shape.n_splits > 1:
        parts = c.n_batch * shape.n_splits * c.n_i * c.n_j * e
        results = 0 if parts < gpu.l2_bytes else shape.n_splits * c.n_i * c.n_j * e
    if operands > gpu.l2_bytes:
        grid_i, grid_j = grid
        together = min(grid_i * grid_j, gpu.n_sms * blocks_per_sm)
        columns = min(grid_j, together)
        rows = ceil(together / grid_j)
        met = (rows * shape.block_i + columns * shape.block_j) * c.n_k * e
        operands = max(operands, round(met * grid_i * grid_j / together))
    return float(c.n_batch * (operands + results))
