"""What the kernels of a tree ask of a graphics processor, estimated from the tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import ceil, prod

from polysched.analysis import (
    Place,
    Reference,
    Vector,
    place_size,
    references,
    statement_places,
)
from polysched.cost.nest import Nest
from polysched.cost.warps import SECTOR_BYTES, WarpAccess
from polysched.ir import (
    MARK_GRID,
    MARK_KERNEL,
    MARK_STAGE,
    MARK_THREADS,
    NodePath,
    ScalarType,
    ScheduleTree,
    Scop,
)
from polysched.ir.types import DOUBLE
from polysched.sets import node_kind


@dataclass(frozen=True)
class Stage:
    """How a contraction's operands go through shared memory.

    Attributes
    ----------
    n_buffers : int
        Tiles in shared memory at a time.
    n_tiles : float
        Tiles that a block loads, one after another.
    n_inner : int
        Terms of a tile.
    tile_bytes : float
        Operands of a tile.
    per_thread : tuple of int
        Results of a thread along each shared member.
    """

    n_buffers: int
    n_tiles: float
    n_inner: int
    tile_bytes: float
    per_thread: tuple[int, ...]


@dataclass(frozen=True)
class StatementLoad:
    """What one statement does in a launch of a kernel, all blocks together.

    Attributes
    ----------
    n_instances : float
        How often it runs.
    n_operations : float
        Arithmetic operations of one instance.
    element : ScalarType
        What it computes.
    n_requests : float
        Loads and stores of warps; a value that stays in place along a thread's
        innermost loop is loaded once.
    near_bytes : float
        The 32-byte sectors that these touch.
    far_bytes : float
        Distinct bytes of each block, over all blocks; no more than `near_bytes`.
    memory_bytes : float
        Distinct bytes of the launch; no more than `near_bytes`.
    written_share : float
        Of the requests.
    n_references, n_coalesced : int
        Its accesses; those whose warps move no more sectors than hold what they touch.
    n_steps : float
        Instances of a thread, one after another.
    waits_for_memory, waits : bool
        Whether a step needs what the one before stored, or computed.
    stage : Stage or None
        Of a contraction through shared memory.
    """

    n_instances: float
    n_operations: float
    element: ScalarType
    n_requests: float
    near_bytes: float
    far_bytes: float
    memory_bytes: float
    written_share: float
    n_references: int
    n_coalesced: int
    n_steps: float
    waits_for_memory: bool = False
    waits: bool = False
    stage: Stage | None = None


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
        return prod(self._counts)

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
            sums = [self.nest.extent(row) / size for row, size in member.summed]
            return max(1.0, sum(sums) - len(sums) + 1)
        return float(ceil(self.nest.trips[k]))

    def _direction(self, axis: int) -> Vector | None:
        """How iterators move from a thread to the next, axis 0 for the fastest."""
        positions = self._positions(MARK_THREADS)
        n = len(self._counts)
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
        inner = self._inner()
        along = None if inner is None else nest.directions[inner]
        touched = [self._touch(r, instances, along) for r in nest.references]
        near = sum(t.n_bytes for t in touched)
        requests = sum(t.n_requests for t in touched)
        written = sum(t.n_requests for t in touched if t.reference.is_write)
        after = max(self._positions(MARK_GRID), default=self._first - 1) + 1
        orders = inner is not None and not nest.members[inner].coincident
        return StatementLoad(
            n_instances=instances,
            n_operations=nest.n_operations,
            element=self._element(),
            n_requests=requests,
            near_bytes=near,
            far_bytes=min(near, nest.footprint(after, SECTOR_BYTES) * blocks),
            memory_bytes=min(near, nest.footprint(self._first, SECTOR_BYTES)),
            written_share=written / requests if requests else 0.0,
            n_references=len(touched),
            n_coalesced=sum(t.is_coalesced for t in touched),
            n_steps=max(1.0, instances / (blocks * threads)),
            waits=orders,
            waits_for_memory=orders
            and any(t.reference.is_write and not t.stays for t in touched),
            stage=self._stage(),
        )

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
        warp = WarpAccess.of(array, reference, counts, directions)
        stays = along is not None and not any(reference.moves(along))
        trips = nest.trips[self._inner() or 0] if stays else 1.0
        requests = instances / trips / warp.n_lanes
        n_bytes = requests * warp.n_sectors * SECTOR_BYTES
        copied = not reference.is_write and bool(self._positions(MARK_STAGE))
        is_coalesced = warp.is_coalesced or copied  # as rows of a tile
        return _Touch(reference, requests, n_bytes, is_coalesced, stays)

    def _stage(self) -> Stage | None:
        """How operands go through shared memory, where they do."""
        tiles = self._positions(MARK_STAGE)
        if not tiles:
            return None
        nest, members = self.nest, self.nest.members
        words = [w for m in members[tiles[0]].marks for w in [m.split(":")]]
        n_buffers = next(int(w[1]) for w in words if w[0] == MARK_STAGE)
        shared = self._positions(MARK_GRID)
        per_thread = [
            max(1, members[k].size // count)
            for k, count in zip(shared, self._counts, strict=True)
        ]
        read = {r.array for r in nest.references if not r.is_write}
        read -= {r.array for r in nest.references if r.is_write}
        first = tiles[-1] + 1
        return Stage(
            n_buffers=n_buffers,
            n_tiles=prod(self._trips(k) for k in tiles),
            n_inner=prod(members[k].size for k in tiles),
            tile_bytes=float(sum(nest.footprint(first, 1, a) for a in sorted(read))),
            per_thread=tuple(per_thread),
        )


@dataclass(frozen=True)
class _Touch:
    """What the warps of a launch touch through one reference."""

    reference: Reference
    n_requests: float
    n_bytes: float
    is_coalesced: bool
    stays: bool
