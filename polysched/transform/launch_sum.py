"""Sums that the threads and blocks of a device share."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences, find_copied_reduction
from polysched.ir import (
    MARK_GRID,
    MARK_KERNEL,
    MARK_THREADS,
    ScheduleTree,
)
from polysched.sets import list_sets, node_kind
from polysched.transform.bands import (
    coincident_flags,
    insert_band,
    insert_mark,
    member_schedules,
    tile_member,
)
from polysched.transform.launch import MAX_THREADS, find_share_misfit
from polysched.transform.step import Step


@dataclass(frozen=True)
class LaunchSum(Step):
    """Make a kernel of a sum: blocks and threads add up terms of the same element.

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
        Path of the band, with one statement and nothing but bands below.
    tile : tuple of int
        Values of each leading member in a block, outermost member first; 0 where a
        block runs all of them.
    threads : tuple of int
        Threads that share them. The last is the fastest varying (``threadIdx.x``).
    arrays : tuple of str
        The array that the sum is in.
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
        misfit = find_share_misfit(node, self.member, self.tile, self.threads, 0)
        if misfit is not None:
            return misfit
        if len(self.arrays) != 1 or len(self.parts) != 2 or min(self.parts) < 1:
            return "found no array with thread counts over parts and results"
        if prod(self.parts) > MAX_THREADS:
            return f"found more than {MAX_THREADS} threads in a block"
        if len(list_sets(node.get_domain())) != 1 or not _is_chain(node):
            return "found more than one statement below the band"
        return None

    def check(self, tree: ScheduleTree, deps: Dependences) -> str | None:
        reason = super().check(tree, deps)
        if reason is not None:
            return reason
        (array,) = self.arrays
        found = find_copied_reduction(
            tree.node(self.band), array, deps, with_extrema=True
        )
        if found is None:
            return f"nothing in the loop is a sum in {array} that may be reordered"
        return None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return False

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        if self.member:
            node = node.band_split(self.member).child(0)
        if node.band_n_member() > len(self.tile):
            node = node.band_split(len(self.tile))
        flags = coincident_flags(node)
        (array,) = self.arrays
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
        node = insert_mark(node, f"{MARK_THREADS}:{counts}:{runs}:{array}")
        members, coincident = [m for m, _ in tiled], [f for _, f in tiled]
        node = insert_band(node, members, coincident, permutable=True)
        parts = ",".join(str(n) for n in self.parts)
        node = insert_mark(node, f"{MARK_GRID}:{array}:{parts}")
        return insert_mark(node, MARK_KERNEL)


def _is_chain(node: isl.ScheduleNode) -> bool:
    """Whether nothing but bands stands below a band."""
    while node_kind(node) == "band":
        node = node.child(0)
    return node_kind(node) == "leaf"
