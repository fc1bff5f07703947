"""Children that start in milliseconds: forked from a process that has imported all.

A process of our own forks, before it has started any thread; the user's process, which
may have used OpenMP, never does. Its children work on one pair of pipes each.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import BinaryIO

_ORDER = struct.Struct("!cq")  # what is asked, of which process
_ANSWER = struct.Struct("!q")
_FORK, _WAIT = b"f", b"w"
_UNKNOWN = 1 << 40  # in place of a status


class ForkServer:
    """A process that forks itself on request; it ends with this one.

    Parameters
    ----------
    module : str
        What it runs, by ``python -m``: a module that ends in `serve_forks`.
    """

    def __init__(self, module: str) -> None:
        self._module = module
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def start(self) -> None:
        """Start the process where it does not run; it is not waited for."""
        with self._lock:
            self._connect()

    def fork(self, source: int, target: int) -> int:
        """Have a child forked that reads and writes these files; its number.

        Raises
        ------
        OSError
            If there is no process that could fork.
        """
        with self._lock:
            try:
                return self._ask_to_fork(source, target)
            except OSError:  # the process was lost: a new one can
                self._disconnect()
                return self._ask_to_fork(source, target)

    def _ask_to_fork(self, source: int, target: int) -> int:
        control = self._connect()
        socket.send_fds(control, [_ORDER.pack(_FORK, 0)], [source, target])
        return _receive(control)

    def wait(self, pid: int) -> int | None:
        """How a child ended, as `subprocess` tells it; None where nobody knows.

        Until then its number is no other's.
        """
        with self._lock:
            if self._control is None:
                return None
            try:
                self._control.sendall(_ORDER.pack(_WAIT, pid))
                status = _receive(self._control)
            except OSError:
                return None
            return None if status == _UNKNOWN else status

    def close(self) -> None:
        """End the process; children end when their pipes are closed."""
        with self._lock:
            self._disconnect()

    def _connect(self) -> socket.socket:
        if self._control is not None and self._process is not None:
            if self._process.poll() is None:
                return self._control
            self._disconnect()
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _begin(self._module), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._control = ours
        return ours

    def _disconnect(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._control = self._process = None


def _begin(module: str) -> str:
    """What Python runs: the module, with what this process imports from.

    With `-m` modules of the working directory would come first, the user's `json.py`.
    """
    return (
        f"import sys; sys.path[:] = {sys.path!r}; from runpy import run_module; "
        f"run_module({module!r}, run_name='__main__', alter_sys=True)"
    )


def serve_forks(control: int, work: Callable[[BinaryIO, BinaryIO], None]) -> None:
    """What the process does: fork children that do `work`, tell how they end.

    Returns when the other end of the socket is closed, and in each child after its
    work, which gets the files to read and to write.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the user's process acts on it
    gc.freeze()  # what is imported stays shared with the children
    with socket.socket(fileno=control) as channel:
        while True:
            data, files, _, _ = socket.recv_fds(channel, _ORDER.size, 2)
            if len(data) < _ORDER.size:
                return
            order, pid = _ORDER.unpack(data)
            if order == _WAIT:
                channel.sendall(_ANSWER.pack(_reap(pid)))
                continue
            pid = os.fork()
            if pid == 0:
                break
            for file in files:
                os.close(file)
            channel.sendall(_ANSWER.pack(pid))
    source, target = files
    with open(source, "rb") as incoming, open(target, "wb") as outgoing:
        work(incoming, outgoing)


def end_child(pid: int) -> None:
    """End a child, whatever it does; `ForkServer.wait` is to be asked of it yet."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _reap(pid: int) -> int:
    try:
        _, status = os.waitpid(pid, 0)
    except ChildProcessError:  # of a process that forked before this one
        return _UNKNOWN
    return os.waitstatus_to_exitcode(status)


def _receive(control: socket.socket) -> int:
    data = control.recv(_ANSWER.size, socket.MSG_WAITALL)
    if len(data) < _ANSWER.size:
        raise ConnectionError("the process that forks has ended")
    (value,) = _ANSWER.unpack(data)
    return int(value)
