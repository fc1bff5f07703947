"""Names of what a kernel of overlapped tiles declares besides blocks and threads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from polysched.codegen.ctext import Names
from polysched.codegen.cuda.overlap_points import ThreadPoints


@dataclass(frozen=True)
class OverlapNames:
    """Variables of the printed kernel that are nobody else's.

    Attributes
    ----------
    firsts : tuple of str
        The thread's first point per loop that threads share.
    threads : dict of (int, int) to str
        Numbers of neighbours, by loop and steps to them.
    slots : dict of int to str
        Where shared memory has values of so many steps ago.
    held, ahead, next, near : str
        Rows of all sweeps, the next row, a sweep's row, and what neighbours read.
    load, row, step, begin, end, turn, sweep, point, vector : str
        The function that loads, rows, and loops.
    """

    firsts: tuple[str, ...]
    threads: Mapping[tuple[int, int], str]
    slots: Mapping[int, str]
    held: str
    ahead: str
    next: str
    near: str
    load: str
    row: str
    step: str
    begin: str
    end: str
    turn: str
    sweep: str
    point: str
    vector: str

    @classmethod
    def take(
        cls, free: Names, points: ThreadPoints, threads: Sequence[str]
    ) -> OverlapNames:
        """Free names for all."""
        neighbours = {
            (m, step): free.take(f"{name}_{'before' if step < 0 else 'behind'}")
            for m, name in enumerate(threads)
            for step in points.steps_to(m)
        }
        names = (
            "held", "ahead", "next", "near", "load", "row", "s", "begin", "end", "turn",
            "u", "m", "v",
        )  # fmt: skip
        return cls(
            tuple(free.take(f"p{m + 1}") for m in range(len(threads))),
            neighbours,
            {age: free.take(f"slot{age}") for age in points.ages},
            *(free.take(name) for name in names),
        )
