"""Full tiles set apart: loops whose number of iterations the compiler then knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences
from polysched.ir import ScheduleTree
from polysched.transform.bands import has_isolation
from polysched.transform.jam import find_full_tiles, isolate_tiles
from polysched.transform.step import Step


@dataclass(frozen=True)
class Isolate(Step):
    """Give the points of full tiles loops of their own.

    ``for (j = max(1, t); j <= min(n - 2, t + 15); j++)`` becomes ``if (full) for (j =
    t; j <= t + 15; j++)``, and the loop as it was for the tiles at the borders: what
    always runs 16 times needs no test for a vector of fewer. Later steps above the
    band would invalidate the isolation: isolate last, then mark loops.

    Attributes
    ----------
    band : tuple of int
        Path of a band over the points of tiles.
    sizes : tuple of int
        Of the tiles, one per member; 1 for members that no tile cuts.
    """

    sizes: tuple[int, ...]

    name: ClassVar[str] = "isolate"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        n_members = node.band_n_member()
        if len(self.sizes) != n_members:
            return f"found {len(self.sizes)} sizes for {n_members} band members"
        if min(self.sizes) < 1 or max(self.sizes) < 2:
            return f"found sizes {list(self.sizes)}, expected one of 2 or more"
        if has_isolation(node):
            return "the band or one below it isolates full tiles already"
        if find_full_tiles(node, self.sizes).is_empty():
            return f"no tile of the sizes {list(self.sizes)} is full"
        return None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return True

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        full = find_full_tiles(node, self.sizes)
        return node.band_set_ast_build_options(isolate_tiles(full))
