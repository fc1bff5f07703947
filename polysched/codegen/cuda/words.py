"""Names that C programs may use and device code may not."""

from __future__ import annotations

import re
from collections.abc import Iterable

from polysched.base import CodegenError
from polysched.codegen.ctext import Names

# keywords of C++17 that are none of C, and that no text of ours has
_CPP_KEYWORDS = frozenset((
    "alignas", "alignof", "and", "and_eq", "bitand", "bitor", "catch", "char16_t",
    "char32_t", "class", "compl", "const_cast", "constexpr", "decltype", "delete",
    "dynamic_cast", "explicit", "export", "friend", "mutable", "namespace", "new",
    "noexcept", "not", "not_eq", "nullptr", "operator", "or", "or_eq", "private",
    "protected", "public", "static_assert", "template", "this", "thread_local", "throw",
    "try", "typeid", "typename", "using", "virtual", "wchar_t", "xor", "xor_eq",
))  # fmt: skip
# what device code names itself
OWN_NAMES = frozenset((
    "asm", "blockDim", "blockIdx", "bool", "dim3", "false", "gridDim", "nvcuda",
    "reinterpret_cast", "threadIdx", "true",
))  # fmt: skip
_WORD_OR_NOT = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"|\b[A-Za-z_]\w*', re.DOTALL
)  # comments and strings, which stay as they are, or words


def check_names(used: Iterable[str]) -> None:
    """Refuse names of the program that mean something else in device code.

    Raises
    ------
    CodegenError
        If there is one.
    """
    for name in sorted(OWN_NAMES & set(used)):
        raise CodegenError(
            f"the name {name!r} means something else on the device",
            hint="give what is called so another name",
        )


def rename_keywords(text: str, names: Names) -> str:
    """A text in which what is called like a keyword of C++ has another name."""
    renamed: dict[str, str] = {}

    def change(found: re.Match[str]) -> str:
        word = found.group()
        if word not in _CPP_KEYWORDS:
            return word
        if word not in renamed:
            renamed[word] = names.take(f"{word}_c")
        return renamed[word]

    return _WORD_OR_NOT.sub(change, text)
