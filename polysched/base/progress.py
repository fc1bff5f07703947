"""Progress of long work, as a protocol that faces implement."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """What long work reports to; silent unless a face shows it."""

    def start(self, label: str, total: int) -> None:
        """A stage of `total` equal pieces begins."""

    def advance(self, note: str = "") -> None:
        """One piece is done; `note` is a word on the best so far or a failure."""

    def finish(self) -> None:
        """The stage is over."""


class SilentProgress:
    """A `Progress` that shows nothing."""

    def start(self, label: str, total: int) -> None:
        """Ignore the start of a stage."""

    def advance(self, note: str = "") -> None:
        """Ignore one finished piece."""

    def finish(self) -> None:
        """Ignore the end of a stage."""
