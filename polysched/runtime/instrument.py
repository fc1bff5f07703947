"""The user's file with timers and a dump around one region."""

from __future__ import annotations

import re

from polysched.base import RunError
from polysched.ir import Program, Scop
from polysched.runtime.dump_code import DumpCode
from polysched.runtime.toolchain import line_directive

_MARK = b"\xef\xbb\xbf"  # a byte order mark must stay in front
_PRAGMA = re.compile(rb"^[ \t]*#[ \t]*pragma[ \t]+(?:scop|endscop)\b[^\n]*", re.M)


def original_text(program: Program, scop: Scop) -> str:
    """The region as the user wrote it; the two pragma lines become empty lines."""
    region = scop.region
    if region is None:
        raise RunError(f"scop {scop.name!r} was not read from a file: nothing to run")
    text = program.source[region.start : region.end]
    return _PRAGMA.sub(b"", text).decode("utf-8", errors="surrogateescape")


def encode(text: str) -> bytes:
    """Bytes of a text that was decoded from the user's file, whatever they were."""
    return text.encode("utf-8", errors="surrogateescape")


def instrument(program: Program, scop: Scop, text: str | None, dump: DumpCode) -> bytes:
    """The user's file with one region timed and dumped.

    Parameters
    ----------
    program, scop : Program, Scop
        The file and the region in it.
    text : str or None
        What stands in the region; None for the original text.
    dump : DumpCode
        From `print_dump`.

    Returns
    -------
    bytes
        C source to be linked with the harness. Compiler messages about the user's
        lines name the user's file and lines; those about `text` name
        ``<generated>``.
    """
    region = scop.region
    if region is None:
        raise RunError(f"scop {scop.name!r} was not read from a file: nothing to run")
    if text is None:
        body = original_text(program, scop)
        place = line_directive(region.line, region.file)
    else:
        body, place = text, line_directive(1, "<generated>")
    if not body.endswith("\n"):
        body += "\n"
    harness = line_directive(1, "<harness>")
    opening = encode(line_directive(1, region.file))
    middle = encode(
        f"{harness}{dump.before}\n"
        "{ extern void polysched_begin(void); polysched_begin(); }\n"
        f"{place}{body}{harness}"
        "{ extern int polysched_end(void); if (polysched_end()) {\n"
        f"{dump.text}\n}} }}\n"
        f"{line_directive(region.end_line + 1, region.file)}"
    )
    source = program.source
    mark = len(_MARK) if source.startswith(_MARK) else 0
    before, after = source[mark : region.start], source[region.end :]
    return source[:mark] + opening + before + middle + after
