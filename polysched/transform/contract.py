"""Kernels of contractions: tiles in shared memory, a thread's share in registers."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences, loop_is_parallel
from polysched.ir import (
    MARK_GRID,
    MARK_KERNEL,
    MARK_STAGE,
    MARK_THREADS,
    ScheduleTree,
)
from polysched.ir.types import DOUBLE, FLOAT
from polysched.sets import list_sets, node_kind
from polysched.transform.bands import (
    coincident_flags,
    insert_band,
    insert_mark,
    is_permutable,
    member_schedules,
    tile_member,
)
from polysched.transform.draft import is_under_mark
from polysched.transform.launch import (
    MAX_GRID_MEMBERS,
    MAX_THREADS,
    find_axis_misfit,
)
from polysched.transform.step import Step, option

MAX_STAGES = 8
WARP = 32  # threads
TENSOR, BULK = "tensor", "bulk"  # words of the mark, and options of the step
TENSOR_SIDE, DEPTH = 16, 8  # results along a side, and terms, of two instructions
HALF_DEPTH = 16  # where factors have two bytes


@dataclass(frozen=True)
class Contract(Step):
    """Make a kernel of a contraction whose operands go through shared memory.

    The leading members move the result: they are tiled, a tile is a block, and its
    points are dealt out to threads, each of which holds its results in registers. The
    others do not: they are tiled as well, and for each of their tiles the block copies
    what it reads to shared memory, `stages` tiles ahead of each other. Where there are
    no others, there is one tile::

        kernel: grid: it = 128*floor(i/128), jt = 128*floor(j/128)
                  stage:3: kt = 16*floor(k/16)
                    k
                      threads:16,16:1,4: i, j

    Attributes
    ----------
    band : tuple of int
        Path of the band, with one statement below; bands directly below it count as
        its last members.
    tile : tuple of int
        Values of each member in a tile. What is not permutable must fit in one tile.
    threads : tuple of int
        Threads of a block, one count per leading member; the last is the fastest
        varying (``threadIdx.x``).
    runs : tuple of int
        Neighbouring values of each leading member that one thread takes.
    stages : int
        Tiles in shared memory at a time; 1 copies and computes in turn.
    tensor : bool
        Multiply 16 x 8 by 8 x 8 elements at a time in tensor cores, which add terms in
        an order of their own: only reductions that may be reordered. Of floats they
        take 10 bits of mantissa, which has to be allowed, too; products of numbers of
        two bytes, 16 terms at a time, are exact. `threads` then counts
        warps, each of which takes neighbouring values; `runs` are its shares.
    bulk : bool
        Copy whole rows at a time where the processor can (sm_90) and rows are long and
        aligned; everything else goes as usual.
    """

    tile: tuple[int, ...]
    threads: tuple[int, ...]
    runs: tuple[int, ...]
    stages: int = 1
    tensor: bool = False
    bulk: bool = option(False)

    name: ClassVar[str] = "contract"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        bands = _chain(node)
        n_members, n_shared = sum(b.band_n_member() for b in bands), len(self.threads)
        if len(self.tile) != n_members:
            return f"found {len(self.tile)} tile sizes for {n_members} band members"
        if not 1 <= n_shared <= min(MAX_GRID_MEMBERS, n_members):
            return f"found {n_shared} thread counts for {n_members} band members"
        if len(self.runs) != n_shared:
            return f"found {len(self.runs)} runs for {n_shared} thread counts"
        if min(*self.tile, *self.threads, *self.runs) < 1:
            return "found a size, a count or a run below 1"
        for size, count, run in zip(self.tile, self.threads, self.runs, strict=False):
            if size % (count * run):
                return f"found {count} threads with runs of {run} for {size} values"
        if prod(self.threads) > MAX_THREADS:
            return f"found {prod(self.threads)} threads, at most {MAX_THREADS} fit"
        if not 1 <= self.stages <= MAX_STAGES:
            return f"found {self.stages} stages, expected 1 to {MAX_STAGES}"
        last = bands[-1].child(0)
        if node_kind(last) != "leaf" or len(list_sets(node.get_domain())) != 1:
            return "found more than one statement below the band"
        if is_under_mark(node, MARK_KERNEL):
            return "the band is inside of a kernel"
        return find_axis_misfit(self.threads) or self._find_tensor_misfit()

    def _find_tensor_misfit(self) -> str | None:
        """Why tensor cores cannot take the shape, or None."""
        if not self.tensor:
            return None
        if len(self.threads) < 2 or len(self.tile) != len(self.threads) + 1:
            return "found no product of matrices for tensor cores"
        if prod(self.threads) * WARP > MAX_THREADS:
            return (
                f"found {prod(self.threads)} warps, at most {MAX_THREADS // WARP} fit"
            )
        for size, count, run in zip(self.tile, self.threads, self.runs, strict=False):
            if count * run != size:
                return f"found runs of {run} for {count} warps and {size} values"
        if any(run % TENSOR_SIDE for run in self.runs[-2:]) or self.tile[-1] % DEPTH:
            return (
                f"found {list(self.runs)} x {self.tile[-1]}, expected multiples of "
                f"{TENSOR_SIDE}, {DEPTH}"
            )
        return None

    def check(self, tree: ScheduleTree, deps: Dependences) -> str | None:
        reason = super().check(tree, deps)
        if reason is not None or not self.tensor:
            return reason
        name = list_sets(tree.node(self.band).get_domain())[0].get_tuple_name()
        found = next((r for r in deps.reductions if r.statement == name), None)
        if found is None:
            return f"the terms of {name} may not be added in another order"
        type_ = found.target.type
        if found.halves is not None:
            depth = self.tile[-1]
            if depth % HALF_DEPTH:
                return f"found {depth} terms, expected multiples of {HALF_DEPTH}"
        elif type_ == FLOAT and not deps.may_round:
            return f"the factors of {name} may not be rounded to 10 bits of mantissa"
        if type_ not in (FLOAT, DOUBLE):
            return f"tensor cores add no numbers of type {type_.name}"
        return None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        node = tree.node(self.band)
        members = range(len(self.threads))
        if len(_chain(node)) > 1 or node.band_n_member() < len(self.threads):
            return False
        return is_permutable(node, deps) and all(
            loop_is_parallel(node, m, deps.validity) for m in members
        )

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        n_shared = len(self.threads)
        bands = _chain(node)
        members = [m for band in bands for m in member_schedules(band)]
        flags = [f for band in bands for f in coincident_flags(band)]
        tiles = [tile_member(m, s) for m, s in zip(members, self.tile, strict=True)]
        for _ in bands:
            node = node.delete()
        node = insert_band(node, members[:n_shared], flags[:n_shared], True)
        counts = ",".join(str(n) for n in self.threads)
        runs = ",".join(str(n) for n in self.runs)
        node = insert_mark(node, f"{MARK_THREADS}:{counts}:{runs}")
        inner, outer, free = members[n_shared:], tiles[n_shared:], flags[n_shared:]
        if not inner:  # one term
            zero = isl.UnionPwAff.val_on_domain(node.get_universe_domain(), isl.Val(0))
            inner, outer, free = [zero], [zero], [True]
        node = insert_band(node, inner, free, True)
        node = insert_band(node, outer, free, True)
        words = [MARK_STAGE, str(self.stages)]
        words += [w for w in (TENSOR, BULK) if getattr(self, w)]
        node = insert_mark(node, ":".join(words))
        node = insert_band(node, tiles[:n_shared], flags[:n_shared], True)
        return insert_mark(insert_mark(node, MARK_GRID), MARK_KERNEL)


def _chain(node: isl.ScheduleNode) -> list[isl.ScheduleNode]:
    """A band, and the bands directly below each other under it."""
    found = [node]
    while node_kind(node.child(0)) == "band":
        node = node.child(0)
        found.append(node)
    return found
