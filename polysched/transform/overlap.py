"""Overlapped tiles for a device: several sweeps of a stencil in one launch.

A loop over time whose body is two sweeps, from ``A`` to ``B`` and back, runs an odd
number of sweeps per launch. A launch reads one array and writes the other, and nothing
of the sweeps between: blocks compute what they need of them, also where another block
needs it too (Krishnamoorthy et al., "Effective Automatic Parallelization of Stencil
Computations", PLDI 2007; Holewinski et al., ICS 2012; Matsumura et al., CGO 2020)::

    sequence
      t < 3*floor((steps - 1)/3):
        h = floor(t/3)                           loop of the host
          sequence
            kernel: overlap:3:...: u: i, j       sweeps 0 to 2 of six, from A to B
            kernel: overlap:3:...: u: i, j       sweeps 3 to 5, from B to A
      the rest: t: sequence: i, j; i, j          to be launched one by one
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences, Sweeps, read_sweeps
from polysched.base import AnalysisError
from polysched.ir import MARK_KERNEL, NodePath, Overlap, ScheduleTree, Scop
from polysched.sets import list_sets, only_value
from polysched.transform.bands import insert_band, insert_mark
from polysched.transform.draft import Draft, is_under_mark
from polysched.transform.launch import MAX_THREADS, RUNS
from polysched.transform.step import Step

N_SWEEPS = 2  # of a time step
WORD_BYTES = 4


@dataclass(frozen=True)
class OverlapShape:
    """How overlapped tiles look, by the number of loops over space: two, three.

    Attributes
    ----------
    sweeps : tuple of int
        Of a launch.
    rows : tuple of int
        Most points of the first loop in a tile.
    threads : tuple of tuple of int
        Most threads for each loop but the first.
    runs : tuple of tuple of int
        Points of a thread, alike. All is for elements of four bytes; for larger ones
        a thread has half as many points of the last loop. Of two loops that threads
        share the last then has twice as many threads, the other half as many, an
        even number.
    """

    sweeps: tuple[int, int]
    rows: tuple[int, int]
    threads: tuple[tuple[int], tuple[int, int]]
    runs: tuple[tuple[int], tuple[int, int]]

    def step(self, path: NodePath, found: Sweeps) -> OverlapSweeps:
        """The step for some sweeps: tiles that are as even as extents allow."""
        which = found.n_dim - 2
        sweeps = self.sweeps[which]
        *outer, last = self.runs[which]
        most_threads = self.threads[which]
        if found.sweeps[0].target.type.n_bytes > WORD_BYTES:
            last = max(1, last // 2)
            if len(most_threads) > 1:
                first, second = most_threads
                most_threads = (-(-first // 4) * 2, second * 2)
        runs = (*outer, last)
        rows = _even(_length(found, 0), self.rows[which], 1)
        tile, threads = [rows], []
        for k, (run, most) in enumerate(zip(runs, most_threads, strict=True)):
            halo = -(-found.radius[k + 1] * sweeps // last) * last
            if k < len(runs) - 1:
                halo = found.radius[k + 1] * sweeps
            size = max(run, most * run - 2 * halo)
            size = _even(_length(found, k + 1), size, run)
            size += -(size + 2 * halo) % run
            tile.append(size)
            threads.append((size + 2 * halo) // run)
        return OverlapSweeps(path, sweeps, tuple(tile), tuple(threads), runs)


def _length(found: Sweeps, member: int) -> int | None:
    """How far points reach along a loop, where that is known."""
    ends = [only_value(sweep.highs[member]) for sweep in found.sweeps]
    known = [int(end.to_python()) + 1 for end in ends if end is not None]
    return max(known) if len(known) == len(ends) else None


def _even(length: int | None, most: int, step: int) -> int:
    """A tile size of so many points at most, and all tiles nearly full."""
    most -= most % step
    if length is None or length < 1:
        return most
    n_tiles = -(-length // most)
    size = -(-length // n_tiles)
    return min(most, -(-size // step) * step)


def overlap_sweeps(
    draft: Draft, scop: Scop, shape: OverlapShape, path: NodePath
) -> Draft | None:
    """Run sweeps of a time loop in overlapped tiles, or None where it has another form.

    What is left of the loop is at ``(*path, 1, 0)``, outside of kernels.
    """
    domain = draft.node(path).get_domain()
    sets = [s for s in list_sets(domain) if not s.is_empty()]
    if len(sets) != N_SWEEPS or any(s.dim(isl.dim_type.set) < 3 for s in sets):
        return None
    try:
        found = read_sweeps(scop, draft.deps, domain)
    except AnalysisError:
        return None
    return draft.attempt(shape.step(path, found))


@dataclass(frozen=True)
class OverlapSweeps(Step):
    """Run an odd number of sweeps of a time loop in one launch, tiles overlapping.

    The band's first member is time. What is below it gives way to launches of `sweeps`
    sweeps, for as many time steps as there are whole pairs of launches before the last
    step, and to the sweeps of the time steps that are left, which are outside of
    kernels. Blocks walk along the first loop over space and hold the rows that they
    read in registers; threads share the others.

    Attributes
    ----------
    band : tuple of int
        Path of the band.
    sweeps : int
        Of a launch, odd and 3 or more.
    tile : tuple of int
        Points of each loop over space that a block stores.
    threads : tuple of int
        Threads of a block for each loop over space but the first.
    runs : tuple of int
        Neighbouring points of a thread, alike. All threads together have more points
        than a tile: the surplus lies half on each side, and is how far the sweeps of a
        launch read, or more.
    """

    sweeps: int
    tile: tuple[int, ...]
    threads: tuple[int, ...]
    runs: tuple[int, ...]

    name: ClassVar[str] = "overlap"

    @property
    def _shape(self) -> Overlap:
        return Overlap(self.sweeps, self.tile, (1, *self.threads), (1, *self.runs))

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        reason = self._find_shape_misfit()
        if reason is not None:
            return reason
        if is_under_mark(node, MARK_KERNEL):
            return "the band is inside of a kernel"
        sets = _domains(node)
        if len(sets) != N_SWEEPS:
            return f"found {len(sets)} statements, expected {N_SWEEPS} sweeps"
        n_dim = len(self.tile)
        if any(s.dim(isl.dim_type.set) != n_dim + 1 for s in sets):
            return f"found {n_dim} tile sizes, expected one for each loop over space"
        if _launched(sets[0], self.sweeps).is_empty():
            return f"found too few time steps for two launches of {self.sweeps} sweeps"
        return None

    def _find_shape_misfit(self) -> str | None:
        if self.sweeps < 3 or self.sweeps % 2 == 0:
            return f"found {self.sweeps} sweeps, expected an odd number from 3 on"
        lengths = {len(self.threads), len(self.runs), len(self.tile) - 1}
        if len(lengths) > 1 or len(self.tile) not in (2, 3):
            return "expected threads and runs for each of 2 or 3 tile sizes but one"
        if min(*self.tile, *self.threads) < 1 or any(r not in RUNS for r in self.runs):
            return f"expected positive sizes, and runs of {RUNS}"
        if prod(self.threads) > MAX_THREADS:
            return f"found {prod(self.threads)} threads in a block, at most 1024 fit"
        pairs = zip(self.threads, self.runs, self.tile[1:], strict=True)
        for k, (count, run, size) in enumerate(pairs):
            if count * run < size + 2 or (count * run - size) % 2:
                return (
                    f"found {count} threads with {run} points each for a tile of {size}"
                    " points, expected an even number more"
                )
            is_last = k == len(self.runs) - 1
            if is_last and (size % run or (count * run - size) // 2 % run):
                return f"found runs of {run} for a tile of {size} points"
        return None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return False

    def check(self, tree: ScheduleTree, deps: Dependences) -> str | None:
        reason = self.find_misfit(tree)
        if reason is not None:
            return reason
        if deps.scop is not None:
            domain = tree.node(self.band).get_domain()
            try:
                found = read_sweeps(deps.scop, deps, domain)
            except AnalysisError as error:
                return f"{self.name}: {error.message}"
            for k, (halo, r) in enumerate(
                zip(self._shape.halos[1:], found.radius[1:], strict=True)
            ):
                if halo < r * self.sweeps:
                    return (
                        f"{self.name}: found {halo} points beside a tile along loop "
                        f"{k + 1} over space, {self.sweeps} sweeps read {r} each"
                    )
        return super().check(tree, deps)

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        sets = _domains(node)
        times = {
            s.get_tuple_name(): _Time(s, self.sweeps, k) for k, s in enumerate(sets)
        }
        launched = [_launched(s, self.sweeps) for s in sets]
        rest = [a.subtract(b).coalesce() for a, b in zip(sets, launched, strict=True)]
        permutable = [True] * len(self.tile)
        points = [
            _sum([time.point(k) for time in times.values()])
            for k in range(1, len(self.tile) + 1)
        ]
        node = node.cut()
        has_rest = any(not r.is_empty() for r in rest)
        parts = [_union(launched), *([_union(rest)] if has_rest else [])]
        node = _sequence(node, parts)
        if has_rest:
            leaf = node.child(1).child(0)
            leaf = insert_band(leaf, points, permutable, permutable=True)
            universes = [_union([isl.Set.universe(s.get_space())]) for s in sets]
            leaf = leaf.insert_sequence(_filters(leaf, universes))
            steps = _sum([time.time for time in times.values()])
            leaf = insert_band(leaf, [steps], [False], permutable=True)
            node = leaf.parent().parent()
        leaf = node.child(0).child(0)
        halves = [
            _union([time.half(k) for time in times.values()]) for k in range(N_SWEEPS)
        ]
        leaf = leaf.insert_sequence(_filters(leaf, halves))
        for k in range(N_SWEEPS):
            inner = leaf.child(k).child(0)
            inner = insert_band(inner, points, permutable, permutable=True)
            numbers = _sum([time.sweep(k) for time in times.values()])
            inner = insert_band(inner, [numbers], [False], permutable=True)
            inner = insert_mark(insert_mark(inner, self._shape.mark), MARK_KERNEL)
            leaf = inner.parent().parent()
        group = _sum([time.group for time in times.values()])
        return insert_band(leaf, [group], [False], permutable=True)


@dataclass(frozen=True, eq=False)
class _Time:
    """When a statement's instances run, as functions of them."""

    instances: isl.Set
    sweeps: int
    number: int

    def point(self, k: int) -> isl.PwAff:
        """An iterator."""
        space = isl.LocalSpace.from_space(self.instances.get_space())
        return isl.PwAff.from_aff(isl.Aff.var_on_domain(space, isl.dim_type.set, k))

    @property
    def time(self) -> isl.PwAff:
        """The time step."""
        return self.point(0)

    @property
    def _since(self) -> isl.PwAff:
        """Time steps since the first."""
        first, _ = _first_and_last(self.instances)
        return self.time.sub(first)

    @property
    def group(self) -> isl.PwAff:
        """The pair of launches."""
        return self._since.scale_down_val(isl.Val(self.sweeps)).floor()

    def sweep(self, half: int) -> isl.PwAff:
        """The number of the sweep in one of the two launches of its pair."""
        steps = self._since.sub(self.group.scale_val(isl.Val(self.sweeps)))
        number = self.number - half * self.sweeps
        return steps.scale_val(isl.Val(N_SWEEPS)).add_constant_val(isl.Val(number))

    def half(self, number: int) -> isl.Set:
        """Instances of one of the two launches."""
        sweep = self.sweep(number)
        zero = sweep.sub(sweep)
        most = zero.add_constant_val(isl.Val(self.sweeps - 1))
        return sweep.ge_set(zero).intersect(sweep.le_set(most))


