"""Sums that the threads and blocks of a device share."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences, find_copied_reduction, runs_over_terms
from polysched.ir import (
    MARK_GRID,
    MARK_KERNEL,
    MARK_THREADS,
    ScheduleTree,
)
from polysched.transform.bands import (
    coincident_flags,
    insert_band,
    insert_mark,
    join_below,
    member_schedules,
    tile_member,
)
from polysched.transform.draft import has_marks
from polysched.transform.launch import MAX_THREADS, find_share_misfit
from polysched.transform.step import Step


@dataclass(frozen=True)
class LaunchSum(Step):
    """Make a kernel of sums: blocks and threads add up terms of the same element.

    Leading members of the band are shared as by `Launch`, among them such as run over
    terms of a sum that may be reordered. Each thread adds up its own terms, the threads
    of a block put theirs together pair by pair, and where several blocks have terms of
    one element, a second kernel adds up what they found, one block for each part of
    the results::

        kernel: grid:y:8,32: it = 1*floor(i/1), jt = 4096*floor(j/4096)
                  threads:1,128:1,1:y: i, j

    Attributes
    ----------
    band : tuple of int
        Path of the band; bands directly below each other under it count as its last
        members. All its sums run along the same of its members; what else is below, a
        thread runs beside their terms.
    tile : tuple of int
        Values of each leading member in a block, outermost member first; 0 where a
        block runs all of them.
    threads : tuple of int
        Threads that share them. The last is the fastest varying (``threadIdx.x``).
    arrays : tuple of str
        The arrays that the sums are in.
    parts : tuple of int
        Threads of the second kernel over what blocks found and, behind it, over
        neighbouring results.
    member : int
        The first member that is shared; those before it stay loops of the host.
    """

    tile: tuple[int, ...]
    threads: tuple[int, ...]
    arrays: tuple[str, ...]
    parts: tuple[int, ...]
    member: int = 0

    name: ClassVar[str] = "launch_sum"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        joined = join_below(node, self.member + len(self.tile))
        misfit = find_share_misfit(joined, self.member, self.tile, self.threads, 0)
        if misfit is not None:
            return misfit
        n_arrays = len(set(self.arrays))
        if n_arrays < 1 or n_arrays < len(self.arrays):
            return "found no arrays, or one of them twice"
        if len(self.parts) != 2 or min(self.parts) < 1:
            return "found no thread counts over parts and results"
        if prod(self.parts) > MAX_THREADS:
            return f"found more than {MAX_THREADS} threads in a block"
        if has_marks(node):
            return "found marks below the band"
        return None

    def check(self, tree: ScheduleTree, deps: Dependences) -> str | None:
        reason = super().check(tree, deps)
        if reason is not None:
            return reason
        node = join_below(tree.node(self.band), self.member + len(self.tile))
        along = set()
        for array in self.arrays:
            found = find_copied_reduction(node, array, deps, on_device=True)
            if found is None:
                return f"nothing in the loop is a sum in {array} that may be reordered"
            members = range(self.member, self.member + len(self.tile))
            along.add(tuple(runs_over_terms(node, m, found) for m in members))
        if len(along) > 1:
            return "the sums run along different members of the band"
        return None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return False

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        node = join_below(node, self.member + len(self.tile))
        if self.member:
            node = node.band_split(self.member).child(0)
        if node.band_n_member() > len(self.tile):
            node = node.band_split(len(self.tile))
        flags = coincident_flags(node)
        arrays = ",".join(self.arrays)
        tiled = [
            (tile_member(member, size), flag)
            for member, flag, size in zip(
                member_schedules(node), flags, self.tile, strict=True
            )
            if size
        ]
        if not tiled:  # one block
            domain = node.get_universe_domain()
            tiled = [(isl.UnionPwAff.val_on_domain(domain, isl.Val(0)), True)]
        counts = ",".join(str(n) for n in self.threads)
        runs = ",".join("1" for _ in self.threads)
        node = insert_mark(node, f"{MARK_THREADS}:{counts}:{runs}:{arrays}")
        members, coincident = [m for m, _ in tiled], [f for _, f in tiled]
        node = insert_band(node, members, coincident, permutable=True)
        parts = ",".join(str(n) for n in self.parts)
        node = insert_mark(node, f"{MARK_GRID}:{arrays}:{parts}")
        return insert_mark(node, MARK_KERNEL)
