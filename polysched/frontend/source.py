"""The user's file as bytes and lines, and places in it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from polysched.base import FrontendError, SourceLocation

ENCODING = "utf-8"
_TOKEN = re.compile(
    r"""//.*|/\*.*?(?:\*/|$)|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'"""
    r"""|[A-Za-z_]\w*|\.?\d(?:[eEpP][+-]|[\w.])*"""
    r"""|<<=|>>=|->|\+\+|--|<<|>>|[<>=!]=|&&|\|\||[-+*/%&|^]=|\S"""
)


def decode(raw: bytes) -> str:
    """Bytes of a source file as text; bytes that are no UTF-8 survive."""
    return raw.decode(ENCODING, "surrogateescape")


@dataclass(frozen=True)
class SourceFile:
    """A file with its lines and the byte offset at which each begins."""

    path: str
    content: bytes
    lines: tuple[str, ...]
    offsets: tuple[int, ...]

    @classmethod
    def read(cls, path: str) -> SourceFile:
        """Read a file; one that cannot be read is a `FrontendError`."""
        try:
            content = Path(path).read_bytes()
        except FileNotFoundError:
            raise FrontendError(
                f"no such file: {path}", hint="check the path of the C file"
            ) from None
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise FrontendError(f"cannot read {path}: {reason}") from None
        if b"\0" in content:
            raise FrontendError(
                f"{path} is not a text file: it holds a zero byte",
                hint="give the C source, not an object file or a program",
            )
        raw_lines = content.split(b"\n")
        offsets = [0]
        for raw in raw_lines:
            offsets.append(offsets[-1] + len(raw) + 1)
        lines = tuple(decode(raw).rstrip("\r") for raw in raw_lines)
        return cls(path, content, lines, tuple(offsets[:-1]))

    def line(self, number: int) -> str:
        """The text of a line, counted from 1; empty outside the file."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def line_start(self, number: int) -> int:
        """Byte offset of a line, counted from 1."""
        if number > len(self.offsets):
            return len(self.content)
        return self.offsets[number - 1]


@lru_cache(maxsize=4096)
def tokens(line: str) -> tuple[tuple[int, str], ...]:
    """The C tokens of a line with their positions; comments are left out."""
    return tuple(_iter_tokens(line))


def _iter_tokens(line: str) -> Iterator[tuple[int, str]]:
    for match in _TOKEN.finditer(line):
        text = match.group()
        if not text.startswith(("//", "/*")):
            yield match.start(), text


def source_column(source_line: str, expanded_line: str, column: int) -> int:
    """The column in the source of a column in the preprocessed line.

    Tokens of both lines are aligned; a token that came from a macro is shown at the
    macro's name. Columns count from 1; 0 means unknown.
    """
    if source_line == expanded_line:
        return column
    ours, theirs = tokens(source_line), tokens(expanded_line)
    if not ours or not theirs:
        return 0
    index = max((k for k, (at, _) in enumerate(theirs) if at < column), default=0)
    matcher = difflib.SequenceMatcher(
        None, [t for _, t in ours], [t for _, t in theirs], autojunk=False
    )
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if j1 <= index < j2:
            position = i1 + (index - j1) if tag == "equal" else min(i1, i2 - 1)
            return ours[max(position, 0)][0] + 1
    return 0


class Places:
    """Locations in the user's files for positions in the preprocessed text.

    Parameters
    ----------
    main : SourceFile
        The file that is parsed.
    expanded : dict of (file, line) to str
        The preprocessed text of each kept line.
    """

    def __init__(self, main: SourceFile, expanded: dict[tuple[str, int], str]) -> None:
        self.main = main
        self._expanded = expanded
        self._files: dict[str, SourceFile | None] = {main.path: main}

    def location(self, file: str, line: int, column: int = 0) -> SourceLocation:
        """A location with its source line; the column is that of the source."""
        text = self.source_line(file, line)
        if column:
            expanded = self._expanded.get((file, line), text)
            column = source_column(text, expanded, column)
        return SourceLocation(file, line, column, text)

    def source_line(self, file: str, line: int) -> str:
        """The text of a line of the main file or of an included one."""
        if file not in self._files:
            try:
                self._files[file] = SourceFile.read(file)
            except FrontendError:
                self._files[file] = None
        found = self._files[file]
        return found.line(line) if found else ""
