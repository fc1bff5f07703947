"""Parts of a region that is refused as a whole: what stands beside the place, or in it.

A region that holds something that no SCoP holds, as a loop until data say that it
converged, or a call that prints, is still one whose other loops can be scheduled. Each
part is read as if the user had put the pragmas around it, so that the same questions
are asked about what stands around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pycparser import c_ast

from polysched.base import FrontendError
from polysched.frontend.declarations import Scope
from polysched.frontend.preprocess import Line
from polysched.frontend.regions import RegionPair
from polysched.frontend.scoping import ScopSite
from polysched.frontend.source import SourceFile, decode, tokens
from polysched.frontend.trees import parts

_LOOPS = (c_ast.For, c_ast.While, c_ast.DoWhile)
_BRACE = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|[{}]""", re.S
)
_CONDITIONAL = re.compile(r"\s*#\s*(if|endif|el)")
_ENDS = ("{", "}", ";")  # of what stands in front of a statement


@dataclass(frozen=True)
class Part:
    """Statements of one block, all of whose lines are their own.

    Attributes
    ----------
    pair : RegionPair
        The first line, and the line behind the last one.
    lines : tuple of int
        Where each statement begins.
    """

    pair: RegionPair
    lines: tuple[int, ...]

    def is_at(self, site: ScopSite | None) -> bool:
        """Whether a parser sees these very statements between the lines."""
        if site is None:
            return False
        return self.lines == tuple(_line(item) for item in site.items)


def find_parts(
    site: ScopSite, refusal: FrontendError, source: SourceFile
) -> tuple[Part, ...]:
    """What to read in place of a region that is refused: parts with loops, or nothing.

    Where the refusal names a line, its statement stays as it is but for the blocks in
    it; where it does not, each statement is a part.
    """
    items = [item for item in site.items if item.coord is not None]
    found = _Finder(source, site.scope)
    where = refusal.where
    is_inside = where is not None and where.file == source.path
    line = where.line if where is not None and is_inside else 0
    before = [k for k, item in enumerate(items) if _line(item) <= line < site.end]
    if before:
        k = before[-1]
        return (
            *found.run(items[:k], _line(items[k])),
            *found.inside(items[k]),
            *found.run(items[k + 1 :], site.end),
        )
    if sum(found.has_loop(item) for item in items) > 1:
        ends = [*(_line(item) for item in items[1:]), site.end]
        pairs = zip(items, ends, strict=True)
        return tuple(p for item, end in pairs for p in found.run([item], end))
    return tuple(p for item in items for p in found.inside(item))


def mark_parts(lines: Sequence[Line], chosen: Sequence[Part]) -> tuple[Line, ...]:
    """Preprocessed lines with the pragmas around these parts only."""
    file = next(line.file for line in lines if line.pragma)
    places = [(p.pair.end, "endscop") for p in chosen]
    places += [(p.pair.start, "scop") for p in chosen]
    waiting = sorted(places, reverse=True)  # at one line, the end first
    marked: list[Line] = []
    for line in lines:
        if line.pragma:
            line = replace(line, text="")
        while waiting and line.file == file and waiting[-1][0] <= line.number:
            number, word = waiting.pop()
            marked.append(Line(f"#pragma {word}", file, number))
        marked.append(line)
    return tuple(marked)


class _Finder:
    """Finds parts in statements of one file."""

    def __init__(self, source: SourceFile, scope: Scope) -> None:
        self._source = source
        self._scope = scope

    def has_loop(self, item: Any) -> bool:
        """Whether there is one in a statement, or in a function that it calls."""
        for part in parts(item):
            if isinstance(part, _LOOPS):
                return True
            if isinstance(part, c_ast.FuncCall) and isinstance(part.name, c_ast.ID):
                called = self._scope.find(part.name.name)
                body = called.function if called is not None else None
                if body is not None and any(isinstance(p, _LOOPS) for p in parts(body)):
                    return True
        return False

    def run(self, items: Sequence[Any], end: int) -> Iterator[Part]:
        """These statements, from the first with a loop to the last; `end` is behind."""
        having = [k for k, item in enumerate(items) if self.has_loop(item)]
        if not having:
            return
        first, last = having[0], having[-1] + 1
        stop = _line(items[last]) if last < len(items) else end
        start = _line(items[first])
        is_free = self._is_free(start) and self._is_free(stop)
        if start < stop and is_free and self._is_balanced(start, stop):
            lines = tuple(_line(item) for item in items[first:last])
            yield Part(RegionPair(start, stop, is_part=True), lines)

    def inside(self, node: Any) -> Iterator[Part]:
        """The blocks in a statement."""
        if isinstance(node, c_ast.Compound):
            end = self._closing_line(node)
            items = [item for item in node.block_items or () if item.coord is not None]
            if end is not None:
                yield from self.run(items, end)
            return
        for child in _branches(node):
            yield from self.inside(child)

    def _is_free(self, number: int) -> bool:
        """Whether a statement ends in front of a line, or a block begins there."""
        for before in range(number - 1, 0, -1):
            found = tokens(self._source.line(before))
            if found and not self._source.line(before).lstrip().startswith("#"):
                return found[-1][1] in _ENDS
        return False

    def _is_balanced(self, start: int, stop: int) -> bool:
        """Whether no conditional of the preprocessor begins or ends half within."""
        depth = 0
        for number in range(start, stop):
            line = self._source.line(number)
            if found := _CONDITIONAL.match(line):
                depth += {"if": 1, "endif": -1}.get(found[1], 0)
                if depth < 0 or (not depth and found[1].startswith("el")):
                    return False
        return not depth

    def _closing_line(self, block: Any) -> int | None:
        """The line of a block's closing brace."""
        if block.coord is None or block.coord.file != self._source.path:
            return None
        number, depth = block.coord.line, 0
        text = decode(self._source.content[self._source.line_start(number) :])
        for match in _BRACE.finditer(text):
            brace = match.group()
            if brace == "{":
                depth += 1
            elif brace == "}" and depth:  # one in front belongs to another block
                depth -= 1
                if depth:
                    continue
                return int(number + text.count("\n", 0, match.start()))
        return None


def _branches(node: Any) -> Iterator[Any]:
    if isinstance(node, (*_LOOPS, c_ast.Switch, c_ast.Label)):
        yield node.stmt
    elif isinstance(node, c_ast.If):
        yield from (b for b in (node.iftrue, node.iffalse) if b is not None)


def _line(item: Any) -> int:
    return int(item.coord.line)
