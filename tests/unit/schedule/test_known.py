"""Recipes that contain another: solved from what is known of it, to the same values."""

from __future__ import annotations

import pytest

from polysched.analysis import compute_dependences, find_violation
from polysched.base import Deadline
from polysched.ir import Scop
from polysched.schedule import Pin, PinMaxSkew, Recipe, solve_recipe

from . import programs


def recipe(text: str, shape: str = "unit", pins: tuple[Pin, ...] = ()) -> Recipe:
    return Recipe(tuple(text.split(">")), shape, pins=pins)


@pytest.mark.parametrize(
    ("smaller", "larger", "expected"),
    [
        (recipe("OP>MIC"), recipe("OP>DGF>MIC"), True),
        (recipe("OP>MIC"), recipe("DGF>OP>IP>MIC"), True),
        (recipe("OP>MIC"), recipe("OP>MIC"), False),
        (recipe("OP>MIC"), recipe("MIC>OP>DGF"), False),
        (recipe("OP>MIC"), recipe("OP>DGF"), False),
        (recipe("OP>MIC"), recipe("OP>DGF>MIC", "lower"), False),
        (recipe("MIC"), recipe("BAND>MIC"), False),  # has variables rho
        (recipe("BAND>MIC"), recipe("BAND>OBAND>MIC"), True),
        (recipe("OP>MIC"), recipe("OP>DGF>MIC", pins=(PinMaxSkew(1),)), False),
    ],
)
def test_which_recipe_contains_which(
    smaller: Recipe, larger: Recipe, expected: bool
) -> None:
    assert smaller.is_within(larger) is expected


PAIRS = (
    (recipe("OP>IP>SO>MIC"), recipe("OP>DGF>IP>SO>MIC")),
    (recipe("OP>IP>SO>MIC"), recipe("DGF>OP>IP>SO>MIC")),
    (recipe("BAND>PROX>MIC", "lower"), recipe("BAND>DGF>PROX>MIC", "lower")),
    (recipe("BAND>PROX>MIC", "lower"), recipe("BAND>VSKW>PROX>MIC", "lower")),
    (recipe("SO>MIC"), recipe("SIS>SO>OP>MIC")),
)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: str(pair[1]))
@pytest.mark.parametrize(
    "program", [programs.fdtd_2d, programs.two_products, programs.mvt, programs.syrk]
)
def test_values_are_those_of_a_search_from_nothing(program, pair) -> None:  # type: ignore[no-untyped-def]
    scop: Scop = program()
    dependences = compute_dependences(scop)
    smaller, larger = pair
    known = solve_recipe(scop, dependences, smaller, Deadline()).known
    assert known is not None
    plain = solve_recipe(scop, dependences, larger, Deadline())
    found = solve_recipe(scop, dependences, larger, Deadline(), known=known)
    assert [(s.name, s.value, s.status) for s in found.stages] == [
        (s.name, s.value, s.status) for s in plain.stages
    ]
    assert find_violation(found.tree, dependences, scop) is None


def test_a_schedule_that_is_best_already_is_the_answer() -> None:
    """One band already holds all of fdtd-2d's loops: DGF has its least value there."""
    scop = programs.fdtd_2d()
    dependences = compute_dependences(scop)
    first = solve_recipe(
        scop, dependences, recipe("BAND>PROX>MIC", "lower"), Deadline()
    )
    larger = recipe("BAND>DGF>PROX>MIC", "lower")
    again = solve_recipe(scop, dependences, larger, Deadline(), known=first.known)
    assert {s.name: s.value for s in first.stages}.items() <= {
        s.name: s.value for s in again.stages
    }.items()
    assert all(s.seconds == 0.0 for s in again.stages)
    assert again.tree.key == first.tree.key
