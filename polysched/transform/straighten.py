"""Undoing the skew of a vector loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences
from polysched.ir import ScheduleTree
from polysched.sets import list_maps, node_kind
from polysched.transform.bands import (
    coincident_flags,
    has_isolation,
    insert_band,
    member_schedules,
)
from polysched.transform.step import Step


@dataclass(frozen=True)
class Straighten(Step):
    """Split off the last member of a band as a plain, unskewed loop.

    The member's function, ``2t + j`` say, is replaced in every statement by the one
    iterator that outer loops do not fix yet, ``j``; statements of one iteration then
    run in textual order. The outer members stay a permutable band, ready for tiles;
    the new loop is usually parallel (VSKW).

    Attributes
    ----------
    band : tuple of int
        Path of the band, with at least two members.
    """

    name: ClassVar[str] = "straighten"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        if node.band_n_member() < 2:
            return "found a band of one member, expected at least two"
        if has_isolation(node):
            return "the band or one below it isolates full tiles, which must come last"
        if _plain_member(node) is None:
            return "no single iterator can replace the last member"
        return None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return False

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        plain = _plain_member(node)
        assert plain is not None
        members, flags = member_schedules(node)[:-1], coincident_flags(node)[:-1]
        permutable = bool(node.band_get_permutable())
        node = node.delete()
        if node_kind(node) == "leaf":
            node = _insert_textual_sequence(node)
        node = insert_band(node, [plain], [False], permutable=True)
        return insert_band(node, members, flags, permutable)


def _plain_member(node: isl.ScheduleNode) -> isl.UnionPwAff | None:
    """Per statement the last iterator that can stand for the last member."""
    *outer, last = member_schedules(node)
    around = node.get_prefix_schedule_union_map().intersect_domain(node.get_domain())
    for member in outer:
        around = around.range_product(isl.UnionMap.from_union_pw_aff(member))
    pieces: list[isl.PwAff] = []
    last.foreach_pw_aff(pieces.append)
    total: isl.UnionPwAff | None = None
    for piece in pieces:
        affs = _affs(piece)
        own = list_maps(around.intersect_domain(isl.UnionSet(piece.domain())))
        if len(affs) != 1 or len(own) != 1:
            return None
        plain = _find_plain(affs[0], own[0])
        if plain is None:
            return None
        one = isl.UnionPwAff.from_pw_aff(isl.PwAff.from_aff(plain))
        total = one if total is None else total.union_add(one)
    return total


def _find_plain(member: isl.Aff, around: isl.Map) -> isl.Aff | None:
    """The last iterator of weight 1 that says as much as the member does, inside."""
    if member.dim(isl.dim_type.div):
        return None
    space = member.get_domain_local_space()
    for k in reversed(range(member.dim(isl.dim_type.in_))):
        if member.get_coefficient_val(isl.dim_type.in_, k).is_one():
            plain = isl.Aff.var_on_domain(space, isl.dim_type.set, k)
            if _fixes(around, member, plain) and _fixes(around, plain, member):
                return plain
    return None


def _fixes(around: isl.Map, known: isl.Aff, wanted: isl.Aff) -> bool:
    """Whether the outer loops and one value leave no choice for another."""
    outside = around.range_product(isl.Map.from_aff(known))
    return outside.reverse().apply_range(isl.Map.from_aff(wanted)).is_single_valued()


def _affs(piece: isl.PwAff) -> list[isl.Aff]:
    found: list[isl.Aff] = []
    piece.foreach_piece(lambda _, aff: found.append(aff))
    return found


def _insert_textual_sequence(node: isl.ScheduleNode) -> isl.ScheduleNode:
    """Order the statements that reach a leaf by name; one statement needs no node."""
    found: list[isl.Set] = []
    node.get_universe_domain().foreach_set(found.append)
    if len(found) < 2:
        return node
    found.sort(key=lambda s: (len(s.get_tuple_name()), s.get_tuple_name()))
    filters = isl.UnionSetList.alloc(node.get_ctx(), len(found))
    for one in found:
        filters = filters.add(isl.UnionSet.from_set(one))
    return node.insert_sequence(filters)
