"""C functions that give NumPy's and Python's meaning where C's operators differ."""

from __future__ import annotations

from polysched.tensor.argument import C_TYPES

SUFFIXES = {
    "float64": "f64", "float32": "f32", "int64": "i64", "int32": "i32", "int16": "i16",
    "uint32": "u32", "uint16": "u16", "int8": "i8", "uint8": "u8",
}  # fmt: skip
PREFIX = "np_"
_DTYPES = {suffix: dtype for dtype, suffix in SUFFIXES.items()}

# np.floor_divide and np.remainder for floats, as NumPy's npy_divmod has them
_FLOAT_MOD = """static inline {t} np_mod_{s}({t} a, {t} b)
{{
  {t} r = fmod{f}(a, b);
  return b == 0 ? r : r != 0 ? ((b < 0) != (r < 0) ? r + b : r) : copysign{f}(0, b);
}}
"""
_FLOAT_FLOORDIV = """static inline {t} np_floordiv_{s}({t} a, {t} b)
{{
  {t} r = fmod{f}(a, b);
  {t} d = (a - r) / b - (r != 0 && (b < 0) != (r < 0) ? 1 : 0);
  {t} q = floor{f}(d);
  {t} n = d - q > ({t})0.5 ? q + 1 : q;
  return b == 0 ? a / b : d != 0 ? n : copysign{f}(0, a / b);
}}
"""
_INT_MOD = """static inline {t} np_mod_{s}({t} a, {t} b)
{{
  return b == 0 || b == -1 ? 0 : a % b + (a % b != 0 && (a % b < 0) != (b < 0) ? b : 0);
}}
"""
_INT_FLOORDIV = """static inline {t} np_floordiv_{s}({t} a, {t} b)
{{
  return b == 0 ? 0 : b == -1 ? -a
         : a / b - (a % b != 0 && (a % b < 0) != (b < 0) ? 1 : 0);
}}
"""
_UINT_MOD = """static inline {t} np_mod_{s}({t} a, {t} b)
{{
  return b == 0 ? 0 : a % b;
}}
"""
_UINT_FLOORDIV = """static inline {t} np_floordiv_{s}({t} a, {t} b)
{{
  return b == 0 ? 0 : a / b;
}}
"""
_FLOAT_MAX = """static inline {t} np_maximum_{s}({t} a, {t} b)
{{
  return a >= b || a != a ? a : b;
}}
"""
_FLOAT_MIN = """static inline {t} np_minimum_{s}({t} a, {t} b)
{{
  return a <= b || a != a ? a : b;
}}
"""
_INT_MAX = """static inline {t} np_maximum_{s}({t} a, {t} b)
{{
  return a >= b ? a : b;
}}
"""
_INT_MIN = """static inline {t} np_minimum_{s}({t} a, {t} b)
{{
  return a <= b ? a : b;
}}
"""
_ABS = """static inline {t} np_abs_{s}({t} a)
{{
  return a < 0 ? -a : a;
}}
"""
_SIGN = """static inline {t} np_sign_{s}({t} a)
{{
  return a > 0 ? 1 : a < 0 ? -1 : a + 0;
}}
"""
_IPOW = """static inline {t} np_ipow_{s}({t} a, {t} n)
{{
  {t} r = 1;
  for ({t} k = 0; k < n; k++)
    r = r * a;
  return r;
}}
"""
_TEMPLATES = {
    "mod": {"f": _FLOAT_MOD, "i": _INT_MOD, "u": _UINT_MOD},
    "floordiv": {"f": _FLOAT_FLOORDIV, "i": _INT_FLOORDIV, "u": _UINT_FLOORDIV},
    "maximum": {"f": _FLOAT_MAX, "i": _INT_MAX, "u": _INT_MAX},
    "minimum": {"f": _FLOAT_MIN, "i": _INT_MIN, "u": _INT_MIN},
    "abs": dict.fromkeys("fiu", _ABS),
    "sign": dict.fromkeys("fiu", _SIGN),
    "ipow": dict.fromkeys("fiu", _IPOW),
}
MAX_POWER = 8


def helper(name: str, dtype: str) -> str:
    """The C name of a helper for a type."""
    return f"{PREFIX}{name}_{SUFFIXES[dtype]}"


def helper_text(c_name: str) -> str:
    """The definition of a helper, from its C name."""
    name, suffix = c_name.removeprefix(PREFIX).rsplit("_", 1)
    dtype = _DTYPES[suffix]
    c_type = C_TYPES[dtype]
    if name.startswith("pow"):
        product = " * ".join("a" * int(name[3:]))
        head = f"static inline {c_type} {c_name}({c_type} a)"
        return f"{head}\n{{\n  return {product};\n}}\n"
    template = _TEMPLATES[name][suffix[0]]
    return template.format(t=c_type, s=suffix, f="f" if suffix == "f32" else "")
