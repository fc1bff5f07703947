"""Tables and short texts for a person at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from polysched.transform import Script, Step

PIPE_WIDTH = 150
_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))


def stdout_console(*, stderr: bool = False) -> Console:
    """Where results go: as wide as the terminal, or wide enough in a pipe.

    With `stderr`, standard error, when standard output is taken by something else.
    """
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPE_WIDTH
    return Console(width=width, stderr=stderr, highlight=False)


def make_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()
) -> Table:
    """A plain table; columns named in `right` are aligned to the right."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        is_number = name in right
        table.add_column(
            name,
            justify="right" if is_number else "left",
            no_wrap=is_number or name in ("id", "#"),
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    return table


def print_seconds(seconds: float | None) -> str:
    """``12.3 ms``; a dash when unknown."""
    if seconds is None or seconds != seconds or seconds == float("inf"):
        return "-"
    if seconds == 0:
        return "0 s"
    scale, unit = next((p for p in _UNITS if abs(seconds) >= p[0]), _UNITS[-1])
    return f"{seconds / scale:.3g} {unit}"


def print_number(value: float) -> str:
    """Whole numbers without a point, others with three digits."""
    return str(int(value)) if float(value).is_integer() else f"{value:.3g}"


def short_script(script: Script) -> str:
    """Names and sizes of a script's steps, without the places they apply to."""
    words = dict.fromkeys(_short_step(step) for step in script)
    return ", ".join(words) or "-"


def _short_step(step: Step) -> str:
    sizes = getattr(step, "sizes", None) or getattr(step, "factors", None)
    return f"{step.name} {'x'.join(str(n) for n in sizes)}" if sizes else step.name


def short_objectives(objectives: Sequence[str]) -> str:
    """``OP>IP>SO``."""
    return ">".join(objectives)


def field_lines(fields: Mapping[str, str]) -> list[str]:
    """``name  value`` lines with aligned values."""
    width = max((len(name) for name in fields), default=0)
    return [f"{name:<{width}}  {value}" for name, value in fields.items()]
