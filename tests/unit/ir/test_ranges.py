"""Ranges of integer expressions hold whatever the interpreter computes."""

from __future__ import annotations

import random

import pytest

from polysched.interp.arithmetic import UndefinedError
from polysched.interp.body import evaluate_expression
from polysched.ir import (
    Binary,
    Cast,
    Const,
    Expr,
    Load,
    Local,
    Param,
    Range,
    ScalarType,
    Select,
    Unary,
    range_of,
    range_of_type,
    types,
)

BYTE = Load("b", (), types.UCHAR)
WHOLE = Load("n", (), types.INT)
UNSIGNED = Load("u", (), types.UINT)
TYPES = types.UCHAR, types.SCHAR, types.SHORT, types.INT, types.UINT, types.LONG


def number(value: int, type_: ScalarType = types.INT) -> Const:
    return Const(value, type_, str(value))


@pytest.mark.parametrize(
    ("expr", "low", "high"),
    [
        (BYTE, 0, 255),
        (Binary("+", BYTE, number(3)), 3, 258),
        (Binary("-", BYTE, BYTE), -255, 255),
        (Binary("&", WHOLE, number(63)), 0, 63),
        (Binary("%", WHOLE, number(10)), -9, 9),
        (Binary("%", UNSIGNED, number(10)), 0, 9),
        (Binary(">>", BYTE, number(4)), 0, 15),
        (Binary("/", Binary("-", BYTE, number(100)), number(10)), -10, 15),
        (Binary("|", Binary("<<", BYTE, number(8)), BYTE), 0, 65535),
        (Binary("<", WHOLE, BYTE), 0, 1),
        (Cast(types.UCHAR, WHOLE), 0, 255),
        (Select(WHOLE, BYTE, number(-1)), -1, 255),
        (Unary("-", BYTE), -255, 0),
        (Unary("~", BYTE), -256, -1),
        (Unary("!", WHOLE), 0, 1),
    ],
)
def test_ranges(expr: Expr, low: int, high: int) -> None:
    assert range_of(expr) == Range(low, high)


def test_what_may_wrap_is_anything() -> None:
    assert range_of(Binary("-", UNSIGNED, number(1))) == range_of_type(types.UINT)
    mixed = Binary("+", Binary("-", BYTE, number(1)), number(0, types.UINT))
    assert range_of(mixed) == range_of_type(types.UINT)
    assert range_of(Cast(types.SCHAR, BYTE)) == range_of_type(types.SCHAR)


def test_sums_do_not_leave_their_type() -> None:
    assert range_of(Binary("+", WHOLE, WHOLE)) == range_of_type(types.INT)


def test_fractions_have_no_range() -> None:
    assert range_of(Load("x", (), types.DOUBLE)) is None
    assert range_of(Binary("*", BYTE, number(1, types.DOUBLE))) is None
    found = range_of(Cast(types.INT, Load("x", (), types.DOUBLE)))
    assert found == range_of_type(types.INT)


def test_more_may_be_known_than_types_say() -> None:
    local = Local("k", types.INT)
    known = {"n": Range(0, 9), local: Range(2, 4)}
    assert range_of(Binary("+", WHOLE, local), known) == Range(2, 13)


def _random_expression(draw: random.Random, depth: int) -> Expr:
    if depth == 0:
        if draw.random() < 0.5:
            return number(draw.choice([0, 1, 2, 3, 7, 8, 31, 100]))
        t = draw.choice(TYPES)
        return Param(t.name.replace(" ", "_"), t)
    inner = [_random_expression(draw, depth - 1) for _ in range(2)]
    match draw.randrange(8):
        case 0:
            return Unary(draw.choice("+-~!"), inner[0])
        case 1:
            return Cast(draw.choice(TYPES), inner[0])
        case 2:
            return Select(_random_expression(draw, 0), *inner)
    ops = ["+", "-", "*", "/", "%", "&", "|", "^", "<", "==", "&&"]
    if draw.random() < 0.2:
        return Binary(draw.choice(["<<", ">>"]), inner[0], number(draw.randrange(6)))
    return Binary(draw.choice(ops), *inner)


def test_random_expressions_stay_in_their_range() -> None:
    draw = random.Random(7)
    n_narrow = 0
    for _ in range(600):
        expr = _random_expression(draw, draw.randint(1, 3))
        found = range_of(expr)
        assert found is not None
        n_narrow += found != range_of_type(expr.dtype)
        for _ in range(8):
            values = {}
            for t in TYPES:
                whole = range_of_type(t)
                near = draw.randint(max(whole.low, -40), min(whole.high, 40))
                values[t.name.replace(" ", "_")] = draw.choice([near, *whole.ends])
            try:
                value = evaluate_expression(expr, values)
            except UndefinedError:
                continue  # overflow, or a division by zero
            assert found.low <= value <= found.high, (expr, values)
    assert n_narrow > 150
