"""Time that passes when a test says so."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest


class Clock:
    """Stands in for the monotonic clock of deadlines, and of other modules named.

    Parameters
    ----------
    monkeypatch : pytest.MonkeyPatch
    *modules : str
        Modules that import `time` and see this clock.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
        self.now = 1000.0
        stand_in = SimpleNamespace(monotonic=lambda: self.now, time=time.time)
        for module in ("polysched.base.deadline", *modules):
            monkeypatch.setattr(f"{module}.time", stand_in)

    def pass_seconds(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
