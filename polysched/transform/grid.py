"""Kernels whose threads meet: blocks and threads named one after the other.

`Launch` makes a kernel whose threads never meet. Here a band is given to blocks first,
then bands below it to threads; what stands between runs in every thread of a block,
and behind each part that threads share they wait for each other::

    wavefront: w                                 loop of the host
      kernel: grid: it, jt                       `Grid`: a tile is a block
        t                                        each thread runs this loop
          sequence
            threads:8,32: i, j  of S0            `Threads`; then all wait
            threads:8,32: i, j  of S1            `Threads`; then all wait
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences, loop_is_parallel
from polysched.ir import MARK_GRID, MARK_KERNEL, MARK_THREADS, ScheduleTree
from polysched.sets import node_kind
from polysched.transform.bands import insert_mark, insert_runs
from polysched.transform.draft import is_under_mark
from polysched.transform.launch import MAX_GRID_MEMBERS, MAX_THREADS, N_AXES
from polysched.transform.step import Step, option

ROWS = (1, 2, 4, 8)  # that a thread takes at once


@dataclass(frozen=True)
class Grid(Step):
    """Make a kernel of a band of tiles: each point of some members is a block.

    Members before them stay loops of the host, members behind them and everything
    below run within a block, where `Threads` says which thread runs what.

    Attributes
    ----------
    band : tuple of int
        Path of the band.
    member : int
        The first member that counts blocks.
    members : int
        How many do.
    """

    member: int
    members: int

    name: ClassVar[str] = "grid"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        n_members = node.band_n_member() - self.member
        if not 0 <= self.member < node.band_n_member():
            return f"found member {self.member}, expected one of the band"
        most = min(n_members, MAX_GRID_MEMBERS)
        if not 1 <= self.members <= most:
            return f"found a grid of {self.members} members, expected 1 to {most}"
        if is_under_mark(node, MARK_KERNEL) or _has_mark(node, MARK_KERNEL):
            return "the band is inside of a kernel, or around one"
        return None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        node = tree.node(self.band)
        members = range(self.member, self.member + self.members)
        return all(loop_is_parallel(node, m, deps.validity) for m in members)

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        node = _cut_out(node, self.member, self.members)
        return insert_mark(insert_mark(node, MARK_GRID), MARK_KERNEL)


@dataclass(frozen=True)
class Threads(Step):
    """Share members of a band among the threads of a block.

    Their values are dealt out in turn: with 8 threads, every eighth value goes to the
    same thread. Members before them are loops of all threads, members behind them and
    everything below run within one thread. All threads of the block wait for each
    other before what comes next.

    Attributes
    ----------
    band : tuple of int
        Path of the band.
    counts : tuple of int
        Threads per member, the last the fastest varying (``threadIdx.x``); the same in
        all parts of a kernel.
    member : int
        The first member that is shared.
    run : int
        Neighbouring values of it that one thread takes, 1, 2, 4 or 8: what several of
        them read is loaded once.
    """

    counts: tuple[int, ...]
    member: int = 0
    run: int = option(1)

    name: ClassVar[str] = "threads"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        n_members = node.band_n_member() - self.member
        if not 0 <= self.member < node.band_n_member():
            return f"found member {self.member}, expected one of the band"
        most = min(n_members, N_AXES)
        if not 1 <= len(self.counts) <= most:
            return f"found {len(self.counts)} thread counts, expected 1 to {most}"
        if min(self.counts) < 1:
            return f"found {min(self.counts)} threads, expected at least 1"
        if prod(self.counts) > MAX_THREADS:
            return f"found {prod(self.counts)} threads, at most {MAX_THREADS} fit"
        if is_under_mark(node, MARK_THREADS) or _has_mark(node, MARK_THREADS):
            return "threads share a band around this one, or one below it"
        if self.run not in ROWS:
            return f"found runs of {self.run}, expected one of {ROWS}"
        return None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        node = tree.node(self.band)
        members = range(self.member, self.member + len(self.counts))
        return all(loop_is_parallel(node, m, deps.validity) for m in members)

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        node = _cut_out(node, self.member, len(self.counts))
        counts = ",".join(str(n) for n in self.counts)
        if self.run > 1:
            node = insert_runs(node, 0, self.run)
            counts += ":" + ",".join([str(self.run), *"1" * (len(self.counts) - 1)])
        return insert_mark(node, f"{MARK_THREADS}:{counts}")


def _cut_out(node: isl.ScheduleNode, first: int, count: int) -> isl.ScheduleNode:
    """Some members of a band as a band of their own."""
    if first:
        node = node.band_split(first).child(0)
    if node.band_n_member() > count:
        node = node.band_split(count)
    return node


def _has_mark(node: isl.ScheduleNode, name: str) -> bool:
    """Whether a mark of a kind stands below a node."""
    for k in range(node.n_children()):
        below = node.child(k)
        if node_kind(below) == "mark":
            words = str(below.mark_get_id().get_name()).split(":")
            if words[0] == name:
                return True
        if _has_mark(below, name):
            return True
    return False
