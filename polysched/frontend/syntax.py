"""Runs the C parser over the cleaned text; finds whose fault a syntax error is."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pycparser import c_parser

from polysched.base import FrontendError
from polysched.frontend.cleaning import parser_text
from polysched.frontend.hints import COMPLEX
from polysched.frontend.preprocess import Preprocessed, check_syntax
from polysched.frontend.recovery import without_piece
from polysched.frontend.source import Places, SourceFile

try:
    from pycparser.c_parser import ParseError
except ImportError:  # pycparser 2 keeps it elsewhere
    from pycparser.plyparser import ParseError

_LOG = logging.getLogger(__name__)
_MAXFAILURES = 100
FAILURES = (ParseError, AssertionError, RecursionError)
_PLACE = re.compile(r"^(.*?):(\d+)(?::(\d+))?:\s*(.*)$", re.S)


@dataclass(frozen=True)
class Syntax:
    """The syntax tree, and what was refused on the way.

    Attributes
    ----------
    ast : FileAST
        As pycparser gives it.
    refusals : tuple of FrontendError
        One for each function with a SCoP that the parser does not take.
    """

    ast: Any
    refusals: tuple[FrontendError, ...]


def parse_text(
    text: Preprocessed, source: SourceFile, places: Places, flags: Sequence[str],
    cc: str,
) -> Syntax:  # fmt: skip
    """The syntax tree of the user's part of a preprocessed file.

    Functions that the parser does not take, though the compiler does, are left out.

    Raises
    ------
    FrontendError
        If it is no C: with the compiler's message if the compiler agrees, else with
        the parser's.
    """
    cleaned = parser_text(text)
    refusals: list[FrontendError] = []
    for attempt in range(_MAXFAILURES):
        try:
            ast = c_parser.CParser().parse(cleaned, source.path)
            return Syntax(ast, tuple(refusals))
        except RecursionError:
            message = "brackets or blocks are nested too deeply"
        except FAILURES as error:
            message = str(error)
        if not attempt:
            refused = check_syntax(source, flags, cc)
            if refused is not None:
                raise refused
        rest = without_piece(cleaned, _parses)
        if rest is None:
            break
        _LOG.info("left out of the syntax tree: %s", message)
        if rest.lost_scop:
            refusals.append(_parser_error(message, places))
        cleaned = rest.text
    raise _parser_error(message, places)


def line_of(node: Any) -> Any:
    """The line of a node as a place without a column, for text that is made up."""
    coord = node.coord
    return None if coord is None else type(coord)(coord.file, coord.line)


def _parses(text: str) -> bool:
    try:
        c_parser.CParser().parse(text)
    except FAILURES:
        return False
    return True


def _parser_error(message: str, places: Places) -> FrontendError:
    match = _PLACE.match(message)
    if match is None:
        return FrontendError(f"the C parser stops: {message or 'no reason given'}")
    file, line, column, text = match.groups()
    text = text.strip().removeprefix("before:").strip()
    if re.fullmatch(r"[ij][fFlL]?", text):
        return FrontendError(
            "found a complex number",
            where=places.location(file, int(line), int(column or 0)),
            hint=COMPLEX,
        )
    return FrontendError(
        f"the C parser does not take this, near {text!r}",
        where=places.location(file, int(line), int(column or 0)),
        hint="the compiler takes it: move such code into another file",
    )
