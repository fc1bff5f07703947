"""Library functions that compilers keep as calls, as operations that they know.

`fmax` of a number and a NaN is the number, which no single instruction gives; `lrint`
may set `errno`; `round` has no instruction at all, and of `floor`, `ceil` and `trunc`
gcc 12 uses the instruction for one element only, as that of vectors may raise flags.
Compilers compute them one element at a time and keep their loops out of vector lanes,
unless flags say that nobody asks for NaN or `errno`. The macros compute the same
values: the minimum is the machine's, where the second one is a number, which it is on
every path that a processor guesses. Of two zeros `fmax` gives the second, as glibc's
does when it is called; compilers may exchange its arguments. `rint`, which is put in
lanes, gives the nearest integer, of two the even one, and a comparison tells whether
the next one is meant; zeros keep the argument's sign.
Lanes of AVX-512 take all of them; without its masks gcc leaves some as they are. Clang
knows lanes of `floor` and its kin, which stay.
"""

from __future__ import annotations

_CHOICE = """#define {{0}}(a, b) __extension__ ({{{{ \\
  const {type} {{0}}_a = (a), {{0}}_b = (b); \\
  const {type} {{0}}_r = {{0}}_a {sign} {{0}}_b ? {{0}}_a : {{0}}_b; \\
  {{0}}_b == {{0}}_b ? {{0}}_r : {{0}}_a; }}}})"""
_NEXT = """#define {{0}}(a) __extension__ ({{{{ \\
  const {type} {{0}}_a = (a), {{0}}_t = __builtin_rint{suffix}({{0}}_a); \\
  {value}; }}}})"""
_VALUES = {  # a: the argument, t: the integer next to it
    "floor": "{t} - ({t} > {a} ? 1 : 0)",
    "ceil": "{sign}({t} + ({t} < {a} ? 1 : 0), {a})",
    "trunc": "{sign}({size}({t}) - ({size}({t}) > {size}({a}) ? 1 : 0), {a})",
    "round": """{sign}({size}({t}) + \\
    ((({t} != {a}) & ({size}({t}) + {half} == {size}({a}))) ? 1 : 0), {a})""",
}
_BY_COMPILER = """#ifdef __clang__
#define {{0}}(a) __builtin_{name}(a)
#else
{otherwise}
#endif"""
_NEAREST = "#define {{0}}(a) (({result})__builtin_rint{suffix}(a))"
_FLOATING = {"": ("double", "0.5"), "f": ("float", "0.5f")}  # suffix: type, a half
_INTEGERS = {"l": "long", "ll": "long long"}


def _call_macros() -> dict[str, str]:
    """Definitions by the function's name, with the macro's name left open."""
    found: dict[str, str] = {}
    for suffix, (type_, half) in _FLOATING.items():
        for name, sign in [("fmax", ">"), ("fmin", "<")]:
            found[name + suffix] = _CHOICE.format(type=type_, sign=sign)
        parts = {"t": "{0}_t", "a": "{0}_a", "half": half}
        parts["sign"] = f"__builtin_copysign{suffix}"
        parts["size"] = f"__builtin_fabs{suffix}"
        values = {name: value.format(**parts) for name, value in _VALUES.items()}
        for short, result in _INTEGERS.items():
            values[f"{short}round"] = f"({result})({values['round']})"
            found[f"{short}rint{suffix}"] = _NEAREST.format(
                result=result, suffix=suffix
            )
        for name, value in values.items():
            text = _NEXT.format(type=type_, suffix=suffix, value=value)
            if name in _VALUES:
                text = _BY_COMPILER.format(name=name + suffix, otherwise=text)
            found[name + suffix] = text
    return found


CALL_MACROS = _call_macros()
