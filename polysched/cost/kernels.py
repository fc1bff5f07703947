"""What the kernels of a tree ask of a graphics processor, estimated from the tree."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, prod

from polysched.analysis import (
    LARGE_EXTENT,
    Dependences,
    Place,
    Reference,
    Vector,
    place_size,
    references,
    statement_places,
)
from polysched.cost.nest import Nest
from polysched.ir import (
    MARK_GRID,
    MARK_KERNEL,
    MARK_THREADS,
    Const,
    NodePath,
    ScheduleTree,
    Scop,
)
from polysched.sets import node_kind

WARP = 32
SECTOR_BYTES = 32  # what a device moves at least


@dataclass(frozen=True)
class StatementLoad:
    """What one statement does in a launch of a kernel, all blocks together.

    Attributes
    ----------
    n_instances : float
        How often it runs.
    n_operations : float
        Arithmetic operations of one instance.
    element_bytes : int
        Size of what it computes.
    requested_bytes : float
        What its loads and stores name; a value that stays in place along a thread's
        innermost loop is loaded once.
    sector_bytes : float
        The 32-byte sectors that the loads and stores of warps touch.
    block_bytes : float
        Distinct bytes of a block, times the blocks.
    launch_bytes : float
        Distinct bytes of the launch.
    n_references, n_coalesced : int
        Its accesses; those in which neighbouring threads touch one element or
        neighbouring ones.
    n_near, n_far : float
        Accesses of a step that wait for the element beside the one before, or for one
        that is far from it.
    """

    n_instances: float
    n_operations: float
    element_bytes: int
    requested_bytes: float
    sector_bytes: float
    block_bytes: float
    launch_bytes: float
    n_references: int
    n_coalesced: int
    n_near: float
    n_far: float


@dataclass(frozen=True)
class KernelLoad:
    """A kernel as a model sees it.

    Attributes
    ----------
    path : tuple of int
        Of its mark.
    n_launches : float
        How often the host starts it.
    n_blocks : float
        Blocks of a launch, partial ones included.
    n_threads : int
        Threads of a block.
    statements : tuple of StatementLoad
        What runs in a launch.
    """

    path: NodePath
    n_launches: float
    n_blocks: float
    n_threads: int
    statements: tuple[StatementLoad, ...]

    @property
    def n_steps(self) -> float:
        """Instances that one thread runs, one after the other."""
        shared = self.n_blocks * self.n_threads
        return sum(max(1.0, s.n_instances / shared) for s in self.statements)


def read_kernels(
    tree: ScheduleTree, scop: Scop, deps: Dependences | None = None
) -> tuple[KernelLoad, ...]:
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
                moving = tuple(m for m in place.members if not m.is_constant)
                share = sizes[place.path] / total
                nest = Nest(
                    scop, scop.statement(name), moving, by_name[name], share=share
                )
                inside.append(_Mapped(nest, path))
        found.append(_join(path, inside))
    return tuple(found)


def _sizes(tree: ScheduleTree, places: list[Place]) -> dict[NodePath, float]:
    """How many instances stand at each place, in proportion."""
    if len(places) == 1:
        return {places[0].path: 1.0}
    return {p.path: place_size(tree, p) for p in places}


def _join(path: NodePath, inside: list[_Mapped]) -> KernelLoad:
    launches = max((m.n_launches for m in inside), default=1.0)
    blocks = max((m.n_blocks for m in inside), default=1.0)
    threads = max((m.n_threads for m in inside), default=1)
    loads = tuple(m.load(launches, blocks, threads) for m in inside)
    return KernelLoad(path, launches, blocks, threads, loads)


@dataclass(frozen=True)
class _Mapped:
    """A statement in a kernel."""

    nest: Nest
    kernel: NodePath

    def _positions(self, mark: str) -> list[int]:
        """Members of the band right below a mark in the kernel."""
        return [
            k
            for k, m in enumerate(self.nest.members)
            if self._is_inside(k) and any(w.split(":")[0] == mark for w in m.marks)
        ]

    def _is_inside(self, k: int) -> bool:
        return self.nest.members[k].path[: len(self.kernel)] == self.kernel

    @property
    def _first(self) -> int:
        """The first member that is not the host's."""
        inside = (k for k in range(len(self.nest.members)) if self._is_inside(k))
        return next(inside, len(self.nest.members))

    @property
    def n_launches(self) -> float:
        """Iterations of the host's loops."""
        return prod(self._trips(k) for k in range(self._first))

    @property
    def n_blocks(self) -> float:
        """Tiles of the grid."""
        return prod(self._trips(k) for k in self._positions(MARK_GRID))

    @property
    def n_threads(self) -> int:
        """Threads of a block."""
        return prod(self._counts())

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
            sums = [self.nest.extent(row) / size for row, size in member.summed]
            return max(1.0, sum(sums) - len(sums) + 1)
        return float(ceil(self.nest.trips[k]))

    def _direction(self, axis: int) -> Vector | None:
        """How iterators move from a thread to the next, axis 0 for the fastest."""
        positions = self._positions(MARK_THREADS)
        n = len(self._counts())
        for k in positions:
            if self.nest.members[k].position == n - 1 - axis:
                return self.nest.directions[k]
        return None

    def _inner(self) -> int | None:
        """The innermost loop of a thread."""
        last = max(self._positions(MARK_THREADS), default=self._first - 1)
        inner = self.nest.inner
        return inner if inner is not None and inner > last else None

    def load(self, launches: float, blocks: float, threads: int) -> StatementLoad:
        """What the statement does in a launch."""
        nest = self.nest
        instances = nest.n_instances / launches
        counts = self._counts() or [1]
        lanes = min(WARP, counts[-1])
        rows = min(WARP, prod(counts)) // lanes
        inner = self._inner()
        along = None if inner is None else nest.directions[inner]
        trips = 1.0 if inner is None else nest.trips[inner]
        across, down = self._direction(0), self._direction(1)
        requested = moved = near = far = 0.0
        n_coalesced = 0
        for reference in nest.references:
            array = nest.scop.array(reference.array)
            size = array.type.n_bytes
            stays = along is not None and not any(reference.moves(along))
            times = instances / trips if stays else instances
            stride = abs(_stride(nest.scop, reference, across)) * size
            sectors = _sectors(lanes, stride)
            if down is not None and rows > 1 and any(reference.moves(down)):
                sectors *= rows
            n_coalesced += stride in (0, size)
            requested += times * size
            moved += times / min(WARP, lanes * rows) * sectors * SECTOR_BYTES
            step = abs(_stride(nest.scop, reference, along)) * size
            if step > SECTOR_BYTES:
                far += 1.0
            elif not stays:
                near += 1.0
        first = max(self._positions(MARK_GRID), default=self._first - 1) + 1
        return StatementLoad(
            n_instances=instances,
            n_operations=nest.n_operations,
            element_bytes=nest.element_bytes,
            requested_bytes=requested,
            sector_bytes=moved,
            block_bytes=nest.footprint(first, SECTOR_BYTES) * blocks,
            launch_bytes=float(nest.footprint(self._first, SECTOR_BYTES)),
            n_references=len(nest.references),
            n_coalesced=n_coalesced,
            n_near=near,
            n_far=far,
        )


def _sectors(lanes: int, stride_bytes: float) -> float:
    """Sectors that threads in a row touch."""
    if not stride_bytes:
        return 1.0
    return min(float(lanes), float(ceil(lanes * stride_bytes / SECTOR_BYTES)))


def _stride(scop: Scop, reference: Reference, direction: Vector | None) -> float:
    """Elements between what two neighbours touch."""
    if direction is None:
        return 0.0
    extents = scop.array(reference.array).extents
    total, pitch = 0.0, 1.0
    moves = reference.moves(direction)
    for k in reversed(range(len(moves))):
        total += float(moves[k]) * pitch
        extent = extents[k] if k < len(extents) else None
        pitch *= float(extent.value) if isinstance(extent, Const) else LARGE_EXTENT
    return total
