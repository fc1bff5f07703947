"""A part of a loop's points set apart, in a loop of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences
from polysched.base import PolyschedError
from polysched.ir import ScheduleTree
from polysched.sets import list_basic_sets, list_sets, node_kind, param_names
from polysched.transform.bands import has_isolation
from polysched.transform.jam import isolate_tiles
from polysched.transform.split import has_loop_names, loop_values
from polysched.transform.step import Step

_NAME = re.compile(r"[A-Za-z_]\w*")
_CONSTRAINT = re.compile(r"[\w\s+*()<>=-]+")


@dataclass(frozen=True)
class Interior(Step):
    """Give the points inside a border a loop of their own.

    Windows are cut off at the borders of a picture, and an unrolled body asks at each
    point which of its copies run. Inside none has to be asked for::

        for y: for x: {                      for y:
          if (y >= 1) {                        if (y >= 1)
            if (x >= 1)                          x = 0: { s += a[y - 1][x]; ... }
              s += a[y - 1][x - 1];    ==>       for x >= 1: { s += a[y - 1][x - 1];
            s += a[y - 1][x];                                  s += a[y - 1][x]; ... }
          } ... }                              else for x: ... as before

    The order of instances stays as it is; what is gained is a body without questions,
    which may run in lanes. Constraints of the loops around it alone part these: isl
    unrolls nothing where what is left over is in two pieces. Later steps above the
    band would invalidate the isolation.

    Attributes
    ----------
    band : tuple of int
        Path of a band of one member.
    where : tuple of str
        Constraints of the points inside: affine in parameters and in the values ``c0``,
        ``c1``, ... of the loops as far as the band's, outermost first. A parameter of
        such a name cannot be told from a loop, and is not allowed.
    """

    where: tuple[str, ...]

    name: ClassVar[str] = "interior"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        if node.band_n_member() != 1:
            return f"found {node.band_n_member()} members, expected one"
        if has_isolation(node):
            return "the band or one below it isolates a part already"
        if node.get_domain().is_empty():
            return "no instance runs in the loop"
        if has_loop_names(node.get_domain()):
            return "a parameter has the name of a loop"
        try:
            inside = _read(self.where, node)
        except PolyschedError:
            depth = node.get_schedule_depth() + 1
            return (
                f"found the constraints {list(self.where)}, expected affine ones of "
                f"parameters and of {depth} loops c0, c1, ..."
            )
        points = isl.Set.from_union_set(loop_values(node, 0).range())
        if len(list_basic_sets(inside)) != 1 or any(
            c.is_equality()
            for p in list_basic_sets(inside)
            for c in p.get_constraints()
        ):
            return f"the constraints {list(self.where)} are not inequalities"
        if points.is_disjoint(inside) or points.is_subset(inside):
            return f"the constraints {list(self.where)} leave the loop whole"
        return None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return True

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        depth = node.get_schedule_depth()
        (inside,) = list_basic_sets(_read(self.where, node))
        around, within = _part(inside, depth)
        if around:
            node = _part_runs(node, around, depth)
        if within is None:
            return node
        isolated = isl.Map.from_range(isl.Set.from_basic_set(within))
        isolated = isolated.move_dims(isl.dim_type.in_, 0, isl.dim_type.out, 0, depth)
        return node.band_set_ast_build_options(isolate_tiles(isolated))


def _part(
    inside: isl.BasicSet, depth: int
) -> tuple[list[isl.Constraint], isl.BasicSet | None]:
    """The constraints of outer loops alone, and the set of those of the last loop."""
    around: list[isl.Constraint] = []
    within = isl.BasicSet.universe(inside.get_space())
    for constraint in inside.get_constraints():
        if constraint.involves_dims(isl.dim_type.set, depth, 1):
            within = within.add_constraint(constraint)
        else:
            around.append(constraint)
    return around, None if within.is_universe() else within


def _part_runs(
    node: isl.ScheduleNode, around: list[isl.Constraint], depth: int
) -> isl.ScheduleNode:
    """Runs of a band at which constraints of the loops around it hold, and others.

    Of the others those at which the first does not hold, those at which it does and the
    second does not, and so on; they are few, and stay loops without marks. Returns the
    band of the runs at which all constraints hold.
    """
    n_marks = 0
    while node_kind(node.parent()) == "mark":
        node, n_marks = node.parent(), n_marks + 1
    times = node.get_prefix_schedule_union_map().intersect_domain(node.get_domain())
    left = isl.Set.universe(list_sets(times.range())[0].get_space())
    parts = []
    for constraint in around:
        lone = isl.BasicSet.universe(constraint.get_space()).add_constraint(constraint)
        holds = isl.Set.from_basic_set(lone).project_out(isl.dim_type.set, depth, 1)
        parts.append(left.subtract(holds))
        left = left.intersect(holds)
    filters = isl.UnionSetList.alloc(node.get_ctx(), 1 + len(around))
    for part in (left, *parts):
        there = times.intersect_range(isl.UnionSet.from_set(part)).domain()
        filters = filters.add(there)
    node = node.insert_sequence(filters)
    for k in range(1, node.n_children()):
        border = node.child(k).child(0)
        for _ in range(n_marks):
            border = border.delete()
        node = _roll_up(border).parent().parent()
    node = node.child(0).child(0)
    for _ in range(n_marks):
        node = node.child(0)
    return node


def _roll_up(node: isl.ScheduleNode) -> isl.ScheduleNode:
    """The loops at and below a node as loops, if they were to be unrolled."""
    if node_kind(node) == "band":
        for k in range(node.band_n_member()):
            default = isl.ast_loop_type.default
            node = node.band_member_set_ast_loop_type(k, default)
    for k in range(node.n_children()):
        node = _roll_up(node.child(k)).parent()
    return node


def _read(where: tuple[str, ...], node: isl.ScheduleNode) -> isl.Set:
    """The values of all loops as far as a band's one at which constraints hold."""
    params = param_names(node.get_domain())
    loops = [f"c{d}" for d in range(node.get_schedule_depth() + 1)]
    words = {word for text in where for word in _NAME.findall(text)}
    names = sorted(words & set(params))
    space = f"[{', '.join(names)}] -> " if names else ""
    if words - {*names, *loops} or not all(map(_CONSTRAINT.fullmatch, where)):
        raise PolyschedError(f"{list(where)} depends on more than loops")
    try:
        return isl.Set(f"{space}{{ [{', '.join(loops)}] : {' and '.join(where)} }}")
    except isl.Error as error:
        raise PolyschedError(f"{list(where)} are not affine constraints") from error


def print_constraints(inside: isl.BasicSet) -> tuple[str, ...]:
    """Constraints of the values of loops, as `Interior` takes them; without floors."""
    for k in range(inside.dim(isl.dim_type.set)):
        inside = inside.set_dim_name(isl.dim_type.set, k, f"c{k}")
    body = str(inside).split(" : ", 1)
    return tuple(body[1].rstrip(" }").split(" and ")) if len(body) > 1 else ()
