"""The part of a SCoP that is worth scheduling, and how it goes back into the whole.

Statements outside all loops in front of the first loop (coefficients computed once) and
behind the last one gain nothing from a schedule but make the problem larger. They keep
their place; the loops between them are the core.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from polysched.analysis import Dependences, set_band_flags
from polysched.ir import ScheduleTree, Scop, Statement, original_tree


@dataclass(frozen=True, eq=False)
class Core:
    """A SCoP cut into what stands before, in and behind its loops.

    Attributes
    ----------
    scop : Scop
        The core alone; the whole SCoP when nothing was cut off.
    dependences : Dependences
        Those inside the core.
    before, behind : Scop
        The rest, possibly without statements.
    """

    scop: Scop
    dependences: Dependences
    before: Scop
    behind: Scop

    def embed(self, tree: ScheduleTree, dependences: Dependences) -> ScheduleTree:
        """A tree of the whole SCoP from a tree of the core, flags set anew."""
        schedule = tree.schedule
        if self.before.statements:
            schedule = original_tree(self.before).schedule.sequence(schedule)
        if self.behind.statements:
            schedule = schedule.sequence(original_tree(self.behind).schedule)
        if schedule is tree.schedule:
            return tree
        return set_band_flags(ScheduleTree(schedule), dependences)


def find_core(scop: Scop, dependences: Dependences) -> Core:
    """Cut loop-free statements off both ends; a SCoP without loops is its own core."""
    statements = scop.statements
    first, last = 0, len(statements)
    while first < last and not statements[first].n_loops:
        first += 1
    while last > first and not statements[last - 1].n_loops:
        last -= 1
    if first == last:
        first, last = 0, len(statements)
    core = _part(scop, statements[first:last])
    names = {s.name for s in core.statements}
    inside = tuple(
        d for d in dependences.items if d.source in names and d.sink in names
    )
    return Core(
        core,
        replace(dependences, items=inside, reductions=()),
        _part(scop, statements[:first]),
        _part(scop, statements[last:]),
    )


def _part(scop: Scop, statements: Sequence[Statement]) -> Scop:
    return replace(scop, statements=tuple(statements))
