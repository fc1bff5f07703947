"""What a pin costs: the objectives that get worse when a schedule must obey it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from polysched.analysis import Dependences
from polysched.base import Deadline, PolyschedError
from polysched.ilp import Stage
from polysched.ir import Scop
from polysched.schedule.conflict import Conflict, PinConflictError, find_obstacles
from polysched.schedule.facts import MachineFacts
from polysched.schedule.partitioned import solve_recipe
from polysched.schedule.pieces import Piece, cut_dependences
from polysched.schedule.pins import Pin, check_pins
from polysched.schedule.solve import Recipe, Solved


@dataclass(frozen=True)
class ObjectiveChange:
    """One objective without and with a pin.

    Attributes
    ----------
    name : str
    before, after : int or None
        Minimised values; None where time ran out first.
    """

    name: str
    before: int | None
    after: int | None

    @property
    def is_worse(self) -> bool:
        """Whether the pin makes it larger."""
        if self.before is None or self.after is None:
            return False
        return self.after > self.before


@dataclass(frozen=True, eq=False)
class PinPrice:
    """What would have to be given up for a pin.

    Attributes
    ----------
    pin : Pin
        What is wanted.
    recipe : Recipe
        The objective list that was solved again, the pin in front.
    solved : Solved or None
        The best schedule with the pin; None when there is none.
    changes : tuple of ObjectiveChange
        Every objective, most important first.
    conflict : Conflict or None
        Why there is none.
    failure : str
        Why nothing is known: time ran out, for example; empty otherwise.
    """

    pin: Pin
    recipe: Recipe
    solved: Solved | None = None
    changes: tuple[ObjectiveChange, ...] = ()
    conflict: Conflict | None = None
    failure: str = ""

    @property
    def losses(self) -> tuple[ObjectiveChange, ...]:
        """The objectives that get worse."""
        return tuple(c for c in self.changes if c.is_worse)


def price_pin(
    scop: Scop,
    dependences: Dependences,
    recipe: Recipe,
    pin: Pin,
    deadline: Deadline,
    *,
    before: tuple[Stage, ...] | None = None,
    pieces: tuple[Piece, ...] | None = None,
    machine: MachineFacts | None = None,
) -> PinPrice:
    """Solve a recipe with one more pin, and compare.

    Parameters
    ----------
    scop, dependences, pieces, machine
        As for `solve_recipe`.
    recipe : Recipe
        The schedule's own list, with the pins it obeys already.
    pin : Pin
        What is wanted in addition.
    deadline : Deadline
        Of both solves and of the explanation of a conflict.
    before : tuple of Stage, optional
        The stages of the recipe without the pin; solved for when not given.

    Raises
    ------
    PinError
        If the pin names what the SCoP does not have.
    """
    check_pins((pin,), scop)
    if pieces is None:
        pieces = cut_dependences(scop, dependences)
    wanted = replace(recipe, pins=(pin, *recipe.pins))
    try:
        if before is None:
            plain = solve_recipe(scop, dependences, recipe, deadline, pieces, machine)
            before = plain.stages
        solved = solve_recipe(scop, dependences, wanted, deadline, pieces, machine)
    except PinConflictError as error:
        conflict = find_obstacles(
            scop, dependences, error.conflict, wanted.pins, deadline, pieces
        )
        return PinPrice(pin, wanted, conflict=conflict)
    except PolyschedError as error:
        return PinPrice(pin, wanted, failure=error.message)
    known = {s.name: s.value for s in before}
    changes = tuple(
        ObjectiveChange(s.name, known.get(s.name), s.value) for s in solved.stages
    )
    return PinPrice(pin, wanted, solved, changes)
