"""How long a cache takes to deliver, by what was measured of the machine."""

from __future__ import annotations

from dataclasses import dataclass

from polysched.cost.reuse import Reuse
from polysched.machine import Cpu

CLOCK_HZ = 2.5e9  # where the machine does not say
BYTES_PER_CYCLE = {2: 24.0, 3: 16.0}  # of caches that nobody has measured


@dataclass(frozen=True)
class Rate:
    """Bandwidth of one cache for data of which a share is changed.

    Attributes
    ----------
    alone : float
        Bytes per second of one thread.
    together : float
        Of all threads; infinite where it grows with them.
    """

    alone: float
    together: float = float("inf")

    def shared(self, seconds: float, speedup: float) -> float:
        """What one thread takes so many seconds for, dealt out to threads."""
        return seconds / min(speedup, max(1.0, self.together / self.alone))


def rate_of(level: int, cpu: Cpu, changed: float = 0.0) -> Rate:
    """Bandwidth of the second or third cache.

    Parameters
    ----------
    level : int
        2 or 3.
    cpu : Cpu
        Without a calibration its clock and usual bytes of a cycle count.
    changed : float
        Which share of the bytes is written as well, between 0 and 1.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from polysched.machine import CacheRate, Machine
    >>> slow = CacheRate(3, 20e9, 10e9, 40e9, 15e9)
    >>> cpu = replace(Machine.detect().cpu, cache_rates=(slow,))
    >>> rate_of(3, cpu, changed=1.0)
    Rate(alone=10000000000.0, together=15000000000.0)
    """
    found = cpu.cache_rate(level)
    if found is None:
        return Rate(BYTES_PER_CYCLE[level] * (cpu.frequency_hz or CLOCK_HZ))
    return Rate(
        _mixed(found.read_bytes_per_second, found.update_bytes_per_second, changed),
        _mixed(
            found.read_all_bytes_per_second, found.update_all_bytes_per_second, changed
        ),
    )


def changed_share(position: int, reuse: Reuse, capacity_bytes: int) -> float:
    """Which share of what enters a cache for a statement it writes as well."""
    references = reuse.nest(position).references
    moved = {
        array: reuse.traffic(position, capacity_bytes, array)
        for array in sorted({r.array for r in references})
    }
    written = {r.array for r in references if r.is_write}
    total = sum(moved.values())
    changed = sum(n_bytes for array, n_bytes in moved.items() if array in written)
    return changed / total if total else 0.0


def _mixed(read: float, update: float, changed: float) -> float:
    """The rate of bytes of which a share takes the rate of updates."""
    return 1.0 / ((1.0 - changed) / read + changed / update)
