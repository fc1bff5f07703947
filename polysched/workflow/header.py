"""The comment above generated code: what it is, why, and the tree to prove it by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from polysched.space import Schedule

_FIRST = re.compile(r"polysched: schedule (\w+) of scop (\w+)")
_TREE = re.compile(r"tree: (\{.*\})\s*(?:\*/)?\s*$", re.MULTILINE)
_LEAD = re.compile(r"^\s*\*?\s?(polysched: )?")
_MACROS = "read with: "
_PROMISED = "promised: "
_COMMENT = re.compile(r"\s*/\*(.*?)\*/", re.DOTALL)


@dataclass(frozen=True)
class Header:
    """What a header says.

    Attributes
    ----------
    schedule : str
        Id of the schedule.
    scop : str
        Name of the SCoP.
    tree : str
        The schedule tree, isl's one-line notation.
    lines : tuple of str
        The whole comment, as given to the printer that puts "polysched: " in front.
    """

    schedule: str
    scop: str
    tree: str
    lines: tuple[str, ...]

    @property
    def macros(self) -> str:
        """Macro flags that the file was read with, as written; empty without any."""
        named = (line for line in self.lines if line.startswith(_MACROS))
        return next(named, "").removeprefix(_MACROS)

    @property
    def is_promised(self) -> bool:
        """Whether the code rests on a promise that memory does not overlap."""
        return any(line.startswith(_PROMISED) for line in self.lines)


def header_lines(
    schedule: Schedule,
    scop_name: str,
    tree_text: str,
    reason: str = "",
    macros: Sequence[str] = (),
    build: str = "",
    promised: str = "",
) -> tuple[str, ...]:
    """Lines of the comment above the code of a schedule.

    Parameters
    ----------
    schedule : Schedule
    scop_name : str
    tree_text : str
        The tree as printed, so that `check` can print it again.
    reason : str
        Why this schedule was chosen.
    macros : sequence of str
        ``-D`` and ``-U`` flags that the file was read with; the code holds for them.
    build : str
        How to build the file, where that needs more than the user's own compiler.
    promised : str
        What the user promises, and the code does not ask.
    """
    lines = [f"schedule {schedule.id} of scop {scop_name}"]
    asked = " > ".join(schedule.objectives)
    lines.append(f"objectives: {asked}; partition {schedule.partition}")
    if schedule.pins:
        lines.append(f"pins: {schedule.pins_text}")
    if schedule.script_text:
        lines.append(f"script: {schedule.script_text}")
    if reason:
        lines.append(f"chosen: {reason}")
    if macros:
        lines.append(f"{_MACROS}{' '.join(macros)}")
    if promised:
        lines.append(f"{_PROMISED}{promised}")
    if build:
        lines.append(f"build: {build}")
    lines.append(f"tree: {tree_text}")
    return tuple(lines)


def read_header(region: str) -> Header | None:
    r"""The header at the start of a generated region; None when there is none.

    Examples
    --------
    >>> read_header("/* polysched: schedule ab12 of scop f\n * tree: { }\n */").tree
    '{ }'
    >>> read_header("for (int i = 0; i < n; i++)") is None
    True
    """
    for comment in _COMMENT.finditer(region):
        text = comment[1]
        first, tree = _FIRST.search(text), _TREE.search(text)
        if first is not None and tree is not None:
            stripped = (_LEAD.sub("", line).rstrip() for line in text.splitlines())
            lines = tuple(line for line in stripped if line)
            return Header(first[1], first[2], tree[1], lines)
    return None
