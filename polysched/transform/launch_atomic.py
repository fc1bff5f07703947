"""Updates that the threads of a device make in one go, wherever data say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import islpy as isl

from polysched.analysis import (
    Dependences,
    find_atomic_updates,
    read_atomic,
    updates_alone,
)
from polysched.ir import (
    MARK_GRID,
    MARK_KERNEL,
    MARK_THREADS,
    ScheduleTree,
    Scop,
    atomics_words,
)
from polysched.sets import list_sets, node_kind
from polysched.transform.bands import (
    coincident_flags,
    insert_band,
    insert_mark,
    member_schedules,
    tile_member,
)
from polysched.transform.launch import find_share_misfit
from polysched.transform.step import Step


@dataclass(frozen=True)
class LaunchAtomic(Step):
    """Make a kernel of loops over updates: its threads make each of them in one go.

    Leading loops are shared by blocks and threads as by `Launch`, those of the bands
    directly below the band among them. Updates of the same element by several threads
    are atomic; where each block has a copy of an array, its threads update that, and
    the block then every element of the array once::

        kernel: grid:by-atomics:s:s: it = 4096*floor(i/4096)
                  threads:128:1:by-atomics:s: i

    Attributes
    ----------
    band : tuple of int
        Path of the outermost band.
    tile : tuple of int
        Values of each shared loop in a block, outermost first; 0 where a block runs all
        of them.
    threads : tuple of int
        Threads that share them, each a divisor of its tile size. The last is the
        fastest varying (``threadIdx.x``).
    arrays : tuple of str
        That are updated, by statements that do nothing else.
    copied : tuple of str
        Those of them that each block has a copy of in shared memory.
    member : int
        The first loop that is shared; those before it stay loops of the host.
    """

    tile: tuple[int, ...]
    threads: tuple[int, ...]
    arrays: tuple[str, ...]
    copied: tuple[str, ...] = ()
    member: int = 0

    name: ClassVar[str] = "launch_atomic"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        if not self.arrays or len(set(self.arrays)) < len(self.arrays):
            return "found no arrays, or one of them twice"
        if not set(self.copied) <= set(self.arrays):
            return "found copies of an array that is not updated"
        joined = join_below(node, self.member + len(self.tile))
        return find_share_misfit(joined, self.member, self.tile, self.threads, 0)

    def check(self, tree: ScheduleTree, deps: Dependences) -> str | None:
        reason = super().check(tree, deps)
        if reason is not None or deps.scop is None:
            return reason
        here = {
            s.get_tuple_name() for s in list_sets(tree.node(self.band).get_domain())
        }
        for array in self.arrays:
            if not can_update(deps.scop, deps, array, here):
                return f"no device updates {array} in one go here"
        return None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return False

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        n_shared = len(self.tile)
        node = join_below(node, self.member + n_shared)
        if self.member:
            node = node.band_split(self.member).child(0)
        if node.band_n_member() > n_shared:
            node = node.band_split(n_shared)
        flags = coincident_flags(node)
        all_of_it = isl.UnionPwAff.val_on_domain(node.get_universe_domain(), isl.Val(0))
        tiles = [
            tile_member(member, size) if size else all_of_it
            for member, size in zip(member_schedules(node), self.tile, strict=True)
        ]
        words = atomics_words(self.arrays, self.copied)
        counts = ",".join(map(str, self.threads))
        runs = ",".join("1" for _ in self.threads)
        node = insert_mark(node, f"{MARK_THREADS}:{counts}:{runs}{words}")
        node = insert_band(node, tiles, flags, permutable=False)
        return insert_mark(insert_mark(node, f"{MARK_GRID}{words}"), MARK_KERNEL)


def join_below(node: isl.ScheduleNode, n_members: int) -> isl.ScheduleNode:
    """The band with those directly below it, until it has so many members or all."""
    while node.band_n_member() < n_members and node_kind(node.child(0)) == "band":
        below = node.child(0)
        members = [*member_schedules(node), *member_schedules(below)]
        flags = [*coincident_flags(node), *coincident_flags(below)]
        inner = node.delete().delete()
        node = insert_band(inner, members, flags, permutable=False)
    return node


def can_update(scop: Scop, deps: Dependences, array: str, statements: set[str]) -> bool:
    """Whether updates are all that some statements do to an array, and atomic."""
    found = find_atomic_updates(deps.reductions, [array], statements)
    return (
        bool(found)
        and updates_alone(scop, array, statements, found)
        and scop.array(array).n_expanded == 0
        and all(read_atomic(scop.statement(s).body[0]) for s in found)
    )
