"""What a tree with the mark ``overlap`` says, and why blocks may compute things twice.

A launch runs the sweeps 0, 1, ..., of which each reads what the one before has written,
and stores the last. A block has a tile to store; of the sweep before it computes the
tile and as many points around it as a sweep reads, and so on. Proven here:

* what a sweep reads is a value of the sweep before in the same launch, at a fixed
  distance, or an element that no sweep of the time loop writes (`read_sweeps`);
* what a block needs of a sweep, by the dependences, it computes itself: blocks give
  each other nothing, and compute the same wherever two compute one instance;
* the array that a launch stores to is read where no sweep writes, and nowhere else;
* what a launch does not store is read in that launch only, and not left behind
  (`find_violation` finds who misses it).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

import islpy as isl

from polysched.analysis import (
    Dependences,
    Sweep,
    Sweeps,
    compute_dependences,
    computed_by_block,
    find_unstored,
    read_sweeps,
)
from polysched.base import AnalysisError, CodegenError
from polysched.codegen.cuda.mapping import KernelMap
from polysched.ir import Overlap, ScheduleTree, Scop
from polysched.sets import list_sets, node_kind


@dataclass(frozen=True, eq=False)
class OverlapForm:
    """Several sweeps of a kernel.

    Attributes
    ----------
    overlap : Overlap
        Shape of blocks.
    sweeps : tuple of Sweep
        As they come: the first reads device memory, the last is stored.
    radius : tuple of int
        How far a sweep reads, per loop over space.
    scop : Scop
        What the kernel touches in device memory.
    """

    overlap: Overlap
    sweeps: tuple[Sweep, ...]
    radius: tuple[int, ...]
    scop: Scop

    @property
    def lag(self) -> int:
        """Rows by which a sweep stays behind the one before.

        The row that is computed in the same step is known to its own thread only.
        """
        ahead = self.radius[0]
        beside = [o[0] for s in self.sweeps for o in s.offsets.values() if any(o[1:])]
        return max(1, ahead, max(beside, default=0) + 1)

    @property
    def n_rows(self) -> int:
        """Rows of a sweep that a thread holds for the next one."""
        return self.lag + self.radius[0] + 1


@lru_cache(maxsize=4)
def _dependences(scop: Scop) -> Dependences:
    return replace(compute_dependences(scop, with_input=False), scop=scop)


def read_overlap(scop: Scop, tree: ScheduleTree, mapped: KernelMap) -> OverlapForm:
    """The sweeps of a kernel, once all that they need is proven.

    Parameters
    ----------
    scop : Scop
        What is computed.
    tree : ScheduleTree
        In which order.
    mapped : KernelMap
        The kernel.

    Raises
    ------
    CodegenError
        If blocks would miss a value, or somebody else one of theirs.
    """
    try:
        return _read(scop, tree, mapped)
    except AnalysisError as error:
        raise CodegenError(f"no overlapped tiles: {error.message}") from error


def _read(scop: Scop, tree: ScheduleTree, mapped: KernelMap) -> OverlapForm:
    overlap = mapped.overlap
    assert overlap is not None
    deps = _dependences(scop)
    names = {s.get_tuple_name() for s in list_sets(mapped.instances)}
    whole = scop.domain
    pieces = [s for s in list_sets(whole) if s.get_tuple_name() in names]
    domain = isl.UnionSet("{ }")
    for piece in pieces:
        domain = domain.union(isl.UnionSet.from_set(piece))
    found = read_sweeps(scop, deps, domain)
    mark = tree.node(mapped.path).child(0)
    band = mark.child(0)
    _check_bands(found, band)
    _check_shape(overlap, found)
    sweeps = _order(found, band, mapped)
    _check_arrays(sweeps)
    lost = find_unstored(mark, deps)
    if lost is not None:
        raise AnalysisError(
            f"a launch does not store all that others read or find behind it: {lost[1]}"
        )
    _check_blocks(found, overlap, band, mapped, deps)
    return OverlapForm(overlap, sweeps, found.radius, _touched(scop, sweeps))


def _check_bands(found: Sweeps, band: isl.ScheduleNode) -> None:
    """The band below the mark numbers sweeps, the one below has their points."""
    points = band.child(0)
    if node_kind(points) != "band" or points.band_n_member() != found.n_dim:
        raise AnalysisError("no band of points stands below the one of sweeps")
    partial = points.band_get_partial_schedule_union_map()
    for sweep in found.sweeps:
        name = sweep.statement.name
        dims = [f"i{k}" for k in range(found.n_dim)]
        text = f"{{ {name}[t, {', '.join(dims)}] -> [{', '.join(dims)}] }}"
        own = partial.intersect_domain(points.get_domain())
        if not own.subtract(isl.UnionMap(text)).is_empty():
            rest = own.subtract(isl.UnionMap(text))
            if any(s.get_tuple_name() == name for s in list_sets(rest.domain())):
                raise AnalysisError(f"the points of {name} are not its iterators")


def _order(
    found: Sweeps, band: isl.ScheduleNode, mapped: KernelMap
) -> tuple[Sweep, ...]:
    """The sweeps of a launch, each of them whole."""
    assert mapped.overlap is not None
    partial = isl.UnionMap.from_union_pw_aff(
        band.band_get_partial_schedule().get_union_pw_aff(0)
    ).intersect_domain(mapped.instances)
    together = mapped.outer.flat_range_product(partial)
    ordered = []
    launches = isl.UnionSet("{ }")
    for number in range(mapped.overlap.n_sweeps):
        here = partial.intersect_range(isl.UnionSet(f"{{ [{number}] }}")).domain()
        sets = [s for s in list_sets(here) if not s.is_empty()]
        if len(sets) != 1:
            raise AnalysisError(f"sweep {number} of a launch is not one statement")
        (own,) = sets
        sweep = next(
            s for s in found.sweeps if s.statement.name == own.get_tuple_name()
        )
        those = mapped.outer.intersect_domain(here).range()
        launches = launches if number else those
        is_in_all = those.is_equal(launches)
        if not is_in_all or not _is_whole(own, sweep, found, together):
            raise AnalysisError(f"sweep {number} of a launch is not whole")
        ordered.append(sweep)
    numbers = isl.UnionSet(f"{{ [u] : 0 <= u < {len(ordered)} }}")
    if not partial.range().is_subset(numbers):
        raise AnalysisError("a launch runs other sweeps than its mark says")
    for before, after in pairwise(ordered):
        if before is after:
            raise AnalysisError("a launch runs one statement twice in turn")
    return tuple(ordered)


def _is_whole(
    own: isl.Set, sweep: Sweep, found: Sweeps, together: isl.UnionMap
) -> bool:
    """Whether each launch has one time step of a sweep, with all of its points."""
    n = int(own.dim(isl.dim_type.set))
    times = own.project_out(isl.dim_type.set, 1, n - 1).reset_tuple_id()
    every = sweep.statement.domain
    dims = ", ".join(f"i{k}" for k in range(n - 1))
    name = sweep.statement.name
    at = isl.Map(f"{{ [t] -> {name}[t, {dims}] }}").intersect_range(every)
    whole = times.apply(at)
    steps = isl.UnionMap(f"{{ {name}[t, {dims}] -> [t] }}")
    launches = together.intersect_domain(isl.UnionSet.from_set(own))
    return bool(
        whole.is_subset(own)
        and launches.reverse().apply_range(steps).is_single_valued()
        and times.is_subset(found.times)
    )


def _check_shape(overlap: Overlap, found: Sweeps) -> None:
    """Threads have all points of the window that a tile needs."""
    if overlap.n_sweeps % 2 == 0:
        raise AnalysisError("a launch of even sweeps would store what it reads")
    for halo, r in zip(overlap.halos[1:], found.radius[1:], strict=True):
        if halo < r * overlap.n_sweeps:
            raise AnalysisError(
                f"{overlap.n_sweeps} sweeps read {r * overlap.n_sweeps} points beside "
                f"a tile, its threads have {halo}"
            )


def _check_arrays(sweeps: tuple[Sweep, ...]) -> None:
    """What is stored is another array than what the first sweep reads."""
    if sweeps[0].source == sweeps[-1].target.array:
        raise AnalysisError("a launch stores to the array that it reads")


def _check_blocks(
    found: Sweeps,
    overlap: Overlap,
    band: isl.ScheduleNode,
    mapped: KernelMap,
    deps: Dependences,
) -> None:
    """What a block computes of a sweep, it computes from its own of the one before."""
    names = [f"b{k}" for k in range(found.n_dim)]
    computed = computed_by_block(band, overlap, found.radius, names)
    together = mapped.outer.apply_range(mapped.outer.reverse())
    inside = deps.flow.intersect(together)
    for before, after in pairwise(computed):
        needed = inside.intersect_range(after).domain()
        if not needed.is_subset(before):
            raise AnalysisError("blocks do not compute all that they need")


def _touched(scop: Scop, sweeps: tuple[Sweep, ...]) -> Scop:
    """The SCoP of which the last sweep alone writes."""
    last = sweeps[-1].statement.name
    statements = []
    for sweep in dict.fromkeys(sweeps):
        one = sweep.statement
        kept = tuple(a for a in one.accesses if not a.is_write or one.name == last)
        statements.append(replace(one, accesses=kept))
    return replace(scop, statements=tuple(statements))
