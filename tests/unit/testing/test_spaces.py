"""Small spaces are varied, repeatable, legal, and have tiles of a few iterations."""

import re
from dataclasses import replace

import pytest

from polysched.analysis import compute_dependences, find_violation
from polysched.policy import find_policy
from polysched.space import Dropped, SpaceOptions, build_space
from polysched.testing import SmallSpaces
from polysched.testing.spaces import TINY_MACHINE, illegal, pick_varied
from tests.unit import scops


@pytest.fixture(scope="module")
def candidates():
    return SmallSpaces(limit=10)(scops.gemm())


@pytest.mark.long
def test_schedules_are_distinct_and_legal(candidates):
    trees = [c.tree for c in candidates.listed]
    assert 5 <= len(trees) <= 10
    assert len({t.text for t in trees}) == len(trees)
    for tree in trees:
        assert find_violation(tree, candidates.dependences) is None
    assert not candidates.faults


def test_schedules_are_the_same_every_time(candidates):
    again = SmallSpaces(limit=10)(scops.gemm())
    assert [c.tree.key for c in again.listed] == [c.tree.key for c in candidates.listed]


def test_original_comes_first_and_every_kind_of_step_is_there(candidates):
    assert str(candidates.listed[0]) == "original"
    kinds = set().union(*(c.kinds for c in candidates.listed))
    assert kinds >= {"tile", "jam", "parallel", "vector", "order"}
    assert sum(">" in kind for kind in kinds) >= 2


@pytest.mark.long
@pytest.mark.parametrize("small", [True, False])
def test_tiles_are_small_where_asked(small):
    found = SmallSpaces(limit=10, small_steps=small)(scops.gemm())
    steps = " ".join(step for c in found.listed for step in c.steps)
    sizes = re.findall(r"sizes=\[(.*?)\]", steps)
    factors = re.findall(r"factors=\[(.*?)\]", steps)
    assert sizes
    assert factors
    assert small == all(int(s) <= 5 for text in sizes for s in text.split(","))
    assert small == all(int(f) <= 2 for text in factors for f in text.split(","))


@pytest.mark.long
def test_programs_share_the_recipes_out():
    scop = scops.gemm()
    recipes = find_policy("thorough").choose(scop, compute_dependences(scop))
    names = [f"gemm{k}" for k in range(6)]
    asked = [recipes_of(name, 3) for name in names]
    assert all(len(origins) <= 3 for origins in asked)
    everything = set().union(*asked)
    assert everything <= {">".join(r.objectives) for r in recipes}
    assert len(everything) > 4
    assert len(recipes_of("gemm", None)) > 3


def recipes_of(name, n):
    found = SmallSpaces(limit=50, n_recipes=n)(replace(scops.gemm(), name=name))
    return {c.origin for c in found.listed if ">" in c.origin}


def test_variety_goes_before_rank():
    options = SpaceOptions(policy="locality", seconds=60)
    space = build_space(scops.gemm(), TINY_MACHINE, options)
    picked = pick_varied(space.schedules, 3)
    assert picked[0] is space.original
    assert len({s.objectives for s in picked}) == 3
    assert len(pick_varied(space.schedules, 1000)) == len(space)


def test_illegal_offers_are_faults():
    space = build_space(scops.gemm(), TINY_MACHINE, SpaceOptions(policy="minimal"))
    assert illegal(space) == ()
    dropped = (
        Dropped("a", "same tree as b"),
        Dropped("b", "illegal: flow S0 -> S1 violated"),
        Dropped("c", "the solution is not legal: anti S1 -> S0 violated"),
    )
    faults = illegal(replace(space, dropped=dropped))
    assert [f[0] for f in faults] == ["b", "c"]
