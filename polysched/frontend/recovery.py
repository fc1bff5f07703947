"""Takes out top-level pieces of a file that the parser does not understand.

A function body becomes a declaration, anything else disappears. Lines keep their
numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from polysched.frontend.cleaning import blank

_TOKEN = re.compile(
    r"""(?m)^\#.*$|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|[{}();]|[^\s{}();"'#]+"""
)


Piece = tuple[int, int, "int | None"]  # start, end, where a function's body opens


@dataclass(frozen=True)
class Remainder:
    """A text with one piece taken out, and whether that piece held a SCoP."""

    text: str
    lost_scop: bool


def without_piece(text: str, parses: Callable[[str], bool]) -> Remainder | None:
    """The text without the first top-level piece that does not parse.

    Parameters
    ----------
    text : str
        Cleaned text with line markers, which does not parse.
    parses : callable
        Whether a text parses.

    Returns
    -------
    Remainder or None
        None if nothing is left to take out.
    """
    pieces = list(_pieces(text))
    low, high = 0, len(pieces) - 1
    while low < high:
        middle = (low + high) // 2
        if parses(text[: pieces[middle][1]]):
            low = middle + 1
        else:
            high = middle
    if not pieces:
        return None
    start, end, body = pieces[low]
    piece = text[start:end]
    first = start if body is None else body
    gone = re.sub(r"(?m)^#pragma.*$", "", blank("\n" + text[first:end])[1:])
    if body is not None:
        gone = ";" + gone[1:]
    return Remainder(text[:first] + gone + text[end:], "#pragma" in piece)


def _pieces(text: str) -> Iterator[Piece]:
    """Start and end of each top-level declaration, and where its body opens."""
    start: int | None = None
    body: int | None = None
    depth = 0
    before = ""
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token.startswith("#"):
            continue
        if start is None:
            start = match.start()
        if token == "{" and depth == 0 and before == ")":
            body = match.start()
        depth += {"{": 1, "(": 1, "}": -1, ")": -1}.get(token, 0)
        before = token
        ends = token == ";" or (token == "}" and body is not None)
        if depth <= 0 and ends:
            yield start, match.end(), body
            start, body, depth = None, None, 0
    if start is not None:
        yield start, len(text), None
