"""Calls and conversions that C++ on a device reads as C does.

In C, ``sqrt(x)`` of a float is computed in double precision and ``abs(x)`` of a double
is an int; C++ picks the function by the type of its argument, and the device has none
for some types. Arguments are therefore given the type that C converts them to.
"""

from __future__ import annotations

from dataclasses import replace

from polysched.base import CodegenError
from polysched.codegen.cuda.shuffles import SHUFFLE
from polysched.ir import (
    Binary,
    Call,
    Cast,
    Const,
    Expr,
    ScalarType,
    Scop,
    Select,
    Unary,
    map_action,
    map_expr,
    types,
)

# of math.h, in both precisions: arguments have the type of the result
_REAL = (
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil",
    "copysign", "cos", "cosh", "erf", "erfc", "exp", "exp2", "expm1", "fabs", "fdim",
    "floor", "fma", "fmax", "fmin", "fmod", "hypot", "ldexp", "lgamma", "log", "log10",
    "log1p", "log2", "logb", "nearbyint", "nextafter", "pow", "remainder", "rint",
    "round", "sin", "sinh", "sqrt", "tan", "tanh", "tgamma", "trunc",
)  # fmt: skip
_WHOLE = ("abs", "labs", "llabs")
_ROUNDED = {
    "lround": types.DOUBLE, "lrint": types.DOUBLE, "llround": types.DOUBLE,
    "llrint": types.DOUBLE, "ilogb": types.DOUBLE, "lroundf": types.FLOAT,
    "lrintf": types.FLOAT,
}  # fmt: skip
_CLASSES = ("isnan", "isinf", "isfinite", "signbit")  # for every type of float
_BITS = {
    "popcount": types.UINT, "popcountl": types.ULONG, "popcountll": types.ULLONG,
    "clz": types.UINT, "ctz": types.UINT,
}  # fmt: skip

_AS_RESULT = frozenset({*_REAL, *(f"{n}f" for n in _REAL), *_WHOLE})


def spell_for_device(scop: Scop) -> Scop:
    """The SCoP whose expressions mean in C++, on a device, what they mean in C.

    Raises
    ------
    CodegenError
        If a function is called that the device does not have.
    """
    statements = tuple(
        s
        if s.domain.is_empty()
        else replace(s, body=tuple(map_action(a, _change) for a in s.body))
        for s in scop.statements
    )
    return replace(scop, statements=statements)


def _change(expr: Expr) -> Expr | None:
    """What stands for a call or a conversion to truth values, None for all else."""
    if isinstance(expr, Cast) and expr.type == types.BOOL:
        return Binary("!=", map_expr(expr.operand, _change), _number(0))
    if not isinstance(expr, Call) or expr.name == SHUFFLE:
        return None
    args = tuple(map_expr(a, _change) for a in expr.args)
    plain = expr.name.removeprefix("__builtin_")
    if expr.name in _AS_RESULT:
        wanted = [expr.type] * len(args)
        if plain in ("ldexp", "ldexpf"):
            wanted[1] = types.INT
        return _call(expr, args, *wanted)
    if expr.name in _ROUNDED:
        return _call(expr, args, _ROUNDED[expr.name])
    if plain in _CLASSES or plain == "isinf_sign":
        return _classify(plain, args[0])
    if expr.name != plain and plain in _BITS:
        return _count_bits(replace(expr, args=args), _BITS[plain])
    raise CodegenError(
        f"{expr.name}() is not available on the device",
        hint="only functions of math.h run there",
    )


def _call(expr: Call, args: tuple[Expr, ...], *wanted: ScalarType) -> Call:
    pairs = zip(args, wanted, strict=True)
    return replace(expr, args=tuple(_convert(a, t) for a, t in pairs))


def _classify(name: str, value: Expr) -> Expr:
    """A question about a number; the sign of what is infinite is one, too."""
    value = value if value.dtype.is_float else Cast(types.DOUBLE, value)
    if name != "isinf_sign":
        return Call(name, (value,), types.INT)
    sign = Select(Call("signbit", (value,), types.INT), _number(-1), _number(1))
    return Select(Call("isinf", (value,), types.INT), sign, _number(0))


def _count_bits(expr: Call, wanted: ScalarType) -> Expr:
    """The device counts bits and leading zeros; trailing ones by the lowest bit."""
    (value,) = _call(expr, expr.args, wanted).args
    if expr.name != "__builtin_ctz":
        return replace(expr, args=(value,))
    lowest = Binary("&", value, Unary("-", value))
    return Binary("-", _number(31), replace(expr, name="__builtin_clz", args=(lowest,)))


def _convert(expr: Expr, wanted: ScalarType) -> Expr:
    if expr.dtype == wanted:
        return expr
    if isinstance(expr, Const) and wanted.is_float and _is_small(expr):
        suffix = "f" if wanted == types.FLOAT else ""
        return Const(float(expr.value), wanted, f"{expr.value}.0{suffix}")
    return Cast(wanted, expr)


def _is_small(expr: Const) -> bool:
    """Whether it is an integer that every type of float has."""
    return not expr.type.is_float and abs(expr.value) < 2**24


def _number(value: int) -> Const:
    return Const(value, types.INT, str(value))
