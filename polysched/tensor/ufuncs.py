"""Functions of numbers that work element by element: NumPy's ufuncs and math's."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from polysched.tensor.arithmetic import (
    Arithmetic,
    BadOperation,
    c_function,
    common,
    computed,
    constant,
    convert,
    logical,
    logical_not,
    select,
    truth,
)
from polysched.tensor.broadcast import elementwise
from polysched.tensor.calls import MISSING, Call
from polysched.tensor.dtypes import NARROW, is_float
from polysched.tensor.elementary import erf
from polysched.tensor.expr import Const, Expr, Op
from polysched.tensor.helpers import helper
from polysched.tensor.narrow import is_beyond
from polysched.tensor.values import Object, Value

Handler = Callable[[Call], Value]

# NumPy's name and C's
_REAL = {
    "sqrt": "sqrt", "exp": "exp", "exp2": "exp2", "expm1": "expm1", "log": "log",
    "log2": "log2", "log10": "log10", "log1p": "log1p", "sin": "sin", "cos": "cos",
    "tan": "tan", "arcsin": "asin", "arccos": "acos", "arctan": "atan",
    "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "arcsinh": "asinh",
    "arccosh": "acosh", "arctanh": "atanh", "cbrt": "cbrt", "fabs": "fabs",
    "rint": "rint",
}  # fmt: skip
_ROUNDING = {"floor": "floor", "ceil": "ceil", "trunc": "trunc"}
_REAL_BINARY = {
    "arctan2": "atan2", "hypot": "hypot", "copysign": "copysign", "fmod": "fmod",
    "fmax": "fmax", "fmin": "fmin",
}  # fmt: skip
_MATH = {
    "sqrt": "sqrt", "exp": "exp", "exp2": "exp2", "expm1": "expm1", "log2": "log2",
    "log10": "log10", "log1p": "log1p", "sin": "sin", "cos": "cos", "tan": "tan",
    "asin": "asin", "acos": "acos", "atan": "atan", "sinh": "sinh", "cosh": "cosh",
    "tanh": "tanh", "asinh": "asinh", "acosh": "acosh", "atanh": "atanh",
    "cbrt": "cbrt", "fabs": "fabs", "erf": "erf", "erfc": "erfc", "gamma": "tgamma",
}  # fmt: skip
_MATH_BINARY = {
    "atan2": "atan2", "copysign": "copysign", "fmod": "fmod", "pow": "pow",
    "remainder": "remainder",
}  # fmt: skip
_OPERATORS = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/",
    "floor_divide": "//", "remainder": "%", "power": "**", "bitwise_and": "&",
    "bitwise_or": "|", "bitwise_xor": "^", "left_shift": "<<", "right_shift": ">>",
}  # fmt: skip
_COMPARISONS = {
    "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=",
    "equal": "==", "not_equal": "!=",
}  # fmt: skip


def _apply(call: Call, function: Callable[..., Expr], n: int) -> Value:
    """A function of `n` numbers on the call's arguments."""
    values = call.bind(*("x1", "x2", "x3")[:n], required=n)
    return elementwise(call.emitter, function, *(call.number(v) for v in values))


def strong(value: Expr) -> Expr:
    """What a ufunc gives for a Python number is a NumPy number."""
    return convert(value, value.dtype, is_weak=False)


def _real(value: Expr) -> Expr:
    """A number as the float type that NumPy computes functions in."""
    if value.dtype == "bool" and not value.is_weak:
        raise BadOperation("NumPy would compute this in float16", "convert to float64")
    if value.dtype in ("int8", "uint8"):
        raise BadOperation(
            f"NumPy would compute this of {value.dtype} in float16",
            "convert first: .astype(np.float32)",
        )
    if value.dtype in ("int16", "uint16"):
        return convert(value, "float32")
    return strong(value if is_float(value.dtype) else convert(value, "float64"))


def _real_call(c_name: str) -> Callable[[Expr], Expr]:
    def function(value: Expr) -> Expr:
        value = _real(value)
        return Op(value.dtype, False, c_function(c_name, value.dtype), (value,))

    return function


def rounding_call(c_name: str) -> Callable[[Expr], Expr]:
    """A rounding of floats; integers stay."""

    def function(value: Expr) -> Expr:
        return _real_call(c_name)(value) if is_float(value.dtype) else strong(value)

    return function


def _real_binary_call(c_name: str) -> Callable[[Expr, Expr], Expr]:
    def function(one: Expr, two: Expr) -> Expr:
        (one, two), dtype, _ = common(one, two)
        one, two = _real(one), _real(two)
        if not is_float(dtype) and c_name in ("fmax", "fmin", "fmod"):
            raise BadOperation(f"np.{c_name} is taken for floats only")
        return Op(one.dtype, False, c_function(c_name, one.dtype), (one, two))

    return function


def _real_binary(c_name: str) -> Handler:
    return lambda call: _apply(call, _real_binary_call(c_name), 2)


