"""Two loops over the same rows as one, the second some rows behind the first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences
from polysched.ir import ScheduleTree
from polysched.sets import list_sets, node_kind
from polysched.transform.bands import (
    coincident_flags,
    has_isolation,
    insert_band,
    member_schedules,
    replace_band,
)
from polysched.transform.step import Step, find_node


@dataclass(frozen=True)
class Chain(Step):
    """Run two loops of a sequence row by row, the second some rows behind the first.

    ``sequence [r, p] A; [r, p] B`` with a delay of 1 becomes one loop over ``r`` around
    ``[p] A`` of row ``r`` and ``[p] B`` of row ``r - 1``. The last row of ``A`` runs in
    front of it and the last of ``B`` behind it: where rows are those of a lifted loop,
    the first row reads what other parts have in the last::

        sequence                                  sequence
          for r in 0 .. 249: for p: A(r, p)         for p: A(249, p)
          for r in 0 .. 249: for p: B(r, p)         for r in 0 .. 249:
                                            ==>       for p: A(r, p) if r < 249
                                                      for p: B(r - 1, p) if 0 < r
                                                    for p: B(249, p)

    Attributes
    ----------
    band : tuple of int
        Path of the sequence node; below both filters a band of rows and their elements.
    delay : int
        Rows by which the second is behind.
    """

    delay: int

    name: ClassVar[str] = "chain"

    def find_misfit(self, tree: ScheduleTree) -> str | None:
        node = find_node(tree, self.band)
        if node is None or node_kind(node) != "sequence":
            found = "nothing" if node is None else f"a {node_kind(node)} node"
            return f"{self.name}: found {found}, expected a sequence"
        if self.delay < 1:
            return f"{self.name}: found a delay of {self.delay}, expected 1 or more"
        if node.n_children() != 2:
            return f"{self.name}: found {node.n_children()} loops, expected two"
        for k in range(2):
            band = node.child(k).child(0)
            if node_kind(band) != "band" or band.band_n_member() != 2:
                return f"{self.name}: found no band of two members at position {k}"
            if node_kind(band.child(0)) != "leaf" or has_isolation(band):
                return f"{self.name}: found more below the band at position {k}"
            if self._last_rows(band).is_empty():
                return f"{self.name}: the rows at position {k} are of unknown number"
        return None

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        return None  # the node is no band; `find_misfit` has said all

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return False

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        depth = node.get_tree_depth()
        bands = [node.child(k).child(0) for k in range(2)]
        ends = [self._last_rows(band) for band in bands]
        cores = [
            band.get_domain().subtract(end)
            for band, end in zip(bands, ends, strict=True)
        ]
        first, second = (
            member_schedules(band)[0].intersect_domain(core)
            for band, core in zip(bands, cores, strict=True)
        )
        rows = first.union_add(_plus(second, self.delay))
        filters = isl.UnionSetList.alloc(node.get_ctx(), 3)
        for instances in (ends[0], cores[0].union(cores[1]), ends[1]):
            filters = filters.add(instances)
        node = node.insert_sequence(filters).child(1).child(0)
        node = insert_band(node, [rows], [False], permutable=True).child(0)
        for k in range(2):
            band = node.child(k).child(0)
            part, flag = member_schedules(band)[1], coincident_flags(band)[1]
            node = replace_band(band, [part], [flag], permutable=True).ancestor(2)
        return node.ancestor(node.get_tree_depth() - depth)

    def _last_rows(self, band: isl.ScheduleNode) -> isl.UnionSet:
        """Instances of as many rows as the delay, the last; none if that is unknown."""
        values = isl.UnionMap.from_union_pw_aff(member_schedules(band)[0])
        values = values.intersect_domain(band.get_domain())
        reached = list_sets(values.range())
        last = (
            reached[0].dim_max_val(0)
            if len(reached) == 1
            else isl.Val.nan(band.get_ctx())
        )
        if not last.is_int():
            return isl.UnionSet("{ }")
        least = int(last.to_python()) - self.delay
        ends = isl.UnionSet(f"{{ [r] : {least} < r }}")
        return values.intersect_range(ends).domain()


def _plus(value: isl.UnionPwAff, constant: int) -> isl.UnionPwAff:
    """The function with a number added."""
    if not constant:
        return value
    shift = isl.UnionPwAff.val_on_domain(value.domain(), isl.Val(constant))
    return value.add(shift)
