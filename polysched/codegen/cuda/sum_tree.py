"""A tree with other kernels in some places, which have statements of their own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

import islpy as isl

from polysched.codegen.cuda.sum_schedule import add_mark
from polysched.ir import NodePath, ScheduleTree
from polysched.sets import list_sets, node_kind

Replacement = tuple[isl.Schedule, Mapping[str, isl.Map]]


def put_in_place(
    tree: ScheduleTree, kernels: Mapping[NodePath, Replacement]
) -> ScheduleTree:
    """The tree with other schedules below some of its nodes.

    Parameters
    ----------
    tree : ScheduleTree
        Any.
    kernels : mapping of path to (isl.Schedule, mapping of str to isl.Map)
        What stands at a path, and, for statements that the tree does not know, the
        values of the loops around them.
    """
    return ScheduleTree(_grow(tree.root.child(0), (0,), kernels))


def schedule_below(node: isl.ScheduleNode) -> isl.Schedule:
    """What is below a node, as a schedule of its own."""
    return _grow(node, (), {})


def _grow(
    node: isl.ScheduleNode, path: NodePath, kernels: Mapping[NodePath, Replacement]
) -> isl.Schedule:
    """The schedule from a node on."""
    if path in kernels:
        return kernels[path][0]
    kind = node_kind(node)
    if kind == "leaf":
        return isl.Schedule.from_domain(node.get_domain())
    parts = [
        _grow(node.child(k), (*path, k), kernels)
        for k in range(node.n_children())
        if not node.child(k).get_domain().is_empty()
    ]
    if kind in ("sequence", "set"):
        join = isl.Schedule.set if kind == "set" else isl.Schedule.sequence
        return reduce(join, parts)
    (inside,) = parts
    if kind == "mark":
        return add_mark(inside, str(node.mark_get_id().get_name()))
    return _with_band(node, inside, kernels) if kind == "band" else inside


def _with_band(
    node: isl.ScheduleNode,
    inside: isl.Schedule,
    kernels: Mapping[NodePath, Replacement],
) -> isl.Schedule:
    """The schedule below the band of a node, which further statements follow."""
    if node.band_n_member() == 0:
        return inside
    first = node.get_schedule_depth()
    last = first + node.band_n_member()
    outer = {name: m for _, maps in kernels.values() for name, m in maps.items()}
    partial = node.band_get_partial_schedule_union_map()
    for instances in list_sets(inside.get_domain()):
        values = outer.get(instances.get_tuple_name())
        if values is not None:
            n = values.dim(isl.dim_type.out)
            own = values.project_out(isl.dim_type.out, last, n - last)
            own = own.project_out(isl.dim_type.out, 0, first)
            partial = partial.union(isl.UnionMap.from_map(own))
    band = isl.MultiUnionPwAff.from_union_map(partial)
    top = inside.insert_partial_schedule(band).get_root().child(0)
    top = top.band_set_permutable(node.band_get_permutable())
    for k in range(node.band_n_member()):
        top = top.band_member_set_coincident(k, node.band_member_get_coincident(k))
    return top.get_schedule()
