"""Shapes of blocks for one graphics processor: the measured ones where they fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from polysched.base import PolyschedError
from polysched.cost.gpu import (
    Contraction,
    ShapeOptions,
    TileShape,
    compute_occupancy,
    enumerate_shapes,
    pick_different,
)
from polysched.machine import Gpu
from polysched.transform import SHAPES, DeviceShape, StagedShape, TensorShape

FLOAT_BYTES = 4  # what staged shapes are given for
EXTENT = 4096  # of a contraction that fills a processor
TRIED = ShapeOptions(block_sizes=(32, 64, 128, 256), thread_sizes=(4, 8, 16))
ASYNC_COPIES_FROM = (8, 0)  # architecture
BULK_COPIES_FROM = (9, 0)
MAX_SYNCHRONOUS_STAGES = 2
TENSOR_SHAPES = (
    TensorShape(128, 64, 16, (2, 2), 3),
    TensorShape(64, 64, 16, (2, 2), 3),
)


@lru_cache(maxsize=8)
def device_shapes(gpu: Gpu, *, bulk: bool = False) -> tuple[DeviceShape, ...]:
    """What the planner tries on a processor, in this order.

    Tiles of contractions that an SM does not take, or that need asynchronous copies
    where there are none, give way to the best-predicted ones that differ from all
    others; where no shape fits, contractions are treated like everything else. Where
    rows can be copied in bulk, which no GPU has timed yet, the first tiles come once
    more with that, behind all others; with `bulk`, all tiles are copied so, and the
    first ones come once more without. Tiles for tensor cores, where there are some,
    come in front and in the third place; the planner passes over them where they may
    not be used.

    Parameters
    ----------
    gpu : Gpu
        Its limits decide.
    bulk : bool
        Whether rows are to be copied in bulk.

    Raises
    ------
    PolyschedError
        If they are, and the processor cannot.
    """
    has_bulk = gpu.compute_capability >= BULK_COPIES_FROM
    if bulk and not has_bulk:
        raise PolyschedError(
            f"rows are copied in bulk from sm_90 on, {gpu.name} is {gpu.architecture}",
            hint="leave the copies to each thread",
        )
    kept = [s.stage for s in SHAPES if s.stage is not None and _fits(s.stage, gpu)]
    others = (s for s in _predicted(gpu) if _outline(s) not in map(_outline, kept))
    found = []
    for shape in SHAPES:
        if shape.stage is not None and shape.stage not in kept:
            shape = replace(shape, stage=next(others, None))
        found.append(_with_stages(shape, gpu))
    if has_bulk:
        others_way = [_with_copies(s, bulk=not bulk) for s in found if s.stage][:1]
        found = [*(_with_copies(s, bulk=bulk) for s in found), *others_way]
    first = found[0]
    for place, tensor in enumerate(_tensor_shapes(gpu)):
        found.insert(2 * place, replace(first, tensor=tensor))
    return tuple(dict.fromkeys(found))


def _tensor_shapes(gpu: Gpu) -> tuple[TensorShape, ...]:
    """What is tried for products where the processor multiplies matrices of doubles."""
    return TENSOR_SHAPES if gpu.tensor_fp64_per_cycle else ()


def _with_stages(shape: DeviceShape, gpu: Gpu) -> DeviceShape:
    """The shape whose sums in order copy as far ahead as the processor can."""
    has_async = gpu.compute_capability >= ASYNC_COPIES_FROM
    if has_async or shape.lines is None:
        return shape
    stages = min(shape.lines.stages, MAX_SYNCHRONOUS_STAGES)
    return replace(shape, lines=replace(shape.lines, stages=stages))


def _with_copies(shape: DeviceShape, *, bulk: bool) -> DeviceShape:
    """The shape whose tiles, if it has any, are copied in bulk or in pieces."""
    if shape.stage is None:
        return shape
    return replace(shape, stage=replace(shape.stage, bulk=bulk))


def _predicted(gpu: Gpu) -> Iterator[StagedShape]:
    """Shapes by the model, the fastest first, no two alike."""
    try:
        ranked = enumerate_shapes(Contraction(EXTENT, EXTENT, EXTENT), gpu, TRIED)
    except PolyschedError:
        return
    for one in pick_different(ranked, len(SHAPES)):
        tile = one.shape
        threads = tile.block_i // tile.thread_i, tile.block_j // tile.thread_j
        yield StagedShape(
            tile.block_i, tile.block_j, tile.block_k, threads, tile.n_stages
        )


def _fits(shape: StagedShape, gpu: Gpu) -> bool:
    """Whether an SM takes a block, and copies are ahead as far as stages say."""
    has_async = gpu.compute_capability >= ASYNC_COPIES_FROM
    if not has_async and shape.stages > MAX_SYNCHRONOUS_STAGES:
        return False
    tile = as_tile(shape)
    registers = tile.registers(FLOAT_BYTES, has_async_copies=has_async)
    shared = tile.shared_bytes(FLOAT_BYTES)
    try:
        held = compute_occupancy(gpu, tile.n_threads, registers, shared)
    except PolyschedError:
        return False
    return held.blocks_per_sm > 0


def as_tile(shape: StagedShape) -> TileShape:
    """The same as the model's value."""
    rows, columns = shape.threads
    return TileShape(
        shape.rows,
        shape.columns,
        shape.depth,
        shape.rows // rows,
        shape.columns // columns,
        n_stages=shape.stages,
    )


def _outline(shape: StagedShape) -> tuple[int, ...]:
    return (*sorted((shape.rows, shape.columns)), *sorted(shape.threads))
