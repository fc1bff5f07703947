"""Expressions and assignments compute what C computes."""

import math
import random

import numpy as np
import pytest

from polysched.base import AnalysisError
from polysched.interp.arithmetic import (
    FunctionTable,
    UndefinedError,
    round_bfloat,
    round_half,
    single_from_int,
)
from polysched.interp.body import compile_expression
from polysched.ir import Binary, Call, Cast, Const, Expr, Select, Unary
from polysched.ir.types import (
    BFLOAT,
    BOOL,
    CHAR,
    DOUBLE,
    FLOAT,
    HALF,
    INT,
    LONG,
    UCHAR,
    UINT,
    ULONG,
)


def const(value, type_=INT):
    return Const(value, type_, str(value))


def run(expr: Expr):
    return compile_expression(expr, {})()


BIG = const(2**31 - 1)

CASES = [
    (Binary("+", BIG, const(1)), -(2**31)),
    (Binary("*", BIG, BIG), 1),
    (Unary("-", const(-(2**31))), -(2**31)),
    (Binary("-", const(0, UINT), const(1, UINT)), 2**32 - 1),
    (Binary("+", const(-1), const(0, UINT)), 2**32 - 1),
    (Binary("<", const(-1), const(0, UINT)), 0),
    (Binary("<", const(-1, LONG), const(0, UINT)), 1),
    (Binary("/", const(-7), const(2)), -3),
    (Binary("/", const(7), const(-2)), -3),
    (Binary("/", const(-7), const(-2)), 3),
    (Binary("/", const(-(2**31)), const(-1)), -(2**31)),
    (Binary("%", const(-7), const(3)), -1),
    (Binary("%", const(7), const(-3)), 1),
    (Binary("%", const(-7), const(-3)), -1),
    (Binary("/", const(-7.0, DOUBLE), const(2)), -3.5),
    (Binary("/", const(1.0, DOUBLE), const(0.0, DOUBLE)), math.inf),
    (Binary("/", const(-1.0, DOUBLE), const(0.0, DOUBLE)), -math.inf),
    (Binary("*", const(1e200, DOUBLE), const(1e200, DOUBLE)), math.inf),
    (Binary("+", const(16777216.0, FLOAT), const(1.0, FLOAT)), 16777216.0),
    (Binary("+", const(16777216, INT), const(1.0, FLOAT)), 16777216.0),
    (Binary("+", const(16777216.0, FLOAT), const(1.0, DOUBLE)), 16777217.0),
    (Binary(">>", const(-5), const(1)), -3),
    (Binary("<<", const(1), const(31)), -(2**31)),
    (Binary("<<", const(1, UINT), const(31)), 2**31),
    (Unary("~", const(0, UINT)), 2**32 - 1),
    (Unary("~", const(0, UCHAR)), -1),
    (Unary("!", const(0.5, DOUBLE)), 0),
    (Cast(INT, const(-2.9, DOUBLE)), -2),
    (Cast(CHAR, const(200)), -56),
    (Cast(UCHAR, const(-1)), 255),
    (Cast(BOOL, const(0.25, DOUBLE)), 1),
    (Cast(FLOAT, const(0.1, DOUBLE)), 0.10000000149011612),
    (Cast(DOUBLE, const(2**53 + 1, LONG)), float(2**53)),
    (Cast(ULONG, const(-1)), 2**64 - 1),
    (Select(const(0), const(1), const(2.0, DOUBLE)), 2.0),
    (Select(const(1), const(1), const(2.0, DOUBLE)), 1.0),
    (Call("sqrtf", (const(2.0, FLOAT),), FLOAT), 1.4142135381698608),
    (Call("fmax", (const(2), const(3.0, DOUBLE)), DOUBLE), 3.0),
    (Call("abs", (const(-3),), INT), 3),
    (Call("pow", (const(2.0, DOUBLE), const(10)), DOUBLE), 1024.0),
]