def _math_call(c_name: str) -> Callable[..., Expr]:
    """A function of Python's math: in double precision, its result a Python float."""

    def function(*values: Expr) -> Expr:
        found = getattr(math, c_name, None)
        if found is not None and all(isinstance(v, Const) for v in values):
            numbers = [v.value for v in values if isinstance(v, Const)]
            return constant(float(computed(f"math.{c_name}", found, *numbers)))
        operands = tuple(convert(v, "float64", True) for v in values)
        return Op("float64", True, c_name, operands)

    return function


def _math_handler(c_name: str, n: int) -> Handler:
    def handler(call: Call) -> Value:
        values = [call.number(v) for v in call.bind(*"xyz"[:n], required=n)]
        if any(not isinstance(v, Expr) for v in values):
            raise BadOperation(
                f"{call.name} takes numbers, found an array",
                "use the function of NumPy",
            )
        return elementwise(call.emitter, _math_call(c_name), *values)

    return handler


def _truncated(c_name: str) -> Handler:
    """math.floor, math.ceil, math.trunc and int: a Python integer."""

    def handler(call: Call) -> Value:
        (value,) = call.bind("x", required=1)
        number = call.number(value)
        if not isinstance(number, Expr):
            raise BadOperation(f"{call.name} takes a number, found an array")
        if not is_float(number.dtype):
            return convert(number, "int64", True)
        if isinstance(number, Const):
            whole = computed(call.name, getattr(math, c_name), number.value)
            return constant(int(whole))
        inner = number
        if c_name != "trunc":
            name = c_function(c_name, number.dtype)
            inner = Op(number.dtype, number.is_weak, name, (number,))
        return Op("int64", True, "cast", (inner,))

    return handler


def _operator(text: str) -> Handler:
    def handler(call: Call) -> Value:
        arithmetic = call.emitter.arithmetic
        return _apply(call, lambda a, b: strong(arithmetic.binary(text, a, b, True)), 2)

    return handler


def _comparison(text: str) -> Handler:
    return lambda call: _apply(
        call, lambda a, b: strong(call.emitter.arithmetic.compare(text, a, b)), 2
    )


def _method(name: str) -> Handler:
    """A unary operation of `Arithmetic`."""

    def handler(call: Call) -> Value:
        function = getattr(call.emitter.arithmetic, name)
        return _apply(call, lambda a: strong(function(a)), 1)

    return handler


def _extreme(op: str) -> Handler:
    return lambda call: _apply(
        call, lambda a, b: _bounded(call.emitter.arithmetic, op, a, b), 2
    )


def _python_extreme(op: str) -> Handler:
    """Python's min and max of numbers."""

    def handler(call: Call) -> Value:
        items = call.args
        if len(items) == 1 and isinstance(items[0], tuple):
            items = list(items[0])
        if call.keywords or len(items) < 2:
            raise BadOperation(
                f"{call.name} takes two or more numbers here", f"use np.{op} for arrays"
            )
        values = [call.number(v) for v in items]
        if any(not isinstance(v, Expr) for v in values):
            raise BadOperation(
                f"{call.name} of arrays is ambiguous", f"use np.{op}imum or np.{op}"
            )
        result = values[0]
        for value in values[1:]:
            assert isinstance(result, Expr)
            assert isinstance(value, Expr)
            result = call.emitter.arithmetic.greatest(op, result, value, False)
        return result

    return handler


def _python_abs(call: Call) -> Value:
    return _apply(call, call.emitter.arithmetic.absolute, 1)


def _sign(value: Expr) -> Expr:
    if value.dtype == "bool":
        raise BadOperation("np.sign of truth values")
    return Op(value.dtype, False, helper("sign", value.dtype), (value,))


def _where(call: Call) -> Value:
    values = call.bind("condition", "x", "y", required=1)
    if values[1] is MISSING or values[2] is MISSING:
        raise BadOperation(
            "np.where with a condition only gives positions",
            "give both alternatives: np.where(condition, a, b)",
        )
    parts = [call.number(v) for v in values]
    return elementwise(
        call.emitter, lambda c, a, b: strong(select(truth(c), a, b)), *parts
    )


def _bounded(arithmetic: Arithmetic, op: str, one: Expr, two: Expr) -> Expr:
    return strong(arithmetic.greatest(op, one, two, True))


def _clip(call: Call) -> Value:
    names = (
        ("a", "a_min", "a_max") if call.name.startswith("np") else ("a", "min", "max")
    )
    values = call.bind(*names, required=1)
    arithmetic: Arithmetic = call.emitter.arithmetic
    result = call.number(values[0])
    for bound, op in ((values[1], "max"), (values[2], "min")):
        if bound is MISSING or (isinstance(bound, Object) and bound.value is None):
            continue
        if is_beyond(bound, result.dtype, op):
            continue
        result = elementwise(
            call.emitter, partial(_bounded, arithmetic, op), result, call.number(bound)
        )
    return result


