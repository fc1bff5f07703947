"""Loops that threads share although a part of each iteration waits, by the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

from polysched.cost.nest import Nest
from polysched.ir import MARK_ORDERED, is_ordered

Levels = Sequence[float]  # seconds of computing, and of moving data from each level


def shared_seconds(
    nests: Sequence[Nest],
    alone: Sequence[Levels],
    shared: Sequence[Levels],
    overlapped: Callable[[Levels], float],
) -> float:
    """Seconds of all nests; of those in one such loop, together.

    Some threads read from memory while another one adds up from its cache, so that
    levels overlap across nests. The parts that wait for each other take at least as
    long as on one thread.

    Parameters
    ----------
    nests : sequence of Nest
        All statements.
    alone, shared : sequence of Levels
        Seconds of each at every level, on one thread and shared by all.
    overlapped : callable
        Seconds of what goes on at several levels at the same time.
    """
    seconds = 0.0
    loops: dict[tuple[int, ...], list[int]] = {}
    for k, nest in enumerate(nests):
        path = _loop(nest)
        if path is None:
            seconds += overlapped(shared[k])
        else:
            loops.setdefault(path, []).append(k)
    for inside in loops.values():
        together = [
            sum(times) for times in zip(*(shared[k] for k in inside), strict=True)
        ]
        least = sum(overlapped(alone[k]) for k in inside if _waits(nests[k]))
        seconds += max(overlapped(together), least)
    return seconds


def handed_bytes(nest: Nest, line_bytes: int) -> float:
    """Bytes that threads hand on: what each waiting part has written for the next."""
    if not _waits(nest):
        return 0.0
    assert nest.shared is not None
    inside = nest.shared + 1
    written = {r.array for r in nest.references if r.is_write}
    each = sum(nest.footprint(inside, line_bytes, array) for array in written)
    return prod(nest.trips[:inside]) * each


def _loop(nest: Nest) -> tuple[int, ...] | None:
    """The path of the loop of which a part is ordered, around a nest."""
    if nest.shared is None:
        return None
    member = nest.members[nest.shared]
    return member.path if any(map(is_ordered, member.marks)) else None


def _waits(nest: Nest) -> bool:
    return MARK_ORDERED in nest.marks and _loop(nest) is not None
