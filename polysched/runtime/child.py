"""Child processes under limits of time, memory and output, killed with all they began.

Never forks by hand: after OpenMP has run in a process, a forked child may hang.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

if sys.platform != "win32":
    import resource

_POLL_SECONDS = 0.05
_OUTPUT_BYTES = 256 << 20
_SHOWN_BYTES = 8000


@dataclass(frozen=True)
class RunResult:
    """How a child process ended.

    Attributes
    ----------
    status : int
        Exit status; negative for a signal.
    wall_seconds : float
        From start to end.
    stopped : str
        Why it was killed, in words; empty when it ended by itself.
    stopped_by : str
        "timeout", "memory", "output", or empty.
    limit : float
        The limit that it met: seconds or bytes; 0.0 when it met none.
    peak_bytes : int
        Largest resident size seen; 0 when the system does not say.
    stdout_path, stderr_path : Path
        Files with what it wrote.
    """

    status: int
    wall_seconds: float
    stopped: str
    stopped_by: str
    limit: float
    peak_bytes: int
    stdout_path: Path
    stderr_path: Path

    def stdout(self) -> str:
        """What it wrote to standard output; the first part of much.

        To be read before the next program runs in the same folder.
        """
        return _head(self.stdout_path, _OUTPUT_BYTES)

    def stderr(self) -> str:
        """What it wrote to standard error; the first part of much."""
        return _head(self.stderr_path, _SHOWN_BYTES)

    @property
    def ending(self) -> str:
        """How it ended, in words: "exit status 1", "signal 11 (segmentation fault)"."""
        if self.stopped:
            return self.stopped
        if self.status >= 0:
            return f"exit status {self.status}"
        name = signal.strsignal(-self.status) or "unknown"
        return f"signal {-self.status} ({name.lower()})"


def run_child(
    command: Sequence[str],
    *,
    scratch: Path,
    timeout_seconds: float,
    environment: Mapping[str, str],
    memory_bytes: int | None = None,
    space_bytes: int | None = None,
    cwd: str | None = None,
    stdin: str | None = None,
) -> RunResult:
    """Run a command to its end, or to the first limit it meets.

    Parameters
    ----------
    command : sequence of str
        Program and arguments; no shell.
    scratch : Path
        Directory for the two output files.
    timeout_seconds : float
        Wall time after which the child and its descendants are killed.
    environment : mapping
        The child's whole environment.
    memory_bytes : int, optional
        Resident size at which it is killed.
    space_bytes : int, optional
        Limit of its address space: allocations beyond it fail.
    cwd, stdin : str, optional
        Working directory and input file; by default this one's and none.

    Raises
    ------
    OSError
        If the command cannot be started or a file cannot be opened.
    """
    out, err = scratch / "stdout", scratch / "stderr"
    with (
        open(stdin or os.devnull, "rb") as source,
        open(out, "wb") as stdout,
        open(err, "wb") as stderr,
    ):
        started = time.monotonic()
        child = subprocess.Popen(
            list(command),
            stdin=source,
            stdout=stdout,
            stderr=stderr,
            cwd=cwd,
            env=dict(environment),
            start_new_session=True,
        )
        try:
            _limit_space(child.pid, space_bytes)
            watch = _Watch(child, out, err, started + timeout_seconds, memory_bytes)
            kind = watch.until_end()
        finally:
            _kill_group(child)
    reasons = {
        "timeout": f"after {timeout_seconds:.3g} s",
        "memory": f"at {watch.peak_bytes / 2**30:.2f} GiB of memory",
        "output": f"after {_OUTPUT_BYTES >> 20} MiB of output",
        "": "",
    }
    limits = {
        "timeout": timeout_seconds,
        "memory": float(memory_bytes or 0),
        "output": float(_OUTPUT_BYTES),
        "": 0.0,
    }
    return RunResult(
        status=child.returncode,
        wall_seconds=time.monotonic() - started,
        stopped=reasons[kind],
        stopped_by=kind,
        limit=limits[kind],
        peak_bytes=watch.peak_bytes,
        stdout_path=out,
        stderr_path=err,
    )


class _Watch:
    """Looks at a running child now and then."""

    def __init__(
        self,
        child: subprocess.Popen[bytes],
        out: Path,
        err: Path,
        end: float,
        memory_bytes: int | None,
    ) -> None:
        self.child = child
        self.files = (out, err)
        self.end = end
        self.memory_bytes = memory_bytes
        self.peak_bytes = 0

    def until_end(self) -> str:
        """Wait; the limit it met, or an empty string."""
        with _end_signal(self.child) as poll:
            while not _has_ended(self.child):
                left = self.end - time.monotonic()
                if left <= 0:
                    return "timeout"
                poll(min(left, _POLL_SECONDS))
                kind = self._exceeded()
                if kind:
                    return kind
        return ""

    def _exceeded(self) -> str:
        """The limit of memory or output that is passed now, or an empty string."""
        self.peak_bytes = max(self.peak_bytes, _resident_bytes(self.child.pid))
        if self.memory_bytes is not None and self.peak_bytes > self.memory_bytes:
            return "memory"
        if sum(path.stat().st_size for path in self.files) > _OUTPUT_BYTES:
            return "output"
        return ""


class _Poll:
    """Waits for a child's end without keeping a core busy."""

    def __init__(self, child: subprocess.Popen[bytes], handle: int | None) -> None:
        self.child = child
        self.handle = handle

    def __call__(self, seconds: float) -> None:
        """Return at the child's end or after `seconds`."""
        if self.handle is not None:
            select.select([self.handle], [], [], seconds)
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.child.wait(seconds)


@contextlib.contextmanager
def _end_signal(child: subprocess.Popen[bytes]) -> Iterator[_Poll]:
    """A way to wait for the child: through a process handle where there are any."""
    handle: int | None = None
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            handle = os.pidfd_open(child.pid)
    try:
        yield _Poll(child, handle)
    finally:
        if handle is not None:
            os.close(handle)


def _limit_space(pid: int, space_bytes: int | None) -> None:
    """Limit a child's address space and core files, where the system lets us."""
    if sys.platform != "linux":
        return
    limits = [(resource.RLIMIT_CORE, 0)]
    if space_bytes is not None:
        limits.append((resource.RLIMIT_AS, space_bytes))
    for which, value in limits:
        with contextlib.suppress(OSError, ValueError):  # it may have ended already
            _, hard = resource.prlimit(pid, which)
            if hard != resource.RLIM_INFINITY:
                value = min(value, hard)
            resource.prlimit(pid, which, (value, hard))


def _resident_bytes(pid: int) -> int:
    """Resident size of a process now; 0 when unknown."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0


def _has_ended(child: subprocess.Popen[bytes]) -> bool:
    """Whether the child is over; it is not reaped yet, so its number stays its own."""
    if hasattr(os, "waitid"):
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, child.pid, options) is not None
    return child.poll() is not None


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    """End the child and whatever it left behind, and reap it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _head(path: Path, n_bytes: int) -> str:
    """The first bytes of a file as text."""
    try:
        with open(path, "rb") as file:
            return file.read(n_bytes).decode("utf-8", errors="replace")
    except OSError:
        return ""
