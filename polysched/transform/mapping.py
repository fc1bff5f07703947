"""Which loops threads and vector lanes share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import islpy as isl

from polysched.analysis import (
    Dependences,
    find_accumulation,
    find_copied_reduction,
    loop_is_parallel,
)
from polysched.ir import (
    MARK_ACCUMULATE,
    MARK_BACKWARDS,
    MARK_PARALLEL,
    MARK_VECTOR,
    ScheduleTree,
)
from polysched.sets import node_kind
from polysched.transform.bands import insert_mark
from polysched.transform.step import Step, option


@dataclass(frozen=True)
class Parallel(Step):
    """Mark the loop of one band member to be shared by threads.

    Members before it are split off, so that the mark ``parallel`` stands above a band
    whose first member is the loop.

    Attributes
    ----------
    band : tuple of int
        Path of the band.
    member : int
        Position of the member.
    dynamic : bool
        Hand out iterations as threads become free (mark ``parallel:dynamic``), for
        domains whose iterations differ in work.
    backwards: bool
        The same from the last iteration to the first (``parallel:backwards``), where
        that has the most work: what is begun last is then soon done.
    chunk : int
        Iterations to hand out at a time (``parallel:dynamic,16``); 0 for single ones.
    """

    member: int = 0
    dynamic: bool = False
    backwards: bool = option(False)
    chunk: int = option(0)

    name: ClassVar[str] = "parallel"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        if self.backwards and not self.dynamic:
            return "found backwards, expected dynamic with it"
        if self.chunk < 0 or (self.chunk and not self.dynamic):
            return f"found chunk {self.chunk}, expected dynamic and a positive number"
        return _find_member(node, self.member) or find_outer_mark(node, MARK_PARALLEL)

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return loop_is_parallel(tree.node(self.band), self.member, deps.validity)

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        words = [MARK_PARALLEL]
        if self.dynamic:
            chunk = f",{self.chunk}" if self.chunk else ""
            words.append((MARK_BACKWARDS if self.backwards else "dynamic") + chunk)
        return insert_mark(_from_member(node, self.member), ":".join(words))


@dataclass(frozen=True)
class ShareSums(Step):
    """Mark a loop to be shared by threads, each of which adds to copies of its own.

    Before the loop every thread has a copy of the arrays, filled with zeros (ones for
    products); behind it they are added up, thread after thread. Only sums are copied
    whose terms may be reordered (`Dependences.reductions`) and whose array nothing
    else in the loop depends on. The mark is ``parallel:static:s,t``.

    Attributes
    ----------
    band : tuple of int
        Path of the band.
    member : int
        Position of the member.
    arrays : tuple of str
        What is copied.
    """

    member: int = 0
    arrays: tuple[str, ...] = ()

    name: ClassVar[str] = "share_sums"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        if not self.arrays:
            return "found no arrays, expected those that the loop adds to"
        return _find_member(node, self.member) or find_outer_mark(node, MARK_PARALLEL)

    def check(self, tree: ScheduleTree, deps: Dependences) -> str | None:
        reason = super().check(tree, deps)
        if reason is not None:
            return reason
        node = tree.node(self.band)
        for array in self.arrays:
            if find_copied_reduction(node, array, deps) is None:
                return f"nothing in the loop is a sum in {array} that may be reordered"
        return None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return False

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        mark = f"{MARK_PARALLEL}:static:{','.join(self.arrays)}"
        return insert_mark(_from_member(node, self.member), mark)


@dataclass(frozen=True)
class Vector(Step):
    """Mark the loop of one band member to run in vector lanes.

    The member is split off into a band of its own under a mark ``vector``; members
    after it stay in a band below, where `Jam` leaves its unrolled copies.

    Attributes
    ----------
    band : tuple of int
        Path of the band.
    member : int
        Position of the member.
    lanes : int
        Iterations to a vector (mark ``vector:4``); 0 leaves that to the compiler, which
        takes another number, too, where it has no such vectors.
    whole : bool
        Begin vectors at multiples of the lanes, and let a vector at either end run
        iterations that another runs as well (mark ``vector:4:whole``). Done by code
        generation where bounds are numbers and iterations may run twice: none reads
        what the loop writes.
    """

    member: int = 0
    lanes: int = option(0)
    whole: bool = option(False)

    name: ClassVar[str] = "vector"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        if self.lanes < 0 or self.lanes & (self.lanes - 1):
            return f"found {self.lanes} lanes, expected a power of two, or 0"
        if self.whole and self.lanes < 2:
            return f"found whole vectors of {self.lanes} lanes, expected 2 or more"
        return _find_member(node, self.member) or find_outer_mark(node, MARK_VECTOR)

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return loop_is_parallel(tree.node(self.band), self.member, deps.validity)

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        node = _from_member(node, self.member)
        if node.band_n_member() > 1:
            node = node.band_split(1)
        words = [MARK_VECTOR, *([str(self.lanes)] if self.lanes else [])]
        return insert_mark(node, ":".join([*words, *(["whole"] * self.whole)]))


@dataclass(frozen=True)
class Accumulate(Step):
    """Mark an innermost loop that accumulates into one element to do so in lanes.

    Every vector lane accumulates a part of the terms, and the parts are put together
    behind the loop: the terms come in another order. Only reductions of which
    `Dependences.reductions` allows that are marked. The member is split off into a
    band of its own under a mark ``accumulate``.

    Attributes
    ----------
    band : tuple of int
        Path of the band, with no other band below.
    member : int
        Position of the member, the last one.
    """

    member: int = 0

    name: ClassVar[str] = "accumulate"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        if self.member != node.band_n_member() - 1:
            last = node.band_n_member() - 1
            return f"found member {self.member}, expected the last, {last}"
        if node_kind(node.child(0)) != "leaf":
            return "found more than one statement below the loop"
        return find_outer_mark(node, MARK_VECTOR) or find_outer_mark(
            node, MARK_ACCUMULATE
        )

    def check(self, tree: ScheduleTree, deps: Dependences) -> str | None:
        reason = self.find_misfit(tree)
        if reason is None and not self.is_surely_legal(tree, deps):
            return "the loop does not only accumulate what may be reordered"
        return reason

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return find_accumulation(tree.node(self.band), self.member, deps) is not None

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        return insert_mark(_from_member(node, self.member), MARK_ACCUMULATE)


def _find_member(node: isl.ScheduleNode, member: int) -> str | None:
    n_members = node.band_n_member()
    if 0 <= member < n_members:
        return None
    return f"found member {member}, expected 0 to {n_members - 1}"


def _from_member(node: isl.ScheduleNode, member: int) -> isl.ScheduleNode:
    """The band from a member on, those before it split off."""
    return node.band_split(member).child(0) if member else node


def find_outer_mark(node: isl.ScheduleNode, mark: str) -> str | None:
    """Refuse a second mark of the same kind above a band."""
    while node.has_parent():
        node = node.parent()
        if node_kind(node) == "mark":
            found = str(node.mark_get_id().get_name()).split(":", maxsplit=1)[0]
            if found == mark:
                return f"a loop around the band is already marked {mark}"
    return None
