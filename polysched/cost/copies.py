"""Copies by the model: those that threads add to, and arrays in rows of parts."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from polysched.cost.lookups import scattered_bytes
from polysched.cost.nest import Nest
from polysched.ir import copied_sums
from polysched.machine import Cpu

PASSES = 3.0  # over a copy: filled, read, and the sum that it is added to
LIFT_CYCLES = 5.0  # to move an element to its place among rows of parts, or back
BARRIERS = 2.0  # more than a parallel loop has: copies are filled, copies are complete


def copy_seconds(
    nests: Sequence[Nest], cpu: Cpu, fast_bytes_per_second: float
) -> tuple[float, float]:
    """Seconds for copies of sums, and bytes of memory that is new each time.

    Every start of the loop fills a copy for each thread and adds all of them up, each
    thread a part; so it takes the longer the more is copied, whatever the number of
    threads. New memory is what all threads have.

    Parameters
    ----------
    nests : sequence of Nest
        All statements.
    cpu : Cpu
        Caches, threads, barriers.
    fast_bytes_per_second : float
        From the last cache, where the copies of all threads fit it.
    """
    seconds = fresh = 0.0
    for nest in nests:
        for array in _copied(nest):
            assert nest.shared is not None
            starts = prod(nest.trips[: nest.shared])
            n_bytes = float(nest.footprint(0, cpu.line_bytes, array))
            n_bytes += scattered_bytes(nest, array)
            everywhere = n_bytes * cpu.n_cores
            is_near = everywhere <= max(cpu.l2_bytes, cpu.l3_bytes) / 2
            rate = fast_bytes_per_second
            if not is_near:
                rate = cpu.bandwidth_all_bytes_per_second / cpu.n_cores
            seconds += starts * (PASSES * n_bytes / rate)
            seconds += starts * BARRIERS * cpu.barrier_seconds
            fresh += starts * everywhere
    return seconds, fresh


def lift_cycles(nests: Sequence[Nest]) -> float:
    """Cycles to bring arrays in rows of parts, and what is written back."""
    elements: dict[tuple[str, bool], float] = {}
    for nest in nests:
        for reference in nest.references if nest.is_lifted else ():
            if reference.rows:
                n_bytes = nest.scop.array(reference.array).type.n_bytes
                n = nest.footprint(0, 1, reference.array) / n_bytes
                for is_back in {False, reference.is_write}:
                    key = reference.array, is_back
                    elements[key] = max(elements.get(key, 0.0), n)
    return LIFT_CYCLES * sum(elements.values())


def _copied(nest: Nest) -> tuple[str, ...]:
    """Arrays that a nest adds to in copies of the thread that runs it."""
    if nest.shared is None:
        return ()
    written = {a.array for a in nest.statement.writes}
    marks = nest.members[nest.shared].marks
    return tuple(a for m in marks for a in copied_sums(m) if a in written)
