"""From what a user wrote to a policy."""

from __future__ import annotations

import importlib.util
import re
from difflib import get_close_matches
from pathlib import Path
from typing import get_args

from polysched.analysis import Dependences
from polysched.base import PolyschedError
from polysched.ir import Scop
from polysched.policy.database import NanoDatabase
from polysched.policy.dedicated import table_recipes
from polysched.policy.intents import (
    INTENTS,
    dedicated_recipes,
    intent_recipes,
    machine_recipes,
    partition_recipes,
)
from polysched.policy.policy import Chooser, Policy, combine_policies
from polysched.policy.random import random_policy
from polysched.policy.recipes import (
    FUSED,
    PARALLEL,
    TILED,
    VECTOR,
    balanced_recipes,
    thorough_recipes,
)
from polysched.policy.selection import database_recipes
from polysched.policy.shapes import shape_for
from polysched.schedule import (
    LEXICON,
    WHOLE,
    MachineFacts,
    Recipe,
    Shape,
    find_objective,
    find_partition,
    has_objective,
)

POLICIES: dict[str, Policy] = {
    p.name: p
    for p in (
        Policy(
            "balanced", "parallel, fused, tiled and skewed recipes", balanced_recipes
        ),
        Policy("parallelism", "outer and inner parallel loops", lambda s, d: PARALLEL),
        Policy("locality", "fusion and tiled bands", lambda s, d: TILED + FUSED),
        Policy(
            "vectorize", "unit strides and parallel inner loops", lambda s, d: VECTOR
        ),
        Policy("thorough", "all recipes of the four before", thorough_recipes),
        Policy("minimal", "only the original, Pluto's and isl's", lambda s, d: ()),
        *(
            Policy(name, summary, intent_recipes(name))
            for name, (summary, _) in INTENTS.items()
        ),
        Policy(
            "machine",
            "many-cores or few-wide-cores, whichever the machine has",
            machine_recipes,
            takes_machine=True,
        ),
        Policy("dedicated", "recipes for the kind of program", dedicated_recipes),
        Policy(
            "partitions", "one list under every statement partition", partition_recipes
        ),
        Policy(
            "pldi19",
            "the fixed table of Kong and Pouchet, PLDI 2019, by kind of node",
            table_recipes,
            takes_machine=True,
        ),
        random_policy(0),
        Policy(
            "database",
            "lists from the nano-kernel database, per statement partition",
            database_recipes,
            takes_machine=True,
        ),
        Policy(
            "database-12",
            "the same with lists of twelve objectives in place of six",
            lambda s, d, m: database_recipes(s, d, m, NanoDatabase.shipped(12)),
            takes_machine=True,
        ),
    )
}
_DATABASE = re.compile(r"database:(?P<file>.+)")
_RANDOM = re.compile(r"random:(?P<seed>\d+)")
_BUDGET = re.compile(r"(?P<name>.*\S)\s*/\s*(?P<n>\d+)")
_LIST = re.compile(
    r"(?:list:)?(?P<names>[^:@]+)(?::(?P<shape>\w+))?(?:@(?P<partition>\w+))?"
)
_FUNCTION = re.compile(r"(?P<file>.+\.py):(?P<name>\w+)")


def find_policy(name: str | Policy | Chooser) -> Policy:
    """The policy that is meant.

    Parameters
    ----------
    name : str, Policy or callable
        One of `POLICIES`; ``random:7``, random with another seed; an objective list
        ``SO>IP>OP``, with a shape and a statement partition if wanted:
        ``PERM>IP:lower@SINGLE``; a database of one's own, ``database:mine.json.gz``;
        a function in a file, ``mine.py:choose``; any of these with a budget,
        ``thorough/6``; or several with plus signs between them,
        ``balanced+database/3``. A policy is itself, a function of SCoP and
        dependences becomes one.

    Raises
    ------
    PolyschedError
        When there is no such policy, objective, shape, partition, file or function.
    """
    if isinstance(name, Policy):
        return name
    if not isinstance(name, str):
        return Policy.of_function(name)
    terms = [term.strip() for term in name.split("+")]
    found = [_find_term(term) for term in terms]
    return found[0] if len(found) == 1 else combine_policies(found)


def _find_term(term: str) -> Policy:
    if term in POLICIES:
        return POLICIES[term]
    seeded = _RANDOM.fullmatch(term)
    if seeded is not None:
        return random_policy(int(seeded["seed"]))
    function = _FUNCTION.fullmatch(term)
    if function is not None:
        return _load_function(function["file"], function["name"])
    budget = _BUDGET.fullmatch(term)
    if budget is not None:
        return _find_term(budget["name"]).limited(int(budget["n"]))
    database = _DATABASE.fullmatch(term)
    if database is not None:
        return _own_database(term, database["file"])
    listed = _LIST.fullmatch(term)
    if listed is not None:
        names = [n.strip() for n in listed["names"].split(">")]
        if len(names) > 1 or has_objective(names[0]) or term.startswith("list:"):
            return _synthetic(term, names, listed["shape"], listed["partition"])
    near = get_close_matches(term, [*POLICIES, *LEXICON], 1)
    raise PolyschedError(
        f"no policy named {term!r}; the policies are: {', '.join(POLICIES)}",
        hint=(f"is {near[0]} meant? " if near else "")
        + "objective lists are policies, too: SO>IP>OP",
    )


def _synthetic(
    term: str, names: list[str], shape: str | None, partition: str | None
) -> Policy:
    """One recipe as it was written; MIC decides what the list leaves open."""
    for name in names:
        find_objective(name)
    repeated = [n for k, n in enumerate(names) if n in names[:k]]
    if repeated:
        raise PolyschedError(f"the list {term} has {repeated[0]} twice, expected once")
    shapes: dict[str, Shape] = {s: s for s in get_args(Shape)}
    if shape is not None and shape not in shapes:
        raise PolyschedError(
            f"found the shape {shape!r} in {term}, expected one of: {', '.join(shapes)}"
        )
    if partition is not None:
        find_partition(partition)
    objectives = tuple(names) if "MIC" in names else (*names, "MIC")
    form = shape_for(objectives) if shape is None else shapes[shape]
    recipe = Recipe(objectives, form, partition or WHOLE)
    return Policy(term, f"the objective list {recipe}", lambda s, d: (recipe,))


def _own_database(term: str, file: str) -> Policy:
    """What a file that `polysched database build` wrote selects."""
    database = NanoDatabase.load(file)

    def choose(
        scop: Scop, dependences: Dependences, machine: MachineFacts
    ) -> tuple[Recipe, ...]:
        return database_recipes(scop, dependences, machine, database)

    return Policy(term, "lists from a database", choose, takes_machine=True)


def _load_function(file: str, name: str) -> Policy:
    """A function of the user's own file, which is run for it."""
    path = Path(file)
    if not path.is_file():
        raise PolyschedError(f"the policy's file {file!r} does not exist")
    spec = importlib.util.spec_from_file_location(f"polysched_policy_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever a user's file raises
        raise PolyschedError(
            f"the policy's file {file!r} cannot be run: {type(error).__name__}: {error}"
        ) from error
    function = getattr(module, name, None)
    if not callable(function):
        known = ", ".join(
            n for n, v in vars(module).items() if callable(v) and n[0] != "_"
        )
        raise PolyschedError(
            f"{file!r} has no function {name!r}; it has: {known or 'none'}"
        )
    return Policy.of_function(function, f"{path.name}:{name}")
