"""Runs take turns; one that fails leaves the others alone."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from polysched.bench.race import Runner, race
from polysched.records import Failure
from polysched.runtime import ChildError, LoadMeter


def _runner(name, log, seconds=0.001, fails_at=None):
    def run(limit):
        log.append(name)
        if log.count(name) == fails_at:
            raise ChildError(Failure("crash", "signal 11"))
        return seconds

    return Runner((name,), run)


def test_programs_run_in_turn():
    log = []
    runners = [_runner("a", log, 0.1), _runner("b", log, 0.2)]
    found = race(runners, rounds=3, seconds=60.0, limit_seconds=1.0)
    assert log == ["a", "b"] * 3
    assert [times for _, times in found.times] == [(0.1,) * 3, (0.2,) * 3]
    assert found.rounds == 3


def test_a_failure_ends_one_program_only():
    log = []
    runners = [_runner("a", log, fails_at=2), _runner("b", log)]
    found = race(runners, rounds=3, seconds=60.0, limit_seconds=1.0)
    assert log == ["a", "b", "a", "b", "b"]
    (_, first), (_, second) = found.times
    assert first == Failure("crash", "signal 11")
    assert len(second) == 3


def test_one_round_is_always_run():
    def run(limit):
        time.sleep(0.02)
        return 0.02

    found = race([Runner(("a",), run)], rounds=9, seconds=0.01, limit_seconds=1.0)
    assert found.rounds == 1


def test_long_runs_that_are_far_slower_are_not_repeated():
    log = []
    runners = [
        replace(_runner("fast", log, 1.0), contest="a"),
        replace(_runner("slow", log, 2.5), contest="a"),
        replace(_runner("other", log, 2.5), contest="b"),
        replace(_runner("hopeless", log, 9.0), contest="a", first_seconds=9.0),
        replace(_runner("checked", log, 1.0), contest="a", first_seconds=1.0),
    ]
    found = race(runners, rounds=2, seconds=60.0, limit_seconds=1.0)
    assert log == ["fast", "slow", "other", "checked", "fast", "other", "checked"]
    assert [len(times) for _, times in found.times] == [2, 1, 2, 1, 2]
    short = [
        replace(_runner(n, [], s), contest="a") for n, s in (("a", 0.1), ("b", 0.4))
    ]
    found = race(short, rounds=2, seconds=60.0, limit_seconds=1.0)
    assert [len(times) for _, times in found.times] == [2, 2]


def test_foreign_work_is_the_systems_without_ours(tmp_path, monkeypatch):
    stat = tmp_path / "stat"
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 2}, raising=False)
    stat.write_text("cpu 9 9 9\ncpu0 100 0 0 5 0 0 0 0\ncpu2 50 0 0 5 0 0 0 0\n")
    meter = LoadMeter(stat)
    time.sleep(0.05)
    stat.write_text("cpu 9 9 9\ncpu0 200 0 0 5 0 0 0 0\ncpu2 150 0 0 5 0 0 0 0\n")
    foreign = meter.foreign_cores()
    assert foreign is not None
    assert foreign > 0
    assert LoadMeter(tmp_path / "missing").foreign_cores() is None


def test_idle_machine_has_no_foreign_work(tmp_path):
    stat = tmp_path / "stat"
    lines = "".join(f"cpu{k} 100 0 0 5 0 0 0 0\n" for k in range(4096))
    stat.write_text(lines)
    meter = LoadMeter(stat)
    sum(range(200_000))  # our own work does not count
    assert meter.foreign_cores() == pytest.approx(0.0)
