"""What a device runs as one kernel, and how blocks and threads share its loops."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences, loop_is_parallel
from polysched.ir import (
    MARK_GRID,
    MARK_KERNEL,
    MARK_THREADS,
    NodePath,
    ScheduleTree,
)
from polysched.sets import node_kind
from polysched.transform.bands import (
    coincident_flags,
    insert_band,
    insert_mark,
    insert_runs,
    member_schedules,
    tile_member,
)
from polysched.transform.draft import is_under_mark
from polysched.transform.step import Step, find_node, option

MAX_GRID_MEMBERS = 6  # x, y, and the others together on z
N_AXES = 3  # of a block's threads, and of a grid
MAX_THREADS = 1024  # of a block, on every architecture
RUNS = (1, 2, 4)  # elements of the vectors that a device loads


@dataclass(frozen=True)
class Launch(Step):
    """Make a kernel of a band: its leading members are shared by blocks and threads.

    The leading members are tiled; each tile is a thread block (marks ``kernel`` and
    ``grid`` above the band of tiles), and the points of a tile are dealt out to the
    threads (mark ``threads:n,...`` above them). Members behind them, and everything
    below, run within a thread::

        kernel: grid: it = 32*floor(i/32), jt = 32*floor(j/32)
                  threads:8,32: i, j          rows dealt out in turn to 8 threads
                    k ...

    Attributes
    ----------
    band : tuple of int
        Path of the band.
    tile : tuple of int
        Values of each leading member in a block, outermost member first.
    threads : tuple of int
        Threads that share them, each a divisor of its tile size. The last is the
        fastest varying (``threadIdx.x``).
    member : int
        The first member that is shared; those before it stay loops of the host.
    run : int
        Neighbouring values of the last member that one thread takes, 1, 2 or 4: where
        their elements lie side by side, and aligned, they are loaded and stored as
        vectors.
    """

    tile: tuple[int, ...]
    threads: tuple[int, ...]
    member: int = 0
    run: int = option(1)

    name: ClassVar[str] = "launch"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        reason = find_share_misfit(node, self.member, self.tile, self.threads, 1)
        if reason is not None:
            return reason
        if self.run not in RUNS:
            return f"found runs of {self.run}, expected one of {RUNS}"
        if self.tile[-1] % (self.threads[-1] * self.run):
            return f"found runs of {self.run} for {self.tile[-1]} values"
        return None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        node = tree.node(self.band)
        members = range(self.member, self.member + len(self.tile))
        return all(loop_is_parallel(node, m, deps.validity) for m in members)

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        if self.member:
            node = node.band_split(self.member).child(0)
        n_shared = len(self.tile)
        if node.band_n_member() > n_shared:
            node = node.band_split(n_shared)
        flags = coincident_flags(node)
        tiles = [
            tile_member(member, size)
            for member, size in zip(member_schedules(node), self.tile, strict=True)
        ]
        counts = ",".join(str(n) for n in self.threads)
        if self.run > 1:
            node = insert_runs(node, n_shared - 1, self.run)
            counts += ":" + ",".join("1" * (n_shared - 1) + str(self.run))
        node = insert_mark(node, f"{MARK_THREADS}:{counts}")
        node = insert_band(node, tiles, flags, permutable=True)
        return insert_mark(insert_mark(node, MARK_GRID), MARK_KERNEL)


def find_share_misfit(
    node: isl.ScheduleNode,
    member: int,
    tile: tuple[int, ...],
    threads: tuple[int, ...],
    least: int,
) -> str | None:
    """Why members of a band cannot be shared by blocks and threads, or None.

    Parameters
    ----------
    node : isl.ScheduleNode
        The band.
    member : int
        The first one that is shared.
    tile, threads : tuple of int
        Of each shared member the values in a block, and the threads that share them.
    least : int
        Smallest tile size: 1, or 0 where it means all values.
    """
    if not 0 <= member < node.band_n_member():
        return f"found member {member}, expected one of the band"
    most = min(node.band_n_member() - member, MAX_GRID_MEMBERS)
    if not 1 <= len(tile) <= most:
        return f"found {len(tile)} tile sizes, expected 1 to {most}"
    if len(threads) != len(tile):
        return f"found {len(threads)} thread counts for {len(tile)} tile sizes"
    for size, count in zip(tile, threads, strict=True):
        if count < 1 or size < least or size % count:
            return f"found {count} threads for {size} values, expected a divisor"
    if prod(threads) > MAX_THREADS:
        return f"found {prod(threads)} threads in a block, at most {MAX_THREADS} fit"
    if is_under_mark(node, MARK_KERNEL):
        return "the band is inside of a kernel"
    return find_axis_misfit(threads)


def find_axis_misfit(threads: tuple[int, ...]) -> str | None:
    """Members that share the axis z have no threads of their own."""
    outside = threads[: len(threads) - N_AXES + 1] if len(threads) > N_AXES else ()
    if any(n > 1 for n in outside):
        return f"found threads for {len(threads)} members, only the last 2 may have any"
    return None


@dataclass(frozen=True)
class Single(Step):
    """Make a kernel of one thread of a part of the tree.

    Attributes
    ----------
    band : tuple of int
        Path of the part: any node that a mark may stand above.
    """

    name: ClassVar[str] = "single"

    def _misfit(self, tree: ScheduleTree) -> str | None:
        node = find_node(tree, self.band)
        if node is None:
            at = ".".join(str(k) for k in self.band)
            return f"{self.name}: found nothing at {at}, expected a node"
        return self.find_band_misfit(node)

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        if node_kind(node) in ("domain", "filter", "set"):
            return f"found a {node_kind(node)} node, expected what is below it"
        if is_under_mark(node, MARK_KERNEL):
            return "the node is inside of a kernel"
        return None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return True

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        if node_kind(node) == "leaf":  # isl cannot read a mark without a child back
            node = insert_band(node, [_zero(node)], [True], permutable=True)
        return insert_mark(node, MARK_KERNEL)


def _zero(node: isl.ScheduleNode) -> isl.UnionPwAff:
    """0 for every instance below a node."""
    domain = node.get_universe_domain()
    return isl.UnionPwAff.val_on_domain(domain, isl.Val(0))


def launch_places(tree: ScheduleTree) -> tuple[NodePath, ...]:
    """Nodes outside of kernels below which nothing is in a kernel, outermost first."""
    found: list[NodePath] = []

    def visit(node: isl.ScheduleNode, path: NodePath) -> None:
        if node_kind(node) == "mark" and _is_kernel(node):
            return
        if not _has_kernel(node) and node_kind(node) not in ("domain", "filter"):
            found.append(path)
            return
        for k in range(node.n_children()):
            visit(node.child(k), (*path, k))

    visit(tree.root, ())
    return tuple(found)


def _is_kernel(node: isl.ScheduleNode) -> bool:
    return str(node.mark_get_id().get_name()) == MARK_KERNEL


def _has_kernel(node: isl.ScheduleNode) -> bool:
    if node_kind(node) == "mark" and _is_kernel(node):
        return True
    return any(_has_kernel(node.child(k)) for k in range(node.n_children()))
