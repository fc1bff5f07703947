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


def test_no_earlier_than_is_the_later_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    limit = Deadline.after(5.0)
    assert limit.no_earlier_than(3.0) == limit
    assert limit.no_earlier_than(7.0) == Deadline.after(7.0)
    clock.pass_seconds(9.0)
    assert limit.no_earlier_than(0.0) == Deadline.after(0.0)
