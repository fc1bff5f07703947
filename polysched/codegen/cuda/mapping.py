"""Which instances a kernel, a block and a thread run: marks become relations.

A kernel stands below outer loops that the host runs. For values ``h`` of those it is
launched once; block ``b`` and thread ``t`` then run the instances that the two bands
under the marks ``grid`` and ``threads`` send to them. Everything is a parameter: the
code of a kernel is the sequential code of one thread, for unknown h, b and t (as PPCG
does it: Verdoolaege et al., "Polyhedral Parallel Code Generation for CUDA", TACO 2013).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

import islpy as isl

from polysched.base import CodegenError
from polysched.codegen.cuda.marks import find_below, mark_words, read_counts
from polysched.codegen.cuda.meeting import read_meeting, threads_meet
from polysched.ir import (
    MARK_GRID,
    MARK_KERNEL,
    MARK_STAGE,
    MARK_THREADS,
    NodePath,
    Overlap,
    ScheduleTree,
)
from polysched.sets import list_maps, map_names, node_kind

AXES = ("x", "y", "z")
WARP = 32  # threads


def axis_of(n_members: int, member: int) -> str:
    """The axis of a member: the last is x, those outside of y share z."""
    return AXES[min(n_members - 1 - member, len(AXES) - 1)]


@dataclass(frozen=True, eq=False)
class KernelMap:
    """A kernel of a tree, and what its blocks and threads run.

    Attributes
    ----------
    path : tuple of int
        Of its mark.
    instances : isl.UnionSet
        All that it runs, in all launches.
    outer : isl.UnionMap
        Instances to the values of the loops around the kernel.
    blocks : isl.UnionMap
        Instances to the first point of their tile; no dimension without a grid.
    steps : tuple of int
        Distance of two tiles, one per member of the grid band.
    threads : isl.UnionMap
        Instances to their thread.
    n_threads : tuple of int
        Threads per member.
    runs : tuple of int
        Neighbouring values of a member that go to one thread.
    lanes : int
        Threads that work as one: 32 where warps are counted as threads.
    epochs : isl.UnionMap or None
        Instances to what stands between two barriers; None where threads never meet.
    overlap : Overlap or None
        How blocks overlap; then `blocks` says which block stores what an instance
        computes, and `threads` nothing.
    """

    path: NodePath
    instances: isl.UnionSet
    outer: isl.UnionMap
    blocks: isl.UnionMap
    steps: tuple[int, ...]
    threads: isl.UnionMap
    n_threads: tuple[int, ...]
    runs: tuple[int, ...] = ()
    lanes: int = 1
    epochs: isl.UnionMap | None = None
    overlap: Overlap | None = None

    @property
    def n_outer(self) -> int:
        """Loops of the host around it."""
        return _range_dim(self.outer)

    @property
    def block_size(self) -> int:
        """Threads in a block."""
        return prod(self.n_threads) * self.lanes

    @property
    def block_shape(self) -> tuple[int, ...]:
        """Threads of a block per member."""
        if not self.n_threads:
            return ()
        return (*self.n_threads[:-1], self.n_threads[-1] * self.lanes)

    def places(self) -> isl.UnionMap:
        """Instances to launch, block and thread, as one vector."""
        return self.outer.flat_range_product(self.blocks).flat_range_product(
            self.threads
        )

    def ordered_by_barriers(self) -> isl.UnionMap:
        """Pairs of instances of one block between which its threads wait."""
        if self.epochs is None:
            return isl.UnionMap("{ }")
        homes = self.outer.flat_range_product(self.blocks)
        same_block = homes.apply_range(homes.reverse())
        return same_block.subtract(self.epochs.apply_range(self.epochs.reverse()))

    def of_block(self, outer: Sequence[str], blocks: Sequence[str]) -> isl.UnionSet:
        """The instances of one block, with parameters of these names."""
        return fix(self.outer, outer).intersect(fix(self.blocks, blocks))

    def of_thread(
        self, outer: Sequence[str], blocks: Sequence[str], threads: Sequence[str]
    ) -> isl.UnionSet:
        """The instances of one thread, with parameters of these names."""
        return self.of_block(outer, blocks).intersect(fix(self.threads, threads))


def fix(relation: isl.UnionMap, names: Sequence[str]) -> isl.UnionSet:
    """The domain elements that are sent to the values of new parameters."""
    if not names:
        return relation.domain()
    dims = [f"x{k}" for k in range(len(names))]
    equal = " and ".join(f"{d} = {n}" for d, n in zip(dims, names, strict=True))
    values = isl.UnionSet(
        f"[{', '.join(names)}] -> {{ [{', '.join(dims)}] : {equal} }}"
    )
    return relation.intersect_range(values).domain()


def find_kernels(tree: ScheduleTree) -> tuple[KernelMap, ...]:
    """The kernels of a tree, in order.

    Raises
    ------
    CodegenError
        If an instance is in no kernel, or a kernel is not of the form that is printed.
    """
    found = tuple(_read(tree, path, node) for path, node in _kernel_marks(tree))
    missing = tree.schedule.get_domain()
    for kernel in found:
        missing = missing.subtract(kernel.instances)
    if not missing.is_empty():
        raise CodegenError(
            f"no kernel runs {missing.sample_point()}",
            hint="every part of the tree needs a mark 'kernel' above it",
        )
    return found


def _kernel_marks(
    tree: ScheduleTree,
) -> Iterator[tuple[NodePath, isl.ScheduleNode]]:
    for path, node in tree.nodes():
        # a part of the tree may have lost its instances
        if mark_words(node)[0] == MARK_KERNEL and not node.get_domain().is_empty():
            yield path, node


def _read(tree: ScheduleTree, path: NodePath, mark: isl.ScheduleNode) -> KernelMap:
    instances = mark.get_domain()
    outer = mark.get_prefix_schedule_union_map().intersect_domain(instances)
    grid = mark.child(0)
    nothing = _to_nothing(instances)
    overlap = Overlap.of_mark(":".join(mark_words(grid)))
    if overlap is not None:
        band = grid.child(0).child(0)
        if node_kind(band) != "band" or band.band_n_member() != len(overlap.tile):
            raise CodegenError("overlapped tiles have other loops than their points")
        points = _partial(band, instances)
        return KernelMap(
            path, instances, outer, _tiles(points, overlap.tile), overlap.tile, nothing,
            overlap.threads, overlap.runs, overlap=overlap,
        )  # fmt: skip
    if mark_words(grid)[0] != MARK_GRID:
        return KernelMap(path, instances, outer, nothing, (), nothing, ())
    band = grid.child(0)
    blocks = _partial(band, instances)
    steps = tuple(_step(band, k) for k in range(band.band_n_member()))
    if threads_meet(grid):
        meeting = read_meeting(tree, grid)
        return KernelMap(
            path, instances, outer, blocks, steps, meeting.threads, meeting.n_threads,
            meeting.runs, epochs=meeting.epochs,
        )  # fmt: skip
    under = find_below(band, MARK_THREADS)
    if under is None:
        raise CodegenError("a kernel has a grid, and no threads below it")
    words = mark_words(under)
    n_threads = read_counts(words[1])
    runs = read_counts(words[2]) if len(words) > 2 else (1,) * len(n_threads)
    points = _partial(under.child(0), instances)
    threads = _deal(points, blocks, n_threads, runs)
    stage = find_below(band, MARK_STAGE)
    lanes = WARP if stage is not None and "tensor" in mark_words(stage) else 1
    return KernelMap(
        path, instances, outer, blocks, steps, threads, n_threads, runs, lanes
    )


def _deal(
    points: isl.UnionMap,
    blocks: isl.UnionMap,
    n_threads: tuple[int, ...],
    runs: tuple[int, ...],
) -> isl.UnionMap:
    """Instances to threads: runs of the tile's values are dealt out in turn."""
    n = len(n_threads)
    ins = ", ".join([*(f"p{k}" for k in range(n)), *(f"b{k}" for k in range(n))])
    outs = ", ".join(f"t{k}" for k in range(n))
    terms = " and ".join(
        f"(floor((p{k} - b{k})/{run}) - t{k}) mod {count} = 0 and 0 <= t{k} < {count}"
        for k, (count, run) in enumerate(zip(n_threads, runs, strict=True))
    )
    deal = isl.UnionMap(f"{{ [{ins}] -> [{outs}] : {terms} }}")
    return points.flat_range_product(blocks).apply_range(deal)


