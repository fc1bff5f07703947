"""Sinking a band below everything that it holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences
from polysched.ir import ScheduleTree
from polysched.sets import node_kind
from polysched.transform.bands import (
    coincident_flags,
    has_isolation,
    insert_band,
    member_schedules,
)
from polysched.transform.draft import has_band_below
from polysched.transform.step import Step


@dataclass(frozen=True)
class Sink(Step):
    """Move a band to the leaves below it, into every statement's innermost loop.

    Several recurrences, one per row, that ran one after another then advance
    together::

        for i in rows:             for j:
          for j: p[i][j] = ...       for i in rows: p[i][j] = ...
          for j: x[i][j] = ...     for j:
                                     for i in rows: x[i][j] = ...

    The loops below are distributed and interchanged with the band at once; applied to
    the points of a tile, only that tile is.

    Attributes
    ----------
    band : tuple of int
        Path of the band; some band must stand below it.
    together : bool
        Around all that a loop runs innermost, in place of each statement of it.
    """

    together: bool = field(default=False, metadata={"is_option": True})

    name: ClassVar[str] = "sink"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        if not has_band_below(node):
            return "found no loop below the band, nothing to sink under"
        if has_isolation(node):
            return "the band or one below it isolates full tiles, which must come last"
        return None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return False

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        if not self.together:
            return node.band_sink()
        members, flags = member_schedules(node), coincident_flags(node)
        permutable = bool(node.band_get_permutable())

        def put_below(node: isl.ScheduleNode) -> isl.ScheduleNode:
            """The band around what holds no loop; returns the node at that place."""
            if not (node_kind(node) == "band" or has_band_below(node)):
                inside = node.child(0) if node_kind(node) == "filter" else node
                inside = insert_band(inside, members, flags, permutable)
                return inside.parent() if node_kind(node) == "filter" else inside
            for k in range(node.n_children()):
                node = put_below(node.child(k)).parent()
            return node

        return put_below(node.delete())
