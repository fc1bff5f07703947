"""Keeps code from being compiled with other macros than it was written for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from polysched.ir import MacroUse

_WIDTH = 84  # of a line
_MESSAGE = "written for other macros: give polysched the -D that the compiler gets"


def ask_macros(uses: Sequence[MacroUse]) -> list[str]:
    """Lines in front of code that stop the compiler where macros are others.

    Parameters
    ----------
    uses : sequence of MacroUse
        What each stood for. Constants and types are asked by a static assertion, which
        gcc and clang take in every dialect of C.
    """
    conditions = [_condition(u) for u in uses if u.kind in {"number", "type"}]
    lines = list(_filled(conditions))
    for use in uses:
        if use.kind in {"defined", "undefined"}:
            directive = "ifndef" if use.kind == "defined" else "ifdef"
            lines += [f"#{directive} {use.name}", f'#error "{_MESSAGE}"', "#endif"]
    return lines


def _condition(use: MacroUse) -> str:
    if use.kind == "type":
        return f"_Generic(({use.name})0, {use.text}: 1, default: 0)"
    if use.text.replace(".", "").isalnum():
        return f"{use.name} == {use.text}"
    return f"({use.name}) == ({use.text})"


def _filled(conditions: Sequence[str]) -> Iterator[str]:
    """One assertion of all, in lines of bounded width."""
    # whose conditions are constants in gcc and clang, though no standard has them all
    line = "__extension__ _Static_assert("
    indent = "    "
    if not conditions:
        return
    for k, condition in enumerate(conditions):
        piece = condition + (" && " if k + 1 < len(conditions) else ",")
        if k and len(line) + len(piece) > _WIDTH:
            yield line.rstrip()
            line = indent
        line += piece
    yield line
    yield f'{indent}"{_MESSAGE}");'
