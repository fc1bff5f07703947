"""Loops of scattered updates count the other way, and then may stand outside."""

from __future__ import annotations

import pytest

from polysched.analysis import compute_dependences
from polysched.ir import Scop
from polysched.policy import find_policy
from polysched.schedule.turned import gathered_directions, turned_directions
from tests.unit.schedule.programs import single
from tests.unit.schedule.solving import solve, text
from tests.unit.scops import scop, statement


def scatter(place: str) -> Scop:
    """Taps of a filter added to what lies beside a point."""
    domain = "[n] -> { S0[i, a] : 0 <= i < n and 0 <= a <= 2 }"
    here = f"[i, a] -> A[{place}]"
    return scop("scatter", statement("S0", domain, (0, 0, 0), f"r {here}", f"w {here}"))


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (single("i a", "r A[i + a]", "w A[i + a]"), (1, -1)),
        (single("i a", "r A[2 * i + a]", "w A[2 * i + a]"), (1, -1)),
        (single("i a", "r A[i - a]", "w A[i - a]"), (1, 1)),
        (single("i j a b", "r A[i + a, j + b]", "w A[i + a, j + b]"), (1, 1, -1, -1)),
        (single("i a", "w A[i + a]"), (1, 1)),  # nothing is added up
        (single("i a", "r A[i + a]", "w A[i]"), (1, 1)),
        (single("i j", "r A[i, j]", "w A[i, j]"), (1, 1)),
    ],
)
def test_all_but_the_outermost_iterator_of_a_sum_are_turned(
    program: Scop, expected: tuple[int, ...]
) -> None:
    (only,) = program.statements
    assert turned_directions(only) == expected


def test_turned_taps_may_stand_outside_of_their_rows() -> None:
    program = scatter("i + a")
    assert text(solve(program, "SHORT MIC")) == "S0: 0 i 0 a 0"
    solved = solve(program, "SHORT IP MIC", "turned")
    assert text(solved) == "S0: 0 -1a 0 i 0"
    assert [s.value for s in solved.stages if s.name == "IP"] == [-1]


def test_balanced_asks_for_turned_loops_of_scattered_sums_only() -> None:
    def shapes(program: Scop) -> set[str]:
        recipes = find_policy("balanced").recipes(program, compute_dependences(program))
        return {r.shape for r in recipes}

    assert "turned" in shapes(scatter("i + a"))
    assert "turned" not in shapes(scatter("i - a"))


FILTER_BANK = "{ S0[b, i, a] : 0 <= b < 8 and 0 <= i < 1000 and 0 <= a < 64 }"
EVERY_SECOND = FILTER_BANK.replace("i < 1000", "i < 1000 and i mod 2 = 0")


def bank(domain: str, directions: tuple[int, int, int]) -> Scop:
    """What a bank of filters adds up, taps in the order of their number or not."""
    here = "[b, i, a] -> A[i + a]"
    position = (0, 0, 0, 0)
    accesses = f"r {here}", f"w {here}"
    only = statement("S0", domain, position, *accesses, directions=directions)
    return scop("bank", only)


@pytest.mark.parametrize("domain", [FILTER_BANK, EVERY_SECOND])
@pytest.mark.parametrize("directions", [(1, 1, 1), (1, 1, -1)])
def test_elements_of_scattered_sums_are_the_outermost_loop(
    domain: str, directions: tuple[int, int, int]
) -> None:
    """Sizes are numbers, and what is left over at ends are their differences."""
    program = bank(domain, directions)
    (only,) = program.statements
    assert gathered_directions(only) == (1, 1, 1)
    solved = solve(program, "OP MIC", "gathered")
    assert text(solved).startswith("S0: 0 i+a 0")
    assert [s.value for s in solved.stages if s.name == "OP"] == [-1]


def test_loops_that_scatter_nothing_go_as_they_do() -> None:
    (only,) = single("i a", "r A[i + a]", "w A[i]").statements
    assert gathered_directions(only) == only.directions == (1, 1)


def test_a_device_gets_a_loop_over_what_is_updated() -> None:
    def shapes(program: Scop) -> list[str]:
        recipes = find_policy("gpu").recipes(program, compute_dependences(program))
        return [r.shape for r in recipes]

    assert shapes(scatter("i + a")) == ["unit", "gathered"]
    assert shapes(single("i a", "r A[i]", "w A[i]")) == ["unit"]
