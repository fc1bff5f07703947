"""Scripts that map an affine schedule to a device: kernels, blocks, threads."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import ceil, prod

import islpy as isl

from polysched.analysis import (
    Dependences,
    active_dependences,
    loop_is_parallel,
    member_distances,
    subscript_moves,
)
from polysched.base import Deadline
from polysched.ir import Const, NodePath, ScheduleTree, Scop
from polysched.sets import node_kind
from polysched.transform.arrange import merge_bands
from polysched.transform.band_view import view_band
from polysched.transform.choose import choose_innermost
from polysched.transform.contract import Contract
from polysched.transform.device_atomics import launch_atomics
from polysched.transform.device_shapes import SHAPES, DeviceShape, StagedShape
from polysched.transform.device_sums import has_sum, launch_sums
from polysched.transform.device_tensor import may_multiply, stage_tensor
from polysched.transform.draft import Draft, has_band_below
from polysched.transform.launch import MAX_GRID_MEMBERS, Launch, Single
from polysched.transform.launch_atomic import LaunchAtomic
from polysched.transform.launch_sum import LaunchSum
from polysched.transform.order import Order
from polysched.transform.overlap import OverlapSweeps, overlap_sweeps
from polysched.transform.roles import Contraction, find_contraction
from polysched.transform.runs import find_run
from polysched.transform.tile import Wavefront
from polysched.transform.time_tiles import tile_time

MAX_REGISTERS = 255  # of a thread, on every architecture
MAX_STAGED_THREADS = 512  # of a block
SHARED_BYTES = 227 * 1024  # of a block, where most
MIN_USES = 2  # of an element in shared memory, for its copy to pay
ADDRESS_REGISTERS = 28  # pointers, loop counters, and what the compiler adds
WORD_BYTES = 4
WARP = 32  # threads
MAX_SHARED = 3  # loops of a band that is no contraction, one per axis


class DevicePlanner:
    """Proposes device scripts for affine schedules of one program.

    Parameters
    ----------
    scop : Scop
        Its accesses decide which loop runs over neighbouring elements.
    deps : Dependences
        What every script respects.
    shapes : tuple of DeviceShape
        What is tried, in this order.
    """

    def __init__(
        self,
        scop: Scop,
        deps: Dependences,
        shapes: tuple[DeviceShape, ...] = SHAPES,
    ) -> None:
        self.scop = scop
        self.deps = deps
        self.shapes = shapes

    def plan(
        self, tree: ScheduleTree, *, limit: int = 4, deadline: Deadline | None = None
    ) -> list[Draft]:
        """Complete scripts worth measuring for one schedule, and their trees."""
        found: dict[str, Draft] = {}
        for shape in self.shapes:
            if len(found) >= limit:
                break
            if found and deadline is not None and deadline.expired:
                break
            if shape.tensor is not None and not may_multiply(self.deps):
                continue
            start = Draft(tree, self.deps)
            draft = plan_device(start, self.scop, shape)
            found.setdefault(draft.tree.text, draft)
            if any(isinstance(step, OverlapSweeps) for step in draft.steps):
                draft = plan_device(start, self.scop, replace(shape, overlap=None))
                found.setdefault(draft.tree.text, draft)
        return list(found.values())[:limit]


def plan_device(draft: Draft, scop: Scop, shape: DeviceShape) -> Draft:
    """The draft with every instance in a kernel."""
    if shape.merge:
        draft = merge_bands(draft)
    return _map(draft, scop, shape, ())


def _map(draft: Draft, scop: Scop, shape: DeviceShape, path: NodePath) -> Draft:
    """Put what is below a node into kernels."""
    node = draft.node(path)
    kind = node_kind(node)
    if kind == "band":
        if shape.overlap is not None:
            overlapped = overlap_sweeps(draft, scop, shape.overlap, path)
            if overlapped is not None:
                return _map_rest(overlapped, scop, shape, path)
        launched = _launch(draft, scop, shape, path)
        if launched is None and shape.sums is not None:
            launched = launch_atomics(draft, scop, shape.sums, path)
        if launched is not None:
            return launched
        may_share = shape.sums is not None and has_sum(draft.deps, node)
        if not may_share and not _has_parallel_loop(node, draft.deps.validity):
            return draft.do(Single(path))
    if node.n_children() == 0:
        return draft.do(Single(path))
    mapped = draft
    for k in reversed(range(node.n_children())):
        mapped = _map(mapped, scop, shape, (*path, k))
    added = mapped.steps[len(draft.steps) :]
    kernels = (Launch, LaunchSum, LaunchAtomic)
    if kind == "band" and not any(isinstance(s, kernels) for s in added):
        return draft.do(Single(path))  # rather than a kernel for each iteration
    return mapped


def _map_rest(draft: Draft, scop: Scop, shape: DeviceShape, path: NodePath) -> Draft:
    """Launch the sweeps of the time steps that are left, one by one.

    Their loop over time may have a single iteration, and is no loop to share.
    """
    sequence = (*path, 1, 0, 0)
    for k in reversed(range(draft.node(sequence).n_children())):
        draft = _map(draft, scop, replace(shape, overlap=None), (*sequence, k, 0))
    return draft


def _has_parallel_loop(node: isl.ScheduleNode, validity: isl.UnionMap) -> bool:
    """Whether any loop at or below a node carries no dependence."""
    if node_kind(node) == "band":
        members = range(node.band_n_member())
        if any(loop_is_parallel(node, m, validity) for m in members):
            return True
        if node.band_get_permutable() and node.band_n_member() > 1:
            return True
    children = range(node.n_children())
    return any(_has_parallel_loop(node.child(k), validity) for k in children)


def _launch(
    draft: Draft, scop: Scop, shape: DeviceShape, path: NodePath
) -> Draft | None:
    """Share the parallel members of a band, or None where it has none."""
    node = draft.node(path)
    n_members = node.band_n_member()
    if not node.band_get_permutable():
        return _launch_after(draft, scop, shape, path)
    free = _free_members(node, draft.deps.validity)
    staged = _stage_any(draft, scop, shape, path) if free else None
    if staged is not None:
        return staged
    if shape.sums is not None:
        shared_sums = launch_sums(draft, scop, shape.sums, path, free)
        if shared_sums is not None:
            return shared_sums
    if not free:
        if shape.time is not None and n_members > 1:
            tiled = tile_time(draft, scop, shape.time, path)
            if tiled is not None:
                return tiled
        if n_members < 2:
            return None
        waves = draft.attempt(Wavefront(path, n_members))
        if waves is None:
            return None
        return _launch_after(waves, scop, shape, (*path, 0))
    shared = _choose_shared(draft, scop, path, free)
    rest = [k for k in range(n_members) if k not in shared]
    order = (*shared, *rest)
    if order != tuple(range(n_members)):
        draft = draft.do(Order(path, order))
    return draft.do(_block(draft, scop, shape, path, len(shared)))


def _stage_any(
    draft: Draft, scop: Scop, shape: DeviceShape, path: NodePath
) -> Draft | None:
    """Tile a contraction, for tensor cores if they take it."""
    staged = None
    if shape.tensor is not None:
        staged = stage_tensor(draft, scop, shape.tensor, path)
    if staged is None and shape.stage is not None:
        staged = _stage(draft, scop, shape.stage, path)
    return staged


def _free_members(node: isl.ScheduleNode, validity: isl.UnionMap) -> list[int]:
    """Members along which no dependence of the band moves; flags may be too careful."""
    active = active_dependences(node, validity)
    still = isl.Set("{ [0] }")
    return [
        k
        for k in range(node.band_n_member())
        if node.band_member_get_coincident(k)
        or member_distances(node, k, active).is_subset(still)
    ]


def _launch_after(
    draft: Draft, scop: Scop, shape: DeviceShape, path: NodePath
) -> Draft | None:
    """Share parallel members behind those that are not, in their order."""
    node = draft.node(path)
    validity = draft.deps.validity
    n_members = node.band_n_member()
    parallel = [loop_is_parallel(node, m, validity) for m in range(n_members)]
    if True not in parallel:
        return None
    first = parallel.index(True)
    last = first
    while last < n_members and parallel[last] and last - first < MAX_SHARED:
        last += 1
    return draft.do(_block(draft, scop, shape, path, last - first, first))


def _choose_shared(
    draft: Draft, scop: Scop, path: NodePath, free: list[int]
) -> list[int]:
    """The parallel members to share, the one over neighbouring elements last."""
    band = view_band(draft, scop, path)
    best = choose_innermost(band)
    if best in free:
        free = [*(k for k in free if k != best), best]
    return free[-MAX_SHARED:]


def _block(
    draft: Draft,
    scop: Scop,
    shape: DeviceShape,
    path: NodePath,
    n_shared: int,
    member: int = 0,
) -> Launch:
    threads = shape.threads[n_shared - 1]
    run = find_run(draft, scop, path, member + n_shared - 1, shape.run)
    if run > 1:
        threads = _shorten_rows(threads, run)
    first, *rest = threads
    *tile, last = (first * shape.points[n_shared - 1], *rest)
    return Launch(path, (*tile, last * run), threads, member, run)


def _shorten_rows(threads: tuple[int, ...], run: int) -> tuple[int, ...]:
    """As many threads, fewer of them side by side where each has several elements."""
    if len(threads) == 1:
        return threads
    *outside, rows, columns = threads
    factor = max(1, min(run, columns // WARP))
    return (*outside, rows * factor, columns // factor)


def _stage(
    draft: Draft, scop: Scop, shape: StagedShape, path: NodePath
) -> Draft | None:
    """Tile a contraction, or None where the band runs none that is worth it."""
    if has_band_below(draft.node(path)):
        return None
    band = view_band(draft, scop, path)
    found = find_contraction(band)
    if found is None or found.statement.single or not found.inside:
        return None
    n_bytes = scop.array(_target(found)).type.n_bytes
    shared = (*found.outside, found.row, found.lane)
    if len(shared) > MAX_GRID_MEMBERS or not all(band.coincident[k] for k in shared):
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
    depths = _depths(found, shape.depth)
    sizes = dict(zip(found.inside, depths, strict=True))
    sizes |= {found.row: rows, found.lane: columns}
    windows = _windows(found, sizes)
    if shape.stages * n_bytes * sum(windows) > SHARED_BYTES:
        return None
    if any(MIN_USES * n > prod(sizes.values()) for n in windows):
        return None
    n_outside = len(found.outside)
    order = (*shared, *found.inside)
    if order != tuple(range(band.n_members)):
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


def _windows(found: Contraction, sizes: dict[int, int]) -> list[int]:
    """Elements of each operand that a tile reads, from the first one to the last."""
    view = found.statement
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


def _depths(found: Contraction, depth: int) -> tuple[int, ...]:
    """Tile sizes of the members inside: the last ones whole while they are short."""
    sizes: list[int] = []
    left = depth
    for member in reversed(found.inside):
        size = max(1, min(left, found.extent(member)))
        sizes.append(size)
        left = max(1, left // size)
    return tuple(reversed(sizes))


def _target(found: Contraction) -> str:
    return next(r.array for r in found.statement.references if r.is_write)
