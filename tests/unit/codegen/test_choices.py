"""Chosen values get names, so that compilers need no branches."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.codegen import print_openmp
from polysched.codegen.choices import name_choices
from polysched.ir import Assign, Binary, Load, Select, Unary, original_tree, types
from tests.unit.codegen.handmade import FRAME_2D, SQUARE, N, check_equal, make_scop


def integer(name: str) -> Load:
    return Load(name, (), types.INT)


def greater(a: Load | Binary | Select, b: Load | Binary | Select) -> Select:
    return Select(Binary(">", a, b), a, b)


def test_what_is_compared_and_chosen_gets_a_name() -> None:
    inner = greater(integer("b"), integer("c"))
    total = Binary("+", integer("a"), integer("d"))
    (action,), named = name_choices(
        (Assign(integer("x"), "=", greater(total, inner)),), {"choice1"}
    )
    assert list(named.items()) == [("choice2", total), ("choice3", inner)]
    assert isinstance(action, Assign)
    assert action.value == greater(integer("choice2"), integer("choice3"))


def test_what_another_choice_skips_is_not_computed_before_it() -> None:
    inner = greater(Binary("+", integer("a"), integer("d")), integer("c"))
    value = Select(integer("p"), inner, integer("q"))
    body = (Assign(integer("x"), "=", value),)
    assert name_choices(body, set()) == (body, {})


def number(name: str) -> Load:
    return Load(name, (), types.DOUBLE)


def test_in_lanes_a_choice_is_made_in_any_case_of_what_is_loaded_in_any_case() -> None:
    a, b, c = number("a"), number("b"), number("c")
    inner, other = greater(a, b), Select(Binary("<", a, c), a, c)
    value = Select(Binary(">", Binary("*", a, b), a), inner, other)
    body = (Assign(number("x"), "=", value),)
    assert name_choices(body, set()) == (body, {})
    (action,), named = name_choices(body, set(), in_lanes=True)
    assert list(named.values()) == [inner]
    assert isinstance(action, Assign)
    assert action.value == Select(value.cond, number("choice1"), other)


def test_in_lanes_nothing_is_divided_for_a_choice_that_skips_it() -> None:
    a, b = number("a"), number("b")
    inner = greater(Binary("/", a, b), a)
    value = Select(Binary(">", a, b), inner, b)
    body = (Assign(number("x"), "=", value),)
    assert name_choices(body, set(), in_lanes=True) == (body, {})


@pytest.mark.cc
def test_named_choices_give_equal_results(tmp_path: Path) -> None:
    most = "(A[i][j] > B[i][j] ? A[i][j] : B[i][j])"
    body = f"C[i][j] = {most} > A[j][i] ? {most} : A[j][i];"
    scop = make_scop(
        [*SQUARE],
        [("[n] -> { S0[i, j] : 0 <= i, j < n }", (0, 0, 0), body)],
        N,
    )
    text = print_openmp(scop, original_tree(scop))
    assert "const double choice1 = A[t1][t2] > B[t1][t2] ? " in text
    loops = f"for (int i = 0; i < n; i++) for (int j = 0; j < n; j++) {body}"
    check_equal(tmp_path, FRAME_2D, loops, scop, [], [(0,), (7,)])


A, B, C = number("a"), number("b"), number("c")
BELOW = Binary("<", A, B)


@pytest.mark.parametrize(
    ("then", "other", "expected"),
    [
        (("+", A, B), ("+", A, C), Binary("+", A, Select(BELOW, B, C))),
        (("*", B, A), ("*", C, A), Binary("*", Select(BELOW, B, C), A)),
        (("/", A, B), ("/", A, C), Binary("/", A, Select(BELOW, B, C))),
        (("-", A, B), ("-", C, B), Binary("-", Select(BELOW, A, C), B)),
        (("-", A, B), ("+", A, C), Binary("+", A, Select(BELOW, Unary("-", B), C))),
        (("-", A, B), ("*", A, C), None),
        (("-", A, B), ("-", B, A), None),
    ],
)
def test_an_operand_is_chosen_in_place_of_a_sum(then, other, expected) -> None:
    value = Select(BELOW, Binary(*then), Binary(*other))
    (action,), named = name_choices((Assign(number("x"), "=", value),), set())
    assert isinstance(action, Assign)
    assert action.value == (value if expected is None else expected)
    assert not named


def test_of_integers_and_mixed_types_nothing_is_chosen_before() -> None:
    i, single = integer("i"), Load("s", (), types.FLOAT)
    for then, other in (
        (Binary("+", i, integer("j")), Binary("-", i, integer("k"))),
        (Binary("+", A, single), Binary("+", A, B)),
    ):
        body = (Assign(number("x"), "=", Select(BELOW, then, other)),)
        assert name_choices(body, set())[0] == body


@pytest.mark.cc
def test_rounding_adds_what_is_chosen(tmp_path: Path) -> None:
    """Gcc makes no vectors of a sum that one side of a choice alone has."""
    body = "C[i][j] = A[i][j] < B[i][j] ? A[i][j] - 0.5 : A[i][j] + B[j][i];"
    scop = make_scop(
        [*SQUARE],
        [("[n] -> { S0[i, j] : 0 <= i, j < n }", (0, 0, 0), body)],
        N,
    )
    text = print_openmp(scop, original_tree(scop))
    assert "A[t1][t2] + (A[t1][t2] < B[t1][t2] ? -0.5 : B[t2][t1])" in text
    loops = f"for (int i = 0; i < n; i++) for (int j = 0; j < n; j++) {body}"
    check_equal(tmp_path, FRAME_2D, loops, scop, [], [(0,), (7,)])
