"""The user's own text of a statement, on one line."""

from __future__ import annotations

import re
from typing import Any

from pycparser import c_ast

from polysched.base import SourceLocation
from polysched.frontend.expressions import c_text
from polysched.frontend.source import Places

_MAX_LINES = 30
_JUMP = re.compile(r"\b(continue|break|case|default)\b")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)


def statement_text(node: Any, where: SourceLocation | None, places: Places) -> str:
    """What the user wrote at `where`; regenerated from the syntax if that is unclear.

    A block keeps its braces; comments are left out; white space is collapsed. Of
    ``double a = x, b = y;`` each assignment is shown alone. Jumps that were read as
    conditions are shown so.
    """
    if where is not None and where.column:
        lines = [
            places.source_line(where.file, where.line + k) for k in range(_MAX_LINES)
        ]
        start = _left_edge(lines[0], where.column - 1)
        text = "\n".join([lines[0][start:], *lines[1:]]).replace("\\\n", "\n")
        text = _COMMENT.sub(" ", text)
        found = _first_statement(
            text,
            is_if=isinstance(node, c_ast.If),
            ends_at_comma=isinstance(node, c_ast.Assignment | c_ast.Decl),
        )
        if found and not _JUMP.search(found):
            return found
    return c_text(node)


def _left_edge(line: str, start: int) -> int:
    """Include the punctuation in front of the first name."""
    while start > 0 and line[start - 1] in "(*+-":
        start -= 1
    return start


def _first_statement(text: str, *, is_if: bool, ends_at_comma: bool) -> str:
    """The text up to the end of its first statement; empty if there is none."""
    depth = 0
    opened = False
    for index, char in enumerate(text):
        if char in "([{":
            depth += 1
            opened |= char == "{"
        elif char in ")]}":
            depth -= 1
            if depth < 0:
                return ""
        if ends_at_comma and char == "," and depth == 0:
            return f"{' '.join(text[:index].split())};"
        ends = (char == ";" and depth == 0) or (char == "}" and depth == 0 and opened)
        goes_on = is_if and re.match(r"\s*else\b", text[index + 1 :])
        if ends and not goes_on:
            return " ".join(text[: index + 1].split())
    return ""
