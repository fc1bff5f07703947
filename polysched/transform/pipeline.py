"""How many tiles of operands are in shared memory while one is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences
from polysched.ir import MARK_STAGE, ScheduleTree
from polysched.sets import node_kind
from polysched.transform.bands import insert_mark
from polysched.transform.contract import BULK, MAX_STAGES
from polysched.transform.step import Step, option


@dataclass(frozen=True)
class Pipeline(Step):
    """Let copies to shared memory run ahead of the tiles that are computed.

    After ALCOP (Huang et al., MLSys 2023) a buffer can be pipelined when it is filled
    by asynchronous copies, a sequential loop fills and uses it, and all buffers of a
    block synchronise at one place. The tree says the second: the band is the loop of
    tiles under a mark ``stage``, and some thread runs all of it. The third holds by
    construction, as one barrier per tile serves all operands; the printer decides the
    first, which depends on sizes and alignment of elements.

    Attributes
    ----------
    band : tuple of int
        Path of the band of tiles.
    stages : int
        Tiles in shared memory at a time; 1 takes the pipeline away.
    bulk : bool
        Copy whole rows at a time where the processor can and rows are long and aligned.
    """

    stages: int
    bulk: bool = option(False)

    name: ClassVar[str] = "pipeline"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        if not 1 <= self.stages <= MAX_STAGES:
            return f"found {self.stages} stages, expected 1 to {MAX_STAGES}"
        if _stage_words(node) is None:
            return "no operand of the loop is copied to shared memory tile by tile"
        return None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return True  # copies are of what the kernel does not write

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        words = _stage_words(node)
        assert words is not None
        mark = node.parent().delete()
        others = [w for w in words[2:] if w != BULK] + [BULK] * self.bulk
        return insert_mark(mark, ":".join([words[0], str(self.stages), *others]))


def _stage_words(node: isl.ScheduleNode) -> list[str] | None:
    """The words of the mark ``stage`` directly above a band, None without one."""
    above = node.parent()
    if node_kind(above) != "mark":
        return None
    words = str(above.mark_get_id().get_name()).split(":")
    return words if words[0] == MARK_STAGE else None
