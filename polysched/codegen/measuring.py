"""Code sizes from child processes: found beside other work, and bounded in time."""

from __future__ import annotations

import atexit
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import warnings
from concurrent.futures import Future, ThreadPoolExecutor

from polysched.base import CodegenError, Deadline, LimitError
from polysched.codegen.openmp import CodeSize
from polysched.ir import ScheduleTree, Scop

MAX_SECONDS = 3.0  # of processor time for the code of one schedule
MAX_CHILDREN = 2
BACKLOG = 4  # schedules that wait: worth the start of a further child
_WORKER = "polysched.codegen.measure_worker"


class CodeMeasurer:
    """Measures the code of schedules of one SCoP.

    Child processes do so. They are shared by all measurers and end with this process;
    there is a second one when more is to be measured than one is about to do.

    Parameters
    ----------
    scop : Scop
        What the schedules order.
    """

    def __init__(self, scop: Scop) -> None:
        self._scop = pickle.dumps(scop)
        self._children = _shared_children()
        self._given: list[list[Future[CodeSize]]] = [[] for _ in self._children]
        first = self._children[0]
        first.pool.submit(first.start)  # while nothing is to be measured

    def submit(self, tree: ScheduleTree) -> Future[CodeSize]:
        """Start to measure; see `wait_for_size`."""
        k = self._choose_child()
        child = self._children[k]
        future = child.pool.submit(child.measure, self._scop, tree.text)
        self._given[k].append(future)
        return future

    def close(self) -> None:
        """End what still runs."""
        for child, given in zip(self._children, self._given, strict=True):
            for future in reversed(given):
                if not future.cancel() and not future.done():
                    child.end()

    def _choose_child(self) -> int:
        """The first, unless schedules wait for it and another has less to do."""
        waiting = [sum(not f.done() for f in given) for given in self._given]
        if waiting[0] < BACKLOG:
            return 0
        return min(range(len(waiting)), key=waiting.__getitem__)


def wait_for_size(future: Future[CodeSize], deadline: Deadline) -> CodeSize:
    """The size of a schedule's code.

    Raises
    ------
    CodegenError
        If it could not be printed: too large, too slow, or isl refuses the tree.
    LimitError
        At the deadline.
    """
    limit = deadline.remaining_seconds()
    try:
        return future.result(None if limit == float("inf") else limit)
    except TimeoutError as error:
        raise LimitError("its code was not built: time is spent") from error


class _Child:
    """A child process; all but `end` is called by the one thread of its pool."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(1, thread_name_prefix="measure")
        self._process: subprocess.Popen[bytes] | None = None
        self._scop: bytes | None = None  # the one that it has
        self._lock = threading.Lock()

    def start(self) -> subprocess.Popen[bytes]:
        """The process, a new one where there is none or it has ended."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                return self._process
            self._forget()
            path = os.pathsep.join(p for p in sys.path if p)
            self._process = subprocess.Popen(
                [sys.executable, "-m", _WORKER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": path},
            )
            return self._process

    def measure(self, scop: bytes, text: str) -> CodeSize:
        """Send one tree, wait for the answer."""
        process = self.start()
        assert process.stdin is not None
        assert process.stdout is not None
        data = None if scop == self._scop else scop
        try:
            pickle.dump((data, text, MAX_SECONDS), process.stdin)
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = b""
        if not line.endswith(b"\n"):
            raise _failure(process.wait())
        self._scop = scop
        found = json.loads(line)
        if "bug" in found:  # told, but the other schedules of the space go on
            warnings.warn(f"the code builder fails: {found['bug']}", stacklevel=1)
            raise CodegenError("the code builder fails on it")
        if "refused" in found:
            raise CodegenError(found["refused"])
        return CodeSize(**found)

    def end(self) -> None:
        """End the process, whatever it does."""
        with self._lock:
            if self._process is not None:
                self._process.kill()

    def _forget(self) -> None:
        self._scop = None
        if self._process is None:
            return
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was not sent to a process that has ended
                    continue
        self._process.wait()
        self._process = None

    def shut_down(self) -> None:
        """At the end of this process."""
        self.end()
        self.pool.shutdown(cancel_futures=True)
        self._forget()


def _failure(status: int) -> CodegenError:
    if status == -signal.SIGPROF:
        return CodegenError(
            f"schedule explodes: isl spends more than {MAX_SECONDS:g} s on its code",
            hint="less separation or unrolling makes smaller code",
        )
    return CodegenError(f"isl's code builder ended with status {status}")


_children: list[_Child] = []
_children_lock = threading.Lock()


def _shared_children() -> list[_Child]:
    with _children_lock:
        if not _children:
            n_children = min(MAX_CHILDREN, os.cpu_count() or 1)
            _children.extend(_Child() for _ in range(n_children))
            for child in _children:
                atexit.register(child.shut_down)
        return _children
