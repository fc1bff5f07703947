"""Tiles counted one by one: the same loops, in about half the time.

A band of tiles enumerates the first values of tiles, ``e - e mod s``, which reads well
in the text of loops. isl has to find the stride of each such loop, in all the sets that
it handles; for ``floor(e / s)`` there is none.
"""

from __future__ import annotations

import re

import islpy as isl

from polysched.ir import ScheduleTree
from polysched.sets import list_sets


def number_tiles(tree: ScheduleTree) -> ScheduleTree:
    """The same order, with the loops over tiles counting in steps of one.

    Parameters
    ----------
    tree : ScheduleTree
        Members of its bands of the form ``e - e mod s``, with one `s` for all
        statements that move in it, become ``floor(e / s)``; what is isolated by their
        values is isolated by the numbers. A tree that isl scales no bands of, since
        it extends the domain by them, stays as it is.
    """
    try:
        return _number_tiles(tree)
    except isl.Error:
        return tree


def _number_tiles(tree: ScheduleTree) -> ScheduleTree:
    paths = [path for path, _ in tree.bands()]
    options = [node.band_get_ast_build_options() for _, node in tree.bands()]
    # isl scales no band that options below refer to, or ever referred to
    tree = ScheduleTree.parse(re.sub(r', options: "[^"]*"', "", tree.text))
    scales: dict[tuple[int, ...], list[int]] = {}  # by path: of the members on it
    for path in paths:
        above = [scales[path[:k]] for k in range(len(path)) if path[:k] in scales]
        outer = above[-1] if above else []
        node = tree.node(path)
        own = [_size(upa) for upa in _members(node)]
        scales[path] = [*outer, *own]
        if any(s != 1 for s in own):
            node = node.band_scale_down(_values(node.band_get_space(), own))
            tree = ScheduleTree(node.get_schedule())
    for path, told in zip(paths, options, strict=True):
        n_own = tree.node(path).band_n_member()
        numbers = scales[path]
        told = _scale_options(told, numbers[:-n_own], numbers[-n_own:])
        node = tree.node(path).band_set_ast_build_options(told)
        tree = ScheduleTree(node.get_schedule())
    return tree


def _members(node: isl.ScheduleNode) -> list[isl.UnionPwAff]:
    partial = node.band_get_partial_schedule()
    return [partial.get_union_pw_aff(k) for k in range(node.band_n_member())]


def _size(member: isl.UnionPwAff) -> int:
    """The size of the tiles that a member enumerates by their first values, else 1."""
    pieces: list[isl.PwAff] = []
    member.foreach_pw_aff(pieces.append)
    affs: list[isl.Aff] = []
    for piece in pieces:
        piece.foreach_piece(lambda _, aff: affs.append(aff))
    moving = [a for a in affs if not _is_zero(a)]
    sizes = {_stride(a) for a in moving}
    return sizes.pop() if len(sizes) == 1 else 1


def _is_zero(aff: isl.Aff) -> bool:
    return bool(aff.plain_is_zero())


def _stride(aff: isl.Aff) -> int:
    """`s` where the function is ``s floor(e / s)``, else 1."""
    if aff.dim(isl.dim_type.div) != 1 or not aff.get_constant_val().is_zero():
        return 1
    kinds = (isl.dim_type.in_, isl.dim_type.param)
    if any(
        not aff.get_coefficient_val(kind, k).is_zero()
        for kind in kinds
        for k in range(aff.dim(kind))
    ):
        return 1
    size = aff.get_coefficient_val(isl.dim_type.div, 0)
    return size.get_num_si() if size.is_int() and size.is_pos() else 1


def _values(space: isl.Space, numbers: list[int]) -> isl.MultiVal:
    values = isl.MultiVal.zero(space)
    for k, number in enumerate(numbers):
        value = isl.Val.int_from_si(space.get_ctx(), number)
        values = values.set_val(k, value)
    return values


def _scale_options(
    options: isl.UnionSet, outer: list[int], own: list[int]
) -> isl.UnionSet:
    """Options of a band with what is isolated told by numbers."""
    found = isl.UnionSet.empty(options.get_space())
    for option in list_sets(options):
        if option.is_wrapping() and option.get_tuple_name() == "isolate":
            option = _scale_isolated(option, outer, own)
        found = found.union(isl.UnionSet.from_set(option))
    return found


def _scale_isolated(option: isl.Set, outer: list[int], own: list[int]) -> isl.Set:
    name = option.get_tuple_name()
    relation = option.unwrap()
    space = relation.get_space()
    before = _scaling(space.domain(), outer)
    within = _scaling(space.range(), own)
    relation = relation.preimage_domain_multi_aff(before)
    relation = relation.preimage_range_multi_aff(within)
    return relation.wrap().set_tuple_name(name)


def _scaling(space: isl.Space, numbers: list[int]) -> isl.MultiAff:
    identity = isl.MultiAff.identity_on_domain_space(space)
    return identity.scale_multi_val(_values(space, numbers))
