"""Solving a recipe, each part of its partition on its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from polysched.analysis import Dependences, check_legal
from polysched.base import ConflictError, Deadline, InfeasibleError
from polysched.ilp import Effort, Known, Stage
from polysched.ir import LinearRow, Rows, Scop
from polysched.schedule.canonical import canonical_rows
from polysched.schedule.facts import MachineFacts
from polysched.schedule.obey import broken_pins
from polysched.schedule.partition import split_statements
from polysched.schedule.pieces import Piece
from polysched.schedule.pins import (
    Pin,
    PinFused,
    PinMaxSkew,
    PinParallel,
    PinRow,
    PinSeparate,
    PinVector,
)
from polysched.schedule.solve import (
    WHOLE,
    Part,
    Recipe,
    Solved,
    rows_to_tree,
    solve_whole,
)

LEAST_SHARE = 2.0  # seconds for a part, where there are so many


def solve_recipe(
    scop: Scop,
    dependences: Dependences,
    recipe: Recipe,
    deadline: Deadline,
    pieces: tuple[Piece, ...] | None = None,
    machine: MachineFacts | None = None,
    known: Known | None = None,
    effort: Effort | None = None,
) -> Solved:
    """Solve one recipe and prove the result.

    Parameters
    ----------
    scop, dependences
        What to schedule.
    recipe : Recipe
        What to ask for; its partition says which statements are scheduled together.
    deadline : Deadline
        For all stages together.
    pieces : tuple of Piece, optional
        The dependences cut already, shared between recipes.
    machine : MachineFacts, optional
        What objectives may know of the processor; two cores with four lanes by
        default, so that results do not depend on where they are computed.
    known : Known, optional
        What came of a recipe that `Recipe.is_within` this one, over the same
        dependences; it shortens the search.
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
    if recipe.partition == WHOLE and not recipe.parts:
        return solve_whole(
            scop, dependences, recipe, deadline, pieces, machine, known, effort
        )
    return solve_partitioned(
        scop, dependences, recipe, deadline, pieces, machine, effort
    )


def recipe_parts(
    scop: Scop, dependences: Dependences, recipe: Recipe
) -> tuple[Part, ...]:
    """The parts of a recipe with what is asked for each, in a legal order."""
    if recipe.parts:
        return recipe.parts
    groups = split_statements(scop, dependences, recipe.partition)
    return tuple(Part(g, recipe.objectives, recipe.shape) for g in groups)


def solve_partitioned(
    scop: Scop,
    dependences: Dependences,
    recipe: Recipe,
    deadline: Deadline,
    pieces: tuple[Piece, ...] | None = None,
    machine: MachineFacts | None = None,
    effort: Effort | None = None,
) -> Solved:
    """Schedule each part with its own objectives, run the parts one after the other.

    Each part is one integer program over its statements and the dependences inside
    it, so time grows with the largest part. Statements of different parts share no
    loop. The whole is proven; parameters and errors are those of `solve_recipe`.

    References
    ----------
    .. [1] Chelini et al., "Automatic generation of multi-objective polyhedral compiler
       transformations", PACT 2020, section 4.6.
    """
    parts = recipe_parts(scop, dependences, recipe)
    pins = _share_pins(parts, recipe)
    solved: list[Solved] = []
    for k, part in enumerate(parts):
        equal = deadline.remaining_seconds() / (len(parts) - k)
        share = deadline.capped(max(LEAST_SHARE, equal))
        inner = Recipe(part.objectives, part.shape, WHOLE, pins[k])
        names = set(part.statements)
        own = _restrict(dependences, names)
        inside = pieces and tuple(p for p in pieces if {p.source, p.sink} <= names)
        try:
            found = solve_whole(
                _part_of(scop, part),
                own,
                inner,
                share,
                inside,
                machine,
                effort=effort,
            )
        except ConflictError:
            raise
        except InfeasibleError as error:
            raise InfeasibleError(
                f"no schedule of {', '.join(part.statements)} in the partition "
                f"{recipe.partition}: {error.message}"
            ) from error
        solved.append(found)
    rows = canonical_rows(_one_after_another(scop, solved))
    tree = rows_to_tree(scop, dependences, rows)
    check_legal(tree, dependences, scop)
    broken = broken_pins(tree, recipe.pins, scop, dependences)
    if broken:
        raise InfeasibleError(f"the parts together do not obey the pin {broken[0]}")
    shapes = {s.shape for s in solved}
    return Solved(
        tree,
        _asked(parts),
        recipe.partition,
        _stages(parts, solved),
        rows,
        tuple(dict.fromkeys(g for s in solved for g in s.given_up)),
        shapes.pop() if len(shapes) == 1 else None,
    )


def _part_of(scop: Scop, part: Part) -> Scop:
    return replace(
        scop, statements=tuple(s for s in scop.statements if s.name in part.statements)
    )


def _restrict(dependences: Dependences, names: set[str]) -> Dependences:
    inside = (d for d in dependences.items if {d.source, d.sink} <= names)
    return replace(dependences, items=tuple(inside), reductions=())


def _one_after_another(scop: Scop, solved: Sequence[Solved]) -> dict[str, Rows]:
    """Rows of all statements, as deep as the deepest, first scalars by part."""
    depth = max((s.n_loops for s in scop.statements), default=0)
    found: dict[str, Rows] = {}
    first = 0
    for part in solved:
        assert part.rows is not None
        for name, rows in part.rows.items():
            missing = depth - len(rows.linear)
            blank = LinearRow((0,) * len(rows.iterators))
            betas = (rows.betas[0] + first, *rows.betas[1:], *(0,) * missing)
            linear = rows.linear + (blank,) * missing
            found[name] = Rows(rows.iterators, betas, linear)
        first += 1 + max(rows.betas[0] for rows in part.rows.values())
    return {s.name: found[s.name] for s in scop.statements}


def _asked(parts: Sequence[Part]) -> tuple[str, ...]:
    """The list that all parts were asked for, or each part's in words."""
    lists = {p.objectives for p in parts}
    if len(lists) == 1:
        return parts[0].objectives
    return tuple(f"{','.join(p.statements)}:{','.join(p.objectives)}" for p in parts)


def _stages(parts: Sequence[Part], solved: Sequence[Solved]) -> tuple[Stage, ...]:
    if len(parts) == 1:
        return solved[0].stages
    return tuple(
        replace(stage, name=f"{stage.name} of {part.statements[0]}")
        for part, found in zip(parts, solved, strict=True)
        for stage in found.stages
    )


def _share_pins(parts: Sequence[Part], recipe: Recipe) -> list[tuple[Pin, ...]]:
    """What each part must obey; a pin on two parts holds by itself, or never."""
    home = {s: k for k, part in enumerate(parts) for s in part.statements}
    shared: list[list[Pin]] = [[] for _ in parts]
    for pin in recipe.pins:
        match pin:
            case PinRow(name) | PinParallel(name) | PinVector(name):
                shared[home[name]].append(pin)
            case PinMaxSkew():
                for pins in shared:
                    pins.append(pin)
            case PinFused(first, second) | PinSeparate(first, second):
                if home[first] == home[second]:
                    shared[home[first]].append(pin)
                elif isinstance(pin, PinFused):
                    raise InfeasibleError(
                        f"the partition {recipe.partition} keeps {first} and {second} "
                        f"apart, which the pin {pin} wants together"
                    )
    return [tuple(pins) for pins in shared]
