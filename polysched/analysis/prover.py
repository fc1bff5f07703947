"""Legality of many schedules of one program: what they share is proven once."""

from __future__ import annotations

from polysched.analysis.dependences import Dependences
from polysched.analysis.legality import Violation, find_violation
from polysched.ir import ScheduleTree, Scop
from polysched.sets import list_sets


class Prover:
    """Finds violated dependences, as `find_violation`, and remembers proven loop nests.

    Parts of an outermost sequence run one after the other. Such a schedule is legal if
    every part is, and no dependence leads from a later part to an earlier one.

    Parameters
    ----------
    dependences : Dependences
        Of the SCoP in its original order.
    scop : Scop
        What the schedules order.
    """

    def __init__(self, dependences: Dependences, scop: Scop) -> None:
        self._dependences = dependences
        self._scop = scop
        self._domain = scop.domain
        self._proven: set[str] = set()

    def find_violation(self, tree: ScheduleTree) -> Violation | None:
        """The first violated dependence of a tree, or None where it is legal."""
        parts = tree.parts()
        is_apart = len(parts) > 1 and self._are_in_order(tree, parts)
        if is_apart and all(self._is_legal(part) for part in parts):
            return None
        return find_violation(tree, self._dependences, self._scop)

    def _are_in_order(
        self, tree: ScheduleTree, parts: tuple[ScheduleTree, ...]
    ) -> bool:
        """Whether each statement is in one part, all of it, and dependences lead on."""
        where: dict[str, int] = {}
        for k, part in enumerate(parts):
            for instances in list_sets(part.schedule.get_domain()):
                if where.setdefault(instances.get_tuple_name(), k) != k:
                    return False
        if not tree.schedule.get_domain().is_equal(self._domain):
            return False
        return all(
            where.get(d.source, 0) <= where.get(d.sink, len(parts))
            for d in self._dependences.items
            if d.orders
        )

    def _is_legal(self, part: ScheduleTree) -> bool:
        if part.text in self._proven:
            return True
        inside = {s.get_tuple_name() for s in list_sets(part.schedule.get_domain())}
        own = self._dependences.within(inside)
        if find_violation(part, own, self._scop) is not None:
            return False
        self._proven.add(part.text)
        return True
