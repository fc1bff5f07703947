"""What source-to-source tools are given, and what they make of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from polysched.ir import Program, Scop
from polysched.records import Failure
from polysched.runtime import ChildError, RunOptions, child_environment, run_child

_PRAGMA = re.compile(rb"^[ \t]*#[ \t]*pragma[ \t]+(?:end)?scop\b[^\r\n]*", re.M)
_SAID_CHARACTERS = 500


def translate(
    source: bytes,
    command: str,
    options: Sequence[str],
    flags: Sequence[str],
    directory: Path,
    *,
    sizes: Sequence[int] = (),
    limit_seconds: float = 120.0,
) -> bytes:
    """What a source-to-source tool makes of a file.

    Parameters
    ----------
    source : bytes
        C text with one marked region.
    command : str
        The tool.
    options : sequence of str
        Its words, with ``{source}``, ``{output}`` and ``{flags}``.
    flags : sequence of str
        Of the preprocessor.
    directory : Path
        Where it runs; it may leave files there.
    sizes : sequence of int
        Sides of tiles for a tool that reads them from ``tile.sizes``.
    limit_seconds : float
        Wall time that it may take.

    Raises
    ------
    RunError
        If it fails, takes too long or writes nothing.
    """
    before, after = directory / "before.c", directory / "after.c"
    before.write_bytes(source)
    after.unlink(missing_ok=True)
    if sizes:
        text = "".join(f"{side}\n" for side in sizes)
        (directory / "tile.sizes").write_text(text, encoding="ascii")
    names = {"{source}": str(before), "{output}": str(after)}
    words = [
        part
        for word in options
        for part in (flags if word == "{flags}" else (names.get(word, word),))
    ]
    done = run_child(
        (command, *words),
        scratch=directory,
        timeout_seconds=limit_seconds,
        environment=child_environment(RunOptions()),
        cwd=str(directory),
    )
    if done.stopped or done.status or not after.is_file():
        said = (done.stderr() or done.stdout()).strip()[-_SAID_CHARACTERS:]
        ending = done.ending if done.stopped or done.status else "it wrote nothing"
        text = f"{Path(command).name} {' '.join(options)}: {ending}: {said}"
        raise ChildError(Failure("codegen", text, done.limit))
    return after.read_bytes()


def mark_region(program: Program, scop: Scop) -> tuple[Program, Scop]:
    """The program with pragmas around one region only, and where that is in it.

    Those of others are blanked; a part of a refused region gets its own.
    """
    assert scop.region is not None
    start, end = scop.region.start, scop.region.end

    def blank(match: re.Match[bytes]) -> bytes:
        inside = start <= match.start() < end
        return match[0] if inside else b" " * len(match[0])

    source = _PRAGMA.sub(blank, program.source)
    text = source[start:end]
    if not _PRAGMA.search(text):
        text = b"#pragma scop\n" + text + b"#pragma endscop\n"
        source = source[:start] + text + source[end:]
        region = replace(
            scop.region, end=start + len(text), line=scop.region.line - 1,
            end_line=scop.region.end_line + 1,
        )  # fmt: skip
        scop = replace(scop, region=region)
    return replace(program, source=source), scop


def region_text(program: Program, scop: Scop) -> str:
    """The region with its pragmas."""
    assert scop.region is not None
    text = program.source[scop.region.start : scop.region.end]
    return text.decode("utf-8", errors="surrogateescape")