@pytest.mark.parametrize(("expr", "expected"), CASES)
def test_value_is_that_of_c(expr, expected):
    found = run(expr)
    assert found == expected
    assert isinstance(found, float) == isinstance(expected, float)


def test_logical_operators_are_lazy():
    division = Binary("/", const(1), const(0))
    assert run(Binary("&&", const(0), division)) == 0
    assert run(Binary("||", const(2), division)) == 1
    assert run(Select(const(1), const(5), division)) == 5
    with pytest.raises(UndefinedError, match="division by zero"):
        run(Binary("&&", const(1), division))


def test_nan_is_true_and_unordered():
    nan = Binary("/", const(0.0, DOUBLE), const(0.0, DOUBLE))
    assert run(Unary("!", nan)) == 0
    assert run(Binary("<=", nan, nan)) == 0
    assert run(Binary("!=", nan, nan)) == 1


def test_undefined_operations_are_refused():
    with pytest.raises(UndefinedError, match="shift by 32"):
        run(Binary("<<", const(1), const(32)))
    with pytest.raises(UndefinedError, match="conversion of inf"):
        run(Cast(INT, const(math.inf, DOUBLE)))


def test_unknown_function_is_named():
    with pytest.raises(AnalysisError, match="'mystery'"):
        run(Call("mystery", (), DOUBLE))


def test_own_functions_are_called():
    table = FunctionTable({"twice": lambda x: 2 * x})
    assert table.find("twice")[0](4) == 8


@pytest.mark.parametrize("op", ["+", "-"])
@pytest.mark.parametrize("type_", [INT, FLOAT, DOUBLE])
@pytest.mark.parametrize("n_terms", [39, 60, 130])
def test_long_sums_compile(op, type_, n_terms):
    expr: Expr = const(0, type_)
    for _ in range(n_terms):
        expr = Binary(op, expr, const(1, type_))
    assert run(expr) == (n_terms if op == "+" else -n_terms)


def test_long_conditions_compile_and_stay_lazy():
    expr: Expr = Binary("==", const(1), const(1))
    for _ in range(100):
        expr = Binary("&&", expr, Binary("!=", const(3), const(4)))
    assert run(expr) == 1
    guarded = Binary("||", const(1), Binary("/", expr, const(0)))
    assert run(guarded) == 1


@pytest.mark.parametrize(
    "value", [2**60 + 2**36 + 1, 2**63 - 1, -(2**55) - 3, 2**24 + 1]
)
def test_long_to_float_rounds_once(value):
    exact = abs(value)
    shift = exact.bit_length() - 24
    low, rest = exact >> shift, exact & ((1 << shift) - 1)
    half = 1 << (shift - 1)
    up = rest > half or (rest == half and low & 1)
    expected = float((low + up) << shift)
    assert single_from_int(value) == math.copysign(expected, value)


@pytest.mark.parametrize("seed", range(3))
def test_halves_round_as_in_numpy(seed):
    rng = random.Random(seed)
    for _ in range(2000):
        value = rng.uniform(-1.1, 1.1) * 2.0 ** rng.randint(-28, 16)
        with np.errstate(over="ignore"):
            assert round_half(value) == float(np.float16(value))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1 + 2**-8, 1.0),
        (1 + 3 * 2**-8, 1 + 2**-6),
        (-(2.0**-134), -0.0),
        (3.4e38, math.inf),
    ],
)
def test_bfloats_round_to_even(value, expected):
    found = round_bfloat(value)
    assert (found, math.copysign(1, found)) == (expected, math.copysign(1, expected))


def test_conversions_to_two_bytes_round_once():
    value = 1 + 2.0**-11 + 2.0**-40  # a float would lose what makes it round up
    assert run(Cast(HALF, const(value, DOUBLE))) == 1 + 2.0**-10
    assert run(Cast(FLOAT, Cast(BFLOAT, const(257, INT)))) == 256.0