def _first_and_last(instances: isl.Set) -> tuple[isl.PwAff, isl.PwAff]:
    """The first and the last time step, over the instances."""
    n = int(instances.dim(isl.dim_type.set))
    times = instances.project_out(isl.dim_type.set, 1, n - 1).reset_tuple_id()
    space = instances.get_space()
    low, high = times.dim_min(0).coalesce(), times.dim_max(0).coalesce()
    return low.insert_domain(space), high.insert_domain(space)


def _launched(instances: isl.Set, sweeps: int) -> isl.Set:
    """Instances of whole pairs of launches before the last time step."""
    first, last = _first_and_last(instances)
    groups = last.sub(first).scale_down_val(isl.Val(sweeps)).floor()
    group = _Time(instances, sweeps, 0).group
    return group.lt_set(groups).intersect(instances).coalesce()


def _domains(node: isl.ScheduleNode) -> list[isl.Set]:
    """Instances per statement, in the order of the source."""
    found = [s for s in list_sets(node.get_domain()) if not s.is_empty()]
    return sorted(found, key=lambda s: int(s.get_tuple_name()[1:]))


def _sum(pieces: Sequence[isl.PwAff]) -> isl.UnionPwAff:
    total = isl.UnionPwAff.from_pw_aff(pieces[0])
    for piece in pieces[1:]:
        total = total.union_add(isl.UnionPwAff.from_pw_aff(piece))
    return total


def _union(sets: Sequence[isl.Set]) -> isl.UnionSet:
    total = isl.UnionSet("{ }")
    for s in sets:
        total = total.union(isl.UnionSet.from_set(s))
    return total


def _filters(node: isl.ScheduleNode, parts: Sequence[isl.UnionSet]) -> isl.UnionSetList:
    filters = isl.UnionSetList.alloc(node.get_ctx(), len(parts))
    for part in parts:
        filters = filters.add(part)
    return filters


def _sequence(
    node: isl.ScheduleNode, parts: Sequence[isl.UnionSet]
) -> isl.ScheduleNode:
    return node.insert_sequence(_filters(node, parts))
