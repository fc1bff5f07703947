"""From a recipe to a proven schedule tree."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import islpy as isl

from polysched.analysis import Dependences, find_violation, set_band_flags
from polysched.base import Deadline, InfeasibleError
from polysched.ilp import Stage, is_satisfied
from polysched.ir import Rows, ScheduleTree, Scop, build_tree
from polysched.schedule.canonical import canonical_rows
from polysched.schedule.lexicon import find_objective
from polysched.schedule.model import Bands, ModelOptions, ScheduleModel, Shape
from polysched.schedule.pieces import Piece

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
    """What to ask of the scheduler.

    Attributes
    ----------
    objectives : tuple of str
        Names of the lexicon, most important first.
    shape : {"unit", "lower", "upper"}
        Form of the linear rows, see `ModelOptions`.
    partition : str
        Name of the statement partition; "MAX" schedules all statements together.
    """

    objectives: tuple[str, ...]
    shape: Shape = "unit"
    partition: str = "MAX"

    def __str__(self) -> str:
        return f"{'>'.join(self.objectives)} ({self.shape})"


@dataclass(frozen=True, eq=False)
class Solved:
    """A legal schedule and how it was found.

    Attributes
    ----------
    tree : ScheduleTree
        With exact band flags; legality proven by isl.
    objectives : tuple of str
        The objective list that asked for it.
    partition : str
        The partition of the recipe.
    stages : tuple of Stage
        Value, bound, seconds of every objective; empty for schedules not from the ILP.
    rows : mapping of str to Rows, or None
        The 2d+1 form, when it came from the ILP.
    """

    tree: ScheduleTree
    objectives: tuple[str, ...]
    partition: str = "MAX"
    stages: tuple[Stage, ...] = ()
    rows: dict[str, Rows] | None = field(default=None)


def solve_recipe(
    scop: Scop,
    dependences: Dependences,
    recipe: Recipe,
    deadline: Deadline,
    pieces: tuple[Piece, ...] | None = None,
) -> Solved:
    """Solve one recipe and prove the result.

    Raises
    ------
    InfeasibleError
        When the space is empty within its bounds, time ran out before a first
        solution, or rounding made the solution invalid.
    """
    objectives = [find_objective(name) for name in recipe.objectives]
    asked = {o.bands for o in objectives}
    bands: Bands = "all" if "all" in asked else "outer" if "outer" in asked else "none"
    options = ModelOptions(shape=recipe.shape, bands=bands)
    model = ScheduleModel(scop, dependences, pieces, options)
    forms = [form for o in objectives for form in o.forms(model)]
    _log.debug("%s: %d variables", recipe, model.problem.n_variables)
    solution = model.problem.lexmin(forms, deadline)
    if not is_satisfied(model.problem, solution.values):
        raise InfeasibleError(
            f"the solver's rounded point breaks a constraint: {recipe}"
        )
    rows = canonical_rows(model.read_rows(solution.values))
    tree = rows_to_tree(scop, dependences, rows)
    violation = find_violation(tree, dependences, scop)
    if violation is not None:
        raise InfeasibleError(f"the solution is not legal: {violation}")
    return Solved(tree, recipe.objectives, recipe.partition, solution.stages, rows)


def rows_to_tree(
    scop: Scop, dependences: Dependences, rows: dict[str, Rows]
) -> ScheduleTree:
    """A tree whose bands are as wide as exact permutability allows, flags set."""
    validity = dependences.validity

    def may_join(members: tuple[str, ...], first: int, level: int) -> bool:
        prefix = _time_text(rows, members, 2 * first + 1)
        inside = _among(validity, members)
        active = inside.eq_at_multi_union_pw_aff(isl.MultiUnionPwAff(prefix))
        for row in range(first, level + 1):
            member = isl.UnionMap(_row_text(rows, members, row))
            moved = active.apply_domain(member).apply_range(member)
            if moved.is_empty():
                continue
            distances = isl.Set.from_union_set(moved.deltas())
            if not distances.is_subset(isl.Set("{ [d] : d >= 0 }")):
                return False
        return True

    tree = build_tree(scop.domain, rows, may_join)
    return set_band_flags(tree, dependences)


def _among(relation: isl.UnionMap, members: Sequence[str]) -> isl.UnionMap:
    found = isl.UnionMap("{ }")
    pieces: list[isl.Map] = []
    relation.foreach_map(pieces.append)
    for m in pieces:
        names = (
            m.get_tuple_name(isl.dim_type.in_),
            m.get_tuple_name(isl.dim_type.out),
        )
        if names[0] in members and names[1] in members:
            found = found.union(isl.UnionMap.from_map(m))
    return found


def _row_text(rows: dict[str, Rows], members: Sequence[str], level: int) -> str:
    maps = [
        f"{m}[{', '.join(rows[m].iterators)}] -> "
        f"[({rows[m].linear[level].affine_text(rows[m].iterators)})]"
        for m in members
    ]
    return "{ " + "; ".join(maps) + " }"


def _time_text(rows: dict[str, Rows], members: Sequence[str], n_rows: int) -> str:
    """The first `n_rows` rows of the 2d+1 form as a multi-union-affine text."""
    parts = []
    for p in range(n_rows):
        if p % 2:
            parts.append(_row_text(rows, members, p // 2))
            continue
        maps = [
            f"{m}[{', '.join(rows[m].iterators)}] -> [({rows[m].betas[p // 2]})]"
            for m in members
        ]
        parts.append("{ " + "; ".join(maps) + " }")
    return f"[{', '.join(parts)}]"
