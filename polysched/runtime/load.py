"""Whether something else kept the machine busy while we measured."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

LOADED_CORES = 0.15  # so much foreign work, in cores, makes times doubtful
_STAT = Path("/proc/stat")
_BUSY = (0, 1, 2, 5, 6, 7)  # user, nice, system, irq, softirq, steal


class LoadMeter:
    """Work of others since it was made: the system's busy time without our own."""

    def __init__(self, stat: Path = _STAT) -> None:
        self.stat = stat
        self._started = time.monotonic()
        self._busy = _busy_seconds(stat)
        self._own = _own_seconds()

    def foreign_cores(self) -> float | None:
        """How many cores others used on average; None where the system does not say."""
        elapsed = time.monotonic() - self._started
        now = _busy_seconds(self.stat)
        if self._busy is None or now is None or elapsed <= 0:
            return None
        foreign = (now - self._busy) - (_own_seconds() - self._own)
        return max(0.0, foreign / elapsed)

    @property
    def is_loaded(self) -> bool:
        """Whether others used so much that times since it was made are doubtful."""
        foreign = self.foreign_cores()
        return foreign is not None and foreign > LOADED_CORES


def load_average() -> float | None:
    """The system's average of runnable processes over the last minute."""
    try:
        return os.getloadavg()[0]
    except OSError:
        return None


def _busy_seconds(stat: Path) -> float | None:
    """Busy seconds since the start of the system of the cores that we may use."""
    try:
        lines = [s.split() for s in stat.read_text(encoding="ascii").splitlines()]
        by_name = {words[0]: words[1:] for words in lines if words}
        cores = [f"cpu{k}" for k in sorted(os.sched_getaffinity(0))]
        busy = sum(int(by_name[core][k]) for core in cores for k in _BUSY)
    except (OSError, ValueError, IndexError, KeyError, AttributeError):
        return None
    return busy / os.sysconf("SC_CLK_TCK") if busy else None


def _own_seconds() -> float:
    """Processor seconds of this process and of its finished children."""
    usages = [resource.getrusage(w) for w in (
        resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN,
    )]  # fmt: skip
    return sum(u.ru_utime + u.ru_stime for u in usages)
