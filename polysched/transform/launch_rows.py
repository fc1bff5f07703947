"""One kernel for all that is done to a row: a block has it, threads share each part."""

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
from polysched.sets import node_kind
from polysched.transform.bands import (
    coincident_flags,
    insert_band,
    insert_mark,
    member_schedules,
)
from polysched.transform.draft import has_marks, is_under_mark
from polysched.transform.launch import MAX_GRID_MEMBERS, MAX_THREADS, N_AXES
from polysched.transform.step import Step


@dataclass(frozen=True)
class LaunchRows(Step):
    """Make a kernel whose blocks have a row each, and do to it one thing after another.

    The leading members of the band tell rows. Each part of what is below them is shared
    by the threads of a block: the points of its loops, or the terms of a sum that may
    be reordered; what has no loop is done by one thread. Behind each part the threads
    wait for each other::

        kernel: grid: i
                  sequence
                    threads:128  0        m[i] = x[i][0]
                    threads:128:1:m  j    m[i] = max(m[i], x[i][j])
                    threads:128:1:s  j    s[i] += y[i][j] = exp(x[i][j] - m[i])
                    threads:128  j        y[i][j] /= s[i]

    Attributes
    ----------
    band : tuple of int
        Path of the band.
    members : int
        How many of its members tell rows: their points are blocks.
    threads : tuple of int
        Of a block, the last the fastest varying. So many loops of each part are shared
        at most, those of bands directly below each other; a part with fewer has the
        last threads.
    arrays : tuple of str
        Those of sums whose terms threads share; a part may have several.
    parts : tuple of int
        The part that each of them is in.
    """

    members: int
    threads: tuple[int, ...]
    arrays: tuple[str, ...] = ()
    parts: tuple[int, ...] = ()

    name: ClassVar[str] = "launch_rows"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        most = min(node.band_n_member(), MAX_GRID_MEMBERS)
        if not 1 <= self.members <= most:
            return f"found rows of {self.members} members, expected 1 to {most}"
        if not 1 <= prod(self.threads) <= MAX_THREADS or min(self.threads) < 1:
            return f"found {list(self.threads)} threads, at most {MAX_THREADS} fit"
        sums = tuple(zip(self.arrays, self.parts, strict=False))
        if len(self.arrays) != len(self.parts) or len(set(sums)) < len(sums):
            return "found not one part for each sum, or a sum twice"
        if is_under_mark(node, MARK_KERNEL):
            return "the band is inside of a kernel"
        if has_marks(node):
            return "found marks below the band"
        parts = row_parts(_cut(node, self.members))
        shared = [shared_bands(part, len(self.threads)) for part in parts]
        n_loops = max(1, *(sum(b.band_n_member() for b in bands) for bands in shared))
        if not n_loops == len(self.threads) <= N_AXES:
            return f"found {len(self.threads)} thread counts for {n_loops} loops"
        if any(not 0 <= k < len(parts) or not shared[k] for k in self.parts):
            return f"found sums of parts {list(self.parts)}, expected parts with loops"
        return None

    def check(self, tree: ScheduleTree, deps: Dependences) -> str | None:
        reason = super().check(tree, deps)
        if reason is not None:
            return reason
        parts = row_parts(_cut(tree.node(self.band), self.members))
        for array, k in zip(self.arrays, self.parts, strict=True):
            if find_copied_reduction(parts[k], array, deps, on_device=True) is None:
                return f"part {k} is no sum in {array} that may be reordered"
        return None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return False

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        below = _cut(node, self.members)
        if node_kind(below) in ("sequence", "set"):
            for k in range(below.n_children()):
                part = self._share(below.child(k).child(0), k)
                below = part.parent().parent()
        else:
            below = self._share(below, 0)
        return insert_mark(insert_mark(below.parent(), MARK_GRID), MARK_KERNEL)

    def _share(self, part: isl.ScheduleNode, number: int) -> isl.ScheduleNode:
        """A part under a mark for threads, with as many loops as all others."""
        pairs = zip(self.arrays, self.parts, strict=True)
        sums = [array for array, k in pairs if k == number]
        domain = part.get_universe_domain()
        zero = isl.UnionPwAff.val_on_domain(domain, isl.Val(0))
        bands = shared_bands(part, len(self.threads))
        members = [m for band in bands for m in member_schedules(band)]
        flags = [flag for band in bands for flag in coincident_flags(band)]
        missing = len(self.threads) - len(members)
        members, flags = [zero] * missing + members, [True] * missing + flags
        for _ in bands:
            part = part.delete()
        part = insert_band(part, members, flags, permutable=True)
        mark = f"{MARK_THREADS}:{','.join(str(n) for n in self.threads)}"
        if sums:
            mark += f":{','.join('1' for _ in self.threads)}:{','.join(sums)}"
        return insert_mark(part, mark)


def row_parts(below: isl.ScheduleNode) -> list[isl.ScheduleNode]:
    """What is done to a row one after another: the parts below its band."""
    if node_kind(below) in ("sequence", "set"):
        return [below.child(k).child(0) for k in range(below.n_children())]
    return [below]


def _cut(node: isl.ScheduleNode, n_members: int) -> isl.ScheduleNode:
    """The node below the leading members of a band, which become one of their own."""
    if node.band_n_member() > n_members:
        node = node.band_split(n_members)
    return node.child(0)


def shared_bands(part: isl.ScheduleNode, most: int) -> list[isl.ScheduleNode]:
    """Bands directly below each other, from a part on, of so many members at most."""
    found: list[isl.ScheduleNode] = []
    left = most
    while node_kind(part) == "band" and part.band_n_member() <= left:
        found.append(part)
        left -= part.band_n_member()
        part = part.child(0)
    return found
