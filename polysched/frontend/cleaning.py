"""Makes preprocessed GNU C digestible for a parser of standard C.

Everything keeps its line; what is taken out is replaced by blanks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from polysched.frontend.preprocess import Line, Preprocessed

OPAQUE = "__opaque_type"
ASM_CALL = "__asm__statement"
HALF_WORDS = ("_Float16", "__bf16")  # names of types that the parser does not know
HALF_MARKS = {"f16": "e-0", "bf16": "e-00"}  # exponents in place of suffixes

_WORDS = {
    "__restrict": "restrict", "__restrict__": "restrict", "__inline": "inline",
    "__inline__": "inline", "__const": "const", "__const__": "const",
    "__volatile": "volatile", "__volatile__": "volatile", "__signed__": "signed",
    "__signed": "signed", "__extension__": "", "__thread": "_Thread_local",
    "__complex__": "_Complex", "__alignof__": "_Alignof", "__alignof": "_Alignof",
    "__int128": OPAQUE, "__int128_t": OPAQUE, "__uint128_t": OPAQUE,
    "__auto_type": OPAQUE, "_Float128": OPAQUE, "__float128": OPAQUE,
    "_Float32": "float", "_Float64": "double",
    "_Float32x": "double", "_Float64x": OPAQUE,
}  # fmt: skip
_WITH_PARENTHESES = {
    "__attribute__", "__attribute", "__asm__", "__asm", "asm", "__typeof__",
    "__typeof", "typeof", "_Alignas", "__builtin_va_arg",
}  # fmt: skip
_WORD = re.compile(
    r"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|(?<![\w.])[A-Za-z_]\w*|\[\["""
    r"|(?<![\w.])(?P<digits>\d+\.?\d*|\.\d+)"
    r"(?:(?P<power>[eE][+-]?\d+)?(?P<suffix>[bB]?[fF]16)\b|(?P<zero>[eE]-00?)(?![\w.]))"
)
_IDENTIFIER = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
_VECTOR_TYPE = re.compile(r"\btypedef\b[^;{}]*\b_*vector_size_*\b[^;{}]*;")
_ALIAS = re.compile(r"^[\w\s]+$")
_BASE_WORDS = frozenset(
    {
        "void", "char", "short", "int", "long", "float", "double", "signed", "unsigned",
        "const", "volatile", "_Bool", "_Complex", "_Float16", "__bf16",
    }
)  # fmt: skip


def clean_text(lines: Iterable[Line]) -> str:
    """The user's lines with markers that the parser understands."""
    out: list[str] = []
    expected: tuple[str, int] | None = None
    for line in lines:
        text = line.text
        if text.lstrip().startswith("#"):
            text = f"#pragma {line.pragma}" if line.pragma else ""
        if not text.strip() and expected != (line.file, line.number):
            continue
        if expected != (line.file, line.number):
            quoted = line.file.replace("\\", "\\\\").replace('"', '\\"')
            out.append(f'# {line.number} "{quoted}"')
        out.append(text)
        expected = (line.file, line.number + 1)
    return strip_extensions("\n".join(out))


def strip_extensions(text: str) -> str:
    """Replace compiler extensions by blanks or by standard C of the same meaning."""
    text = _VECTOR_TYPE.sub(_opaque_vector, text)
    pieces: list[str] = []
    at = 0
    while True:
        match = _WORD.search(text, at)
        if match is None:
            pieces.append(text[at:])
            return "".join(pieces)
        pieces.append(text[at : match.start()])
        word, at = match.group(), match.end()
        if match.group(1) is not None:
            pieces.append(word)
        elif match["suffix"] is not None:
            number = f"{match['digits']}{match['power'] or ''}"
            pieces.append(_half(number, match["suffix"].lower()))
        elif match["zero"] is not None:
            pieces.append(word.replace("-", "+"))
        elif word == "[[":
            end = text.find("]]", at)
            end = len(text) if end < 0 else end + 2
            pieces.append(blank(text[match.start() : end]))
            at = end
        elif word in _WITH_PARENTHESES:
            end = closing_parenthesis(text, at)
            pieces.append(_replace_group(word, text, match.start(), at, end))
            at = end
        else:
            pieces.append(_WORDS.get(word, word).ljust(len(word)))


def _half(number: str, suffix: str) -> str:
    """A literal of a type of two bytes, with a mark that no other literal has.

    One with an exponent is written out, and the rest of its line moves.
    """
    return format(Decimal(number), "f") + HALF_MARKS[suffix]


