"""Tables and short texts for a person at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from polysched.base import print_number as print_number
from polysched.base import print_seconds as print_seconds
from polysched.space import Schedule
from polysched.transform import short_script as short_script

PIPE_WIDTH = 150


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


def stage_table(schedule: Schedule) -> Table:
    """The objectives that a schedule was solved for, one minimised after another."""
    rows = [
        (
            s.name,
            "-" if s.value is None else str(s.value),
            "-" if s.bound is None else print_number(s.bound),
            s.status,
            print_seconds(s.seconds),
        )
        for s in schedule.stages
    ]
    columns = ("objective", "value", "bound", "status", "time")
    return make_table(columns, rows, right=("value", "bound", "time"))


def short_objectives(objectives: Sequence[str]) -> str:
    """``OP>IP>SO``."""
    return ">".join(objectives)


def field_lines(fields: Mapping[str, str]) -> list[str]:
    """``name  value`` lines with aligned values."""
    width = max((len(name) for name in fields), default=0)
    return [f"{name:<{width}}  {value}" for name, value in fields.items()]
