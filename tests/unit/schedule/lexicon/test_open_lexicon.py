"""The lexicon is open: users add to it, and its page lists what is in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.base import PolyschedError
from polysched.ilp import Linear
from polysched.schedule import LEXICON, find_objective, objective
from tests.unit.schedule.programs import matmul
from tests.unit.schedule.solving import solve, text, values

PAGE = Path(__file__).parents[4] / "docs" / "objectives.md"


def test_a_user_writes_an_objective_without_touching_the_package(
    open_lexicon: None,
) -> None:
    @objective("KLAST", "iterator k as far inside as it can be")
    def k_last(model):
        outside = Linear()
        for s in model.scop.statements:
            if "k" in s.iterators:
                k = s.iterators.index("k")
                for level in range(s.n_loops - 1):
                    outside.add(model.theta[s.name, level, k], s.n_loops - level)
        return [("KLAST", outside)]

    solved = solve(matmul("k i j"), "KLAST MIC")
    assert text(solved) == "S0: 0 i 0 j 0 k 0"
    assert values(solved)["KLAST"] == 0
    assert find_objective("KLAST").summary == "iterator k as far inside as it can be"
    assert text(solve(matmul("k i j"), "MIC")) == "S0: 0 k 0 i 0 j 0"


def test_a_name_is_taken_once(open_lexicon: None) -> None:
    with pytest.raises(PolyschedError, match="has an objective named SO already"):
        objective("SO", "another")(lambda model: [])


def test_the_page_of_objectives_lists_exactly_the_lexicon() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = lines.index("| name | asks for | source |") + 2
    table = lines[start : lines.index("", start)]
    rows = [f"| {o.name} | {o.summary} | {o.source} |" for o in LEXICON.values()]
    assert sorted(table) == sorted(rows)


def test_every_objective_says_what_it_asks_and_where_it_is_from() -> None:
    for found in LEXICON.values():
        assert found.summary
        assert found.source
        assert found.forms.__doc__, found.name
