"""Macros that a region rests on: what is written for it holds for what they stand for.

Generated text has numbers where the user's text had names of macros, and vectors of a
type that a macro named: with another ``-D`` it would compile, and be wrong.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from pycparser import c_ast, c_parser

from polysched.frontend.preprocess import (
    Preprocessed,
    preprocessor_flags,
    run_compiler,
)
from polysched.frontend.source import Places, SourceFile, decode, tokens
from polysched.frontend.syntax import FAILURES
from polysched.frontend.trees import parts
from polysched.ir import MacroUse, Scop

_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_CONDITION = re.compile(r"\s*#\s*(?:el)?if(?:n?def)?\b(.*)")
_PROBE = "ps_macro_"
_VALUE = re.compile(rf"{_PROBE}(\d+)_(\d+) ?(.*)")
_TYPES = (
    "char short int long signed unsigned float double _Bool _Complex _Float16 __bf16"
)
_TYPE_WORDS = frozenset((*_TYPES.split(), "__int128"))
_SIGNS = "( ) + - * / % < > & | ^ ~ ! ? : << >> <= >= == != && ||"
_OPERATORS = frozenset(_SIGNS.split())


def find_macro_uses(
    source: SourceFile, text: Preprocessed, places: Places, ast: Any,
    scops: Sequence[Scop], flags: Sequence[str], cc: str,
) -> dict[str, tuple[MacroUse, ...]]:  # fmt: skip
    """What macros stand for at each SCoP, of those that its text rests on.

    Those are the user's macros named in the region, in functions that it calls, in the
    declarations of its arrays, and in what else gives it constants. A macro that is no
    arithmetic constant and no type of a number is left out, those in it are not.

    Parameters
    ----------
    source, text, places, ast
        The file, what the preprocessor and the parser made of it.
    scops : sequence of Scop
        By name; without a region they rest on nothing.
    flags, cc
        As of `parse_c`.
    """
    if not scops:  # there may be no syntax tree either
        return {}
    finder = _Finder(text, places, ast) if text.own_macros else None
    named = [
        (s, finder.named(source, s) if finder is not None else [])
        for s in scops
        if s.region is not None
    ]
    values = _values(source, named, flags, cc)
    found = {}
    for k, (scop, names) in enumerate(named):
        asked = [_use(name, values.get((k, at))) for at, name in enumerate(names)]
        conditions = _conditions(source, scop, text)
        uses = (*(use for use in asked if use is not None), *conditions)
        if uses:
            found[scop.name] = uses
    return found


class _Finder:
    """Names of macros that text mentions, directly or by what it names."""

    def __init__(self, text: Preprocessed, places: Places, ast: Any) -> None:
        self._macros = text.own_macros
        self._places = places
        self._nodes: defaultdict[str, list[Any]] = defaultdict(list)
        for node in parts(ast):
            kinds = (c_ast.Decl, c_ast.Typedef, c_ast.Enumerator, c_ast.Struct)
            if isinstance(node, kinds) and node.name:
                self._nodes[node.name].append(node)
            elif isinstance(node, c_ast.FuncDef):
                self._nodes[node.decl.name].append(node)

    def named(self, source: SourceFile, scop: Scop) -> list[str]:
        """Macros without arguments, in the order in which they turn up."""
        assert scop.region is not None
        lines = source.lines[scop.region.line - 1 : scop.region.end_line]
        outside = {p.name for p in scop.parameters if p.value is None}
        waiting = [word for line in lines for word in _words(line)]
        found: dict[str, None] = {}
        while waiting:
            new = list(dict.fromkeys(w for w in waiting if w not in found))
            found |= dict.fromkeys(new)
            waiting = [w for word in new for w in self._behind(word, outside)]
        return [w for w in found if (m := self._macros.get(w)) and not m.has_arguments]

    def _behind(self, word: str, outside: set[str]) -> Iterator[str]:
        """Words that a word stands for."""
        if word in self._macros:
            yield from _WORD.findall(self._macros[word].body)
        for node in self._nodes.get(word, ()):
            if isinstance(node, c_ast.Decl):
                is_constant = word not in outside
                yield from self._declared(node, is_constant)
                continue
            for file, line in dict.fromkeys(_lines(node)):
                yield from _words(self._places.source_line(file, line))

    def _declared(self, node: Any, is_constant: bool) -> Iterator[str]:
        """Words of a declaration, with its value where the region takes that over."""
        value = node.init if isinstance(node.type, c_ast.TypeDecl) else None
        for file, line in dict.fromkeys((*_lines(node.type), *_lines(node)[:1])):
            found = [t for _, t in tokens(self._places.source_line(file, line))]
            if node.name in found:
                at = found.index(node.name)
                start = max((k for k in range(at) if found[k] in ";{"), default=0)
                ends = (k for k in range(at, len(found)) if found[k] in {"=", ";"})
                found = found[start : next(ends, len(found))]
            yield from (t for t in found if _WORD.fullmatch(t))
        if value is not None and is_constant:
            for file, line in dict.fromkeys(_lines(value)):
                yield from _words(self._places.source_line(file, line))


def _words(line: str) -> list[str]:
    return [t for _, t in tokens(line) if _WORD.fullmatch(t)]


def _lines(node: Any) -> list[tuple[str, int]]:
    coords = (part.coord for part in parts(node))
    return [(c.file, c.line) for c in coords if c is not None]


def _values(
    source: SourceFile, named: Iterable[tuple[Scop, list[str]]], flags: Sequence[str],
    cc: str,
) -> dict[tuple[int, int], str]:  # fmt: skip
    """What the preprocessor makes of macros in front of SCoPs, by numbers of both."""
    content, asked = source.content, False
    for k, (scop, names) in sorted(
        enumerate(named), key=lambda pair: -_start(pair[1][0])
    ):
        asked = asked or bool(names)
        probes = "".join(f"\n{_PROBE}{k}_{at} {n}" for at, n in enumerate(names))
        start = _start(scop)
        content = content[:start] + f"{probes}\n".encode() + content[start:]
    if not asked:
        return {}
    folder = os.path.dirname(source.path) or "."
    command = [*preprocessor_flags(flags), "-iquote", folder, "-E", "-xc", "-"]
    output = decode(run_compiler(cc, command, content).stdout)
    matches = (_VALUE.fullmatch(line.strip()) for line in output.splitlines())
    return {(int(m[1]), int(m[2])): m[3].strip() for m in matches if m is not None}


def _start(scop: Scop) -> int:
    assert scop.region is not None
    return scop.region.start


def _use(name: str, value: str | None) -> MacroUse | None:
    """How generated text can ask whether a macro still stands for something."""
    found = [t for _, t in tokens(value or "")]
    words = [t for t in found if _WORD.fullmatch(t)]
    are_types = all(w in _TYPE_WORDS or w.endswith("_t") for w in words)
    if value is None or not are_types or not found:
        return None
    if words == found:
        return MacroUse(name, value, "type")
    numbers = [t for t in found if t[0].isdigit() or (t[0] in ".'" and len(t) > 1)]
    others = {t for t in found if t not in numbers and t not in words}
    is_pointer = any(a in words and b == "*" for a, b in pairwise(found))
    if not numbers or is_pointer or not others <= _OPERATORS:
        return None
    return MacroUse(name, _bare(value), "number") if _is_whole(value, words) else None


def _is_whole(value: str, words: Sequence[str]) -> bool:
    """Whether a text is an expression, and no part of one."""
    types = "".join(f"typedef int {w};" for w in {*words} - _TYPE_WORDS)
    try:
        c_parser.CParser().parse(f"{types} double ps_value = ({value});")
    except FAILURES:
        return False
    return True


def _bare(value: str) -> str:
    """A number without the parentheses around it."""
    while (inner := re.fullmatch(r"\(\s*([\w.']+|\(.*\))\s*\)", value)) and (
        _is_whole(inner[1], ())
    ):
        value = inner[1]
    return value


def _conditions(
    source: SourceFile, scop: Scop, text: Preprocessed
) -> Iterator[MacroUse]:
    """Names that decide which lines of a region count, and whether they are defined."""
    assert scop.region is not None
    lines = source.lines[scop.region.line - 1 : scop.region.end_line]
    matches = (_CONDITION.match(line) for line in lines)
    words = (w for m in matches if m is not None for w in _words(m[1]))
    for name in dict.fromkeys(w for w in words if w != "defined" and w[:2] != "__"):
        if name not in text.macros:
            yield MacroUse(name, "", "undefined")
        elif name in text.own_macros and not text.own_macros[name].body.strip():
            yield MacroUse(name, "", "defined")
