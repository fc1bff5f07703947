"""Scripts that map an affine schedule to a device: kernels, blocks, threads."""

from __future__ import annotations

from dataclasses import replace

import islpy as isl

from polysched.analysis import (
    Dependences,
    active_dependences,
    loop_is_parallel,
    member_distances,
)
from polysched.base import Deadline
from polysched.ir import NodePath, ScheduleTree, Scop
from polysched.sets import node_kind
from polysched.transform.arrange import merge_bands
from polysched.transform.band_view import view_band
from polysched.transform.choose import choose_innermost
from polysched.transform.contract import Contract
from polysched.transform.cuts import split_loops
from polysched.transform.device_atomics import launch_atomics
from polysched.transform.device_lines import stage_crossed, stage_line
from polysched.transform.device_rows import launch_rows
from polysched.transform.device_shapes import SHAPES, DeviceShape
from polysched.transform.device_stage import stage_contraction
from polysched.transform.device_sums import has_sum, launch_sums
from polysched.transform.device_tensor import may_multiply, stage_tensor
from polysched.transform.draft import Draft
from polysched.transform.grid import Grid
from polysched.transform.launch import Launch, Single
from polysched.transform.launch_atomic import LaunchAtomic
from polysched.transform.launch_rows import LaunchRows
from polysched.transform.launch_sum import LaunchSum
from polysched.transform.order import Order
from polysched.transform.overlap import OverlapSweeps, overlap_sweeps
from polysched.transform.runs import find_run
from polysched.transform.tile import Wavefront
from polysched.transform.time_tiles import tile_time

WARP = 32  # threads
KERNELS = (  # of more threads than one
    Contract, Grid, Launch, LaunchRows, LaunchSum, LaunchAtomic, OverlapSweeps
)  # fmt: skip
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
    if shape.cuts:
        draft = draft.through(split_loops, scop)
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
    if kind == "band" and not any(isinstance(s, KERNELS) for s in added):
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
    found = _launch_as_known(draft, scop, shape, path, free)
    if found is not None:
        return found
    if not free:
        return _launch_in_waves(draft, scop, shape, path)
    shared = _choose_shared(draft, scop, path, free)
    rest = [k for k in range(n_members) if k not in shared]
    order = (*shared, *rest)
    if order != tuple(range(n_members)):
        draft = draft.do(Order(path, order))
    return draft.do(_block(draft, scop, shape, path, len(shared)))


def _launch_as_known(
    draft: Draft, scop: Scop, shape: DeviceShape, path: NodePath, free: list[int]
) -> Draft | None:
    """A kernel of a kind that has a form of its own, or None."""
    found = None
    if free:
        found = _stage_any(draft, scop, shape, path)
    if found is None and free and shape.rows is not None:
        found = launch_rows(draft, scop, shape.rows, path, free)
    if found is None and shape.sums is not None:
        found = launch_sums(draft, scop, shape.sums, path, free)
    if found is None and free:
        found = _through_shared(draft, scop, shape, path)
    return found


def _launch_in_waves(
    draft: Draft, scop: Scop, shape: DeviceShape, path: NodePath
) -> Draft | None:
    """Share what is parallel on the way through a permutable band, or None."""
    n_members = draft.node(path).band_n_member()
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


def _stage_any(
    draft: Draft, scop: Scop, shape: DeviceShape, path: NodePath
) -> Draft | None:
    """Tile a contraction, for tensor cores if they take it."""
    staged = None
    if shape.tensor is not None:
        staged = stage_tensor(draft, scop, shape.tensor, path)
    if staged is None and shape.stage is not None:
        staged = stage_contraction(draft, scop, shape.stage, path)
    return staged


def _through_shared(
    draft: Draft, scop: Scop, shape: DeviceShape, path: NodePath
) -> Draft | None:
    """Read across rows by tiles in shared memory."""
    found = None
    if shape.lines is not None:
        found = stage_line(draft, scop, shape.lines, path)
    if found is None and shape.cross is not None:
        found = stage_crossed(draft, scop, shape.cross, path)
    return found


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
