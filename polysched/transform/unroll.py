"""Short loops printed iteration by iteration, inside the loop around them."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, prod
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences, loop_spans
from polysched.ir import ScheduleTree
from polysched.sets import list_maps, node_kind
from polysched.transform.bands import has_isolation
from polysched.transform.step import Step

MAX_UNROLLED = 256  # statements to be printed


@dataclass(frozen=True)
class Unroll(Step):
    """Print every iteration of a band, and of all bands below it, for itself.

    Subscripts become numbers: values that small arrays pass on stay in registers, and
    the loop around the band may run in vector lanes, with everything below it in each::

        vector: for x:                       vector: for x: {
          for a: for b:                ==>     y[x] += w[0][0] * d[x];
            y[x] += w[a][b] * d[x + b];        y[x] += w[0][1] * d[x + 1]; ... }

    Attributes
    ----------
    band : tuple of int
        Path of the band; below it at most `MAX_UNROLLED` instances run for one
        iteration of the loops around it, a number that must be known.
    """

    name: ClassVar[str] = "unroll"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        if has_isolation(node):
            return "the band or one below it isolates full tiles already"
        copies = count_copies(node)
        if copies is None:
            return "the number of iterations is not known"
        if copies > MAX_UNROLLED:
            return f"found {copies} copies, expected at most {MAX_UNROLLED}"
        return None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return True

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        if node_kind(node) == "band":
            for k in range(node.band_n_member()):
                node = node.band_member_set_ast_loop_type(k, isl.ast_loop_type.unroll)
        for k in range(node.n_children()):
            node = self.change(node.child(k)).parent()
        return node


def count_copies(node: isl.ScheduleNode, longest: float = inf) -> int | None:
    """Statements to be printed where all loops at and below a node are unrolled.

    None where that is not known, or a loop has more than so many iterations; a bound
    where loops limit each other.
    """
    depth = node.get_schedule_depth()
    total = 0
    for leaf in list_leaves(node):
        times = leaf.get_prefix_schedule_union_map().intersect_domain(leaf.get_domain())
        for own in list_maps(times):
            spans = loop_spans(own.range())[depth:]
            known = [1 + span for span in spans if span is not None]
            if len(known) < len(spans) or max(known, default=0) > longest:
                return None
            total += prod(known)
    return total


def list_leaves(node: isl.ScheduleNode) -> list[isl.ScheduleNode]:
    """The leaves at or below a node, in their order."""
    if not node.n_children():
        return [node]
    return [
        leaf for k in range(node.n_children()) for leaf in list_leaves(node.child(k))
    ]
