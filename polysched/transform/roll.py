"""Loops over rows that keep what they have loaded or computed in registers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences
from polysched.ir import Rolled, ScheduleTree
from polysched.transform.bands import insert_mark
from polysched.transform.step import Step, option


@dataclass(frozen=True)
class Roll(Step):
    """Let a loop over rows keep in registers what it reads again.

    Below the loop every statement runs in register tiles of one vector. A row that an
    iteration has loaded, or computed, is read by the next ones from a register::

        roll:0:B                                b0 = B[r - 2], b1 = B[r - 1], a0, a1
          for r:                                for r:
            registers:8  B[r] = f(A[r - 1],       a2 = A[r + 1]
              A[r], A[r + 1])             ==>     b2 = f(a0, a1, a2)
            registers:8  A[r - 1] = g(B[r - 2],   A[r - 1] = g(b0, b1, b2)
              B[r - 1], B[r])                     a0 = a1, a1 = a2, b0 = b1, b1 = b2
                                                B[r - 1], B[r] = b0, b1

    Of some arrays only the last rows are stored, as many as are read: what the loop
    writes of the others must be written again before anybody else reads it, and before
    the region ends.

    Attributes
    ----------
    band : tuple of int
        Path of the band, of one member.
    arrays : tuple of str
        Of which only the last rows are stored.
    fused : int
        Additions in an iteration that are written ``x * 1 + y``: processors that add in
        units of their own have other units for products, which may be idle. The sum is
        the same to the bit, whether the compiler makes one instruction of it or two.
    """

    arrays: tuple[str, ...] = ()
    fused: int = option(0)

    name: ClassVar[str] = "roll"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        n_members = node.band_n_member()
        return f"found {n_members} members, expected one" if n_members > 1 else None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return not self.arrays

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        return insert_mark(node, Rolled(self.fused, self.arrays).mark)
