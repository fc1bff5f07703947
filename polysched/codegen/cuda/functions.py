"""Calls and conversions that C++ on a device reads as C does.

In C, ``sqrt(x)`` of a float is computed in double precision and ``abs(x)`` of a double
is an int; C++ picks the function by the type of its argument, and the device has none
for some types. Arguments are therefore given the type that C converts them to. Types of
two bytes are classes there, which convert to `float` and from any number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import NoReturn

from polysched.base import CodegenError
from polysched.codegen.cuda.shuffles import SHUFFLE
from polysched.codegen.cuda.text import type_name
from polysched.codegen.statement import print_actions
from polysched.ir import (
    Action,
    Binary,
    Call,
    Cast,
    Const,
    Element,
    Expr,
    Function,
    Guard,
    Let,
    Local,
    Repeat,
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


DEVICE_TYPES = {
    types.HALF: ScalarType("__half", "float", 2),
    types.BFLOAT: ScalarType("__nv_bfloat16", "float", 2),
}
C_NAMES = {device.name: t.name for t, device in DEVICE_TYPES.items()}


def spell_for_device(scop: Scop) -> Scop:
    """The SCoP whose expressions mean in C++, on a device, what they mean in C.

    Its elements of two bytes have the device's types.

    Raises
    ------
    CodegenError
        If a function is called that the device does not have.
    """
    functions = tuple(f for f in scop.functions if _is_spelled(f))
    names = {f.name: _own_name(scop, f.name) for f in functions}

    def spelled(body: tuple[Action, ...]) -> tuple[Action, ...]:
        return tuple(_spelled(map_action(a, partial(_renamed, names))) for a in body)

    functions = tuple(
        replace(f, name=names[f.name], body=spelled(f.body)) for f in functions
    )
    statements = tuple(
        s if s.domain.is_empty() else replace(s, body=spelled(s.body))
        for s in scop.statements
    )
    arrays = tuple(
        replace(a, type=DEVICE_TYPES.get(a.type, a.type)) for a in scop.arrays
    )
    return replace(scop, statements=statements, arrays=arrays, functions=functions)


def print_function(function: Function, indent: str) -> list[str]:
    """The lines of a function of the file for the device, as `spell_for_device` has it.

    Its callers are kernels.
    """
    arguments = ", ".join(f"{type_name(p.type)} {p.name}" for p in function.parameters)
    return [
        f"static __device__ {type_name(function.type)} {function.name}({arguments})",
        "{",
        *(indent + line for line in print_actions(function.body, indent=indent)),
        "}",
    ]


def _own_name(scop: Scop, name: str) -> str:
    """Of a function of the file in device code, where headers declare others."""
    stem = "".join(c if c.isalnum() else "_" for c in scop.name)
    return f"ps_{stem}_{name}"


def _is_spelled(function: Function) -> bool:
    """Whether no number that a function takes or returns is a class on the device."""
    types_ = (function.type, *(p.type for p in function.parameters))
    return not any(t.is_half for t in types_)


def _renamed(names: Mapping[str, str], expr: Expr) -> Expr | None:
    """A call of a function of the file by the name that the device knows."""
    if not isinstance(expr, Call) or not expr.is_own:
        return None
    if expr.name not in names:
        _refuse(expr.name)
    args = tuple(map_expr(a, partial(_renamed, names)) for a in expr.args)
    return replace(expr, name=names[expr.name], args=args, is_own=True)


def _spelled(action: Action) -> Action:
    """An action with the device's expressions, and its variables' types."""

    def change(inner: Action) -> Action:
        match inner:
            case Let(Local(name, type_)):
                local = Local(name, DEVICE_TYPES.get(type_, type_))
                return replace(inner, local=local)
            case Guard(_, then, other):
                branches = (tuple(map(change, b)) for b in (then, other))
                return Guard(inner.cond, *branches)
            case Repeat():
                return replace(
                    inner,
                    body=tuple(map(change, inner.body)),
                    start=tuple(map(change, inner.start)),
                    step=tuple(map(change, inner.step)),
                )
        return inner

    return change(map_action(action, _change))


def _change(expr: Expr) -> Expr | None:
    """What stands for a call or a conversion to truth values, None for all else."""
    if isinstance(expr, Cast) and expr.type == types.BOOL:
        operand = map_expr(expr.operand, _change)
        return Binary("!=", _as_number(operand), _number(0))
    if isinstance(expr, Cast) and expr.operand.dtype.is_half != expr.type.is_half:
        operand = map_expr(expr.operand, _change)
        is_plain = expr.type in (types.FLOAT, *DEVICE_TYPES)
        operand = operand if is_plain else _as_number(operand)
        return Cast(DEVICE_TYPES.get(expr.type, expr.type), operand)
    if isinstance(expr, Element | Local | Cast) and expr.type in DEVICE_TYPES:
        parts = map_expr(replace(expr, type=DEVICE_TYPES[expr.type]), _change)
        return parts
    if not isinstance(expr, Call) or expr.name == SHUFFLE:
        return None
    args = tuple(map_expr(a, _change) for a in expr.args)
    if expr.is_own:
        return replace(expr, args=tuple(map(_as_number, args)))
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
    _refuse(expr.name)


def _refuse(name: str) -> NoReturn:
    raise CodegenError(
        f"{name}() is not available on the device",
        hint="functions of math.h run there, and those of the file that compute with "
        "numbers, branches and loops, without arrays and without switch",
    )


def _as_number(expr: Expr) -> Expr:
    """A class has several conversions: one of them is asked for."""
    return Cast(types.FLOAT, expr) if expr.dtype.is_half else expr


def _call(expr: Call, args: tuple[Expr, ...], *wanted: ScalarType) -> Call:
    pairs = zip(args, wanted, strict=True)
    return replace(expr, args=tuple(_convert(a, t) for a, t in pairs))


def _classify(name: str, value: Expr) -> Expr:
    """A question about a number; the sign of what is infinite is one, too."""
    value = _as_number(value)
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
    return Cast(wanted, expr if wanted == types.FLOAT else _as_number(expr))


def _is_small(expr: Const) -> bool:
    """Whether it is an integer that every type of float has."""
    return not expr.type.is_float and abs(expr.value) < 2**24


def _number(value: int) -> Const:
    return Const(value, types.INT, str(value))
