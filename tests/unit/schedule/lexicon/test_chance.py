"""Random directions: numbered objectives, the same each time, anywhere in the space."""

from __future__ import annotations

import pytest

from polysched.base import PolyschedError
from polysched.schedule import find_objective, has_objective, objective_family
from polysched.schedule.lexicon.registry import FAMILIES
from tests.unit.schedule.programs import matmul
from tests.unit.schedule.solving import matrix, solve, text


def test_a_number_asks_for_the_same_every_time() -> None:
    first = text(solve(matmul("i j k"), "RANDOM7 MIC", "any"))
    assert first == text(solve(matmul("i j k"), "RANDOM7 MIC", "any"))


def test_every_loop_order_is_reached() -> None:
    solved = [solve(matmul("i j k"), f"RANDOM{k} MIC") for k in range(40)]
    assert len({tuple(matrix(s.rows["S0"])) for s in solved}) == 6


def test_names_without_a_number_are_none() -> None:
    assert has_objective("RANDOM12")
    assert not has_objective("RANDOM")
    for name in ("RANDOM", "RANDOM07", "RANDOM-1", "RANDOMX"):
        with pytest.raises(PolyschedError, match=r"no objective .*RANDOM<number>"):
            find_objective(name)


def test_a_family_is_registered_once() -> None:
    with pytest.raises(PolyschedError, match="a family named RANDOM already"):
        objective_family("RANDOM", "again")(FAMILIES["RANDOM"].forms)
