"""Taking bands apart and putting them together, for the steps of this room."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

import islpy as isl

from polysched.analysis import Dependences, active_dependences, member_distances
from polysched.ir import MARK_RUN, MARK_TILE
from polysched.sets import isolates, node_kind


def member_schedules(node: isl.ScheduleNode) -> list[isl.UnionPwAff]:
    """The partial schedules of a band's members, outermost first."""
    partial = node.band_get_partial_schedule()
    return [partial.get_union_pw_aff(k) for k in range(node.band_n_member())]


def coincident_flags(node: isl.ScheduleNode) -> list[bool]:
    """The `coincident` flag of each member."""
    return [
        bool(node.band_member_get_coincident(k)) for k in range(node.band_n_member())
    ]


def insert_band(
    node: isl.ScheduleNode,
    members: Sequence[isl.UnionPwAff],
    coincident: Sequence[bool],
    permutable: bool,
) -> isl.ScheduleNode:
    """Put a new band above a node; returns the new band node."""
    space = node.band_get_space() if node_kind(node) == "band" else None
    params = (space or node.get_universe_domain().get_space()).params()
    for member in members:
        params = params.align_params(member.get_space().params())
    listed = isl.UnionPwAffList.alloc(node.get_ctx(), len(members))
    for member in members:
        listed = listed.add(member)
    band_space = params.add_unnamed_tuple_ui(len(members))
    partial = isl.MultiUnionPwAff.from_union_pw_aff_list(band_space, listed)
    node = node.insert_partial_schedule(partial).band_set_permutable(int(permutable))
    for k, flag in enumerate(coincident):
        node = node.band_member_set_coincident(k, int(flag))
    return node


def replace_band(
    node: isl.ScheduleNode,
    members: Sequence[isl.UnionPwAff],
    coincident: Sequence[bool],
    permutable: bool,
) -> isl.ScheduleNode:
    """The band node with other members."""
    return insert_band(node.delete(), members, coincident, permutable)


def join_below(node: isl.ScheduleNode, n_members: int) -> isl.ScheduleNode:
    """The band with members of those directly below, until it has so many.

    In the same order, and not flagged as permutable.
    """
    while node.band_n_member() < n_members and node_kind(node.child(0)) == "band":
        below = node.child(0)
        members = member_schedules(node) + member_schedules(below)
        flags = coincident_flags(node) + coincident_flags(below)
        node = insert_band(node.delete().delete(), members, flags, permutable=False)
    return node


def is_permutable(node: isl.ScheduleNode, deps: Dependences) -> bool:
    """Whether every dependence that reaches the band moves forward along each member.

    Decided by isl, whatever the flag on the band says.
    """
    active = active_dependences(node, deps.validity)
    forward = isl.Set("{ [d] : d >= 0 }")
    return all(
        member_distances(node, k, active).is_subset(forward)
        for k in range(node.band_n_member())
    )


def tile_member(member: isl.UnionPwAff, size: int) -> isl.UnionPwAff:
    """The start of the tile that a value lies in: ``size * floor(x / size)``."""
    value = isl.Val(size)
    return member.scale_down_val(value).floor().scale_val(value)


def insert_runs(node: isl.ScheduleNode, position: int, length: int) -> isl.ScheduleNode:
    """The band with runs of a member's values in its place, and these values below.

    A mark ``run`` stands between the two bands.
    """
    members, flags = member_schedules(node), coincident_flags(node)
    member, permutable = members[position], node.band_get_permutable()
    node = insert_band(node.delete(), [member], [flags[position]], permutable=True)
    node = insert_mark(node, f"{MARK_RUN}:{length}")
    members[position] = tile_member(member, length)
    return insert_band(node, members, flags, permutable)


def member_step(member: isl.UnionPwAff) -> int:
    """The largest integer that divides every value of a member: a tile loop's size."""
    steps: list[int] = []
    pieces: list[isl.PwAff] = []
    member.foreach_pw_aff(pieces.append)
    for piece in pieces:
        piece.foreach_piece(lambda _, aff: steps.append(_content(aff)))
    return gcd(*steps) if any(steps) else 1


def _content(aff: isl.Aff) -> int:
    if int(aff.get_denominator_val().to_python()) != 1:
        return 1
    found = [int(aff.get_constant_val().to_python())]
    for kind in (isl.dim_type.in_, isl.dim_type.param, isl.dim_type.div):
        found += [
            int(aff.get_coefficient_val(kind, k).to_python())
            for k in range(aff.dim(kind))
        ]
    return gcd(*found)


def insert_mark(node: isl.ScheduleNode, name: str) -> isl.ScheduleNode:
    """Put a mark above a node; returns the mark node."""
    return node.insert_mark(isl.Id(name, context=node.get_ctx()))


def is_tile_mark(node: isl.ScheduleNode) -> bool:
    """Whether a node is the mark above a band of tile loops."""
    return node_kind(node) == "mark" and node.mark_get_id().get_name() == MARK_TILE


def has_isolation(node: isl.ScheduleNode) -> bool:
    """Whether a band at or below a node isolates part of its domain.

    Such an option names the dimensions above it, so that a band above it must keep its
    members.
    """
    children = (node.child(k) for k in range(node.n_children()))
    return isolates(node) or any(map(has_isolation, children))
