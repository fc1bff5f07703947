"""--timeout counts from the start of a command, which ends when all is told."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from polysched.base import LimitError
from polysched.cli.options import Common
from polysched.cli.stages import GRACE_SECONDS, Stages
from polysched.ir import Program
from polysched.machine import Machine
from polysched.space import SpaceSize
from polysched.workflow import parse
from tests.unit.clock import Clock
from tests.unit.handmade import write_program


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


class Built(list[object]):
    """A space without schedules."""

    size = SpaceSize(asked=5, solved=1, distinct=1, kept=0, late=3)
    scop = SimpleNamespace(name="f")


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, float]]:
    """Seconds and grace that each space was given; none is built."""
    found: list[tuple[float, float]] = []

    def build(*_: object, seconds: float, grace_seconds: float, **__: object) -> Built:
        found.append((seconds, grace_seconds))
        return Built()

    monkeypatch.setattr("polysched.cli.stages.build_space", build)
    return found


def _stages(program: Program, clock: Clock, late: float = 0.0) -> Stages:
    """Those of a command that began some seconds ago, with a limit of 10 s."""
    return Stages(Common(program.path, timeout=10.0, began=clock.now - late))


def test_what_was_before_a_space_counts(
    tmp_path: Path, clock: Clock, limits: list[tuple[float, float]]
) -> None:
    program = write_program(tmp_path)
    stages = _stages(program, clock, late=1.0)
    machine = stages.load_machine()
    clock.pass_seconds(3.0)
    stages.build(program, program.scops[0], machine)
    clock.pass_seconds(6.0)
    stages.build(program, program.scops[0], machine)
    assert limits == [(6.0, GRACE_SECONDS), (4.0, GRACE_SECONDS)]


def test_the_source_order_has_its_grace_however_late_reading_begins(
    tmp_path: Path, clock: Clock, limits: list[tuple[float, float]]
) -> None:
    program = write_program(tmp_path)
    stages = _stages(program, clock, late=30.0)
    machine = stages.load_machine()
    clock.pass_seconds(0.25)
    stages.build(program, program.scops[0], machine)
    assert limits == [(0.0, GRACE_SECONDS - 0.25)]


def test_reading_that_takes_too_long_is_given_up(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = write_program(tmp_path)
    stages = _stages(program, clock)

    def slow(*values: object, **names: object) -> Program:
        clock.pass_seconds(10.0 + GRACE_SECONDS)
        return parse(*values, **names)

    monkeypatch.setattr("polysched.cli.stages.parse", slow)
    with pytest.raises(LimitError, match="was not read within 10 s"):
        stages.parse()


def test_a_preprocessor_that_hangs_is_not_waited_for(
    tmp_path: Path, clock: Clock
) -> None:
    program = write_program(tmp_path)
    hanging = tmp_path / "cc"
    hanging.write_text("#!/bin/sh\nexec sleep 1000\n")
    hanging.chmod(0o755)
    stages = _stages(program, clock, late=10.0)
    stages.common = replace(stages.common, cc=str(hanging))
    clock.pass_seconds(GRACE_SECONDS)
    with pytest.raises(LimitError, match="was not read within 10 s"):
        stages.parse()


def test_a_command_without_a_time_limit_reads_as_long_as_it_takes(
    tmp_path: Path, clock: Clock
) -> None:
    program = write_program(tmp_path)
    stages = Stages(Common(program.path, timeout=float("inf"), began=clock.now))
    clock.pass_seconds(1e6)
    assert stages.parse()[1]


def test_the_process_waits_for_no_thread() -> None:
    code = """
import atexit, sys, threading
from polysched.cli.app import leave
atexit.register(lambda: print("at the end", flush=True))
threading.Thread(target=threading.Event().wait).start()
sys.stdout.write("result\\n")
leave(3)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "result\nat the end\n")


def test_what_a_limit_kept_out_is_said(
    limits: object,
    clock: Clock,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    program = write_program(tmp_path)
    _stages(program, clock).build(program, program.scops[0], Machine.detect())
    told = capsys.readouterr().err
    assert "the time limit of 10 s kept 3 candidates out" in told
    assert "--timeout" in told


def test_a_space_that_takes_too_long_leaves_others(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    region = "#pragma scop\n  for (int i = 0; i < 9; i++) x[i] = {};\n#pragma endscop"
    path = tmp_path / "two.c"
    regions = "\n".join(map(region.format, (1, 2)))
    path.write_text(f"double x[9];\nvoid f(void)\n{{\n{regions}\n}}\n")
    seconds = []

    def build(*_: object, scop: str, **given: float) -> Built:
        seconds.append(given["seconds"])
        if scop == "f":
            clock.pass_seconds(10.0 + GRACE_SECONDS)
            raise LimitError("the dependences of f were not analysed in time")
        return Built()

    monkeypatch.setattr("polysched.cli.stages.build_space", build)
    stages = _stages(parse(str(path)), clock)
    assert len(stages.spaces()) == 1
    assert seconds == [10.0, 10.0]
    assert "of f were not analysed in time; left out" in capsys.readouterr().err
    stages = Stages(replace(stages.common, scop=("f",)))
    with pytest.raises(LimitError):
        stages.spaces()
