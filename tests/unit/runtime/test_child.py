"""Children end when they should, and what they left behind ends with them."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from polysched.runtime import RunResult, classify, run_child


def run(tmp_path: Path, code: str, **limits: object) -> RunResult:
    settings: dict[str, object] = {"timeout_seconds": 20.0, **limits}
    return run_child(
        [sys.executable, "-c", code],
        scratch=tmp_path,
        environment=dict(os.environ),
        **settings,  # type: ignore[arg-type]
    )


def test_status_and_output(tmp_path: Path) -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)"
    result = run(tmp_path, code)
    assert (result.status, result.stdout(), result.stderr()) == (7, "out\n", "err\n")
    assert result.ending == "exit status 7"
    assert classify(result) is None
    failure = classify(result, 0)
    assert failure is not None
    assert failure.text == "exit status 7, expected exit status 0: err"


def test_signals_are_crashes(tmp_path: Path) -> None:
    result = run(tmp_path, "import os; os.kill(os.getpid(), 11)")
    failure = classify(result)
    assert failure is not None
    assert failure.kind == "crash"
    assert failure.text.startswith("signal 11 (segmentation fault)")


def test_timeout_ends_grandchildren_too(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time\n"
        "c = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(c.pid, flush=True); time.sleep(60)\n"
    )
    result = run(tmp_path, code, timeout_seconds=1.0)
    failure = classify(result)
    assert failure is not None
    assert failure.kind == "timeout"
    assert failure.text == "stopped after 1 s"
    assert result.wall_seconds < 10
    assert not is_running(int(result.stdout()))


def is_running(pid: int) -> bool:
    """Whether a process is there and no zombie, after a moment to let it go."""
    for _ in range(50):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        if state == "Z":
            return False
        time.sleep(0.02)
    return True


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_limit(tmp_path: Path) -> None:
    code = "x = []\nwhile True: x.append(bytearray(1 << 20))"
    result = run(tmp_path, code, memory_bytes=100 << 20)
    failure = classify(result)
    assert failure is not None
    assert failure.kind == "memory"


def test_input_and_directory(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("hello")
    code = "import os, sys; print(sys.stdin.read(), os.getcwd())"
    result = run(tmp_path, code, stdin=str(tmp_path / "in"), cwd=str(tmp_path))
    assert result.stdout().split() == ["hello", str(tmp_path.resolve())]


def test_unstartable_programs_are_errors(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no-such"):
        run_child(
            ["/no-such-program"], scratch=tmp_path, timeout_seconds=1, environment={}
        )
