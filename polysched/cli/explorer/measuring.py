"""Measuring one schedule after another while the explorer goes on."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Protocol

from polysched.base import PolyschedError
from polysched.records import Database, Outcome
from polysched.runtime import DeviceTools, RunOptions, Toolchain
from polysched.tune import TuneOptions
from polysched.workflow import ProgramSpace, Variant, tune


class CancelledError(PolyschedError):
    """The user does not want to wait for a measurement any more."""


@dataclass(frozen=True)
class Measured:
    """What came of one schedule.

    Attributes
    ----------
    outcome : Outcome
        A measurement or a failure.
    baseline_seconds : float
        The original's median.
    is_stored : bool
        Whether it was found in the records instead of measured now.
    """

    outcome: Outcome
    baseline_seconds: float
    is_stored: bool


class Measurer(Protocol):
    """What the explorer asks for times."""

    def measure(self, variant: Variant) -> Measured:
        """Check and time a variant; in a thread that is not the screen's.

        Raises
        ------
        CancelledError
            If `cancel` was called meanwhile.
        PolyschedError
            If the original cannot be built or run.
        """

    def cancel(self) -> None:
        """Stop after the run of the program in progress."""

    def resume(self) -> None:
        """Forget an earlier `cancel`."""


class ProgramMeasurer:
    """Measures in the user's own program; every outcome is stored in the records.

    It uses no isl: a variant's text is printed before, by the screen's thread.
    """

    def __init__(
        self,
        space: ProgramSpace,
        toolchain: Toolchain,
        run_options: RunOptions,
        options: TuneOptions,
        database: Database,
        device: DeviceTools | None = None,
    ) -> None:
        self._space = space
        self._toolchain = toolchain
        self._run_options = run_options
        self._options = options
        self._database = database
        self._device = device
        self._stop = threading.Event()

    def measure(self, variant: Variant) -> Measured:
        """Check and time one variant, and the original where that is not known yet."""
        found = tune(
            self._space,
            candidates=[variant],
            toolchain=self._toolchain,
            options=self._options,
            run_options=self._run_options,
            database=self._database,
            progress=_Stopping(self._stop),
            device=self._device,
        ).result
        one = found.variants[0]
        return Measured(one.outcome, found.baseline.median_seconds, one.is_stored)

    def cancel(self) -> None:
        """Stop when the run in progress has ended."""
        self._stop.set()

    def resume(self) -> None:
        """Measure again."""
        self._stop.clear()


class _Stopping:
    """A `Progress` that ends the work it is told of once that is asked for."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    def start(self, label: str, total: int) -> None:
        """A stage begins."""
        self._look()

    def advance(self, note: str = "") -> None:
        """One piece is done, and stored."""
        self._look()

    def finish(self) -> None:
        """The stage is over."""

    def _look(self) -> None:
        if self._stop.is_set():
            raise CancelledError("measuring was cancelled")
