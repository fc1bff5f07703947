"""The shapes of complete scripts for an affine schedule tree."""

from __future__ import annotations

from collections.abc import Callable, Hashable
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
    tile_diamonds,
)
from polysched.transform.conflicts import strip_conflicts
from polysched.transform.cuts import split_loops
from polysched.transform.draft import Draft
from polysched.transform.frames import frame_updates
from polysched.transform.fronts import advance_fronts
from polysched.transform.gather import gather_contractions
from polysched.transform.held_sums import version_results
from polysched.transform.in_order import share_in_order
from polysched.transform.lanes import accumulate_in_lanes, fill_lanes
from polysched.transform.lifting import lift_loops
from polysched.transform.pack_outside import pack_outside
from polysched.transform.panels import cut_panels
from polysched.transform.passes import fuse_passes
from polysched.transform.periods import interleave_periods
from polysched.transform.row_copies import copy_columns
from polysched.transform.rows import gather_rows, version_rows
from polysched.transform.share import share_loops
from polysched.transform.strips import fuse_blocks, fuse_strips
from polysched.transform.sums import share_sums
from polysched.transform.turn_back import turn_back
from polysched.transform.wave_tiles import tile_in_waves
from polysched.transform.windows import (
    part_interiors,
    part_windows,
    unroll_windows,
)


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
    diamond : bool
        Tile bands of time and space such that the tiles of a wave start at once.
    fronts : bool
        Tile recurrences that start in one place only, and run each tile in fronts.
    waves : bool
        Tile recurrences of two loops, for threads to share the tiles of a diagonal.
    frames : bool
        Tile loops such that updates which read copies are contractions behind a frame.
    panels : bool
        Take columns from later ones block by block, panels of them in the caches.
    hold : bool
        Hold contractions in vector registers, and pack what they read.
    rows : bool
        Advance several rows together where loops within a row wait.
    strips : bool
        Let neighbours that read one large array pass over it strip by strip.
    ordered : bool
        The same, where threads take strips in turn and the second waits for itself.
    passes : bool
        Let all neighbours that hand a private matrix on run a few rows at a time.
    blocks : bool
        Let such neighbours pass over it block by block, a block for each thread.
    lift : bool
        Let parts of a loop that reads its neighbours be the lanes of vectors.
    accumulate : bool
        Accumulate in vector lanes where the order of terms is free.
    windows : bool
        Unroll short loops inside of the points that they are about.
    parted : bool
        The same with a loop along the row for each statement.
    periods : bool
        Run all iterations of a period in one, where remainders decide what they do.
    split : bool
        Cut loops that are parallel but for one or two of their iterations.
    sums : bool
        Share loops in which nothing but sums in any order waits, with a copy of the
        sums for each thread; look at neighbours as `strips` does.
    """

    threads: bool = True
    tile: bool = False
    jam: bool = False
    straighten: bool = False
    diamond: bool = False
    fronts: bool = False
    waves: bool = False
    frames: bool = False
    panels: bool = False
    hold: bool = False
    rows: bool = False
    strips: bool = False
    ordered: bool = False
    passes: bool = False
    blocks: bool = False
    lift: bool = False
    accumulate: bool = False
    windows: bool = False
    parted: bool = False
    periods: bool = False
    split: bool = False
    sums: bool = False

    @property
    def has_a_point(self) -> bool:
        """Whether the shape is for trees that one of its stages changes."""
        stages = self.accumulate, self.strips, self.blocks, self.diamond, self.fronts
        more = self.sums, self.waves, self.ordered, self.passes, self.lift
        return any(stages) or any(more) or self.frames

    @property
    def looks_at_neighbours(self) -> bool:
        """Whether a stage is about parts of the tree that follow each other."""
        pairs = self.strips, self.ordered, self.blocks
        return any(pairs) or self.passes or self.sums

    @property
    def is_about_threads(self) -> bool:
        """Whether it is for loops that threads share, or pass strips of."""
        return self.looks_at_neighbours or self.waves or self.fronts or self.diamond

    def without_point(self) -> PlanShape:
        """The shape for trees to which its point does not apply."""
        return replace(
            self,
            strips=False,
            ordered=False,
            passes=False,
            blocks=False,
            accumulate=False,
            split=False,
            diamond=False,
            fronts=False,
            waves=False,
            frames=False,
            panels=False,
            lift=False,
            windows=False,
            parted=False,
            periods=False,
            sums=False,
        )


SHAPES = (
    PlanShape(threads=False, lift=True),
    PlanShape(frames=True),
    PlanShape(periods=True),
    PlanShape(windows=True),
    PlanShape(parted=True),
    PlanShape(jam=True, sums=True),
    PlanShape(jam=True, split=True),
    PlanShape(split=True),
    PlanShape(accumulate=True),
    PlanShape(threads=False, accumulate=True),
    PlanShape(threads=False, jam=True, passes=True),
    PlanShape(jam=True, ordered=True),
    PlanShape(jam=True, blocks=True),
    PlanShape(jam=True, strips=True),
    PlanShape(tile=True, jam=True, straighten=True, hold=True),
    PlanShape(tile=True, jam=True, straighten=True),
    PlanShape(jam=True, straighten=True, diamond=True),
    PlanShape(straighten=True, diamond=True),
    PlanShape(fronts=True),
    PlanShape(jam=True, waves=True),
    PlanShape(jam=True, panels=True),
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
    if shape.windows or shape.parted:
        return _plan_windows(draft, scop, cpu, shape)
    if shape.periods:
        shared = draft.through(share_loops, scop, cpu) if shape.threads else draft
        interleaved = shared.through(interleave_periods, scop, cpu)
        return None if interleaved is shared else interleaved
    arranged = _arrange(draft, scop, cpu, shape)
    if arranged is None:
        return None
    draft = arranged
    if shape.jam:
        draft = draft.through(skew_recurrences, scop)
    if shape.tile and shape.hold:
        draft = draft.through(pack_outside, scop, cpu)
    if shape.tile:
        draft = draft.through(tile_bands, scop, cpu, jam=shape.jam, hold=shape.hold)
    if not shape.jam:
        draft = draft.through(strip_conflicts, scop)
    if shape.threads:
        draft = draft.through(share_loops, scop, cpu)
    if shape.rows:
        draft = draft.through(version_rows, scop)
    if shape.hold:
        draft = draft.through(version_results, scop)
    draft = draft.through(fill_lanes, scop, cpu, jam=shape.jam, hold=shape.hold)
    if shape.rows:
        draft = draft.through(copy_columns, scop, cpu)
    return draft.through(turn_back, scop, cpu) if shape.threads else draft


def _plan_windows(draft: Draft, scop: Scop, cpu: Cpu, shape: PlanShape) -> Draft | None:
    stage = unroll_windows if shape.windows else part_windows
    unrolled = draft.through(stage, scop, cpu)
    if unrolled is draft:
        return None
    if shape.threads:
        unrolled = unrolled.through(share_loops, scop, cpu)
    return unrolled.through(part_interiors, scop)


def _arrange(draft: Draft, scop: Scop, cpu: Cpu, shape: PlanShape) -> Draft | None:
    """The loops in their order; None where the point of the shape does not apply."""
    cut = _cut(draft, scop, cpu, shape)
    if cut is None:
        return None
    draft = cut
    if shape.hold:
        draft = draft.through(gather_contractions, scop, cpu)
    if shape.straighten:
        draft = draft.through(straighten_bands, scop)
    if shape.rows:
        draft = draft.through(gather_rows, scop, cpu)
    draft = ordered = draft.through(order_members, scop)
    stages: tuple[tuple[bool, Callable[..., Draft], tuple[Hashable, ...]], ...] = (
        (shape.accumulate, accumulate_in_lanes, ()),
        (shape.strips, fuse_strips, (cpu,)),
        (shape.ordered, share_in_order, (cpu,)),
        (shape.passes, fuse_passes, (cpu,)),
        (shape.blocks, fuse_blocks, (cpu,)),
        (shape.sums, share_sums, (cpu,)),
        (shape.fronts, advance_fronts, (cpu,)),
        (shape.waves, tile_in_waves, (cpu,)),
        (shape.lift, lift_loops, (cpu,)),
        (shape.frames, frame_updates, (cpu,)),
    )
    for is_wanted, stage, given in stages:
        if is_wanted:
            draft = draft.through(stage, scop, *given)
    if shape.waves and draft is not ordered:
        draft = draft.through(accumulate_in_lanes, scop)  # what runs beside the tiles
    if shape.diamond:
        draft = draft.through(tile_diamonds, scop, cpu, jam=shape.jam)
    return None if shape.has_a_point and draft is ordered else draft


def _cut(draft: Draft, scop: Scop, cpu: Cpu, shape: PlanShape) -> Draft | None:
    """Loops in the parts that the shape is for; None where there are none."""
    cut = draft
    if shape.split:
        cut = draft.through(split_loops, scop)
    if shape.panels:
        cut = draft.through(cut_panels, scop, cpu)
    return None if cut is draft and (shape.split or shape.panels) else cut