def _opaque_vector(match: re.Match[str]) -> str:
    """The definition of a vector type, as one of a type that is not known here."""
    text = match.group()
    plain = re.sub(r"__attribute(?:__)?\s*\(\(.*?\)\)\s*", " ", text, flags=re.S)
    names = _IDENTIFIER.findall(re.sub(r"(?m)^#.*$", " ", plain))
    if len(names) < 2:
        return text
    rest = blank(text[:-1])[len("typedef") :]
    return f"typedef struct {OPAQUE} {names[-1]}{rest};"


def blank(text: str) -> str:
    """White space of the same shape; line markers stay."""
    return "\n".join(
        line if k and line.startswith("#") else " " * len(line)
        for k, line in enumerate(text.split("\n"))
    )


def closing_parenthesis(text: str, at: int) -> int:
    """Position behind the parenthesis group that follows `at` (and qualifiers)."""
    match = re.compile(r"(?:\s|volatile|__volatile__|goto|inline)*\(").match(text, at)
    if match is None:
        return at
    depth = 0
    for token in re.compile(r"""[()]|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'""").finditer(
        text, match.end() - 1
    ):
        depth += {"(": 1, ")": -1}.get(token.group(), 0)
        if depth == 0:
            return token.end()
    return len(text)


def _replace_group(word: str, text: str, start: int, inner: int, end: int) -> str:
    """What stands for ``word(...)``."""
    group = text[start:end]
    if end == inner:
        return group
    if "typeof" in word:
        return OPAQUE + blank(group)
    if word == "__builtin_va_arg":
        flat = re.sub(r"(?m)^#.*$", " ", group[:-1])
        type_text = " ".join(flat.rpartition(",")[2].split())
        return f"(*({type_text}*)0)" + blank(group)
    if "asm" in word and _is_asm_statement(text[:start].rstrip(), group):
        return f"{ASM_CALL}()" + blank(group)
    return blank(group)


def _is_asm_statement(before: str, group: str) -> bool:
    """Whether ``asm(...)`` stands alone, and does not end a declaration."""
    if before.endswith((";", "{", "}", "else")):
        return True
    outside = re.sub(r'"(?:\\.|[^"\\])*"', "", group)
    return ":" in outside or "volatile" in outside or "goto" in outside


def needed_typedefs(user_text: str, system_text: str) -> str:
    """Declarations of the system's type names that the user's text mentions."""
    names = dict.fromkeys(_IDENTIFIER.findall(user_text))
    known = system_typedefs(system_text)
    lines = [f"typedef struct {OPAQUE} {n};" for n in (OPAQUE, *HALF_WORDS)]
    done = {OPAQUE, *HALF_WORDS}

    def declare(name: str) -> None:
        if name in done:
            return
        done.add(name)
        words = known[name]
        for word in words:
            if word in known:
                declare(word)
        lines.append(f"typedef {' '.join(words)} {name};")

    for name in names:
        if name in known:
            declare(name)
    return '# 1 "<system types>"\n' + " ".join(lines) + "\n"


def system_typedefs(system_text: str) -> dict[str, list[str]]:
    """Type names that system headers define; those not understood are opaque."""
    found: dict[str, list[str]] = {"__builtin_va_list": [OPAQUE]}
    for match in re.finditer(r"\btypedef\b[^;]*;", _without_braces(system_text)):
        stripped = strip_extensions(match.group())
        body = " ".join(stripped[:-1].split()).removeprefix("typedef ")
        words = body.split()
        if _ALIAS.match(body) and len(words) > 1:
            *source, name = words
            simple = all(w in _BASE_WORDS or w in found for w in source)
            found[name] = source if simple else [OPAQUE]
            continue
        pointer = re.search(r"\(\s*\*+\s*(\w+)\s*\)", body)
        last = pointer or re.search(r"(\w+)\s*(?:\[[^\]]*\]\s*)*$", body)
        if last:
            found[last.group(1)] = [OPAQUE]
    return found


def _without_braces(text: str) -> str:
    """The text with everything between braces taken out."""
    out = []
    depth = 0
    for piece in re.split(r"([{}])", text):
        if piece == "{":
            depth += 1
        elif piece == "}":
            depth = max(0, depth - 1)
        elif depth == 0:
            out.append(piece)
    return " struct ".join(out)


def parser_text(preprocessed: Preprocessed) -> str:
    """The whole text for the parser."""
    user_text = clean_text(preprocessed.lines)
    return needed_typedefs(user_text, preprocessed.system_text) + user_text
