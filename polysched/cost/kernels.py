"""What the kernels of a tree ask of a graphics processor, estimated from the tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from math import ceil, prod

import islpy as isl

from polysched.analysis import (
    Member,
    Place,
    Reference,
    Vector,
    box_footprint,
    fused_count,
    iterator_extent,
    loop_spans,
    place_size,
    references,
    statement_places,
)
from polysched.cost.chosen import add_chosen
from polysched.cost.loads import (
    KernelLoad,
    StatementLoad,
    gathering_steps,
    n_met,
    parts_kernel,
)
from polysched.cost.near_cache import read_again, stays_near
from polysched.cost.nest import Nest
from polysched.cost.overlapped import OverlapLoad, overlap_of
from polysched.cost.runs import Run
from polysched.cost.stages import n_lanes, read_stage
from polysched.cost.trips import row_extent
from polysched.cost.warps import LINE_BYTES, SECTOR_BYTES, WarpAccess
from polysched.ir import (
    MARK_GRID,
    MARK_KERNEL,
    MARK_RUN,
    MARK_STAGE,
    MARK_THREADS,
    NodePath,
    ScalarType,
    ScheduleTree,
    Scop,
    block_sums,
    partial_sums,
)
from polysched.ir.types import DOUBLE
from polysched.sets import list_sets, node_kind

SUM_BARRIERS = 4  # of sums: behind terms, warps, what they have, what comes next


@lru_cache(maxsize=4)  # a description asks for seconds, then for features
def read_kernels(tree: ScheduleTree, scop: Scop) -> tuple[KernelLoad, ...]:
    """The kernels of a tree, in order; none where it has no marks for a device."""
    by_name = references(scop)
    places: dict[str, list[Place]] = {}
    for place in statement_places(tree):
        places.setdefault(place.name, []).append(place)
    found = []
    for path, node in tree.nodes():
        if node_kind(node) != "mark" or node.mark_get_id().get_name() != MARK_KERNEL:
            continue
        inside = []
        for name, all_places in places.items():
            own = [p for p in all_places if p.path[: len(path)] == path]
            sizes = _sizes(tree, all_places) if own else {}
            total = sum(sizes.values()) or 1.0
            for place in own:
                moving = tuple(filter(_counts_as_loop, place.members))
                share = sizes[place.path] / total
                nest = Nest(
                    scop, scop.statement(name), moving, by_name[name], share=share
                )
                launches = _launches(node) if len(all_places) > 1 else None
                inside.append(_Mapped(nest, path, launches))
        found.append(_join(path, node, inside))
        found += [load for m in inside if (load := m.load_of_parts()) is not None]
    return tuple(found)


def _counts_as_loop(member: Member) -> bool:
    """Whether it has iterations, or stands for the one tile of what has no terms."""
    return not member.is_constant or any(
        mark.startswith(MARK_STAGE) for mark in member.marks
    )


def _sizes(tree: ScheduleTree, places: list[Place]) -> dict[NodePath, float]:
    """How many instances stand at each place, in proportion."""
    if len(places) == 1:
        return {places[0].path: 1.0}
    return {p.path: place_size(tree, p) for p in places}


def _launches(mark: isl.ScheduleNode) -> float | None:
    """How often the host starts a kernel that has a part of its loops' values."""
    outer = mark.get_prefix_schedule_union_map().intersect_domain(mark.get_domain())
    values = list_sets(outer.range())
    if len(values) != 1:
        return None
    spans = loop_spans(values[0])
    if any(span is None for span in spans):
        return None
    steps = (
        max(1, int(values[0].get_stride(k).to_python())) for k in range(len(spans))
    )
    return prod(1.0 + (span or 0) // n for span, n in zip(spans, steps, strict=True))


def _join(path: NodePath, mark: isl.ScheduleNode, inside: list[_Mapped]) -> KernelLoad:
    launches = max((m.n_launches for m in inside), default=1.0)
    overlapped = [o for m in inside if (o := m.overlapped) is not None]
    if overlapped:
        first = overlapped[0]
        found = (m.load(launches, first.n_blocks, first.n_threads) for m in inside)
        loads = tuple(replace(load, n_coalesced=load.n_references) for load in found)
        return KernelLoad(path, launches, first.n_blocks, first.n_threads, loads, first)
    blocks = max((m.n_blocks for m in inside), default=1.0)
    threads = max((m.n_threads for m in inside), default=1)
    apart = [m.load(launches, blocks, threads) for m in inside]
    together = _together(inside, apart, blocks, threads)
    n_barriers = _count_barriers(mark)
    return KernelLoad(path, launches, blocks, threads, together, None, n_barriers)


def _together(
    inside: list[_Mapped], loads: list[StatementLoad], blocks: float, threads: int
) -> tuple[StatementLoad, ...]:
    """The loads of statements that find in the cache what others have touched.

    As they are where there is one, or blocks on an SM touch more than its cache holds.
    """
    is_plain = not any(
        m.meets or load.stage for m, load in zip(inside, loads, strict=True)
    )
    if len(inside) < 2 or not is_plain:
        return tuple(loads)
    touched: dict[str, list[float]] = {}
    for m in inside:
        for array in sorted({r.array for r in m.nest.references}):
            n_bytes = m.nest.footprint(m.first, SECTOR_BYTES, array)
            touched.setdefault(array, []).append(n_bytes)
    once = sum(max(parts) for parts in touched.values())
    if not stays_near(once / blocks, threads):
        return tuple(loads)
    share = once / max(1.0, sum(sum(parts) for parts in touched.values()))
    return tuple(
        replace(
            load,
            memory_bytes=share * load.memory_bytes,
            far_bytes=share * load.far_bytes,
        )
        for load in loads
    )


def _count_barriers(node: isl.ScheduleNode) -> int:
    """Barriers of a block of a kernel whose parts come one after another."""
    if node_kind(node) == "sequence":
        children = (node.child(k) for k in range(node.n_children()))
        return sum(map(_count_barriers, children))
    if node_kind(node) == "mark":
        mark = str(node.mark_get_id().get_name())
        if mark.split(":")[0] == MARK_THREADS:
            return SUM_BARRIERS if partial_sums(mark) else 1
    return _count_barriers(node.child(0)) if node.n_children() else 0


@dataclass(frozen=True)
class _Mapped:
    """A statement in a kernel."""

    nest: Nest
    kernel: NodePath
    launches: float | None = None  # where that is not all iterations of outer loops

    def _positions(self, mark: str) -> list[int]:
        """Members of the band right below a mark in the kernel."""
        return self._by_mark.get(mark, [])

    @cached_property
    def _by_mark(self) -> Mapping[str, list[int]]:
        found: dict[str, list[int]] = {}
        for k, member in enumerate(self.nest.members):
            if self._is_inside(k):
                for mark in dict.fromkeys(w.split(":")[0] for w in member.marks):
                    found.setdefault(mark, []).append(k)
        return found

    def _is_inside(self, k: int) -> bool:
        return self.nest.members[k].path[: len(self.kernel)] == self.kernel

    @cached_property
    def first(self) -> int:
        """The first member that is not the host's."""
        inside = (k for k in range(len(self.nest.members)) if self._is_inside(k))
        return next(inside, len(self.nest.members))

    @cached_property
    def overlapped(self) -> OverlapLoad | None:
        """The shape of tiles that overlap, or None."""
        members = self.nest.members[self.first :]
        overlap = overlap_of([mark for m in members for mark in m.marks])
        if overlap is None:
            return None
        n_dim = len(overlap.tile)
        n_fused = sum(fused_count(action) for action in self.nest.statement.body)
        operations = max(1.0, self.nest.n_operations - n_fused)
        extents = tuple(self.nest.trips[-n_dim:])
        return OverlapLoad(overlap, extents, self._element(), operations)

    @property
    def n_launches(self) -> float:
        """Iterations of the host's loops."""
        if self.launches is not None:
            return self.launches
        return prod(self._steps(k) for k in range(self.first))

    @property
    def n_blocks(self) -> float:
        """Tiles of the grid."""
        return prod(self._trips(k) for k in self._positions(MARK_GRID))

    @property
    def n_threads(self) -> int:
        """Threads of a block."""
        staged = self._positions(MARK_STAGE)[:1]
        marks = [mark for k in staged for mark in self.nest.members[k].marks]
        return prod(self._counts) * n_lanes(marks)

    @cached_property
    def _counts(self) -> list[int]:
        for k in self._positions(MARK_THREADS):
            for mark in self.nest.members[k].marks:
                words = mark.split(":")
                if words[0] == MARK_THREADS:
                    return [int(n) for n in words[1].split(",")]
        return []

    def _trips(self, k: int) -> float:
        member = self.nest.members[k]
        if member.kind == "wave" and len(member.summed) > 1:
            scop, name = self.nest.scop, self.nest.statement.name
            sums = [row_extent(scop, name, row) / size for row, size in member.summed]
            return max(1.0, sum(sums) - len(sums) + 1)
        return float(ceil(self.nest.trips[k]))

    def _steps(self, k: int) -> float:
        """Values of a loop of the host; a slanted one has more than what it adds up."""
        member, statement = self.nest.members[k], self.nest.statement
        if member.kind != "point" or sum(map(bool, member.coefficients)) < 2:
            return self._trips(k)
        found = iterator_extent(self.nest.scop, statement.name, member.coefficients)
        if found is not None:
            return self._trips(k)
        n = len(member.coefficients)
        units = (tuple(int(at == j) for j in range(n)) for at in range(n))
        extents = (row_extent(self.nest.scop, statement.name, u) for u in units)
        spans = (
            abs(c) * (extent - 1)
            for c, extent in zip(member.coefficients, extents, strict=True)
        )
        return max(self._trips(k), 1.0 + sum(spans))

    def _direction(self, axis: int) -> Vector | None:
        """How iterators move from a thread to the next, axis 0 for the fastest."""
        positions = self._positions(MARK_THREADS)
        n = len(self._counts)
        for k in positions:
            if self.nest.members[k].position == n - 1 - axis:
                run = self._run
                if run is not None and self.nest.members[k].kind == "tile":
                    return tuple(x * run.length for x in run.direction)
                return self.nest.directions[k]
        return None

    @cached_property
    def _run(self) -> Run | None:
        """The neighbours that a thread takes at once; None for single instances."""
        for k in self._positions(MARK_RUN):
            direction = self.nest.directions[k]
            if direction is not None:
                (mark,) = (m for m in self._marks(k) if m.startswith(MARK_RUN))
                return Run(direction, int(mark.split(":")[1]))
        return None

    def _inner(self) -> int | None:
        """The innermost loop of a thread."""
        last = max(self._positions(MARK_THREADS), default=self.first - 1)
        inner = self.nest.inner
        if inner is None or inner <= last or self._run is not None:
            return None
        return inner

    def load(self, launches: float, blocks: float, threads: int) -> StatementLoad:
        """What the statement does in a launch."""
        nest = self.nest
        instances = nest.n_instances / launches
        inner = self._inner()
        along = None if inner is None else nest.directions[inner]
        touched = [self._touch(r, instances, along) for r in self._touching]
        near = sum(t.n_bytes for t in touched)
        requests = sum(t.n_requests for t in touched)
        written = sum(t.n_requests for t in touched if t.reference.is_write)
        stored = sum(t.n_bytes for t in touched if t.reference.is_write)
        after = max(self._positions(MARK_GRID), default=self.first - 1) + 1
        orders = inner is not None and not nest.members[inner].coincident
        orders = orders and not self._sums  # a thread may add in any order
        length = self._run.length if self._run else 1
        load = StatementLoad(
            n_instances=instances,
            n_operations=nest.n_operations,
            element=self._element(),
            n_requests=requests,
            near_bytes=near,
            far_bytes=min(near, self._far_bytes(after) * blocks + stored),
            memory_bytes=min(near, nest.footprint(self.first, SECTOR_BYTES)),
            written_share=written / requests if requests else 0.0,
            n_references=len(touched),
            n_coalesced=sum(t.is_coalesced for t in touched),
            n_steps=max(1.0, instances / length / (blocks * threads))
            + self._n_gathered,
            waits=orders,
            waits_for_memory=orders
            and any(t.reference.is_write and not t.stays for t in touched),
            stage=read_stage(
                nest,
                self._positions(MARK_STAGE),
                self._positions(MARK_GRID),
                self._positions(MARK_THREADS),
                self._counts,
                prod(self._trips(k) for k in self._positions(MARK_STAGE)),
            ),
            run=length,
            met_bytes=self._met_bytes(after),
            line_bytes=sum(t.n_requests * t.n_lines for t in touched) * LINE_BYTES,
            meets=self.meets,
        )
        return add_chosen(load, nest, blocks, threads, self._copied)

    def _far_bytes(self, first: int) -> float:
        """Bytes that a block reads from L2; what it stores goes on each time.

        Distinct ones, unless threads step through the tile together.
        """
        arrays = sorted({r.array for r in self._touching if not r.is_write})
        last = max(self._positions(MARK_THREADS)) + 1 if self.meets else first
        trips = [self._trips(k) for k in range(first, last)]
        return read_again(self.nest, arrays, first, trips, self.n_threads)

    @property
    def meets(self) -> bool:
        """Whether loops of all threads stand between a block's tile and its points."""
        shared, threads = self._positions(MARK_GRID), self._positions(MARK_THREADS)
        if not shared or not threads or self._positions(MARK_STAGE):
            return False
        between = range(max(shared) + 1, min(threads))
        return any(self.nest.directions[k] is not None for k in between)

    def _is_aligned(self, reference: Reference) -> bool:
        """Whether a warp's elements begin a line, as far as rows do."""
        if not reference.rows:
            return True
        n_bytes = self.nest.scop.array(reference.array).type.n_bytes
        shared = {*self._positions(MARK_THREADS), *self._positions(MARK_RUN)}
        directions = self.nest.directions
        moves = [
            reference.moves(d)[-1]
            for k, d in enumerate(directions)
            if d is not None and k not in shared and k > self.first
        ]
        return not any(
            float(n) * n_bytes % LINE_BYTES for n in (reference.offsets[-1], *moves)
        )

    @cached_property
    def _sums(self) -> tuple[str, ...]:
        """Arrays of which each thread adds up a part."""
        marks = [m for k in self._by_mark.get(MARK_THREADS, []) for m in self._marks(k)]
        return tuple(dict.fromkeys(a for m in marks for a in partial_sums(m)))

    @property
    def _copied(self) -> tuple[str, ...]:
        """Arrays of which each block updates a copy."""
        marks = [m for k in self._positions(MARK_GRID) for m in self._marks(k)]
        return tuple(a for m in marks for a in block_sums(m))

    def _marks(self, k: int) -> tuple[str, ...]:
        return self.nest.members[k].marks

    @property
    def _touching(self) -> tuple[Reference, ...]:
        """Accesses to memory: a thread's own sum is in a register."""
        return tuple(r for r in self.nest.references if r.array not in self._sums)

    @cached_property
    def _sum_members(self) -> list[int]:
        """Members that threads share and that run over terms of one element."""
        own = [r for r in self.nest.references if r.array in self._sums]
        found: list[int] = []
        if not own:  # stands beside the terms
            return found
        for k in self._positions(MARK_THREADS):
            direction = self.nest.directions[k]
            if direction is not None and not any(any(r.moves(direction)) for r in own):
                found.append(k)
        return found

    def _met_bytes(self, first: int) -> float:
        """Shared memory for the sums of the block's elements, by its loops."""
        nest, n_bytes = self.nest, 0.0
        below = max(self._positions(MARK_THREADS), default=first - 1) + 1
        inside = [d for d in nest.directions[below:] if d is not None]
        sums = [nest.members[k].position for k in self._sum_members]
        if not sums:
            return 0.0
        extents = nest.extents_from(first)
        for own in nest.references:
            if own.array not in self._sums or not own.is_write:
                continue
            has_many = any(any(own.moves(d)) for d in inside)
            n = prod(self._counts[p] for p in sums)
            elements = box_footprint(nest.scop, [own], nest.directions, extents, 1)
            n_bytes += elements * (n if has_many else n_met(self._counts, sums))
        return n_bytes

    @property
    def _n_gathered(self) -> float:
        """Steps of a thread in which a block puts its threads' sums together."""
        counts = self._counts
        positions = [self.nest.members[k].position for k in self._sum_members]
        return sum(
            gathering_steps(counts[p], in_warps=prod(counts[p + 1 :]) == 1)
            for p in positions
        )

    def load_of_parts(self) -> KernelLoad | None:
        """The kernel that adds up what blocks found; None where one block finds all."""
        nest = self.nest
        own = [r.array for r in nest.references if r.array in self._sums]
        if not own:
            return None
        sums = [r for r in nest.references if r.array in self._sums]
        tiles = [
            k
            for k in self._positions(MARK_GRID)
            if any(row := nest.members[k].coefficients)
            and not any(r.goes_on(row) for r in sums)
        ]
        n_parts = prod(self._trips(k) for k in tiles)
        if n_parts <= 1:
            return None
        array = own[0]
        words = next(m.split(":") for m in self._marks(tiles[0]) if partial_sums(m))
        over_parts, over_results = (int(n) for n in words[2].split(","))
        element = nest.scop.array(array).type
        n_results = nest.footprint(self.first, 1, array) / element.n_bytes
        return parts_kernel(
            self.kernel, element, self.n_launches, n_parts, n_results,
            (over_parts, over_results),
        )  # fmt: skip

    def _element(self) -> ScalarType:
        written = [r.array for r in self.nest.references if r.is_write]
        return self.nest.scop.array(written[0]).type if written else DOUBLE

    def _touch(
        self, reference: Reference, instances: float, along: Vector | None
    ) -> _Touch:
        """What the warps of a launch touch through one reference."""
        nest, counts = self.nest, self._counts
        array = nest.scop.array(reference.array)
        axes = range(len(counts))
        directions = [self._direction(k) for k in reversed(axes)]
        aligned = self._is_aligned(reference)
        if self._run is not None:
            access = self._run.touch(reference, nest.references, array)
            lanes = access.n_elements
            warp = WarpAccess.of(
                array, reference, counts, directions, lanes, is_aligned=aligned
            )
            requests = instances * access.share / warp.n_lanes
            n_bytes = requests * warp.n_sectors * SECTOR_BYTES
            return _Touch(
                reference, requests, n_bytes, warp.is_coalesced, False, warp.n_lines
            )
        warp = WarpAccess.of(array, reference, counts, directions, is_aligned=aligned)
        stays = along is not None and not any(reference.moves(along))
        trips = nest.trips[self._inner() or 0] if stays else 1.0
        requests = instances / max(trips, 1.0) / warp.n_lanes
        n_bytes = requests * warp.n_sectors * SECTOR_BYTES
        copied = not reference.is_write and bool(self._positions(MARK_STAGE))
        is_coalesced = warp.is_coalesced or copied  # as rows of a tile
        return _Touch(reference, requests, n_bytes, is_coalesced, stays, warp.n_lines)


@dataclass(frozen=True)
class _Touch:
    """What the warps of a launch touch through one reference."""

    reference: Reference
    n_requests: float
    n_bytes: float
    is_coalesced: bool
    stays: bool
    n_lines: int
