"""Loops that threads share although a part of each iteration waits for the last one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences
from polysched.ir import MARK_ORDERED, MARK_PARALLEL, ScheduleTree
from polysched.sets import node_kind
from polysched.transform.bands import insert_mark
from polysched.transform.mapping import find_outer_mark
from polysched.transform.step import Step


@dataclass(frozen=True)
class Ordered(Step):
    """Share a loop of which one part runs in the order of the iterations.

    Threads take iterations in turn; before a thread runs the part of its iteration, it
    waits for that of the iteration before (``omp ordered``)::

        for it:                         parallel:ordered  for it:
          sequence                        sequence
            y[i] += A[i][j] * x[j]  ==>     y[i] += A[i][j] * x[j]
            z[j] += A[i][j] * y[i]          ordered  z[j] += A[i][j] * y[i]

    Attributes
    ----------
    band : tuple of int
        Path of a band of one member above a sequence.
    part : int
        Position of the part in the sequence.
    """

    part: int

    name: ClassVar[str] = "ordered"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        below = node.child(0)
        if node.band_n_member() != 1 or node_kind(below) != "sequence":
            return "expected a band of one member above a sequence"
        if not 0 <= self.part < below.n_children():
            return f"found part {self.part} of a sequence of {below.n_children()}"
        return find_outer_mark(node, MARK_PARALLEL)

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return False

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        part = node.child(0).child(self.part).child(0)
        node = insert_mark(part, MARK_ORDERED).parent().parent().parent()
        return insert_mark(node, f"{MARK_PARALLEL}:{MARK_ORDERED}")
