"""Sweeps over a matrix that begin where the one before has ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences
from polysched.ir import (
    MARK_PARALLEL,
    MARK_REGISTERS,
    MARK_RETURN,
    Const,
    NodePath,
    ScheduleTree,
    Scop,
)
from polysched.machine import Cpu
from polysched.sets import list_sets, node_kind
from polysched.transform.bands import insert_mark, member_schedules, member_step
from polysched.transform.draft import Draft
from polysched.transform.step import Step

MOST_CACHES = 4  # of an array: of a larger one, little is still there
_NEAR = isl.UnionSet("{ [d] : -64 <= d <= 64 }")  # rows from a loop's value


@dataclass(frozen=True)
class TurnBack(Step):
    """Let threads take the iterations of a loop that they share in turn, last first.

    What the sweep before has read or written last is then still in the cache, and comes
    first. Rows are asked for ahead no more: those further on have been.

    Attributes
    ----------
    band : tuple of int
        Path of the band below a mark ``parallel``, which becomes ``parallel:return``.
    """

    name: ClassVar[str] = "turn_back"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        if _mark(node.parent()) != MARK_PARALLEL:
            return f"found no mark {MARK_PARALLEL} above the band"
        return None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return True

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        below = node.child(0)
        if _mark(below).startswith(f"{MARK_REGISTERS}:"):
            held = ":".join(_mark(below).split(":")[:2])  # asks for nothing ahead
            node = insert_mark(below.delete(), held).parent()
        return insert_mark(node.parent().delete(), f"{MARK_PARALLEL}:{MARK_RETURN}")


def turn_back(draft: Draft, scop: Scop, cpu: Cpu) -> Draft:
    """Turn shared loops back that sweep over what the loop nest before has swept over.

    So it is done where the caches hold a part of a matrix, and threads write whole
    lines.
    """
    nests = list(_nests(draft.tree))
    last: dict[str, tuple[isl.ScheduleNode, bool] | None] = {}
    for path, node in nests:
        matrices = _matrices(scop, node)
        can_turn = _mark(node.parent()) == MARK_PARALLEL and _writes_lines(node)
        is_back = False
        for array in matrices:
            before = last.get(array)
            if not (can_turn and before and _is_large(scop, array, cpu)) or before[1]:
                continue
            if all(_sweeps(scop, n, array) for n in (before[0], node)):
                turned = draft.attempt(TurnBack(path))
                is_back, draft = turned is not None, turned or draft
                break
        last |= dict.fromkeys(matrices, (node, is_back))
    return draft


def _nests(tree: ScheduleTree) -> Iterator[tuple[NodePath, isl.ScheduleNode]]:
    """The outermost bands, in order."""
    for path, node in tree.bands():
        if not node.get_schedule_depth():
            yield path, node


def _mark(node: isl.ScheduleNode) -> str:
    """A mark's name; empty for another node."""
    if node_kind(node) != "mark":
        return ""
    return str(node.mark_get_id().get_name())


def _matrices(scop: Scop, node: isl.ScheduleNode) -> list[str]:
    """Arrays of two dimensions and known size that are touched below a node."""
    names = {s.get_tuple_name() for s in list_sets(node.get_domain())}
    found = {a.array for name in names for a in scop.statement(name).accesses}
    return sorted(
        a for a in found if len(scop.array(a).extents) == 2 and _size(scop, a)
    )


def _size(scop: Scop, array: str) -> int:
    """Bytes of an array; 0 where they are unknown."""
    extents = scop.array(array).extents
    known = [int(e.value) for e in extents if isinstance(e, Const)]
    return prod(known) * scop.array(array).type.n_bytes * (len(known) == len(extents))


def _is_large(scop: Scop, array: str, cpu: Cpu) -> bool:
    """Whether the caches hold some part of it, and not all."""
    cache = max(cpu.l3_bytes, cpu.l2_bytes)
    return cache / 2 < _size(scop, array) <= MOST_CACHES * cache


def _writes_lines(node: isl.ScheduleNode) -> bool:
    """Whether an iteration of the first loop is a tile of a cache line or more."""
    return member_step(member_schedules(node)[0]) >= 8


def _sweeps(scop: Scop, node: isl.ScheduleNode, array: str) -> bool:
    """Whether the first loop below a node walks along the rows of an array."""
    rows = isl.UnionMap.from_union_pw_aff(member_schedules(node)[0])
    first = isl.UnionMap(f"{{ {array}[a, b] -> [a] }}")
    for instances in list_sets(node.get_domain()):
        for access in scop.statement(instances.get_tuple_name()).accesses:
            if access.array == array:
                touched = isl.UnionMap.from_map(access.relation)
                touched = touched.intersect_domain(isl.UnionSet.from_set(instances))
                pairs = touched.apply_domain(rows).apply_range(first)
                if not pairs.deltas().is_subset(_NEAR):
                    return False
    return True
