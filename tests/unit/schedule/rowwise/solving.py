"""Solving row by row in tests, and trees as values that can be compared."""

from __future__ import annotations

import islpy as isl

from polysched.analysis import Dependences, compute_dependences, find_violation
from polysched.base import Deadline
from polysched.ir import ScheduleTree, Scop
from polysched.schedule import Solved
from polysched.schedule.rowwise import RowwiseOptions, RowwiseRecipe, solve_rowwise
from polysched.sets import list_sets, node_kind


def solve(program: Scop, recipe: RowwiseRecipe | RowwiseOptions) -> Solved:
    """Solve without a limit; the result is legal and has all instances."""
    options = recipe.options if isinstance(recipe, RowwiseRecipe) else recipe
    dependences = compute_dependences(program)
    solved = solve_rowwise(program, dependences, options, Deadline())
    assert_legal(solved, dependences, program)
    return solved


def assert_legal(solved: Solved, dependences: Dependences, program: Scop) -> None:
    assert find_violation(solved.tree, dependences, program) is None
    assert solved.tree.schedule.get_domain().is_equal(program.domain)


def bands(solved: Solved) -> list[tuple[int, bool, tuple[bool, ...]]]:
    """Members, permutable, coincident members of every band, top down."""
    return [
        (
            node.band_n_member(),
            bool(node.band_get_permutable()),
            tuple(
                bool(node.band_member_get_coincident(m))
                for m in range(node.band_n_member())
            ),
        )
        for _, node in solved.tree.bands()
    ]


def loops(tree: ScheduleTree) -> object:
    """A tree without flags, leaves' order and names: equal for equal loop structures.

    Rows are iterator coefficients, parameter coefficients and constants per statement,
    constants counted from the least of the row. Parts that isl leaves unordered are
    sorted by their statements, and dropped where nothing is inside of them.
    """
    return _node(tree.root)


def _node(node: isl.ScheduleNode) -> object:
    kind = node_kind(node)
    if kind == "leaf":
        return ()
    if kind == "band":
        return (*_rows(node), _node(node.child(0)))
    if kind not in ("sequence", "set"):
        return _node(node.child(0))
    parts: list[tuple[tuple[str, ...], object]] = []
    for k in range(node.n_children()):
        child = node.child(k)
        names = tuple(s.get_tuple_name() for s in list_sets(child.filter_get_filter()))
        parts.append((names, _node(child.child(0))))
    if not any(inside for _, inside in parts):
        return ()
    return ("parts", *(sorted(parts) if kind == "set" else parts))


def _rows(band: isl.ScheduleNode) -> list[object]:
    partial = band.band_get_partial_schedule()
    found = []
    for k in range(band.band_n_member()):
        members: list[isl.PwAff] = []
        partial.get_union_pw_aff(k).foreach_pw_aff(members.append)
        rows = sorted(_affine(m) for m in members)
        least = min(constant for *_, constant in rows)
        found.append(tuple((*row, constant - least) for *row, constant in rows))
    return found


def _affine(member: isl.PwAff) -> tuple[str, tuple[int, ...], str, int]:
    pieces: list[isl.Aff] = []
    member.foreach_piece(lambda _, aff: pieces.append(aff))
    aff = pieces[0]
    kinds = isl.dim_type
    iterators = tuple(
        int(str(aff.get_coefficient_val(kinds.in_, k)))
        for k in range(aff.dim(kinds.in_))
    )
    params = [
        f"{aff.get_coefficient_val(kinds.param, k)}{aff.get_dim_name(kinds.param, k)}"
        for k in range(aff.dim(kinds.param))
        if not aff.get_coefficient_val(kinds.param, k).is_zero()
    ]
    name = member.domain().get_tuple_name()
    return name, iterators, " ".join(params), int(str(aff.get_constant_val()))
