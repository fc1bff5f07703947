"""Liveness of arrays: whose values come from outside, and whose are read there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

import islpy as isl

from polysched.analysis.flow import Flow, FlowBudget, compute_flow
from polysched.ir import (
    AccessKind,
    Action,
    Array,
    Assign,
    Element,
    Expr,
    Guard,
    Load,
    Scop,
    Statement,
    inner_actions,
    original_order,
    own_expressions,
    walk,
)
from polysched.sets import list_maps, map_names, union_of_maps


def infer_liveness(scop: Scop) -> Scop:
    """The same SCoP, with liveness cleared where no value comes in or is wanted.

    `live_in` is cleared where every read has a source inside, and `live_out` of a
    `confined` array then, too, if its values end up in an array that somebody else may
    read. A program whose results nobody reads keeps them all.

    Exact for affine accesses: a read needs no value from outside when, for every
    instance, a certain write of the same element comes before it. May-writes never
    count as a source; reads that the statement itself has satisfied before, in the
    order of its actions, need none.

    Parameters
    ----------
    scop : Scop
        Its arrays may have `live_in` set where nobody knew better.

    Returns
    -------
    Scop
        Only `live_in` and `live_out` flags differ, and only from True to False.
    """
    needed = {
        map_names(m)[1] for m in list_maps(exposed_reads(scop)) if not m.is_empty()
    }
    feeding = _arrays_feeding_others(scop)
    return replace(scop, arrays=tuple(_settle(a, needed, feeding) for a in scop.arrays))


def _settle(array: Array, needed: set[str], feeding: set[str]) -> Array:
    """The array with the flags that it deserves."""
    live_in = array.live_in and array.name in needed
    is_dead = array.confined and not live_in and array.name in feeding
    return replace(array, live_in=live_in, live_out=array.live_out and not is_dead)


def _arrays_feeding_others(scop: Scop) -> set[str]:
    """Arrays whose values end up in one that is read elsewhere."""
    feeds: dict[str, set[str]] = {}  # what an array is made from
    for s in scop.statements:
        for w in s.writes:
            feeds.setdefault(w.array, set()).update(a.array for a in s.reads)
    results = {a.name for a in scop.arrays if a.live_out and not a.confined}
    # not by networkx: it takes 0.2 s to load, and measuring children load this room
    found: set[str] = set()
    todo = list(results)
    while todo:
        more = feeds.get(todo.pop(), set()) - found
        found |= more
        todo += more
    return found - results


def drop_dead_statements(scop: Scop) -> Scop:
    """The SCoP without statements whose values nobody reads.

    ``row = np.zeros(n)`` ahead of loops that begin with ``row[:] = 0`` writes such
    values; left alone it would share loops with statements that matter.

    Parameters
    ----------
    scop : Scop
        With liveness inferred.

    Returns
    -------
    Scop
        Results are the same. Where nobody reads anything, all statements stay.
    """
    useful = _useful_statements(scop)
    return replace(scop, statements=useful) if useful else scop


def _useful_statements(scop: Scop) -> tuple[Statement, ...]:
    """Statements that write what is live, or what one of these reads, and so on."""
    private = {a.name for a in scop.arrays if not a.live_out}
    found = {
        s.name for s in scop.statements if any(a.array not in private for a in s.writes)
    }
    if len(found) == len(scop.statements):
        return scop.statements
    sources: dict[str, set[str]] = {}
    for pair in list_maps(value_flow(scop).pairs):
        source, sink = map_names(pair)
        sources.setdefault(sink, set()).add(source)
    todo = list(found)
    while todo:
        more = sources.get(todo.pop(), set()) - found
        found |= more
        todo += more
    return tuple(s for s in scop.statements if s.name in found)


def exposed_reads(scop: Scop) -> isl.UnionMap:
    """Instances and the elements they read whose values come from before the SCoP."""
    return value_flow(scop).exposed


def value_flow(scop: Scop) -> Flow:
    """Value-based flow of all arrays at once.

    Reads of a statement's own earlier writes are left out: instances are the finest
    grain that a schedule orders.
    """
    users: dict[str, list[Statement]] = {a.name: [] for a in scop.arrays}
    for statement in scop.statements:
        for name in {a.array for a in statement.accesses}:
            users[name].append(statement)
    context = scop.context.params()
    found = [_flow_through(a, tuple(among), context) for a, among in users.items()]
    return Flow(
        union_of_maps([m for f in found for m in list_maps(f.pairs)]).coalesce(),
        union_of_maps([m for f in found for m in list_maps(f.exposed)]),
    )


@lru_cache(maxsize=1024)
def _flow_through(array: str, among: tuple[Statement, ...], context: isl.Set) -> Flow:
    """The flow through one array, of the statements that access it.

    Kept, as most statements stay what they are from one pass to the next.
    """

    def accesses(statement: Statement, kind: AccessKind) -> list[isl.Map]:
        return [
            a.relation.intersect_domain(statement.domain).intersect_params(context)
            for a in statement.accesses
            if a.array == array and a.kind == kind
        ]

    readers = [s for s in among if array not in satisfied_inside(s)]
    sinks = union_of_maps([m for s in readers for m in accesses(s, "read")])
    must = union_of_maps([m for s in among for m in accesses(s, "must_write")])
    may = union_of_maps([m for s in among for m in accesses(s, "may_write")])
    if sinks.is_empty():
        return Flow(sinks, sinks)
    return compute_flow(sinks, must, may, original_order(among), FlowBudget())


def satisfied_inside(statement: Statement) -> frozenset[str]:
    """Arrays whose every read in a statement follows a write of the same instance.

    Only writes that happen whenever the read does count, with equal subscripts.
    """
    exposed: set[str] = set()
    read: set[str] = set()

    def visit(actions: Iterable[Action], written: frozenset[Load]) -> frozenset[Load]:
        for action in actions:
            match action:
                case Guard(cond, then, other):
                    note((cond,), written)
                    written = visit(then, written) & visit(other, written)
                case Assign(target, op, value):
                    note((*target.subscripts, value), written)
                    if op != "=":
                        note((target,), written)
                    written |= {target}
                case _:  # what a loop writes may not happen
                    note(own_expressions(action), written)
                    visit(inner_actions(action), written)
        return written

    def note(expressions: Iterable[Expr], written: frozenset[Load]) -> None:
        for expr in expressions:
            for load in walk(expr):
                if isinstance(load, Element):
                    read.add(load.array)
                    if load not in written:
                        exposed.add(load.array)

    visit(statement.body, frozenset())
    return frozenset(read - exposed)
