"""Macros that add up several products of short integers in each element of a vector.

Compilers have an instruction for it and no name that several of them share: it is
written as assembly, and as a loop for processors without it.
"""

from __future__ import annotations

_FORMS = {  # terms, elements: conditions of the compiler's, and what to write then
    (4, 16): [("defined(__AVX512VNNI__)", "vpdpbusd")],
    (4, 8): [
        ("defined(__AVX512VNNI__) && defined(__AVX512VL__)", "vpdpbusd"),
        ("defined(__AVXVNNI__)", "%{{vex%}} vpdpbusd"),
    ],
    (2, 16): [
        ("defined(__AVX512VNNI__)", "vpdpwssd"),
        ("defined(__AVX512BW__)", "vpmaddwd"),
    ],
    (2, 8): [
        ("defined(__AVX512VNNI__) && defined(__AVX512VL__)", "vpdpwssd"),
        ("defined(__AVXVNNI__)", "%{{vex%}} vpdpwssd"),
        ("defined(__AVX2__)", "vpmaddwd"),
    ],
}
_TYPES = {4: ("unsigned char", "signed char"), 2: ("short", "short")}


def _macro(n_terms: int, forms: list[tuple[str, str]]) -> str:
    """Text with ``{0}`` for the name; its vectors hold so many terms in each element.

    Of bytes, those of ``u`` have no sign. Sums wrap around, as the instructions' do.
    """
    lines: list[str] = []
    for condition, name in forms:
        lines += [f"#{'elif' if lines else 'if'} {condition}", *_assembly(name)]
    first, second = _TYPES[n_terms]
    return "\n".join([
        *lines,
        "#else",
        "#define {0}(c, u, s) do {{ \\",
        f"    union {{{{ __typeof__(c) all; {first} each[]; }}}} u_ = {{{{(u)}}}}; \\",
        f"    union {{{{ __typeof__(c) all; {second} each[]; }}}} s_ = {{{{(s)}}}}; \\",
        f"    for (unsigned n_ = 0; n_ < sizeof(c) / 4 * {n_terms}; n_++) \\",
        f"      (c)[n_ / {n_terms}] += u_.each[n_] * s_.each[n_]; \\",
        "  }} while (0)",
        "#endif",
    ]).replace("each[]", f"each[sizeof(c) / 4 * {n_terms}]")  # fmt: skip


def _assembly(name: str) -> list[str]:
    if name != "vpmaddwd":
        return [
            "#define {0}(c, u, s) \\",
            f'  __asm__("{name} %2, %1, %0" : "+v"(c) : "v"(u), "v"(s))',
        ]
    return [
        "#define {0}(c, u, s) do {{ \\",
        "    __typeof__(c) sums_; \\",
        f'    __asm__("{name} %2, %1, %0" : "=v"(sums_) : "v"(u), "v"(s)); \\',
        "    (c) += sums_; \\",
        "  }} while (0)",
    ]


def dot_kind(n_terms: int, lanes: int) -> str:
    """The kind of macro for so many terms in each of so many elements of 4 bytes."""
    return f"dot{n_terms}_{lanes}"


DOT_MACROS = {dot_kind(*key): _macro(key[0], forms) for key, forms in _FORMS.items()}
DOT_LANES = tuple(sorted({lanes for _, lanes in _FORMS}))
