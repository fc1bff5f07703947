"""C arithmetic on Python numbers: rounding, wrapping, division, math functions.

Integers are Python integers inside the range of their type; `double` is a Python
float; `float`, `_Float16` and `__bf16` are Python floats whose value the type can hold.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable

from polysched.ir import ScalarType
from polysched.ir.types import BFLOAT, DOUBLE, FLOAT, HALF, INT, LLONG, LONG

Number = int | float
Function = Callable[..., Number]

_SINGLE = ctypes.c_float
_EXACT_DOUBLE = 1 << 53


class UndefinedError(Exception):
    """An operation that C leaves undefined; the text says which."""


def round_single(value: float) -> float:
    """The nearest `float`; correct after one double operation on floats."""
    return _SINGLE(value).value


def round_half(value: float) -> float:
    """The nearest `_Float16`, ties to even: 11 bits, the least of them 2^-24."""
    return _round_short(value, 11, -24, 65504.0)


def round_bfloat(value: float) -> float:
    """The nearest `__bf16`, ties to even: 8 bits, the least of them 2^-133."""
    return _round_short(value, 8, -133, math.ldexp(255.0, 120))


def _round_short(value: float, n_bits: int, least: int, largest: float) -> float:
    """The nearest number of few bits; one too large becomes infinite."""
    if value == 0 or not math.isfinite(value):
        return value
    exponent = max(math.frexp(value)[1] - n_bits, least)
    rounded = math.ldexp(round(math.ldexp(abs(value), -exponent)), exponent)
    return math.copysign(rounded if rounded <= largest else math.inf, value)


ROUNDING = {FLOAT: "round_single", HALF: "round_half", BFLOAT: "round_bfloat"}


def single_from_int(value: int) -> float:
    """An integer rounded once to `float`."""
    if -_EXACT_DOUBLE <= value <= _EXACT_DOUBLE:
        return _SINGLE(float(value)).value
    kept = abs(value)
    shift = kept.bit_length() - 50
    sticky = 1 if kept & ((1 << shift) - 1) else 0
    odd = math.ldexp(float(kept >> shift | sticky), shift)
    return _SINGLE(odd if value > 0 else -odd).value


def truncate(value: float) -> int:
    """Conversion of a floating value to an integer, towards zero."""
    try:
        return int(value)
    except (OverflowError, ValueError) as error:
        raise UndefinedError(f"conversion of {value} to an integer") from error


def divide_float(a: float, b: float) -> float:
    """IEEE division."""
    try:
        return a / b
    except ZeroDivisionError:
        if a == 0 or math.isnan(a):
            return math.nan
        return math.copysign(math.inf, a) * math.copysign(1.0, b)


def divide_int(a: int, b: int) -> int:
    """Integer division that truncates towards zero."""
    if b > 0:
        return a // b if a >= 0 else -(-a // b)
    if b == 0:
        raise UndefinedError("integer division by zero")
    return -(a // -b) if a >= 0 else -a // -b


def remainder_int(a: int, b: int) -> int:
    """Remainder with the sign of the dividend."""
    if b == 0:
        raise UndefinedError("integer remainder by zero")
    return a % abs(b) if a >= 0 else -(-a % abs(b))


def shift_left(a: int, n: int, n_bits: int) -> int:
    """``a << n``, not yet wrapped."""
    if not 0 <= n < n_bits:
        raise UndefinedError(f"shift by {n} of a value of {n_bits} bits")
    return a << n


def shift_right(a: int, n: int, n_bits: int) -> int:
    """``a >> n``, arithmetic for signed values."""
    if not 0 <= n < n_bits:
        raise UndefinedError(f"shift by {n} of a value of {n_bits} bits")
    return a >> n


def value_range(t: ScalarType) -> tuple[int, int]:
    """Least and greatest value of an integer type."""
    n_bits = 8 * t.n_bytes
    if t.name == "_Bool":
        return 0, 1
    if t.kind == "uint":
        return 0, (1 << n_bits) - 1
    return -(1 << (n_bits - 1)), (1 << (n_bits - 1)) - 1


_UNARY_REAL = [
    "sqrt", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos",
    "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh",
    "cbrt", "erf", "erfc", "tgamma", "lgamma", "floor", "ceil", "trunc", "round",
    "rint", "nearbyint", "fabs",
]  # fmt: skip
_BINARY_REAL = [
    "pow", "atan2", "fmod", "hypot", "fmin", "fmax", "fdim", "copysign", "remainder",
    "nextafter",
]  # fmt: skip
_TERNARY_REAL = ["fma"]


class FunctionTable:
    """Functions that a SCoP may call, found by their C name.

    Parameters
    ----------
    extra : mapping of str to callable
        The user's own pure functions; their arguments arrive unconverted.
    """

    def __init__(self, extra: dict[str, Function] | None = None) -> None:
        self._extra = extra or {}
        self._library: ctypes.CDLL | None = None

    def find(self, name: str) -> tuple[Function, tuple[ScalarType, ...] | None] | None:
        """The function and the types of its parameters (None: as they come)."""
        if name in self._extra:
            return self._extra[name], None
        if name in _INTEGER_FUNCTIONS:
            function, t = _INTEGER_FUNCTIONS[name]
            return function, (t,)
        for names, arity in ((_UNARY_REAL, 1), (_BINARY_REAL, 2), (_TERNARY_REAL, 3)):
            if name in names:
                return self._real(name, DOUBLE, arity), (DOUBLE,) * arity
            if name.endswith("f") and name[:-1] in names:
                return self._real(name, FLOAT, arity), (FLOAT,) * arity
        return None

    def _real(self, name: str, t: ScalarType, arity: int) -> Function:
        if name in _SIMPLE:
            return _SIMPLE[name]
        if self._library is None:
            self._library = _open_math_library()
        ctype = ctypes.c_float if t == FLOAT else ctypes.c_double
        function = getattr(self._library, name)
        function.restype = ctype
        function.argtypes = [ctype] * arity
        return function  # type: ignore[no-any-return]


def _open_math_library() -> ctypes.CDLL:
    """The C mathematics library that this process runs with."""
    try:
        return ctypes.CDLL("libm.so.6")
    except OSError:
        return ctypes.CDLL(None)


def _fmin(a: float, b: float) -> float:
    if math.isnan(a):
        return b
    return b if b < a else a


def _fmax(a: float, b: float) -> float:
    if math.isnan(a):
        return b
    return b if b > a else a


def _sqrt(a: float) -> float:
    return math.sqrt(a) if a >= 0 else math.nan


def _sqrtf(a: float) -> float:
    return round_single(math.sqrt(a)) if a >= 0 else math.nan


_SIMPLE: dict[str, Function] = {
    "sqrt": _sqrt, "sqrtf": _sqrtf, "fabs": math.fabs, "fabsf": math.fabs,
    "fmin": _fmin, "fminf": _fmin, "fmax": _fmax, "fmaxf": _fmax,
}  # fmt: skip

_INTEGER_FUNCTIONS: dict[str, tuple[Function, ScalarType]] = {
    "abs": (abs, INT), "labs": (abs, LONG), "llabs": (abs, LLONG),
}  # fmt: skip
