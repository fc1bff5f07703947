"""From a recipe to a proven schedule tree."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile

import islpy as isl

from polysched.analysis import Dependences, find_violation, set_band_flags
from polysched.base import Deadline, InfeasibleError
from polysched.ilp import Effort, Known, Solution, Stage, choose_given_up, is_satisfied
from polysched.ir import Rows, ScheduleTree, Scop, build_tree
from polysched.schedule.canonical import canonical_rows
from polysched.schedule.facts import MachineFacts
from polysched.schedule.lexicon import Forms, find_objective
from polysched.schedule.model import Bands, ModelOptions, ScheduleModel, Shape
from polysched.schedule.obey import broken_pins
from polysched.schedule.pieces import Piece
from polysched.schedule.pinned import build_pinned_model
from polysched.schedule.pins import Pin

_log = logging.getLogger(__name__)


WHOLE = "ALL"  # the partition with one part: all statements in one integer program


@dataclass(frozen=True)
class Part:
    """Statements that are scheduled together, and what is asked for them.

    Attributes
    ----------
    statements : tuple of str
        In textual order.
    objectives : tuple of str
        Names of the lexicon, most important first.
    shape : {"unit", "turned", "lower", "upper", "gathered", "any"}
        Form of the linear rows, see `ModelOptions`.
    """

    statements: tuple[str, ...]
    objectives: tuple[str, ...]
    shape: Shape = "unit"

    def __str__(self) -> str:
        names = " ".join(self.statements)
        return f"{names}: {'>'.join(self.objectives)} ({self.shape})"


@dataclass(frozen=True)
class Recipe:
    """What to ask of the scheduler.

    Attributes
    ----------
    objectives : tuple of str
        Names of the lexicon, most important first.
    shape : {"unit", "turned", "lower", "upper", "gathered", "any"}
        Form of the linear rows, see `ModelOptions`.
    partition : str
        Name of the statement partition, see `PARTITIONS`; "ALL" schedules all
        statements together.
    pins : tuple of Pin
        What the schedule must obey; the shape gives way where they need another.
    parts : tuple of Part
        The parts of the partition in order, each with objectives of its own, which go
        before `objectives` and `shape`; empty where all parts are asked for the same.
    """

    objectives: tuple[str, ...]
    shape: Shape = "unit"
    partition: str = WHOLE
    pins: tuple[Pin, ...] = ()
    parts: tuple[Part, ...] = ()

    @property
    def bands(self) -> Bands:
        """What the objectives ask about permutable bands, see `ModelOptions`."""
        asked = {find_objective(name).bands for name in self.objectives}
        return "all" if "all" in asked else "outer" if "outer" in asked else "none"

    def is_within(self, other: Recipe) -> bool:
        """Whether another asks for the same and for more in between.

        The program of the other then is this one's with further rows and objectives:
        what an objective adds does not depend on what stands beside it. That is said
        only of recipes without pins, for all statements together.
        """
        if self == other or any(
            r.pins or r.parts or r.partition != WHOLE for r in (self, other)
        ):
            return False
        names = iter(other.objectives)
        return (
            self.shape == other.shape
            and all(name in names for name in self.objectives)
            and self.bands == other.bands
        )

    def __str__(self) -> str:
        pins = f" with {', '.join(str(p) for p in self.pins)}" if self.pins else ""
        if self.parts:
            return f"{self.partition} {'; '.join(str(p) for p in self.parts)}{pins}"
        parted = "" if self.partition == WHOLE else f", {self.partition}"
        return f"{'>'.join(self.objectives)} ({self.shape}{parted}){pins}"


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
    given_up : tuple of str
        Groups of constraints that objectives asked for and that could not be met, or
        not within the time, together with the rest: "SDO", "SPC skew", ...
    shape : {"unit", "turned", "lower", "upper", "gathered", "any"} or None
        Form of its rows; not the recipe's where a pin needed another. None for
        schedules not from the ILP.
    known : Known or None
        What it says of recipes that ask for the same and more; None where an objective
        was given up.
    """

    tree: ScheduleTree
    objectives: tuple[str, ...]
    partition: str = WHOLE
    stages: tuple[Stage, ...] = ()
    rows: dict[str, Rows] | None = field(default=None)
    given_up: tuple[str, ...] = ()
    shape: Shape | None = None
    known: Known | None = None


