"""Objectives for a group of statements, asked of the nano-kernel database."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from polysched.analysis import Dependences
from polysched.ir import Scop
from polysched.policy.database import Answer, NanoDatabase, machine_class
from polysched.policy.ranking import RankedDependence, rank_dependences
from polysched.policy.shapes import shape_for
from polysched.schedule import MachineFacts, Part, Recipe, split_statements

_log = logging.getLogger(__name__)

# most promising first: the published geometric means lie close together
PARTITION_ORDER = ("MAX", "SINGLE", "WRITE", "DIM", "SELFDEP")


@dataclass(frozen=True)
class Choice:
    """One query of the database and what came of it.

    Attributes
    ----------
    dependence : RankedDependence
        What was asked about.
    answer : Answer
        The list, and the key it was found under.
    appended : tuple of str
        What the list added to those chosen before.
    """

    dependence: RankedDependence
    answer: Answer
    appended: tuple[str, ...]

    def __str__(self) -> str:
        told = ">".join(self.appended)
        asked = self.dependence.key
        found = "" if not self.answer.distance else f", nearest: {self.answer.key}"
        return f"{told} for {self.dependence} ({asked}{found})"


@dataclass(frozen=True)
class Selected:
    """An objective list and the reasons for it.

    Attributes
    ----------
    objectives : tuple of str
        Most important first; MIC, which decides what the others leave open, is last.
    choices : tuple of Choice
    """

    objectives: tuple[str, ...]
    choices: tuple[Choice, ...]


def select_objectives(
    ranked: Sequence[RankedDependence],
    database: NanoDatabase,
    prefix: Sequence[str] = (),
) -> Selected:
    """The objective list of a partition [1]_.

    The dependences are asked about in their order of importance. The database answers
    with the best list that goes on where the list so far ends; what it adds is
    appended, and no objective is chosen twice, until dependences or objectives are
    used up.

    Parameters
    ----------
    ranked : sequence of RankedDependence
        Those of one group of statements, as `rank_dependences` orders them.
    database : NanoDatabase
    prefix : sequence of str
        Objectives that are fixed already, most important first.

    References
    ----------
    .. [1] Chelini et al., "Automatic generation of multi-objective polyhedral compiler
       transformations", PACT 2020, algorithm 2.
    """
    chosen = tuple(prefix)
    choices = []
    for dependence in ranked:
        left = [o for o in database.objectives if o not in chosen]
        if not left:
            break
        answer = database.query(dependence.key, chosen, left)
        if answer is None:
            continue
        appended = tuple(o for o in answer.objectives if o not in chosen)
        chosen += appended
        choice = Choice(dependence, answer, appended)
        _log.debug("%s", choice)
        choices.append(choice)
    return Selected((*(o for o in chosen if o != "MIC"), "MIC"), tuple(choices))


def select_parts(
    scop: Scop,
    dependences: Dependences,
    partition: str,
    database: NanoDatabase,
    machine: MachineFacts,
) -> tuple[tuple[Part, Selected], ...]:
    """The parts of a partition, each with the list that the database selects for it."""
    found = []
    for group in split_statements(scop, dependences, partition):
        ranked = rank_dependences(scop, dependences, group, machine.n_cores)
        selected = select_objectives(ranked, database)
        names = selected.objectives
        found.append((Part(group, names, shape_for(names)), selected))
    return tuple(found)


def database_recipes(
    scop: Scop,
    dependences: Dependences,
    machine: MachineFacts,
    database: NanoDatabase | None = None,
) -> tuple[Recipe, ...]:
    """One recipe per statement partition that differs from the ones before.

    Parameters
    ----------
    scop, dependences
        What to schedule.
    machine : MachineFacts
        Its class chooses the rows of the database.
    database : NanoDatabase, optional
        The one over six objectives that is shipped, by default.
    """
    database = database or NanoDatabase.shipped()
    _log.info("rows for machines with %s cores", machine_class(machine))
    recipes: dict[tuple[Part, ...], Recipe] = {}
    for name in PARTITION_ORDER:
        chosen = select_parts(scop, dependences, name, database, machine)
        parts = tuple(part for part, _ in chosen)
        for part, selected in chosen if parts not in recipes else ():
            for choice in selected.choices:
                _log.info("%s, %s: %s", name, " ".join(part.statements), choice)
        recipes.setdefault(parts, Recipe((), partition=name, parts=parts))
    return tuple(recipes.values())
