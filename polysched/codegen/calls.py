"""Library functions that compilers keep as calls, as operations that they know.

`fmax` of a number and a NaN is the number, which no single instruction gives; `lrint`
may set `errno`; `round` has no instruction at all. Compilers call them, one element at
a time, and keep loops of such calls out of vector lanes, unless flags say that nobody
asks for NaN or `errno`. The macros compute the same values: of two zeros `fmax` gives
the second, as glibc's does; halves are rounded away from zero by adding the greatest
number below a half, which brings no smaller one up to the next integer.
"""

from __future__ import annotations

_CHOICE = """#define {{0}}(a, b) __extension__ ({{{{ \\
  const {type} {{0}}_a = (a), {{0}}_b = (b); \\
  {{0}}_a {sign} {{0}}_b || {{0}}_b != {{0}}_b ? {{0}}_a : {{0}}_b; }}}})"""
_NEAREST = "#define {{0}}(a) (({result})__builtin_rint{suffix}(a))"
_AWAY = """#define {{0}}(a) __extension__ ({{{{ const {type} {{0}}_a = (a); \\
  {cut}({{0}}_a + __builtin_copysign{suffix}({below}, {{0}}_a)); }}}})"""
_FLOATING = {  # suffix: type, the greatest number below a half
    "": ("double", "0x1.fffffffffffffp-2"),
    "f": ("float", "0x1.fffffep-2f"),
}
_INTEGERS = {"l": "long", "ll": "long long"}


def _call_macros() -> dict[str, str]:
    """Definitions by the function's name, with the macro's name left open."""
    found: dict[str, str] = {}
    for suffix, (type_, below) in _FLOATING.items():
        for name, sign in [("fmax", ">"), ("fmin", "<")]:
            found[name + suffix] = _CHOICE.format(type=type_, sign=sign)
        cuts = {f"{short}round": f"({long})" for short, long in _INTEGERS.items()}
        for name, cut in {"round": f"__builtin_trunc{suffix}", **cuts}.items():
            found[name + suffix] = _AWAY.format(
                type=type_, cut=cut, suffix=suffix, below=below
            )
        for short, result in _INTEGERS.items():
            found[f"{short}rint{suffix}"] = _NEAREST.format(
                result=result, suffix=suffix
            )
    return found


CALL_MACROS = _call_macros()
