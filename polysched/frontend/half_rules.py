"""How the user's compiler computes in floating types of two bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from polysched.base import FrontendError
from polysched.frontend.cleaning import HALF_WORDS
from polysched.frontend.preprocess import (
    Preprocessed,
    preprocessor_flags,
    run_compiler,
)
from polysched.frontend.source import Places, decode
from polysched.ir import ScalarType
from polysched.ir.types import HALF

Rule = Literal["rounded", "kept", "dropped"]

_MACRO = re.compile(r"^#define (\w+) (.*)$", re.M)
_WORD = re.compile(r"\b(?:" + "|".join(HALF_WORDS) + r")\b")
_LITERAL = re.compile(r"(?<![\w.])(?:\d[\d.eE+-]*|\.\d[\deE+-]*)([bB]?[fF]16)\b")
_SUFFIXES = {"f16": "_Float16", "bf16": "__bf16"}
_PROBE = "{0} f({0} a, {0} b) {{ return ({0})((float)a * (float)b) + a; }}\n"
_HINT = (
    "on x86 gcc from 12 on and clang from 15 on have _Float16, gcc from 13 on and "
    "clang from 17 on compute in __bf16: name another compiler with CC or --cc"
)


@dataclass(frozen=True)
class HalfRules:
    """What becomes of results that have more precision than their type.

    ``rounded``: each operation rounds. ``kept``: operations on values of the type
    compute in `float`, and any conversion takes that value (C11 6.3.1.8, as gcc has
    it without instructions for the type). ``dropped``: likewise, but only operations
    take such a value from each other; conversions, comparisons, conditions and calls
    see it rounded (clang).

    Attributes
    ----------
    half, bfloat : str
        The rule for `_Float16` and for `__bf16`.
    """

    half: Rule
    bfloat: Rule

    def of(self, type_: ScalarType) -> Rule:
        """The rule of a type of two bytes."""
        return self.half if type_ == HALF else self.bfloat


def find_half_rules(
    text: Preprocessed, places: Places, flags: Sequence[str], cc: str
) -> HalfRules | None:
    """The compiler's rules, where the user's text has such a type.

    Raises
    ------
    FrontendError
        If the compiler has not got the type, with the place of its first use.
    """
    used: dict[str, tuple[str, int]] = {}
    for line in text.lines:
        words = _WORD.findall(line.text)
        words += [_SUFFIXES[s.lower()] for s in _LITERAL.findall(line.text)]
        for word in words:
            used.setdefault(word, (line.file, line.number))
    if not used:
        return None
    for word, (file, number) in used.items():
        if not _has_type(word, flags, cc):
            raise FrontendError(
                f"the compiler {cc!r} does not compute in the type {word}",
                where=places.location(file, number),
                hint=_HINT,
            )
    return read_rules(_macros(flags, cc), flags)


def _has_type(word: str, flags: Sequence[str], cc: str) -> bool:
    arguments = ["-fsyntax-only", "-w", *preprocessor_flags(flags), "-x", "c", "-"]
    return not run_compiler(cc, arguments, _PROBE.format(word).encode()).returncode


def _macros(flags: Sequence[str], cc: str) -> Mapping[str, str]:
    arguments = ["-dM", "-E", *preprocessor_flags(flags), "-x", "c", "-"]
    return dict(_MACRO.findall(decode(run_compiler(cc, arguments).stdout)))


def read_rules(macros: Mapping[str, str], flags: Sequence[str]) -> HalfRules:
    """The rules that a compiler's own macros and its options say.

    Parameters
    ----------
    macros : mapping of str to str
        What the compiler defines before it reads anything.
    flags : sequence of str
        Its options, as no macro shows those for excess precision.
    """
    if "__clang__" not in macros:
        method = macros.get("__FLT_EVAL_METHOD_TS_18661_3__", "0")
        is_rounded = method == "16" or "-fexcess-precision=16" in flags
        return HalfRules("rounded" if is_rounded else "kept", "kept")
    has_half = {"__AVX512FP16__", "__ARM_FEATURE_FP16_SCALAR_ARITHMETIC"} & set(macros)
    is_plain = "-ffloat16-excess-precision=none" in flags
    is_plain_bfloat = "-fbfloat16-excess-precision=none" in flags
    return HalfRules(
        "rounded" if has_half or is_plain else "dropped",
        "rounded" if is_plain_bfloat else "dropped",
    )
