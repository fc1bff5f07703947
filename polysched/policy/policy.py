"""What a policy is: a named function from a program to recipes, best bets first."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from polysched.analysis import Dependences
from polysched.base import PolyschedError
from polysched.ir import Scop
from polysched.schedule import MachineFacts, Recipe

Chooser = Callable[..., Sequence[Recipe]]  # of SCoP, dependences, perhaps machine


@dataclass(frozen=True)
class Policy:
    """A named way to choose recipes.

    Attributes
    ----------
    name, summary : str
        For the command line and tables.
    choose : callable
        SCoP and dependences to recipes, most promising first.
    takes_machine : bool
        Whether `choose` takes `MachineFacts` as a third argument.
    """

    name: str
    summary: str
    choose: Chooser
    takes_machine: bool = False

    def recipes(
        self,
        scop: Scop,
        dependences: Dependences,
        machine: MachineFacts | None = None,
    ) -> tuple[Recipe, ...]:
        """The recipes for a program, each once, most promising first.

        Parameters
        ----------
        scop, dependences
            What is to be scheduled.
        machine : MachineFacts, optional
            What it will run on; two cores with four lanes by default.

        Raises
        ------
        PolyschedError
            When a function of the user's returns something else than recipes.
        """
        extra = (machine or MachineFacts(),) if self.takes_machine else ()
        found = self.choose(scop, dependences, *extra)
        return tuple(dict.fromkeys(_check(self.name, found)))

    def limited(self, n_recipes: int) -> Policy:
        """The same policy with a budget: its first so many recipes."""
        if n_recipes < 1:
            raise PolyschedError(
                f"found a budget of {n_recipes} recipes, expected 1 or more"
            )

        def choose(
            scop: Scop, dependences: Dependences, machine: MachineFacts
        ) -> tuple[Recipe, ...]:
            return self.recipes(scop, dependences, machine)[:n_recipes]

        summary = f"{self.summary}, at most {n_recipes} recipes"
        return Policy(f"{self.name}/{n_recipes}", summary, choose, takes_machine=True)

    @classmethod
    def of_function(cls, function: Chooser, name: str = "") -> Policy:
        """A policy from a function of SCoP, dependences and, if it likes, machine.

        Raises
        ------
        PolyschedError
            When it cannot be called with two or three arguments.
        """
        name = name or getattr(function, "__name__", type(function).__name__)
        for n_arguments in (3, 2):
            if _accepts(function, n_arguments):
                summary = (inspect.getdoc(function) or "a user's function").split("\n")
                return cls(name, summary[0], function, n_arguments == 3)
        raise PolyschedError(
            f"the policy {name} cannot be called with a SCoP and its dependences",
            hint="define it as choose(scop, dependences) or with a third argument "
            "for the machine",
        )


def combine_policies(policies: Sequence[Policy]) -> Policy:
    """All recipes of several policies, their first ones first, each recipe once."""

    def choose(
        scop: Scop, dependences: Dependences, machine: MachineFacts
    ) -> tuple[Recipe, ...]:
        lists = [p.recipes(scop, dependences, machine) for p in policies]
        longest = max(map(len, lists), default=0)
        return tuple(x[k] for k in range(longest) for x in lists if k < len(x))

    name = "+".join(p.name for p in policies)
    summary = "; ".join(p.summary for p in policies)
    return Policy(name, summary, choose, takes_machine=True)


def _accepts(function: Chooser, n_arguments: int) -> bool:
    try:
        inspect.signature(function).bind(*[None] * n_arguments)
    except (TypeError, ValueError):
        return False
    return True


def _check(name: str, found: Any) -> tuple[Recipe, ...]:
    try:
        recipes = tuple(found)
    except TypeError:
        recipes = (found,)
    for recipe in recipes:
        if not isinstance(recipe, Recipe):
            raise PolyschedError(
                f"the policy {name} gave {recipe!r}, expected recipes",
                hint="as in Recipe(('SO', 'IP', 'MIC'))",
            )
    return recipes
