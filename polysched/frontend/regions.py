"""Pairs of ``#pragma scop`` and ``#pragma endscop`` and the bytes between them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from polysched.base import FrontendError
from polysched.frontend.preprocess import Line
from polysched.frontend.source import Places, SourceFile
from polysched.ir import SourceRegion

_ALONE = re.compile(
    r'^\s*(?:#\s*pragma\b.*|_Pragma\s*\(\s*"[^"]*"\s*\)\s*;?|[A-Za-z_]\w*\s*;?)'
    r"\s*(?://.*|/\*.*)?$"
)
_CONDITIONAL = re.compile(r"\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b")


@dataclass(frozen=True)
class Mark:
    """One ``scop`` or ``endscop`` pragma."""

    word: str
    file: str
    line: int


@dataclass(frozen=True)
class RegionPair:
    """The lines of a scop's two pragmas in the main file.

    Of a part of a refused region, which has none of its own, they are its first line
    and the one behind its last.
    """

    start: int
    end: int
    is_part: bool = False


def find_marks(lines: Sequence[Line]) -> list[Mark]:
    """The pragmas in the order in which the compiler sees them."""
    return [Mark(s.pragma, s.file, s.number) for s in lines if s.pragma]


def pair_marks(
    marks: Sequence[Mark], places: Places
) -> tuple[list[RegionPair], list[FrontendError]]:
    """Well-formed regions of the main file, and a refusal for each mark left over."""
    pairs: list[RegionPair] = []
    refusals: list[FrontendError] = []
    opened: Mark | None = None

    def refuse(mark: Mark, message: str, hint: str) -> None:
        where = places.location(mark.file, mark.line)
        refusals.append(FrontendError(message, where=where, hint=hint))

    def refuse_open() -> None:
        if opened is not None:
            refuse(
                opened, "#pragma scop without a #pragma endscop after it",
                "close the region with #pragma endscop behind its last statement",
            )  # fmt: skip

    for mark in marks:
        if mark.file != places.main.path:
            if mark.word == "scop":
                refuse(
                    mark, "found a scop in an included file",
                    "give that file to polysched itself, or move the scop into "
                    f"{places.main.path}",
                )  # fmt: skip
        elif mark.word == "scop":
            refuse_open()
            opened = mark
        elif opened is None:
            refuse(
                mark, "#pragma endscop without a #pragma scop before it",
                "open the region with #pragma scop in front of its first statement",
            )  # fmt: skip
        else:
            pairs.append(RegionPair(opened.line, mark.line))
            opened = None
    refuse_open()
    return pairs, refusals


def source_region(source: SourceFile, pair: RegionPair, places: Places) -> SourceRegion:
    """The bytes of a region; both pragmas must stand on lines of their own."""
    _check_conditionals(source, pair, places)
    if pair.is_part:
        text = source.line(pair.start)
        return SourceRegion(
            source.path,
            source.line_start(pair.start),
            source.line_start(pair.end),
            pair.start,
            pair.end - 1,
            text[: len(text) - len(text.lstrip())],
        )
    for number in (pair.start, pair.end):
        if not _ALONE.match(source.line(number)):
            raise FrontendError(
                "the pragma shares its line with other text",
                where=places.location(source.path, number),
                hint="put it on a line of its own",
            )
    inside = [source.line(n) for n in range(pair.start + 1, pair.end)]
    first = next(
        (s for s in inside if s.strip() and not s.lstrip().startswith("#")), ""
    )
    return SourceRegion(
        source.path,
        source.line_start(pair.start),
        source.line_start(pair.end + 1),
        pair.start,
        pair.end,
        first[: len(first) - len(first.lstrip())],
    )


def _check_conditionals(source: SourceFile, pair: RegionPair, places: Places) -> None:
    """A region that is replaced takes no half of an ``#if`` with it."""
    opened: list[int] = []
    for number in range(pair.start, pair.end + (not pair.is_part)):
        match = _CONDITIONAL.match(source.line(number))
        if match is None:
            continue
        if match[1].startswith("if"):
            opened.append(number)
        elif not opened:
            raise _half(source, places, number, "begins in front of the region")
        elif match[1] == "endif":
            opened.pop()
    if opened:
        raise _half(source, places, opened[-1], "goes on behind the region")


def _half(source: SourceFile, places: Places, line: int, what: str) -> FrontendError:
    return FrontendError(
        f"an #if {what}",
        where=places.location(source.path, line),
        hint="put the pragmas around all of it, or into each of its branches",
    )
