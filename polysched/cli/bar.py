"""A progress bar on a terminal's standard error; silence in a pipe."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as RichProgress

from polysched.base import Progress, SilentProgress


class TerminalProgress:
    """A `Progress` that draws one bar per stage."""

    def __init__(self) -> None:
        self._bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._task: TaskID | None = None

    def start(self, label: str, total: int) -> None:
        """Draw an empty bar."""
        self.finish()
        self._bar.start()
        self._task = self._bar.add_task(label, total=total, note="")

    def advance(self, note: str = "") -> None:
        """Fill one piece."""
        if self._task is not None:
            self._bar.update(self._task, advance=1, note=note)

    def finish(self) -> None:
        """Take the bar away."""
        if self._task is not None:
            self._bar.remove_task(self._task)
            self._task = None
            self._bar.stop()


def choose_progress() -> Progress:
    """A bar when standard error is a terminal, else nothing."""
    return TerminalProgress() if sys.stderr.isatty() else SilentProgress()
