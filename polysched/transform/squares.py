"""Blocks of rows that several statements work on square by square."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences
from polysched.ir import MARK_SQUARES, RowsAhead, ScheduleTree
from polysched.transform.registers import Registers


@dataclass(frozen=True)
class Squares(Registers):
    """Let the statements of a band share squares of what they read, in registers.

    ``[i, j]`` with factors ``[8, 1]`` and 8 lanes becomes ``[8*floor(i/8), j]`` over
    the rows ``[i]`` under a mark ``squares:8``. Eight columns of the rows are loaded
    once; each statement runs on them along its rows or along its columns::

        for it:                            for it:
          for j:                             q = y[it .. it+7]
            squares:8  for i                 for j in steps of 8:
              y[i] += A[i][j] * x[j]           r = A[it .. it+7][j .. j+7]
              z[j] += A[i][j] * w[i]           z[j .. j+7] += each row of r
                                               q += each column of r
                                             y[it .. it+7] = q

    No element is updated in another order; what one statement writes the others must
    not touch in the rows of a block.

    Attributes
    ----------
    factors : tuple of int
        Rows of a block, a multiple of the lanes, and 1.
    lanes : int
        Side of a square, and elements per vector.
    ahead, asked : int
        Rows that are asked for ahead, as for `Registers`.
    """

    name: ClassVar[str] = "squares"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        if node.band_n_member() != 2 or self.factors[1:] != (1,):
            return "expected two band members, and factors for rows alone"
        if self.lanes < 2:
            return f"found {self.lanes} lanes, expected two or more"
        return super().find_band_misfit(node)

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return False

    @property
    def _mark(self) -> str:
        asked = RowsAhead(self.ahead, self.asked)
        return f"{MARK_SQUARES}:{self.lanes}{asked.words}"
