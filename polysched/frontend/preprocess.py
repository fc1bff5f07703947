"""Runs the user's preprocessor and keeps the lines that the user wrote."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from polysched.base import (
    FrontendError,
    SourceLocation,
    ToolchainError,
    check_time,
    seconds_left,
)
from polysched.frontend.source import SourceFile, decode

_MARKER = re.compile(r'#\s*(?:line\s+)?(\d+)\s+"((?:\\.|[^"\\])*)"([\d\s]*)$')
_MESSAGE = re.compile(r"^(.+?):(\d+):(?:(\d+):)?\s*(?:fatal )?error:\s*(.*)$", re.M)
_PRAGMA = re.compile(r"#\s*pragma\b\s*(.*?)\s*$")
_MACRO = re.compile(r"#(define|undef) (\w+)(\([^)]*\))?(.*)")
_COMMAND_LINE = {"<command-line>", "<command line>"}  # where -D stands
_TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Line:
    """One line of preprocessed text with the place it came from."""

    text: str
    file: str
    number: int

    @property
    def pragma(self) -> str:
        """``scop`` or ``endscop`` for the pragmas that mark a region."""
        match = _PRAGMA.match(self.text.lstrip())
        return match.group(1) if match and match.group(1) in MARKS else ""


MARKS = ("scop", "endscop")


@dataclass(frozen=True)
class Macro:
    """What a macro was last defined as.

    Attributes
    ----------
    body : str
        The text behind its name and arguments.
    has_arguments : bool
        Whether it is used like a function.
    """

    body: str
    has_arguments: bool = False


@dataclass(frozen=True)
class Preprocessed:
    """What the preprocessor made of a file.

    Attributes
    ----------
    lines : tuple of Line
        Lines of the user's own files.
    system_text : str
        Text of the system headers, for the names that they define.
    macros : frozenset of str
        Names of macros, of all files and of the compiler's own.
    own_macros : mapping of str to Macro
        Those of the user's own files and of the command line.
    """

    lines: tuple[Line, ...]
    system_text: str
    macros: frozenset[str] = frozenset()
    own_macros: Mapping[str, Macro] = field(default_factory=dict)

    def merged_lines(self) -> dict[tuple[str, int], str]:
        """The text of each source line; one that came in pieces is put together."""
        merged: dict[tuple[str, int], str] = {}
        for line in self.lines:
            key = (line.file, line.number)
            merged[key] = _overlay(merged.get(key, ""), line.text)
        return merged


def _overlay(a: str, b: str) -> str:
    """Two texts over each other, where one is blank the other shows."""
    width = max(len(a), len(b))
    pairs = zip(a.ljust(width), b.ljust(width), strict=True)
    return "".join(y if x == " " else x for x, y in pairs).rstrip()


def run_compiler(
    cc: str, arguments: Sequence[str], text: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run the C compiler on a text that it reads from its standard input, if it does.

    One that cannot be started is a `ToolchainError`.
    """
    command = [*shlex.split(cc), *arguments]
    try:
        return subprocess.run(
            command, capture_output=True, check=False, input=text,
            timeout=min(_TIMEOUT_SECONDS, seconds_left()),
        )  # fmt: skip
    except (FileNotFoundError, PermissionError, NotADirectoryError):
        raise ToolchainError(
            f"the C compiler {cc!r} cannot be started",
            hint="install it, or name another one with CC or --cc",
        ) from None
    except subprocess.TimeoutExpired:
        check_time()
        raise ToolchainError(
            f"{shlex.join(command)}: no answer within {_TIMEOUT_SECONDS} s"
        ) from None


def preprocessor_flags(flags: Sequence[str]) -> list[str]:
    """The flags without those that choose a stage or an output file."""
    kept = []
    skip = False
    for flag in flags:
        if skip:
            skip = False
        elif flag == "-o":
            skip = True
        elif flag not in {"-c", "-S", "-E", "-P"} and not flag.startswith("-o"):
            kept.append(flag)
    return kept


def preprocess(source: SourceFile, flags: Sequence[str], cc: str) -> Preprocessed:
    """The file after its preprocessor.

    Raises
    ------
    ToolchainError
        If the compiler cannot be started or refuses its flags.
    FrontendError
        If the preprocessor refuses the text, with the compiler's own place.
    """
    arguments = ["-E", "-dD", *preprocessor_flags(flags), source.path]
    result = run_compiler(cc, arguments)
    if result.returncode:
        raise compiler_error(source, cc, arguments, decode(result.stderr))
    return split_lines(decode(result.stdout), source.path)


def check_syntax(
    source: SourceFile, flags: Sequence[str], cc: str
) -> FrontendError | ToolchainError | None:
    """The compiler's own first error about the file, if it has one."""
    arguments = ["-fsyntax-only", "-w", *preprocessor_flags(flags), source.path]
    result = run_compiler(cc, arguments)
    if not result.returncode:
        return None
    return compiler_error(source, cc, arguments, decode(result.stderr))


def compiler_error(
    source: SourceFile, cc: str, arguments: Sequence[str], stderr: str
) -> FrontendError | ToolchainError:
    """The first error in the compiler's messages, at its place."""
    match = _MESSAGE.search(stderr)
    if match is None:
        command = shlex.join([*shlex.split(cc), *arguments])
        first = next((s for s in stderr.splitlines() if "error" in s), stderr)
        return ToolchainError(
            f"the preprocessor failed: {first.strip()}",
            hint=f"the command was: {command}",
        )
    file, line, column, text = match.groups()
    number = int(line)
    shown = source.line(number) if file == source.path else ""
    where = SourceLocation(file, number, int(column or 0), shown)
    return FrontendError(f"the compiler refuses this: {text}", where=where)


def split_lines(text: str, path: str) -> Preprocessed:
    """Follow the line markers; keep the user's lines, gather the system's.

    A macro of a system header that is used in the user's file is marked as the
    system's too, under the user's file name: those lines are kept. Where macros are
    defined the line is empty.
    """
    lines: list[Line] = []
    system: list[str] = []
    macros: set[str] = set()
    own: dict[str, Macro] = {}
    user_files = {path}
    file, number, is_system = path, 1, False
    for raw in text.split("\n"):
        if raw.startswith("#"):
            marker = _marker(raw)
            if marker is not None:
                number, file, flags = marker
                is_system = file.startswith("<") or (
                    "3" in flags and file not in user_files
                )
                if not is_system:
                    user_files.add(file)
                continue
            defined = _MACRO.match(raw)
            if defined:
                macros.add(defined[2])
                if defined[1] == "define" and (not is_system or file in _COMMAND_LINE):
                    own[defined[2]] = Macro(defined[4], defined[3] is not None)
                raw = ""
        if is_system:
            system.append(raw)
        else:
            lines.append(Line(raw, file, number))
        number += 1
    return Preprocessed(tuple(lines), "\n".join(system), frozenset(macros), own)


@lru_cache(maxsize=256)
def _marker(raw: str) -> tuple[int, str, tuple[str, ...]] | None:
    """Number, file and flags of a line marker; between macros stands the same one."""
    match = _MARKER.match(raw)
    if match is None:
        return None
    file = match.group(2).replace('\\"', '"').replace("\\\\", "\\")
    return int(match.group(1)), file, tuple(match.group(3).split())
