"""Functions of the C library and compiler builtins that a SCoP may call."""

from __future__ import annotations

from polysched.ir import ScalarType, types

_REAL_FUNCTIONS = (
    "sqrt", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos",
    "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh",
    "cbrt", "erf", "erfc", "tgamma", "floor", "ceil", "trunc", "round", "rint",
    "nearbyint", "fabs", "pow", "atan2", "fmod", "hypot", "fmin", "fmax", "fdim",
    "copysign", "remainder", "nextafter", "fma", "logb",
)  # fmt: skip
_INTEGER_RESULTS = {
    "abs": types.INT, "labs": types.LONG, "llabs": types.LLONG, "lround": types.LONG,
    "lroundf": types.LONG, "lrint": types.LONG, "lrintf": types.LONG,
    "llround": types.LLONG, "llrint": types.LLONG, "ilogb": types.INT,
}  # fmt: skip
_WITHOUT_LIBRARY = (
    "isnan", "isinf", "isfinite", "signbit", "isinf_sign", "popcount", "popcountl",
    "popcountll", "clz", "ctz",
)  # fmt: skip

MATH_FUNCTIONS: dict[str, ScalarType] = {
    **dict.fromkeys(_REAL_FUNCTIONS, types.DOUBLE),
    **{f"{name}f": types.FLOAT for name in _REAL_FUNCTIONS},
    **_INTEGER_RESULTS,
}
_BUILTINS: dict[str, ScalarType] = {
    **{f"__builtin_{name}": t for name, t in MATH_FUNCTIONS.items()},
    **{f"__builtin_{name}": types.INT for name in _WITHOUT_LIBRARY},
    **dict.fromkeys(("isnan", "isinf", "isfinite", "signbit"), types.INT),
}


def library_type(name: str) -> ScalarType | None:
    """What a known pure function of the library or compiler returns."""
    return MATH_FUNCTIONS.get(name) or _BUILTINS.get(name)


def call_name(name: str) -> str:
    """The name to call: the library's for builtins that the library has too."""
    plain = name.removeprefix("__builtin_")
    return plain if plain in MATH_FUNCTIONS else name
