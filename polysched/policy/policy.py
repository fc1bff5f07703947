"""What a policy is: a named function from a program to recipes, best bets first."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, Protocol

from polysched.analysis import Dependences
from polysched.base import PolyschedError
from polysched.ir import ScheduleTree, Scop
from polysched.machine import Cpu
from polysched.schedule import MachineFacts, Recipe
from polysched.transform import Script, plan_scripts

Chooser = Callable[..., Sequence[Recipe]]  # of SCoP, dependences, perhaps machine


class Planner(Protocol):
    """What proposes scripts for an affine schedule; `plan_scripts` is one."""

    def __call__(
        self, tree: ScheduleTree, scop: Scop, deps: Dependences, cpu: Cpu, *, limit: int
    ) -> list[Script]:
        """At most `limit` scripts that differ in effect."""


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
    scripts : Planner
        What shapes and maps the schedules that come of the recipes.
    """

    name: str
    summary: str
    choose: Chooser
    takes_machine: bool = False
    scripts: Planner = plan_scripts

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
        name = f"{self.name}/{n_recipes}"
        return replace(
            self, name=name, summary=summary, choose=choose, takes_machine=True
        )

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
    """All recipes of several policies, their first ones first, each recipe once.

    Scripts are planned in each way that one of them has, taking turns.
    """

    def choose(
        scop: Scop, dependences: Dependences, machine: MachineFacts
    ) -> tuple[Recipe, ...]:
        lists = [p.recipes(scop, dependences, machine) for p in policies]
        longest = max(map(len, lists), default=0)
        return tuple(x[k] for k in range(longest) for x in lists if k < len(x))

    planners = tuple(dict.fromkeys(p.scripts for p in policies))

    def scripts(
        tree: ScheduleTree, scop: Scop, deps: Dependences, cpu: Cpu, *, limit: int
    ) -> list[Script]:
        lists = [plan(tree, scop, deps, cpu, limit=limit) for plan in planners]
        turns = (s for turn in zip_longest(*lists) for s in turn if s is not None)
        return list(dict.fromkeys(turns))[:limit]

    return Policy(
        "+".join(p.name for p in policies),
        "; ".join(p.summary for p in policies),
        choose,
        takes_machine=True,
        scripts=planners[0] if len(planners) == 1 else scripts,
    )


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
