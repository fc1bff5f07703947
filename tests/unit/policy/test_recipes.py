"""Policies: what they ask for depends on the program, and every name is known."""

from __future__ import annotations

import pytest

from polysched.analysis import compute_dependences
from polysched.policy import POLICIES, find_policy, has_carried_cycle
from polysched.schedule import find_objective
from tests.unit import scops


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (scops.gemm, False),
        (scops.jacobi_1d, True),
        (scops.jacobi_2d, True),
        (scops.gauss_seidel, True),
    ],
)
def test_only_stencils_need_skewing(make, expected: bool) -> None:
    program = make()
    assert has_carried_cycle(program, compute_dependences(program)) is expected


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_recipes_name_known_objectives_and_are_distinct(name: str) -> None:
    program = scops.jacobi_2d()
    recipes = find_policy(name).recipes(program, compute_dependences(program))
    assert len(set(recipes)) == len(recipes)
    for recipe in recipes:
        lists = [recipe.objectives, *(part.objectives for part in recipe.parts)]
        for objective in [o for listed in lists for o in listed]:
            find_objective(objective)


def test_balanced_asks_for_skewed_schedules_of_stencils_only() -> None:
    def objectives(make) -> set[str]:
        program = make()
        recipes = find_policy("balanced").recipes(program, compute_dependences(program))
        return {o for r in recipes for o in r.objectives}

    assert "SKEWPAR" in objectives(scops.gauss_seidel)
    assert "SKEWPAR" not in objectives(scops.gemm)
