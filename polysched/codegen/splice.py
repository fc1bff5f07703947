"""Putting generated texts into the user's file."""

from __future__ import annotations

from collections.abc import Mapping

from polysched.base import CodegenError
from polysched.ir import Program


def splice(program: Program, texts: Mapping[str, str]) -> bytes:
    r"""The program's source with regions replaced; all other bytes are kept.

    Parameters
    ----------
    program : Program
        The file and its SCoPs.
    texts : mapping of str to str
        New text by SCoP name, lines ended by ``\n``; they become ``\r\n`` where
        the region had those.

    Raises
    ------
    CodegenError
        If there is no such SCoP, or it has no region.
    """
    by_name = {s.name: s for s in program.scops}
    pieces = []
    for name, text in texts.items():
        scop = by_name.get(name)
        if scop is None or scop.region is None:
            known = ", ".join(by_name) or "none"
            raise CodegenError(
                f"no scop {name!r} in {program.path}; there are: {known}"
            )
        pieces.append((scop.region.start, scop.region.end, text))
    source = program.source
    for start, end, text in sorted(pieces, reverse=True):
        new = text.encode("utf-8", errors="surrogateescape")
        old = source[start:end]
        if old.endswith(b"\n") and not new.endswith(b"\n"):
            new += b"\n"
        if b"\r\n" in old:
            new = new.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        source = source[:start] + new + source[end:]
    return source