def _select(call: Call) -> Value:
    """The first choice whose condition holds."""
    conditions, choices, default = call.bind(
        "condlist", "choicelist", "default", required=2
    )
    if not isinstance(conditions, tuple) or not isinstance(choices, tuple):
        raise BadOperation(f"{call.name} takes lists of conditions and of choices")
    if len(conditions) != len(choices) or not conditions:
        raise BadOperation(f"{call.name} takes as many conditions as choices")
    result: Value = constant(0) if default is MISSING else default
    for condition, choice in reversed(list(zip(conditions, choices, strict=True))):
        result = call.evaluator.reader.library_call(np.where, condition, choice, result)
    return result


def _is_nan(value: Expr) -> Expr:
    if not is_float(value.dtype):
        return constant(False, "bool", is_weak=False)
    return Op("bool", False, "!=", (value, value))


def _is_finite(value: Expr) -> Expr:
    if not is_float(value.dtype):
        return constant(True, "bool", is_weak=False)
    zero = constant(0, value.dtype)
    return Op("bool", False, "==", (Op(value.dtype, False, "-", (value, value)), zero))


def _is_inf(value: Expr) -> Expr:
    return logical("&&", logical_not(_is_finite(value)), logical_not(_is_nan(value)))


def _reciprocal(value: Expr) -> Expr:
    if not is_float(value.dtype):
        raise BadOperation("np.reciprocal of integers", "convert to float64")
    return Op(value.dtype, False, "/", (constant(1, value.dtype), value))


def _logical(op: str) -> Handler:
    return lambda call: _apply(call, lambda a, b: strong(logical(op, a, b)), 2)


def _exclusive(one: Expr, two: Expr) -> Expr:
    return Op("bool", False, "!=", (truth(one), truth(two)))


def _unary(function: Callable[[Expr], Expr]) -> Handler:
    return lambda call: _apply(call, function, 1)


def cast_to(dtype: str, is_weak: bool = False) -> Callable[[Expr], Expr]:
    """The conversion to a type, of numbers."""
    return lambda value: convert(
        truth(value) if dtype == "bool" else value, dtype, is_weak
    )


def _cast(dtype: str, is_weak: bool) -> Handler:
    return _unary(cast_to(dtype, is_weak))


def _python_float(call: Call) -> Value:
    (value,) = call.bind("x", required=1)
    if isinstance(value, Object) and isinstance(value.value, str):
        return constant(computed("float", float, value.value))
    return _cast("float64", True)(call)


def _square(call: Call) -> Value:
    arithmetic = call.emitter.arithmetic
    two = constant(2)
    return _apply(call, lambda a: arithmetic.binary("**", strong(a), two, True), 1)


FUNCTIONS: dict[Any, Handler] = {
    **{getattr(np, n): _unary(_real_call(c)) for n, c in _REAL.items()},
    **{getattr(np, n): _unary(rounding_call(c)) for n, c in _ROUNDING.items()},
    **{getattr(np, n): _real_binary(c) for n, c in _REAL_BINARY.items()},
    **{getattr(np, n): _operator(op) for n, op in _OPERATORS.items()},
    **{getattr(np, n): _comparison(op) for n, op in _COMPARISONS.items()},
    **{
        getattr(math, n): _math_handler(c, 1)
        for n, c in _MATH.items()
        if hasattr(math, n)
    },
    **{getattr(math, n): _math_handler(c, 2) for n, c in _MATH_BINARY.items()},
    math.log: _math_handler("log", 1),
    math.hypot: _math_handler("hypot", 2),
    math.floor: _truncated("floor"),
    math.ceil: _truncated("ceil"),
    math.trunc: _truncated("trunc"),
    int: _truncated("trunc"),
    float: _python_float,
    bool: _cast("bool", True),
    abs: _python_abs,
    min: _python_extreme("min"),
    max: _python_extreme("max"),
    pow: _operator("**"),
    np.float64: _cast("float64", False),
    np.float32: _cast("float32", False),
    np.int64: _cast("int64", False),
    np.int32: _cast("int32", False),
    **{getattr(np, n): _cast(n, False) for n in NARROW},
    np.bool_: _cast("bool", False),
    np.maximum: _extreme("max"),
    np.minimum: _extreme("min"),
    np.negative: _method("negate"),
    np.absolute: _method("absolute"),
    np.invert: _method("invert"),
    np.positive: _unary(strong),
    np.square: _square,
    np.reciprocal: _unary(_reciprocal),
    erf: _unary(_real_call("erf")),
    np.sign: _unary(_sign),
    np.where: _where,
    np.select: _select,
    np.clip: _clip,
    np.isnan: _unary(_is_nan),
    np.isfinite: _unary(_is_finite),
    np.isinf: _unary(_is_inf),
    np.logical_and: _logical("&&"),
    np.logical_or: _logical("||"),
    np.logical_xor: lambda call: _apply(call, _exclusive, 2),
    np.logical_not: _unary(lambda a: strong(logical_not(a))),
}
METHODS: dict[str, Handler] = {"clip": _clip}
