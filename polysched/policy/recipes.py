"""Lists of recipes for whole programs: parallel, fused, tiled, skewed, vector."""

from __future__ import annotations

import islpy as isl

from polysched.analysis import Dependences, components
from polysched.ir import Scop
from polysched.schedule import Recipe, has_scattered_updates


def _unit(*objectives: str) -> Recipe:
    return Recipe(objectives, "unit")


def _lower(*objectives: str) -> Recipe:
    return Recipe(objectives, "lower")


PARALLEL = (
    _unit("OP", "IP", "SO", "MIC"),
    _unit("OP", "DGF", "IP", "SO", "MIC"),
)
FUSED = (
    _unit("DGF", "OP", "IP", "SO", "MIC"),
    _unit("DGF", "SO", "MIC"),
)
VECTOR = (
    _unit("SO", "IP", "MIC"),
    _unit("IP", "SO", "DGF", "MIC"),
    _unit("SIS", "SO", "OP", "MIC"),
)
TILED = (
    _lower("BAND", "PROX", "MIC"),
    _lower("BAND", "DGF", "PROX", "MIC"),
)
SKEWED = (
    _lower("VSKW", "OBAND", "PROX", "MIC"),
    Recipe(("SKEWPAR", "IP", "MIC"), "upper"),
    _lower("BAND", "VSKW", "PROX", "MIC"),
)
SCATTERED = (
    Recipe(("OP", "NP1", "IP", "SHORT", "SO", "MIC"), "turned"),
    Recipe(("IP", "SHORT", "SO", "MIC"), "turned"),
)


def has_carried_cycle(scop: Scop, dependences: Dependences) -> bool:
    """Whether some multi-loop nest of a dependence cycle can be skewed at all.

    Skewing matters where one strongly connected component carries dependences at two
    or more loops or through several statements; a plain reduction does not need it.
    """
    component = components(scop, dependences)
    members: dict[int, list[str]] = {}
    for name, number in component.items():
        members.setdefault(number, []).append(name)
    for names in members.values():
        deep = [n for n in names if scop.statement(n).n_loops >= 2]
        if len(names) > 1 and deep:
            return True
        if any(waits_in_several_loops(n, dependences) for n in deep):
            return True
    return False


def waits_in_several_loops(name: str, dependences: Dependences) -> bool:
    """Whether iterations of a statement need others that differ in several loops."""
    own = (d for d in dependences.items if d.orders and d.source == d.sink == name)
    return any(_moves_in_several_loops(d.relation) for d in own)


def _moves_in_several_loops(relation: isl.Map) -> bool:
    n = relation.dim(isl.dim_type.in_)
    deltas = relation.deltas()
    moving = 0
    for k in range(n):
        zero = isl.Set.universe(deltas.get_space()).fix_val(
            isl.dim_type.set, k, isl.Val(0)
        )
        moving += not deltas.is_subset(zero)
    return moving >= 2


def balanced_recipes(scop: Scop, dependences: Dependences) -> tuple[Recipe, ...]:
    """A few of each kind, as far as the program can make use of them.

    Those come last that take long and seldom give what no other does, so that they are
    what a busy machine leaves out.
    """
    is_one = len(scop.statements) == 1
    recipes = [PARALLEL[0], TILED[0]]
    if has_scattered_updates(scop):
        recipes += SCATTERED
    if not is_one:
        recipes += [FUSED[0]]
    recipes += [VECTOR[0]]
    is_skewed = has_carried_cycle(scop, dependences)
    if is_skewed:
        recipes += SKEWED[:2]
    if not is_one:
        recipes += [VECTOR[2], PARALLEL[1], FUSED[1], TILED[1]]
    if is_skewed:
        recipes += SKEWED[2:]
    return tuple(recipes)


def thorough_recipes(scop: Scop, dependences: Dependences) -> tuple[Recipe, ...]:
    """All of each kind."""
    every = (
        *balanced_recipes(scop, dependences),
        *PARALLEL,
        *FUSED,
        *VECTOR,
        *TILED,
        *SKEWED,
    )
    return tuple(dict.fromkeys((*every, _lower("PERM", "MIC"))))
