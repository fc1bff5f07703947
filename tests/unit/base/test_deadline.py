"""Deadlines by a clock of the test's own."""

from __future__ import annotations

import pytest

from polysched.base import Deadline
from tests.unit.clock import Clock


def test_a_later_deadline_expires_later(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    first = Deadline.after(2.0)
    second = first.later(1.0)
    clock.pass_seconds(2.5)
    assert first.expired
    assert second.remaining_seconds() == 0.5
    assert Deadline().later(1.0) == Deadline()
