"""Runs the C parser over the cleaned text; finds whose fault a syntax error is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pycparser import c_parser

from polysched.base import FrontendError
from polysched.frontend.cleaning import parser_text
from polysched.frontend.preprocess import Preprocessed, check_syntax
from polysched.frontend.source import Places, SourceFile

try:
    from pycparser.c_parser import ParseError
except ImportError:  # pycparser 2 keeps it elsewhere
    from pycparser.plyparser import ParseError

_PLACE = re.compile(r"^(.*?):(\d+)(?::(\d+))?:\s*(.*)$", re.S)


def parse_text(
    text: Preprocessed, source: SourceFile, places: Places, flags: Sequence[str],
    cc: str,
) -> Any:  # fmt: skip
    """The syntax tree of the user's part of a preprocessed file.

    Raises
    ------
    FrontendError
        If it is no C: with the compiler's message if the compiler agrees, else with
        the parser's.
    """
    cleaned = parser_text(text)
    try:
        return c_parser.CParser().parse(cleaned, source.path)
    except ParseError as error:
        refused = check_syntax(source, flags, cc)
        if refused is not None:
            raise refused from None
        raise _parser_error(str(error), places) from None


def _parser_error(message: str, places: Places) -> FrontendError:
    match = _PLACE.match(message)
    if match is None:
        return FrontendError(f"the C parser stops: {message}")
    file, line, column, text = match.groups()
    return FrontendError(
        f"the C parser does not take this: {text.strip().lower()}",
        where=places.location(file, int(line), int(column or 0)),
        hint="the compiler takes it: move such code into another file",
    )
