"""Exact dependences between statement instances, one per pair, array and kind."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import islpy as isl

from polysched.analysis.data_rows import same_rows
from polysched.analysis.flow import FlowBudget, compute_flow
from polysched.analysis.reductions import Reduction
from polysched.base import LimitError, Shown
from polysched.ir import Scop, original_tree
from polysched.sets import list_maps, map_names, operation_limit, union_of_maps

MAX_OPERATIONS = 20_000_000  # the largest example needs less than one million
MAX_INPUT_OPERATIONS = 2_000_000  # of the pairs of reads of one array, about a second

_log = logging.getLogger(__name__)

DependenceKind = Literal["flow", "anti", "output", "input"]


@dataclass(frozen=True, eq=False)
class Dependence:
    """Pairs of instances of two statements that touch one array.

    Attributes
    ----------
    kind : {"flow", "anti", "output", "input"}
        Write-read, read-write, write-write, read-read (sharing, orders nothing).
    array : str
        The array that carries it.
    source, sink : str
        Statement names.
    relation : isl.Map
        Source instance to sink instance; sources run first in the original order.
    """

    kind: DependenceKind
    array: str
    source: str
    sink: str
    relation: isl.Map

    @property
    def orders(self) -> bool:
        """Whether a schedule must respect it (all kinds but input)."""
        return self.kind != "input"

    def __str__(self) -> str:
        return (
            f"{self.kind} dependence on {self.array} from {self.source} to {self.sink}"
        )


@dataclass(frozen=True, eq=False, repr=False)
class Dependences(Shown):
    """All dependences of a SCoP.

    Attributes
    ----------
    items : tuple of Dependence
        Ordered by array, kind, source, sink.
    context : isl.Set
        Parameter values they hold for.
    reductions : tuple of Reduction
        Sums whose terms may be added in any order; see `allow_reordering`.
    may_round : bool
        Whether factors of their terms, if floats, may be rounded to 10 bits of
        mantissa.
    scop : Scop, optional
        Whose they are; lets witnesses name lines and array elements.
    """

    items: tuple[Dependence, ...]
    context: isl.Set
    reductions: tuple[Reduction, ...] = ()
    may_round: bool = False
    scop: Scop | None = None

    @property
    def headline(self) -> str:
        """How many there are of each kind."""
        kinds = Counter(d.kind for d in self.items)
        told = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
        return f"Dependences: {told or 'none'}"

    def of_kind(self, *kinds: DependenceKind) -> tuple[Dependence, ...]:
        """The dependences of the given kinds."""
        return tuple(d for d in self.items if d.kind in kinds)

    def within(self, names: Collection[str]) -> Dependences:
        """Those between statements of the given names."""
        key = frozenset(names)
        if key not in self._parts:
            kept = (d for d in self.items if d.source in key and d.sink in key)
            self._parts[key] = replace(self, items=tuple(kept))
        return self._parts[key]

    @cached_property
    def _parts(self) -> dict[frozenset[str], Dependences]:
        return {}

    @cached_property
    def validity(self) -> isl.UnionMap:
        """Flow, anti and output dependences: what a legal schedule respects."""
        return self.union("flow", "anti", "output")

    @cached_property
    def flow(self) -> isl.UnionMap:
        """Flow dependences alone: which value goes where."""
        return self.union("flow")

    def union(self, *kinds: DependenceKind) -> isl.UnionMap:
        """One union map of all dependences of the given kinds."""
        return union_of_maps([d.relation for d in self.of_kind(*kinds)]).coalesce()


def compute_dependences(scop: Scop, *, with_input: bool = True) -> Dependences:
    """Value-based dependences of a SCoP, exact for affine accesses.

    A read depends on the last write of its element (flow); a write depends on the
    last write of its element (output) and on the reads since (anti); every other
    ordering follows by transitivity. May-writes hide no earlier write.

    Parameters
    ----------
    scop : Scop
        Private arrays are expected in expanded form.
    with_input : bool
        Whether to add input dependences between reads (memory based, nearest pairs),
        where isl finds them within `MAX_INPUT_OPERATIONS`.

    Raises
    ------
    LimitError
        When isl needs more than `MAX_OPERATIONS` (an outer limit goes before).

    References
    ----------
    .. [1] Feautrier, "Dataflow analysis of array and scalar references", IJPP 1991.
    .. [2] Verdoolaege, "Presburger Formulas and Polyhedral Compilation", 2016, sec. 6.
    """
    context = scop.context.get_ctx()
    if context.get_max_operations():
        return _compute(scop, with_input)
    with operation_limit(context, MAX_OPERATIONS):
        return _compute(scop, with_input)


def _compute(scop: Scop, with_input: bool) -> Dependences:
    whole = original_tree(scop).map
    items: list[Dependence] = []
    budget = FlowBudget()
    for array in sorted(a.name for a in scop.arrays):
        reads = _accesses_of(scop, array, "read")
        must = _accesses_of(scop, array, "must_write")
        may = _accesses_of(scop, array, "may_write")
        writes = must.union(may)
        # isl looks at all of the order each time, however few statements there are
        order = whole.intersect_domain(reads.union(writes).domain().universe())
        budget.start_array()
        if not writes.is_empty():
            flow = compute_flow(reads, must, may, order, budget).pairs
            output = compute_flow(writes, must, may, order, budget).pairs
            # a read's next writes, up to a certain one: what comes before it, backwards
            back = _backwards(order)
            anti = compute_flow(reads, must, may, back, budget).pairs.reverse()
            meeting = same_rows(scop, array)
            if meeting is not None:
                flow, output, anti = (
                    found.intersect(meeting) for found in (flow, output, anti)
                )
            items += _split("flow", array, flow)
            items += _split("anti", array, anti)
            items += _split("output", array, output)
        if with_input and not reads.is_empty() and not budget.is_hard:
            items += _split("input", array, _shared(reads, order))
    return Dependences(tuple(items), scop.context, scop=scop)


def _shared(reads: isl.UnionMap, order: isl.UnionMap) -> isl.UnionMap:
    """Reads and the last reads of the same element; none where isl takes long for that.

    They order nothing. Of 27 neighbours in space each hides some of all others.
    """
    empty = isl.UnionMap.empty(reads.get_space())
    try:
        with operation_limit(reads.get_ctx(), MAX_INPUT_OPERATIONS):
            return compute_flow(reads, reads, empty, order).pairs
    except (LimitError, isl.Error) as error:  # a copy cut short has another text
        _log.debug("no input dependences: %s", error)
        return empty


def _accesses_of(scop: Scop, array: str, kind: str) -> isl.UnionMap:
    found = [
        a.relation
        for _, a in scop.iter_accesses()
        if a.array == array and a.kind == kind
    ]
    return union_of_maps(found).intersect_domain(scop.domain)


def _backwards(order: isl.UnionMap) -> isl.UnionMap:
    """Instances to times, the last one first."""
    return union_of_maps([m.neg() for m in list_maps(order)])


def _split(
    kind: DependenceKind, array: str, relation: isl.UnionMap
) -> list[Dependence]:
    found = []
    for piece in list_maps(relation.coalesce()):
        if not piece.is_empty():
            source, sink = map_names(piece)
            found.append(Dependence(kind, array, source, sink, piece))
    return found
