"""Proof that an update taken apart reads and leaves the same values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property

import islpy as isl

from polysched.analysis.flow import Flow, compute_flow
from polysched.analysis.in_place import Update
from polysched.ir import Scop, Statement, original_tree
from polysched.sets import union_of_maps


class Version(Enum):
    """Which value of an element an instance reads, as copies have it."""

    OWN = "what the instance itself changes"
    BEFORE = "as it is before the iteration of the outermost loop"
    BEHIND = "as this iteration leaves it"


@dataclass(frozen=True, eq=False)
class Part:
    """Some instances of an update.

    Attributes
    ----------
    statement : Statement
        With these instances alone.
    instances : isl.Set
        As those of the update.
    versions : tuple of Version
        What it reads of each of the update's elements.
    reads : tuple of isl.Map
        Where it finds what the update read: its own element, then each of the others.
    """

    statement: Statement
    instances: isl.Set
    versions: tuple[Version, ...]
    reads: tuple[isl.Map, ...]


class Comparison:
    """Whether the parts of an update read and leave what the update did.

    Parameters
    ----------
    scop : Scop
        With the update.
    update : Update
        What was taken apart.
    parts : tuple of Part
        The update's instances.
    copies : list of Statement
        In their places among the parts.
    """

    def __init__(
        self,
        scop: Scop,
        update: Update,
        parts: tuple[Part, ...],
        copies: list[Statement],
    ) -> None:
        self._update = update
        self._parts = parts
        self._copies = union_of_maps(a.relation for c in copies for a in c.writes)
        self._copied = union_of_maps(a.relation for c in copies for a in c.reads)
        statements = (*(p.statement for p in parts), *copies)
        self._order = original_tree(replace(scop, statements=statements)).map
        before = replace(scop, statements=(update.statement,))
        self._order_before = original_tree(before).map
        self._none = isl.UnionMap("{ }")
        self._writes = union_of_maps(
            a.relation for p in parts for a in p.statement.writes
        )

    def is_same(self) -> bool:
        """Whether every read sees what it saw, and the same writes come last."""
        n_reads = 1 + len(self._update.reads)
        return (
            self._are_all_there()
            and self._leaves_the_same()
            and all(self._reads_the_same(k) for k in range(n_reads))
        )

    def _are_all_there(self) -> bool:
        """Whether each instance is in exactly one part."""
        name, domain = self._update.statement.name, self._update.statement.domain
        total = isl.Set.empty(domain.get_space())
        for part in self._parts:
            instances = part.statement.domain.set_tuple_name(name)
            if not total.is_disjoint(instances):
                return False
            total = total.union(instances)
        return bool(total.is_equal(domain))

    def _leaves_the_same(self) -> bool:
        before = _last_writes(isl.UnionMap(self._update.write), self._order_before)
        after = _last_writes(self._writes, self._order)
        return bool(after.apply_range(self._names).is_equal(before))

    @cached_property
    def _names(self) -> isl.UnionMap:
        """Instances of parts to the same ones of the update."""
        s = self._update.statement
        names = ", ".join(s.iterators)
        return union_of_maps(
            isl.Map(f"{{ {p.statement.name}[{names}] -> {s.name}[{names}] }}")
            for p in self._parts
        )

    def _reads_the_same(self, number: int) -> bool:
        """Whether the same instances have written what one of the reads sees."""
        read = (self._update.write, *(r.relation for r in self._update.reads))[number]
        writes = isl.UnionMap(self._update.write)
        before = compute_flow(
            isl.UnionMap(read), writes, self._none, self._order_before
        )
        seen = union_of_maps(p.reads[number] for p in self._parts)
        in_place = seen.intersect_range(self._writes.range().universe())
        direct = self._flow(in_place, self._writes)
        through = self._flow(seen.subtract(in_place), self._copies)
        if not through.exposed.is_empty():
            return False
        origin = self._flow(self._copied, self._writes)
        pairs = direct.pairs.union(origin.pairs.apply_range(through.pairs))
        taken = through.pairs.reverse().apply_range(origin.exposed)
        exposed = direct.exposed.union(taken)
        names = self._names
        return bool(
            pairs.apply_domain(names).apply_range(names).is_equal(before.pairs)
            and exposed.apply_domain(names).is_equal(before.exposed)
        )

    def _flow(self, sinks: isl.UnionMap, sources: isl.UnionMap) -> Flow:
        return compute_flow(sinks, sources, self._none, self._order)


def _last_writes(writes: isl.UnionMap, order: isl.UnionMap) -> isl.UnionMap:
    """Elements to the instances that write them last."""
    times = writes.reverse().apply_range(order).lexmax()
    return times.apply_range(order.reverse()).intersect(writes.reverse())
