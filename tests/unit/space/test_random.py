"""A space drawn at random: proven as any other, good and bad schedules in it."""

from __future__ import annotations

import pytest

from polysched.analysis import find_violation
from polysched.space import ScheduleSpace, SpaceOptions, build_space
from tests.unit import scops
from tests.unit.space.made import MACHINE


def drawn(policy: str) -> ScheduleSpace:
    options = SpaceOptions(
        policy=policy,
        seconds=120,
        limit=1000,
        parameters={"n": 500},
        isl_variants=(),
        rowwise=(),
    )
    return build_space(scops.gemm(), MACHINE, options)


@pytest.fixture(scope="module")
def space() -> ScheduleSpace:
    return drawn("random:2/4")


def test_random_schedules_are_legal_and_distinct(space: ScheduleSpace) -> None:
    random = [s for s in space if s.objectives[0].startswith("RANDOM")]
    assert len({s.tree.key for s in random}) == len(random) >= 8
    for s in space:
        assert find_violation(s.tree, space.dependences, space.scop) is None


def test_there_are_good_ones_and_bad_ones(space: ScheduleSpace) -> None:
    times = [s.predicted_seconds for s in space]
    assert max(times) > 3 * min(times)
    assert {s.features["outer_parallel"] > 0 for s in space} == {True, False}


def test_a_seed_gives_the_same_space_again() -> None:
    first = {s.id for s in drawn("random:1/1")}
    assert first == {s.id for s in drawn("random:1/1")}
    assert first != {s.id for s in drawn("random:2/1")}
