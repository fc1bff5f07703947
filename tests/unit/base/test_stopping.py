"""Work is given up at cancellation points, at the earliest deadline around it."""

from __future__ import annotations

import threading

import pytest

from polysched.base import (
    Deadline,
    LimitError,
    PolyschedError,
    check_time,
    stopped_at,
)
from tests.unit.clock import Clock


def _work(clock: Clock, seconds: float, steps: int, seen: list[float]) -> None:
    """Steps of a second each, under a limit."""
    with stopped_at(Deadline.after(seconds), f"longer than {seconds:g} s", "be quick"):
        for _ in range(steps):
            check_time()
            seen.append(clock.now)
            clock.pass_seconds(1.0)


def test_a_cancellation_point_returns_until_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, seen = Clock(monkeypatch), []
    _work(clock, 2.0, 2, seen)
    seen.clear()
    began = clock.now
    with pytest.raises(LimitError, match="longer than 2 s") as caught:
        _work(clock, 2.0, 3, seen)
    assert seen == [began, began + 1.0]
    assert caught.value.hint == "be quick"
    check_time()  # nothing is in force any more


def _stubborn() -> None:
    """Work that takes every error for a reason to go on."""
    with stopped_at(Deadline.after(0.0), "given up"):
        try:
            check_time()
        except PolyschedError:
            pytest.fail("taken for an error of the work")


def test_who_handles_errors_on_the_way_does_not_stop_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Clock(monkeypatch)
    with pytest.raises(LimitError, match="given up"):
        _stubborn()


@pytest.mark.parametrize(("outer", "inner"), [(1.0, 9.0), (9.0, 1.0)])
def test_the_earlier_of_two_deadlines_holds(
    monkeypatch: pytest.MonkeyPatch, outer: float, inner: float
) -> None:
    clock, seen = Clock(monkeypatch), []
    late = pytest.raises(LimitError, match=f"longer than {inner:g} s")
    with stopped_at(Deadline.after(outer), "outer"), late:
        _work(clock, inner, 5, seen)
    assert len(seen) == 1


def test_after_an_inner_deadline_the_outer_one_is_in_force(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, seen = Clock(monkeypatch), []

    def work() -> None:
        with stopped_at(Deadline.after(4.0), "outer"):
            _work(clock, 9.0, 2, seen)
            clock.pass_seconds(3.0)
            check_time()

    with pytest.raises(LimitError, match="outer"):
        work()
    assert len(seen) == 2


def test_a_deadline_is_that_of_its_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(monkeypatch)
    passed = []

    def other() -> None:
        check_time()
        passed.append("other")

    with stopped_at(Deadline.after(0.0), "late"):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert passed == ["other"]
