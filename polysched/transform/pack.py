"""Copies of what a tile reads, contiguous and in the order it is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences
from polysched.ir import MARK_PACK, ScheduleTree, packed_iterators
from polysched.sets import list_sets, n_dims, node_kind
from polysched.transform.bands import insert_mark
from polysched.transform.step import Step, option


@dataclass(frozen=True)
class Pack(Step):
    """Read an operand of a statement from a copy made in front of a band.

    A mark ``pack:S1:1,2`` above the band says that below it statement S1 reads every
    expression over its iterators 1 and 2 from a buffer whose contiguous subscript is
    iterator 2; each run of the loops around the mark fills the buffer first. With
    panels (``pack:S1:1,2:32``) that many values of iterator 2 lie side by side, and all
    rows of a panel before those of the next. In groups (``pack:S1:1,2:32:4``) four
    values of iterator 1 lie side by side for each value of iterator 2, as one byte
    each, two as 16 bits each; without panels those of the last iterator do. What is
    behind the end of a group is zero. The order of instances stays as it is.
    Whether the copy is right (nothing below the mark writes what was copied before it
    is read there) and of constant size is decided when code is built.

    Attributes
    ----------
    band : tuple of int
        Path of the band.
    statement : int
        Number of the statement: 1 for S1.
    iterators : tuple of int
        Positions of the operand's iterators, the contiguous one last.
    panel : int
        Width of panels, in values of the last iterator; 0 for whole rows.
    terms : int
        Values in a group, 2 or 4; 0 for none.
    shift : int
        Added to each value in a group: 128 or -128, so that it has another sign.
    """

    statement: int
    iterators: tuple[int, ...]
    panel: int = option(0)
    terms: int = option(0)
    shift: int = option(0)

    name: ClassVar[str] = "pack"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        name = f"S{self.statement}"
        found = [s for s in list_sets(node.get_domain()) if s.get_tuple_name() == name]
        if not found:
            return f"found no statement {name} under the band"
        n = n_dims(found[0])
        if not self.iterators or len(set(self.iterators)) < len(self.iterators):
            return "found no iterators, or one twice"
        if min(self.iterators) < 0 or max(self.iterators) >= n:
            return f"found iterators {list(self.iterators)} of a statement with {n}"
        if self.panel < 0:
            return f"found panels of {self.panel}, expected some width or 0"
        if self.terms not in (0, 2, 4) or self.shift not in (0, 128, -128):
            return f"found groups of {self.terms} with {self.shift} added to each value"
        if (self.shift and not self.terms) or (
            self.terms and self.panel and len(self.iterators) < 2
        ):
            return "found no iterator whose values make groups"
        if any(self._is_equal(mark) for mark in _marks_around(node)):
            return f"found {name} packed by these iterators already"
        return None

    def _is_equal(self, mark: str) -> bool:
        """Whether a mark packs the same operands, in whatever order."""
        found = packed_iterators(mark)
        if found is None or found[0] != f"S{self.statement}":
            return False
        return set(found[1]) == set(self.iterators)

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return True

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        return insert_mark(node, self.mark)

    @property
    def mark(self) -> str:
        """The mark's name."""
        positions = ",".join(str(k) for k in self.iterators)
        words = [self.panel, self.terms, self.shift]
        while words and not words[-1]:
            words.pop()
        name = f"{MARK_PACK}:S{self.statement}:{positions}"
        return ":".join((name, *map(str, words)))


def _marks_around(node: isl.ScheduleNode) -> Iterator[str]:
    """Names of the marks above and below a node."""
    above = node
    while above.has_parent():
        above = above.parent()
        if node_kind(above) == "mark":
            yield str(above.mark_get_id().get_name())
    todo = [node]
    while todo:
        below = todo.pop()
        if node_kind(below) == "mark":
            yield str(below.mark_get_id().get_name())
        todo += [below.child(k) for k in range(below.n_children())]
