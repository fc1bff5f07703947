"""Tile shapes of a contraction that fit a processor, the fastest predicted first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from polysched.base import PolyschedError
from polysched.cost.gpu.contraction import (
    ASYNC_COPIES_FROM,
    MAX_SYNCHRONOUS_STAGES,
    VECTOR_BYTES,
    Contraction,
    TileShape,
    contraction_work,
    reduction_work,
)
from polysched.cost.gpu.model import KernelPrediction, predict_kernel
from polysched.cost.gpu.occupancy import compute_occupancy
from polysched.cost.gpu.work import KernelWork
from polysched.machine import Gpu


@dataclass(frozen=True)
class ShapeOptions:
    """What `enumerate_shapes` tries.

    Attributes
    ----------
    block_sizes : tuple of int
        Rows or columns of the result that a block computes.
    thread_sizes : tuple of int
        Rows or columns that a thread computes.
    step_sizes : tuple of int
        Terms of the sum in one step.
    stages : tuple of int
        Buffers; more than two need asynchronous copies, which sm_80 brought.
    splits : tuple of int
        Parts of the sum that different blocks compute; more than one re-orders it.
    min_threads, max_threads : int
        Threads of a block.
    max_aspect : int
        The most that one side of a thread's tile may exceed the other, and of a
        block's unless the extents are that narrow.
    """

    block_sizes: tuple[int, ...] = (16, 32, 64, 96, 128, 192, 256)
    thread_sizes: tuple[int, ...] = (1, 2, 4, 6, 8, 12, 16)
    step_sizes: tuple[int, ...] = (8, 16, 32)
    stages: tuple[int, ...] = (1, 2, 3, 4)
    splits: tuple[int, ...] = (1,)
    min_threads: int = 64
    max_threads: int = 512
    max_aspect: int = 4


@dataclass(frozen=True)
class RankedShape:
    """A tile shape with what the model says of it.

    Attributes
    ----------
    shape : TileShape
        The shape.
    work : KernelWork
        What its kernel does.
    prediction : KernelPrediction
        How long that takes.
    reduction : KernelPrediction or None
        How long the kernel takes that adds up the parts of a split sum.
    """

    shape: TileShape
    work: KernelWork
    prediction: KernelPrediction
    reduction: KernelPrediction | None = None

    @property
    def seconds(self) -> float:
        """Predicted seconds of all kernels."""
        second = 0.0 if self.reduction is None else self.reduction.seconds
        return self.prediction.seconds + second


def enumerate_shapes(
    contraction: Contraction,
    gpu: Gpu,
    options: ShapeOptions | None = None,
    *,
    limit: int | None = None,
) -> tuple[RankedShape, ...]:
    """Tile shapes that keep the processor's limits, the fastest predicted first.

    Parameters
    ----------
    contraction : Contraction
        Extents and element size.
    gpu : Gpu
        The processor.
    options : ShapeOptions, optional
        What is tried.
    limit : int, optional
        How many to give; by default all.

    Returns
    -------
    tuple of RankedShape
        Of shapes that take the same time, to three digits, the smaller first.

    Raises
    ------
    PolyschedError
        If no shape fits.
    """
    options = options or ShapeOptions()
    found = []
    for shape in candidate_shapes(contraction, gpu, options):
        work = contraction_work(contraction, shape, gpu)
        prediction = predict_kernel(work, gpu)
        found.append(
            RankedShape(shape, work, prediction, _add_up(contraction, shape, gpu))
        )
    if not found:
        raise PolyschedError(f"no tile shape of {contraction} fits {gpu.name}")
    found.sort(key=_order)
    return tuple(found[:limit])


def pick_different(
    ranked: Sequence[RankedShape], limit: int
) -> tuple[RankedShape, ...]:
    """The first few that differ in what a block or a thread computes.

    Shapes that differ in steps or stages alone, or mirror each other, are often
    predicted alike; of each such group the first is taken. That makes a short list
    worth measuring.
    """
    found: dict[tuple[int, ...], RankedShape] = {}
    for one in ranked:
        shape = one.shape
        outline = (
            *sorted((shape.block_i, shape.block_j)),
            *sorted((shape.thread_i, shape.thread_j)),
            shape.n_splits,
        )
        found.setdefault(outline, one)
        if len(found) == limit:
            break
    return tuple(found.values())


def _order(ranked: RankedShape) -> tuple[object, ...]:
    """The fastest first; of equals that with less shared memory and fewer threads."""
    shape = ranked.shape
    seconds = float(f"{ranked.seconds:.3g}")  # the model is not finer than that
    size = (ranked.work.shared_bytes_per_block, shape.n_threads)
    return (seconds, *size, -shape.block_i, -shape.thread_i, shape.block_k)


def candidate_shapes(
    contraction: Contraction, gpu: Gpu, options: ShapeOptions
) -> Iterator[TileShape]:
    """The shapes that fit the processor and are not wasteful beyond need."""
    c = contraction
    has_async = gpu.compute_capability >= ASYNC_COPIES_FROM
    stages = [s for s in options.stages if has_async or s <= MAX_SYNCHRONOUS_STAGES]
    vector = _vector_elements(c)
    for block_i, block_j, (thread_i, thread_j) in product(
        _useful(options.block_sizes, c.n_i),
        _useful(options.block_sizes, c.n_j),
        product(options.thread_sizes, repeat=2),
    ):
        outline = TileShape(block_i, block_j, 1, thread_i, thread_j)
        if not _is_block(outline, gpu, options) or _is_lopsided(outline, c, options):
            continue
        for block_k, n_stages, n_splits in product(
            _useful(options.step_sizes, c.n_k), stages, options.splits
        ):
            shape = replace(
                outline,
                block_k=block_k,
                n_stages=n_stages,
                vector_elements=vector,
                n_splits=n_splits,
            )
            if n_splits * block_k <= c.n_k * 2 and _fits(shape, c, gpu, has_async):
                yield shape


def _add_up(
    contraction: Contraction, shape: TileShape, gpu: Gpu
) -> KernelPrediction | None:
    """The second kernel of a split sum."""
    if shape.n_splits == 1:
        return None
    return predict_kernel(reduction_work(contraction, shape), gpu)


def _is_block(shape: TileShape, gpu: Gpu, options: ShapeOptions) -> bool:
    """Whether the threads of a shape make a block of whole warps."""
    if shape.block_i % shape.thread_i or shape.block_j % shape.thread_j:
        return False
    n = shape.n_threads
    most = min(options.max_threads, gpu.max_threads_per_block)
    return (
        options.min_threads <= n <= most
        and shape.warp_layout(gpu.warp_threads) is not None
    )


def _is_lopsided(shape: TileShape, c: Contraction, options: ShapeOptions) -> bool:
    """Whether a tile is so narrow, without need, that another loads less."""
    most = options.max_aspect
    narrow, wide = sorted((shape.thread_i, shape.thread_j))
    if wide > most * narrow:
        return True
    sides = ((shape.block_i, c.n_i), (shape.block_j, c.n_j))
    (narrow, extent), (wide, _) = sorted(sides)
    return wide > most * narrow and narrow < extent


def _fits(shape: TileShape, c: Contraction, gpu: Gpu, has_async: bool) -> bool:
    """Whether one block fits an SM, and its copies all of its threads."""
    registers = shape.registers(c.element_bytes, has_async_copies=has_async)
    shared = shape.shared_bytes(c.element_bytes)
    if registers > gpu.max_registers_per_thread or shared > gpu.shared_bytes_per_block:
        return False
    return compute_occupancy(gpu, shape.n_threads, registers, shared).blocks_per_sm > 0


def _useful(sizes: tuple[int, ...], extent: int) -> list[int]:
    """The sizes up to the first that covers the extent."""
    ordered = sorted(sizes)
    covering = next((size for size in ordered if size >= extent), ordered[-1])
    return [size for size in ordered if size <= covering]


def _vector_elements(c: Contraction) -> int:
    """Elements of the widest load that is aligned in the rows of both operands."""
    widest = VECTOR_BYTES // c.element_bytes
    while c.n_k % widest or c.n_j % widest:
        widest //= 2
    return widest
