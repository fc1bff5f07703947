"""Code sizes from child processes: found beside other work, and bounded in time."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import pickle
import signal
import threading
import warnings
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO

from polysched.base import NO_TIME_LEFT, CodegenError, Deadline, LimitError
from polysched.codegen.fork_server import ForkServer, end_child
from polysched.codegen.openmp import CodeSize
from polysched.codegen.options import Target
from polysched.ir import ScheduleTree, Scop

MAX_SECONDS = 3.0  # of processor time for the code of one schedule
MAX_CHILDREN = 2
BACKLOG = 2  # schedules that wait: worth a further child, which has to read the SCoP
_WORKER = "polysched.codegen.measure_worker"


class CodeMeasurer:
    """Measures the code of schedules of one SCoP.

    Child processes do so. They are shared by all measurers and end with this process;
    there is a second one when more is to be measured than one is about to do.

    Parameters
    ----------
    scop : Scop
        What the schedules order.
    target : {"openmp", "cuda"}
        What they are to be printed as.
    """

    def __init__(self, scop: Scop, target: Target = "openmp") -> None:
        self._scop = pickle.dumps((scop, target))
        self._crew = _shared_crew()
        self._futures: list[Future[CodeSize]] = []
        self._closed = threading.Event()
        self._crew.start()  # while nothing is to be measured

    def submit(self, tree: ScheduleTree) -> Future[CodeSize]:
        """Start to measure; see `wait_for_size`."""
        future = self._crew.submit(self._scop, tree.text, self._closed)
        self._futures.append(future)
        return future

    def close(self) -> None:
        """End what still runs."""
        self._closed.set()
        for future in reversed(self._futures):
            future.cancel()
        if not all(future.done() for future in self._futures):
            self._crew.end()


def start_measuring() -> None:
    """Start the child process that will be needed, beside other work."""
    _shared_crew().start()


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
        raise LimitError(f"{NO_TIME_LEFT}: its code was not built") from error


class _Crew:
    """Child processes that take one tree after the other, each beside its thread."""

    def __init__(self, n_children: int) -> None:
        self.server = ForkServer(_WORKER)
        self.children = [_Child(self.server) for _ in range(n_children)]
        self._pool = ThreadPoolExecutor(n_children, thread_name_prefix="measure")
        self._free = list(reversed(self.children))
        self._n_unfinished = 0
        self._changed = threading.Condition()

    def start(self) -> None:
        """Start the process that children are forked from: its imports take longest."""
        self.server.start()

    def submit(
        self, scop: bytes, text: str, closed: threading.Event
    ) -> Future[CodeSize]:
        """Have a tree measured when its turn comes, unless `closed` is set by then."""
        with self._changed:
            self._n_unfinished += 1
            self._changed.notify()
        future = self._pool.submit(self._measure, scop, text, closed)
        future.add_done_callback(self._count_down)
        return future

    def end(self) -> None:
        """End what the children do."""
        for child in self.children:
            child.end()

    def shut_down(self) -> None:
        """At the end of this process."""
        self.end()
        self._pool.shutdown(cancel_futures=True)
        for child in self.children:
            child.forget()
        self.server.close()

    def _measure(self, scop: bytes, text: str, closed: threading.Event) -> CodeSize:
        with self._changed:
            self._changed.wait_for(self._may_begin)
            child = self._free.pop()
        try:
            if closed.is_set():
                raise CodegenError("its code is not wanted any more")
            return child.measure(scop, text)
        finally:
            with self._changed:
                self._free.append(child)
                self._free.sort(key=self.children.index, reverse=True)
                self._changed.notify()

    def _count_down(self, _: Future[CodeSize]) -> None:
        with self._changed:
            self._n_unfinished -= 1

    def _may_begin(self) -> bool:
        """Whether a child is free that runs, or is worth its start."""
        if not self._free:
            return False
        next_one = self._free[-1]
        is_first = next_one is self.children[0]
        return is_first or next_one.is_started or self._n_unfinished > BACKLOG


class _Child:
    """A child process; one thread at a time calls anything but `end`."""

    def __init__(self, server: ForkServer) -> None:
        self._server = server
        self._pipes: _Pipes | None = None
        self._scop: bytes | None = None  # the one that it has
        self._lock = threading.Lock()

    @property
    def is_started(self) -> bool:
        """Whether it runs."""
        return self._pipes is not None and not self._pipes.is_ended

    def start(self) -> _Pipes:
        """The way to the process, a new one where there is none or it has ended."""
        with self._lock:
            if self._pipes is None or self._pipes.is_ended:
                self._forget()
                self._pipes = _Pipes.to_new_child(self._server)
            return self._pipes

    def measure(self, scop: bytes, text: str) -> CodeSize:
        """Send one tree, wait for the answer."""
        try:
            pipes = self.start()
            data = None if scop == self._scop else scop
            pickle.dump((data, text, MAX_SECONDS), pipes.tasks)
            pipes.tasks.flush()
            line = pipes.answers.readline()
        except OSError:
            line = b""
        if not line.endswith(b"\n"):
            raise _failure(self.forget())
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
            if self._pipes is not None:
                end_child(self._pipes.pid)
                self._pipes.is_ended = True

    def forget(self) -> int | None:
        """Let go of a process that has ended or is to; how it ended."""
        with self._lock:
            return self._forget()

    def _forget(self) -> int | None:
        self._scop = None
        pipes, self._pipes = self._pipes, None
        return None if pipes is None else pipes.close(self._server)


@dataclass
class _Pipes:
    """The way to a child: tasks in, answers out."""

    pid: int
    tasks: BinaryIO
    answers: BinaryIO
    is_ended: bool = False

    @classmethod
    def to_new_child(cls, server: ForkServer) -> _Pipes:
        """Fork a child."""
        source, tasks = os.pipe()
        answers, target = os.pipe()
        try:
            pid = server.fork(source, target)
        except OSError:
            os.close(tasks)
            os.close(answers)
            raise
        finally:
            os.close(source)
            os.close(target)
        return cls(pid, open(tasks, "wb"), open(answers, "rb"))

    def close(self, server: ForkServer) -> int | None:
        """Close both, which ends the child; how it ended."""
        for pipe in (self.tasks, self.answers):
            with contextlib.suppress(OSError):  # what was not sent to an ended child
                pipe.close()
        return server.wait(self.pid)


def _failure(status: int | None) -> CodegenError:
    if status == -signal.SIGPROF:
        return CodegenError(
            f"schedule explodes: isl spends more than {MAX_SECONDS:g} s on its code",
            hint="less separation or unrolling makes smaller code",
        )
    if status is None:
        return CodegenError("isl's code builder could not be started, or was lost")
    return CodegenError(f"isl's code builder ended with status {status}")


_crews: list[_Crew] = []  # at most one
_crews_lock = threading.Lock()


def _begin_anew() -> None:
    """In a fork of the user's process: the children are those of the other one."""
    global _crews_lock
    _crews_lock = threading.Lock()
    while _crews:
        atexit.unregister(_crews.pop().shut_down)


os.register_at_fork(after_in_child=_begin_anew)


def _shared_crew() -> _Crew:
    with _crews_lock:
        if not _crews:
            _crews.append(_Crew(min(MAX_CHILDREN, os.cpu_count() or 1)))
            atexit.register(_crews[0].shut_down)
        return _crews[0]