def solve_whole(
    scop: Scop,
    dependences: Dependences,
    recipe: Recipe,
    deadline: Deadline,
    pieces: tuple[Piece, ...] | None = None,
    machine: MachineFacts | None = None,
    known: Known | None = None,
    effort: Effort | None = None,
) -> Solved:
    """Solve a recipe for all statements together and prove the result.

    Parameters
    ----------
    scop, dependences
        What to schedule.
    recipe : Recipe
        What to ask for.
    deadline : Deadline
        For all stages together.
    pieces : tuple of Piece, optional
        The dependences cut already, shared between recipes.
    machine : MachineFacts, optional
        What objectives may know of the processor; two cores with four lanes by
        default, so that results do not depend on where they are computed.
    known : Known, optional
        What came of a recipe that `is_within` this one, over the same dependences.
    effort : Effort, optional
        What solving may take; objectives behind are minimised in part only.

    Raises
    ------
    ConflictError
        When the recipe's pins cannot be obeyed; names an irreducible conflict.
    InfeasibleError
        When the space is empty within its bounds, time ran out before a first
        solution, or rounding made the solution invalid.
    """
    objectives = [find_objective(name) for name in recipe.objectives]
    options = ModelOptions(shape=recipe.shape, bands=recipe.bands)
    if recipe.pins:
        model = build_pinned_model(
            scop, dependences, recipe.pins, options, deadline, pieces, machine
        )
    else:
        model = ScheduleModel(scop, dependences, pieces, options, machine)
    forms = [form for o in objectives for form in o.forms(model)]
    _log.debug("%s: %d variables", recipe, model.problem.n_variables)
    solution, given_up = _solve_soft(model, forms, deadline, known, effort)
    if not is_satisfied(model.problem, solution.values, frozenset(given_up)):
        raise InfeasibleError(
            f"the solver's rounded point breaks a constraint: {recipe}"
        )
    rows = canonical_rows(model.read_rows(solution.values))
    tree = rows_to_tree(scop, dependences, rows)
    violation = find_violation(tree, dependences, scop)
    if violation is not None:
        raise InfeasibleError(f"the solution is not legal: {violation}")
    broken = broken_pins(tree, recipe.pins, scop, dependences)
    if broken:
        raise InfeasibleError(f"the solution does not obey the pin {broken[0]}")
    return Solved(
        tree,
        recipe.objectives,
        recipe.partition,
        solution.stages,
        rows,
        given_up,
        model.options.shape,
        None if given_up else _what_is_known(model, solution),
    )


def _what_is_known(model: ScheduleModel, solution: Solution) -> Known:
    """The values of the schedule, and those of its first objectives proven least.

    It is an optimum of the program with these objectives alone.
    """
    proven = takewhile(lambda stage: stage.status == "optimal", solution.stages)
    optima = tuple((s.name, s.value) for s in proven if s.value is not None)
    return Known(solution.values[: model.n_own_variables], optima)


def _solve_soft(
    model: ScheduleModel,
    forms: Forms,
    deadline: Deadline,
    known: Known | None = None,
    effort: Effort | None = None,
) -> tuple[Solution, tuple[str, ...]]:
    """Solve with all that objectives require; else without what cannot be met."""
    try:
        return model.problem.lexmin(forms, deadline, known=known, effort=effort), ()
    except InfeasibleError:
        if not model.soft_groups or deadline.expired:
            raise
    given_up = choose_given_up(model.problem, model.soft_groups, deadline)
    _log.info("given up: %s", ", ".join(given_up))
    without = frozenset(given_up)
    found = model.problem.lexmin(forms, deadline, without=without, effort=effort)
    return found, given_up


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