def _tiles(points: isl.UnionMap, sizes: tuple[int, ...]) -> isl.UnionMap:
    """Instances to the first point of their tile."""
    dims = [f"p{k}" for k in range(len(sizes))]
    starts = [f"{n}*floor({d}/{n})" for d, n in zip(dims, sizes, strict=True)]
    text = f"{{ [{', '.join(dims)}] -> [{', '.join(starts)}] }}"
    return points.apply_range(isl.UnionMap(text))


def _partial(band: isl.ScheduleNode, instances: isl.UnionSet) -> isl.UnionMap:
    partial = band.band_get_partial_schedule_union_map()
    return partial.intersect_domain(instances)


def _step(band: isl.ScheduleNode, member: int) -> int:
    """The tile size of a member: what divides all its values."""
    partial = band.band_get_partial_schedule().get_union_pw_aff(member)
    values = isl.UnionMap.from_union_pw_aff(partial).range()
    found = isl.Set.from_union_set(values).get_stride(0)
    return int(found.to_python()) or 1  # one tile has no distance to another


def _to_nothing(instances: isl.UnionSet) -> isl.UnionMap:
    return isl.UnionMap.from_domain_and_range(instances, isl.UnionSet("{ [] }"))


def _range_dim(relation: isl.UnionMap) -> int:
    for m in list_maps(relation):
        return int(m.dim(isl.dim_type.out))
    return 0


def range_set(relation: isl.UnionMap) -> isl.Set:
    """The range of a map into one unnamed space."""
    total = relation.range()
    if total.is_empty():
        return isl.Set("{ [] : false }")
    return isl.Set.from_union_set(total)


def statements_of(instances: isl.UnionMap) -> list[str]:
    """Names of the statements a map speaks of."""
    return [map_names(m)[0] for m in list_maps(instances)]


def bounded_hull(values: isl.Set) -> isl.Set:
    """An interval around a one-dimensional set, with affine bounds where it has any.

    Two loops of different lengths have none in common: the set itself is given then.

    Raises
    ------
    CodegenError
        If there is none. isl's quick hull of a union may lose one that its other finds.
    """
    values = values.remove_divs().coalesce()
    for hull in (values.simple_hull(), values.bounded_simple_hull()):
        found = isl.Set.from_basic_set(hull)
        if found.dim_is_bounded(isl.dim_type.set, 0):
            return found
    if values.dim_is_bounded(isl.dim_type.set, 0):
        return values
    raise CodegenError("the tiles of a kernel have no bounds")


def tile_range(tiles: isl.Set, member: int) -> isl.Set:
    """Values of one member of the grid, between the lowest and the highest."""
    n = int(tiles.dim(isl.dim_type.set))
    one = tiles.project_out(isl.dim_type.set, member + 1, n - member - 1)
    one = one.project_out(isl.dim_type.set, 0, member)
    return bounded_hull(one)
