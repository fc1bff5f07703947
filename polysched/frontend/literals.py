"""Literals of C as constants with their types, and folding of constant expressions."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction

from polysched.frontend.cleaning import HALF_MARKS
from polysched.ir import (
    Binary,
    Cast,
    Const,
    Expr,
    ScalarType,
    Select,
    Unary,
    common_type,
    types,
)
from polysched.ir.expr import LOGICAL, SHIFTS

_ESCAPES = {
    "n": 10, "t": 9, "r": 13, "0": 0, "a": 7, "b": 8, "f": 12, "v": 11, "e": 27,
}  # fmt: skip
_INT = re.compile(r"^(0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)([uUlL]*)$")


class LongDoubleError(ValueError):
    """A literal of type ``long double``."""


def read_literal(kind: str, text: str) -> Const:
    """A `Const` for a literal as pycparser gives it; ValueError if it is none."""
    if kind == "char":
        return Const(_char_value(text), types.INT, text)
    match = _INT.match(text)
    if match:
        return _integer(match.group(1), match.group(2).lower(), text)
    return _floating(text)


def _integer(digits: str, suffix: str, text: str) -> Const:
    decimal = digits[0] != "0" or digits == "0"
    if digits[:2].lower() in {"0x", "0b"}:
        value = int(digits, 0)
    else:
        value = int(digits, 10 if decimal else 8)
    unsigned = "u" in suffix
    n_long = suffix.count("l")
    candidates = [types.INT, types.LONG, types.LLONG][n_long:]
    for signed in candidates:
        n_bits = 8 * signed.n_bytes
        if not unsigned and value < 1 << (n_bits - 1):
            return Const(value, signed, text)
        if (unsigned or not decimal) and value < 1 << n_bits:
            return Const(value, _UNSIGNED[signed.name], text)
    raise ValueError(f"the integer {text} fits no type")


_UNSIGNED = {"int": types.UINT, "long": types.ULONG, "long long": types.ULLONG}


def _floating(text: str) -> Const:
    body, suffix = text, ""
    hexadecimal = text[:2].lower() == "0x"
    number, _, exponent = text.partition("e")
    mark = f"e{exponent}"
    if not hexadecimal and mark in HALF_MARKS.values():
        is_half = mark == HALF_MARKS["f16"]
        return _half(number, types.HALF if is_half else types.BFLOAT)
    if text[-1] in "lL" or (text[-1] in "fF" and (not hexadecimal or "p" in text)):
        body, suffix = text[:-1], text[-1].lower()
    if suffix == "l":
        raise LongDoubleError(text)
    value = float.fromhex(body) if hexadecimal else float(body)
    return Const(value, types.FLOAT if suffix == "f" else types.DOUBLE, text)


def _half(number: str, type_: ScalarType) -> Const:
    """A number of two bytes; its text keeps the digits for `spell_half`."""
    value = _nearest(number, type_)
    if value > _LARGEST[type_]:
        raise ValueError(f"the number {number} is too large for {type_}")
    return Const(value, type_, number)


def spell_half(literal: Const, type_: ScalarType) -> Const:
    """A literal of two bytes as text that is exact, or what its digits are as `float`.

    Parameters
    ----------
    literal : Const
        As it was read.
    type_ : ScalarType
        Its type, or `float`.
    """
    value = _nearest(literal.text, type_)
    if type_ == types.FLOAT:
        return Const(value, type_, f"{value!r}f")
    return Const(value, type_, f"(({type_}){value!r})")


def _nearest(number: str, type_: ScalarType) -> float:
    """The number of a type next to some digits, ties to even."""
    exact, (n_bits, least) = Fraction(number), _PRECISION[type_]
    exponent = max(math.frexp(float(exact))[1] - n_bits, least)
    return math.ldexp(round(exact / Fraction(2) ** exponent), exponent)


_PRECISION = {types.HALF: (11, -24), types.BFLOAT: (8, -133), types.FLOAT: (24, -149)}
_LARGEST = {types.HALF: 65504.0, types.BFLOAT: math.ldexp(255.0, 120)}


def long_double_as(text: str, target: ScalarType) -> Const:
    """A ``long double`` literal converted at once, as in ``((double)1e308L)``."""
    value = float(text[:-1])
    return Const(value, target, f"(({target})({text}))")


def _char_value(text: str) -> int:
    inner = text[1:-1]
    if not text.startswith("'"):
        raise ValueError("a wide character")
    if not inner.startswith("\\"):
        if len(inner) != 1:
            raise ValueError(f"the character constant {text} has several characters")
        code = ord(inner)
    elif inner[1] == "x":
        code = int(inner[2:], 16)
    elif inner[1] in "01234567":
        code = int(inner[1:], 8)
    else:
        code = _ESCAPES.get(inner[1], ord(inner[1]))
    return code - 256 if 128 <= code < 256 else code


def integer(value: int, type_: ScalarType = types.INT) -> Const:
    """An integer constant, in C of the type that its type is promoted to."""
    suffix = _SUFFIXES.get(type_.name, "")
    is_least = type_.kind == "int" and value == -1 << (8 * max(type_.n_bytes, 4) - 1)
    if is_least:  # its digits alone would be too many
        return Const(value, type_, f"({value + 1}{suffix} - 1)")
    return Const(value, type_, f"{value}{suffix}")


_SUFFIXES = {
    "unsigned int": "u", "long": "l", "unsigned long": "ul", "long long": "ll",
    "unsigned long long": "ull",
}  # fmt: skip


_LONG_BYTES = 8
INFINITY_TEXTS = {
    "__builtin_inff": (math.inf, types.FLOAT),
    "__builtin_inf": (math.inf, types.DOUBLE),
    "__builtin_huge_val": (math.inf, types.DOUBLE),
    "__builtin_huge_valf": (math.inf, types.FLOAT),
    "__builtin_nanf": (math.nan, types.FLOAT),
    "__builtin_nan": (math.nan, types.DOUBLE),
}


def nearest_zero(value: int, type_: ScalarType) -> int:
    """A constant that is added or multiplied; of eight bytes without a sign both wrap.

    Read so, ``i + (size_t)-1`` is the element before; only where the whole is below
    zero does it differ from C's, which comparisons ask about.
    """
    is_long = type_.kind == "uint" and type_.n_bytes == _LONG_BYTES
    return value - (1 << 64) if is_long and value >= 1 << 63 else value


def fold(expr: Expr) -> int | None:
    """The value of an integer constant expression; None for anything else."""
    if isinstance(expr, Const):
        return None if expr.type.is_float else int(expr.value)
    if isinstance(expr, Cast):
        return None if expr.type.is_float else wrap(fold(expr.operand), expr.type)
    if isinstance(expr, Unary):
        value = fold(expr.operand)
        return None if value is None else wrap(_UNARY[expr.op](value), expr.dtype)
    if isinstance(expr, Select):
        cond = fold(expr.cond)
        if cond is None:
            return None
        return wrap(fold(expr.then if cond else expr.other), expr.dtype)
    if isinstance(expr, Binary):
        return _fold_binary(expr)
    return None


def _fold_binary(expr: Binary) -> int | None:
    a, b = fold(expr.left), fold(expr.right)
    if expr.op not in SHIFTS | LOGICAL:
        shared = common_type(expr.left.dtype, expr.right.dtype)
        a, b = wrap(a, shared), wrap(b, shared)
    if a is None or b is None or (expr.op in {"/", "%"} and b == 0):
        return None
    if expr.op in SHIFTS and not 0 <= b < 64:
        return None
    return wrap(_BINARY[expr.op](a, b), expr.dtype)


def wrap(value: int | None, t: ScalarType) -> int | None:
    """An integer converted to an integer type."""
    if value is None:
        return None
    if t.name == "_Bool":
        return int(value != 0)
    n_bits = 8 * t.n_bytes
    value &= (1 << n_bits) - 1
    if t.kind == "int" and value >> (n_bits - 1):
        value -= 1 << n_bits
    return value


def _quotient(a: int, b: int) -> int:
    q = abs(a) // abs(b)
    return q if (a < 0) == (b < 0) else -q


_UNARY: dict[str, Callable[[int], int]] = {
    "-": lambda a: -a, "+": lambda a: a, "!": lambda a: int(not a), "~": lambda a: ~a,
}  # fmt: skip
_BINARY: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b,
    "/": _quotient, "%": lambda a, b: a - _quotient(a, b) * b,
    "<": lambda a, b: int(a < b), "<=": lambda a, b: int(a <= b),
    ">": lambda a, b: int(a > b), ">=": lambda a, b: int(a >= b),
    "==": lambda a, b: int(a == b), "!=": lambda a, b: int(a != b),
    "&&": lambda a, b: int(bool(a and b)), "||": lambda a, b: int(bool(a or b)),
    "<<": lambda a, b: a << b, ">>": lambda a, b: a >> b,
    "&": lambda a, b: a & b, "|": lambda a, b: a | b, "^": lambda a, b: a ^ b,
}  # fmt: skip
