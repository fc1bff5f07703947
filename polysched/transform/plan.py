"""The shapes of complete scripts for an affine schedule tree."""

from __future__ import annotations

from dataclasses import dataclass, replace

from polysched.analysis import Dependences
from polysched.ir import ScheduleTree, Scop
from polysched.machine import Cpu
from polysched.transform.arrange import (
    merge_bands,
    order_members,
    skew_recurrences,
    straighten_bands,
    tile_bands,
)
from polysched.transform.conflicts import strip_conflicts
from polysched.transform.cuts import split_loops
from polysched.transform.draft import Draft
from polysched.transform.lanes import fill_lanes
from polysched.transform.rows import gather_rows
from polysched.transform.share import share_loops
from polysched.transform.strips import fuse_strips


@dataclass(frozen=True)
class PlanShape:
    """What a script may do; the planner fills in where and how much.

    Attributes
    ----------
    threads : bool
        Mark parallel loops.
    tile : bool
        Tile permutable bands with reuse.
    jam : bool
        Register tiles.
    straighten : bool
        Leave the unit-stride loop of a skewed band whole and unskewed.
    hold : bool
        Hold contractions in vector registers, and pack what they read.
    rows : bool
        Advance several rows together where loops within a row wait.
    strips : bool
        Let neighbours that read one large array pass over it strip by strip.
    split : bool
        Cut loops that are parallel but for one or two of their iterations.
    """

    threads: bool = True
    tile: bool = False
    jam: bool = False
    straighten: bool = False
    hold: bool = False
    rows: bool = False
    strips: bool = False
    split: bool = False

    def without_point(self) -> PlanShape:
        """The shape for trees to which its point does not apply."""
        return replace(self, strips=False)


SHAPES = (
    PlanShape(jam=True, split=True),
    PlanShape(split=True),
    PlanShape(jam=True, strips=True),
    PlanShape(tile=True, jam=True, straighten=True, hold=True),
    PlanShape(tile=True, jam=True, straighten=True),
    PlanShape(jam=True, rows=True),
    PlanShape(jam=True),
    PlanShape(),
    PlanShape(threads=False, jam=True),
    PlanShape(tile=True, jam=True),
    PlanShape(tile=True),
    PlanShape(threads=False),
)


def plan_script(
    tree: ScheduleTree, scop: Scop, deps: Dependences, cpu: Cpu, shape: PlanShape
) -> Draft:
    """The script that one shape gives for a tree, as a draft; empty if none."""
    start = merge_bands(Draft(tree, deps))
    return plan_shape(start, scop, cpu, shape) or Draft(tree, deps)


def plan_shape(draft: Draft, scop: Scop, cpu: Cpu, shape: PlanShape) -> Draft | None:
    """The draft in that shape; None where its point does not apply to the tree."""
    if shape.split:
        cut = split_loops(draft, scop)
        if cut is draft:
            return None
        draft = cut
    if shape.straighten:
        draft = straighten_bands(draft, scop)
    if shape.rows:
        draft = gather_rows(draft, scop, cpu)
    draft = order_members(draft, scop)
    if shape.strips:
        fused = fuse_strips(draft, scop, cpu)
        if fused is draft:
            return None
        draft = fused
    if shape.jam:
        draft = skew_recurrences(draft, scop)
    if shape.tile:
        draft = tile_bands(draft, scop, cpu, jam=shape.jam, hold=shape.hold)
    if not shape.jam:
        draft = strip_conflicts(draft, scop)
    if shape.threads:
        draft = share_loops(draft, scop, cpu)
    return fill_lanes(draft, scop, cpu, jam=shape.jam, hold=shape.hold)
