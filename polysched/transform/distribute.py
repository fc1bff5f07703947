"""Loops of their own for every statement under a band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences, active_dependences
from polysched.ir import NodePath, ScheduleTree
from polysched.sets import list_maps, list_sets, map_names
from polysched.transform.bands import has_isolation
from polysched.transform.draft import Draft
from polysched.transform.step import Step


@dataclass(frozen=True)
class Distribute(Step):
    """Give every statement inner loops of its own.

    ``[k, i, j] A, B`` distributed from member 1 on in the order B, A becomes ``[k]``
    around ``sequence [i, j] B; [i, j] A``: what one of them alone allows, as tiles in
    registers, is then open to it.

    Attributes
    ----------
    band : tuple of int
        Path of the band.
    member : int
        The first member that each statement gets for itself; those before it stay
        around all.
    statements : tuple of int
        Numbers of the statements under the band, in their new order.
    """

    member: int
    statements: tuple[int, ...]

    name: ClassVar[str] = "distribute"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        n_members = node.band_n_member()
        if not 0 <= self.member < n_members:
            return f"found member {self.member}, expected 0 to {n_members - 1}"
        found = sorted(int(s.get_tuple_name()[1:]) for s in _domains(node))
        if sorted(self.statements) != found or len(found) < 2:
            return (
                f"found the statements {list(self.statements)}, expected an order of "
                f"several: {found}"
            )
        if has_isolation(node):
            return "the band or one below it isolates full tiles, which must come last"
        return None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return False

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        domains = {s.get_tuple_name(): s for s in _domains(node)}
        if self.member:
            node = node.band_split(self.member).child(0)
        filters = isl.UnionSetList.alloc(node.get_ctx(), len(domains))
        for number in self.statements:
            universe = isl.Set.universe(domains[f"S{number}"].get_space())
            filters = filters.add(isl.UnionSet.from_set(universe))
        return node.insert_sequence(filters)


def _domains(node: isl.ScheduleNode) -> list[isl.Set]:
    return [s for s in list_sets(node.get_domain()) if not s.is_empty()]


def find_order(draft: Draft, path: NodePath, member: int) -> tuple[int, ...]:
    """Statements in an order in which each may run in loops of its own.

    Those loops are the members from `member` on; empty where there is no such order.
    """
    node = draft.node(path)
    if member:
        node = node.band_split(member).child(0)
    pairs = list_maps(active_dependences(node, draft.deps.validity))
    waits = {n for n in (map_names(m) for m in pairs) if n[0] != n[1]}
    left = sorted(s.get_tuple_name() for s in list_sets(node.get_domain()))
    order: list[str] = []
    while left:
        ready = [n for n in left if not any(b == n and a in left for a, b in waits)]
        if not ready:
            return ()
        order.append(ready[0])
        left.remove(ready[0])
    return tuple(int(name[1:]) for name in order)
