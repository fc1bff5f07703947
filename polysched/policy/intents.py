"""High-level and dedicated policies: lists for what a user wants or a program is."""

from __future__ import annotations

from collections.abc import Callable

from polysched.analysis import Dependences, program_features
from polysched.ir import Scop
from polysched.policy.recipes import (
    FUSED,
    PARALLEL,
    SKEWED,
    TILED,
    VECTOR,
    balanced_recipes,
)
from polysched.policy.selection import PARTITION_ORDER
from polysched.policy.shapes import shape_for
from polysched.schedule import (
    WHOLE,
    MachineFacts,
    Recipe,
    has_gathered_updates,
    split_statements,
)

Recipes = tuple[Recipe, ...]
Lists = Callable[[Scop, Dependences], Recipes]

INTENTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "many-cores": (
        "statements apart, everything parallel, for many cores",
        ("ADA", "IP", "SO", "MIC"),
    ),
    "few-wide-cores": (
        "reuse in inner loops and vectors, for few cores with wide vectors",
        ("OPIR", "IP", "SO", "MIC"),
    ),
    "stencil": (
        "sweeps shifted against each other, vector loops without skew",
        ("SPC", "SDC", "VSKW", "MIC"),
    ),
    "memory-bound": (
        "producers and consumers fused, then unit strides",
        ("DGF", "SO", "MIC"),
    ),
    "gpu": (
        "two outer parallel loops for blocks and threads, then unit strides",
        ("OP", "NP1", "SO", "MIC"),
    ),
}


def intent_recipes(name: str) -> Lists:
    """An intent's list for the whole program, then for each component on its own."""
    objectives = INTENTS[name][1]

    def choose(scop: Scop, dependences: Dependences) -> Recipes:
        shape = shape_for(objectives)
        whole = Recipe(objectives, shape)
        parted = Recipe(objectives, shape, "SINGLE")
        groups = split_statements(scop, dependences, "SINGLE")
        recipes: Recipes = (whole, parted) if len(groups) > 1 else (whole,)
        if name == "gpu" and has_gathered_updates(scop):
            recipes += (Recipe(objectives, "gathered"),)
        return recipes

    return choose


def machine_recipes(
    scop: Scop, dependences: Dependences, machine: MachineFacts
) -> Recipes:
    """The intent that fits the machine: twice as many cores as lanes, or fewer."""
    name = "many-cores" if machine.wants_parallelism else "few-wide-cores"
    return intent_recipes(name)(scop, dependences)


def dedicated_recipes(scop: Scop, dependences: Dependences) -> Recipes:
    """Recipes for the kind of program that it is, by its features."""
    features = program_features(scop)
    if features["is_iterative_stencil"]:
        return (*SKEWED, PARALLEL[0], TILED[0])
    if features["is_dense_linear_algebra"]:
        fused = (TILED[1],) if len(scop.statements) > 1 else ()
        return (PARALLEL[0], TILED[0], *fused, VECTOR[0])
    if features["is_streaming"]:
        return (*FUSED, PARALLEL[0])
    if features["is_reduction"]:
        return (PARALLEL[0], VECTOR[0], *FUSED)
    return balanced_recipes(scop, dependences)


def partition_recipes(scop: Scop, dependences: Dependences) -> Recipes:
    """The parallel list under every statement partition that differs."""
    objectives = PARALLEL[1].objectives
    found = {
        split_statements(scop, dependences, WHOLE): Recipe(objectives),
    }
    for name in PARTITION_ORDER:
        groups = split_statements(scop, dependences, name)
        found.setdefault(groups, Recipe(objectives, partition=name))
    return tuple(found.values())
