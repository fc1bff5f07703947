"""The policy that draws recipes at random, and its place among the others."""

from __future__ import annotations

from functools import partial

from polysched.analysis import compute_dependences
from polysched.policy import find_policy
from polysched.policy.random import N_RECIPES
from polysched.schedule import Recipe
from polysched.transform import plan_scripts, sample_scripts
from tests.unit import scops
from tests.unit.schedule import programs
from tests.unit.space.made import MACHINE
from tests.unit.transform import trees


def recipes(policy: str) -> tuple[Recipe, ...]:
    program = programs.matmul("i j k")
    return find_policy(policy).recipes(program, compute_dependences(program))


def test_a_seed_gives_the_same_recipes_again_another_seed_none_of_them() -> None:
    assert recipes("random:4") == recipes("random:4")
    assert len(recipes("random:4")) == N_RECIPES
    assert not set(recipes("random:4")) & set(recipes("random:5"))
    assert recipes("random") == recipes("random:0")


def test_rows_of_every_form_and_several_partitions_are_asked_for() -> None:
    program = scops.gemm()
    found = find_policy("random").recipes(program, compute_dependences(program))
    assert {r.shape for r in found} == {"unit", "lower", "upper", "any"}
    assert len({r.partition for r in found}) > 3


def test_a_budget_keeps_the_way_of_drawing_scripts() -> None:
    policy = find_policy("random:3/2")
    assert recipes("random:3/2") == recipes("random:3")[:2]
    assert isinstance(policy.scripts, partial)
    assert policy.scripts.func is sample_scripts
    assert policy.scripts.keywords == {"seed": 3}


def test_together_with_another_policy_both_ways_of_shaping_take_turns() -> None:
    assert find_policy("balanced+database").scripts is plan_scripts
    program = scops.gemm()
    deps = compute_dependences(program)
    tree, _ = trees.gemm()
    both = find_policy("balanced+random").scripts(
        tree, program, deps, MACHINE.cpu, limit=4
    )
    planned = plan_scripts(tree, program, deps, MACHINE.cpu, limit=4)
    drawn = sample_scripts(tree, program, deps, MACHINE.cpu, limit=4)
    assert both == [planned[0], drawn[0], planned[1], drawn[1]]
