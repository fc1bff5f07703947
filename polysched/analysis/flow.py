"""Who reads whose values: isl's dataflow analysis, and a second way where it fails."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import islpy as isl

from polysched.base import LimitError, check_time
from polysched.sets import list_basic_maps, list_maps, operation_limit

MANY_ACCESSES = 8
ACCESS_OPERATIONS = 1_000_000  # for the flow to one access, two or three seconds
TOTAL_OPERATIONS = 8_000_000
MIN_OPERATIONS = 100_000  # most accesses need less

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Flow:
    """What reaches the sinks of an access relation.

    Attributes
    ----------
    pairs : isl.UnionMap
        Source instance to sink instance: the last certain source of each element
        before the sink, and the possible sources after that one.
    exposed : isl.UnionMap
        Sink instance to those of its elements that no certain source comes before.
    """

    pairs: isl.UnionMap
    exposed: isl.UnionMap


class FlowBudget:
    """How many operations of isl are spent on exact flow, over several calls.

    Parameters
    ----------
    total : int
        Of all calls; behind it each has only `MIN_OPERATIONS`.

    Attributes
    ----------
    is_hard : bool
        Whether an access to the array of now took too long, so that the others of it
        have only `MIN_OPERATIONS`, too.
    """

    def __init__(self, total: int = TOTAL_OPERATIONS) -> None:
        self._left = total
        self.is_hard = False

    def start_array(self) -> None:
        """What follows is of another array."""
        self.is_hard = False

    @property
    def next(self) -> int:
        """Of the next access."""
        left = 0 if self.is_hard else min(self._left, ACCESS_OPERATIONS)
        return max(MIN_OPERATIONS, left)

    def spend(self, n_operations: int) -> None:
        """Note what an access took in vain."""
        self._left -= n_operations
        self.is_hard = True


def compute_flow(
    sinks: isl.UnionMap,
    must: isl.UnionMap,
    may: isl.UnionMap,
    order: isl.UnionMap,
    budget: FlowBudget | None = None,
) -> Flow:
    """Value-based flow between accesses, exact for affine ones [1]_.

    Parameters
    ----------
    sinks, must, may : isl.UnionMap
        Instances to elements: the accesses of interest, certain and possible sources.
    order : isl.UnionMap
        Instances to time.
    budget : FlowBudget, optional
        For an access that would take more, all sources that come before are its
        sources, and all its elements are exposed.

    Returns
    -------
    Flow

    Raises
    ------
    isl.Error
        When an operation limit in force is exceeded.

    References
    ----------
    .. [1] Feautrier, "Dataflow analysis of array and scalar references", IJPP 1991.
    """
    accesses = split_accesses(sinks)
    pairs = exposed = isl.UnionMap.empty(sinks.get_space())
    for access in accesses:
        found = _flow_within(budget, access, must, may, order)
        pairs, exposed = pairs.union(found.pairs), exposed.union(found.exposed)
    if len(accesses) == 1:
        return Flow(pairs, exposed)
    return Flow(pairs.coalesce(), exposed.coalesce())


def _flow_within(
    budget: FlowBudget | None,
    sinks: isl.UnionMap,
    must: isl.UnionMap,
    may: isl.UnionMap,
    order: isl.UnionMap,
) -> Flow:
    """The flow to an access, or more where that takes too long."""
    if budget is None:
        return _flow_to(sinks, must, may, order)
    limit, context = budget.next, sinks.get_ctx()
    if 0 < context.get_max_operations() <= limit:
        return _flow_to(sinks, must, may, order)
    try:
        with operation_limit(context, limit):
            return _flow_to(sinks, must, may, order)
    except LimitError:
        budget.spend(limit)
        _log.info("not all sources are exact of %s", sinks)
        return _all_before(sinks, must.union(may), order)


def _all_before(
    sinks: isl.UnionMap, sources: isl.UnionMap, order: isl.UnionMap
) -> Flow:
    """Pairs that meet in an element, in their order, whatever is written between."""
    pairs = _meeting(sources, sinks.range()).apply_range(sinks.reverse())
    among = pairs.domain().union(pairs.range())
    order = order.intersect_domain(among.universe())
    return Flow(pairs.intersect(order.lex_lt_union_map(order)), sinks)


def split_accesses(accesses: isl.UnionMap) -> list[isl.UnionMap]:
    """Many accesses one by one, a few as they are.

    Isl compares all that one statement reads with each other: of a point and 24
    neighbours in space, in one of two buffers, for 19 seconds, and 25 times for 0.1.
    """
    pieces = [p for m in list_maps(accesses) for p in list_basic_maps(m)]
    if len(pieces) <= MANY_ACCESSES:
        return [accesses]
    return [isl.UnionMap.from_basic_map(p) for p in pieces]


def _flow_to(
    sinks: isl.UnionMap, must: isl.UnionMap, may: isl.UnionMap, order: isl.UnionMap
) -> Flow:
    whole = _ask_isl(sinks, must, may, order)
    if whole is not None:
        return whole
    pairs = exposed = isl.UnionMap.empty(sinks.get_space())
    for relation in list_maps(sinks):
        for piece in list_basic_maps(relation.make_disjoint()):
            part = isl.UnionMap.from_basic_map(piece)
            found = _ask_isl(part, must, may, order)
            if found is None:
                found = subtract_overwritten(part, must, may, order)
            pairs, exposed = pairs.union(found.pairs), exposed.union(found.exposed)
    return Flow(pairs.coalesce(), exposed.coalesce())


def _ask_isl(
    sinks: isl.UnionMap, must: isl.UnionMap, may: isl.UnionMap, order: isl.UnionMap
) -> Flow | None:
    """The flow by isl, or None where it fails.

    Seen: "affine expression involves some of the domain dimensions", where a guard is a
    union of two parities.
    """
    check_time()
    touched = sinks.range()
    must, may = _meeting(must, touched), _meeting(may, touched)
    sources = must.union(may)
    if sources.is_empty():
        return Flow(sources, sinks)
    # isl looks at all of the order each time, however few statements there are
    order = order.intersect_domain(sources.union(sinks).domain().universe())
    info = isl.UnionAccessInfo.from_sink(sinks).set_must_source(must)
    try:
        found = info.set_may_source(may).set_schedule_map(order).compute_flow()
    except isl.Error as error:
        if "operations" in str(error):
            raise
        return None
    return Flow(found.get_may_dependence(), found.get_may_no_source())


def _meeting(accesses: isl.UnionMap, elements: isl.UnionSet) -> isl.UnionMap:
    """The maps that touch some of these elements, whole."""
    found = isl.UnionMap.empty(accesses.get_space())
    for relation in list_maps(accesses):
        part = isl.UnionMap.from_map(relation)
        if not part.range().is_disjoint(elements):
            found = found.union(part)
    return found


def subtract_overwritten(
    sinks: isl.UnionMap, must: isl.UnionMap, may: isl.UnionMap, order: isl.UnionMap
) -> Flow:
    """`compute_flow` by relation algebra: all pairs, less those with a write between.

    Slower than isl's way, which asks for a lexicographic maximum instead.
    """
    sources = must.union(may)
    time = sources.union(sinks).domain_map().apply_range(order)
    before = time.lex_lt_union_map(time)

    def pairs(first: isl.UnionMap, second: isl.UnionMap) -> isl.UnionMap:
        """Accesses ``[instance -> element]`` of one element, the first one earlier."""
        same = first.range_map().apply_range(second.range_map().reverse())
        return same.intersect(before).coalesce()

    certain = pairs(must, sinks)
    overwritten = pairs(sources, must).apply_range(certain).coalesce()
    live = pairs(sources, sinks).subtract(overwritten)
    exposed = sinks.wrap().subtract(certain.range())
    return Flow(live.factor_domain(), exposed.unwrap())
