"""Rows of sparse matrices: ranges between neighbours of an array.

``for (k = row[i]; k < row[i + 1]; k++) val[k] *= d[i];`` writes elements between two
neighbours of ``row``. Where ``row`` never falls, such ranges of different ``i`` have
nothing in common, and the iterations of ``i`` are independent. Whether it falls is
asked before generated code runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import islpy as isl

from polysched.analysis.operands import load_relations
from polysched.base import AnalysisError
from polysched.ir import (
    Action,
    Binary,
    Const,
    Element,
    Expr,
    InOrder,
    Let,
    Load,
    Local,
    Repeat,
    Scop,
    Statement,
    inner_actions,
    own_expressions,
    walk,
)
from polysched.sets import n_dims


@dataclass(frozen=True, eq=False)
class DataRow:
    """Where a statement touches an array: between two neighbours of another one.

    Attributes
    ----------
    pointers : str
        The array whose neighbours are the first element and the one behind the last.
    place : isl.Map
        Instances to the subscript of the first of the two.
    """

    pointers: str
    place: isl.Map


def take_in_order(scop: Scop) -> Scop:
    """Take arrays to be in order where that makes rows of data independent.

    Parameters
    ----------
    scop : Scop
        Any SCoP.

    Returns
    -------
    Scop
        The same, with `Scop.in_order` for arrays between whose neighbours statements
        write, in ranges that begin at all subscripts from one to another. None for a
        SCoP without the original text, which runs where an array is not in order.
    """
    if scop.region is None:
        return scop
    found: dict[str, list[isl.Set]] = {}
    wanted: set[str] = set()
    for array in scop.arrays:
        for name, row in find_data_rows(scop, array.name).items():
            places = row.place.range().reset_tuple_id()
            found.setdefault(row.pointers, []).append(places)
            if any(a.array == array.name for a in scop.statement(name).writes):
                wanted.add(row.pointers)
    facts = []
    for pointers in sorted(wanted):
        places = found[pointers][0]
        for other in found[pointers][1:]:
            places = places.union(other)
        places = places.coalesce()
        if _is_range(places):
            facts.append(InOrder(pointers, places))
    return replace(scop, in_order=tuple(facts)) if facts else scop


def find_data_rows(scop: Scop, array: str) -> Mapping[str, DataRow]:
    """Statements that touch an array in rows of data only, and in which.

    Parameters
    ----------
    scop : Scop
        Any SCoP.
    array : str
        Whose accesses are asked about.

    Returns
    -------
    mapping of str to DataRow
        By statement name. The array that rows begin in is never written.
    """
    written = {a.array for _, a in scop.iter_accesses() if a.is_write}
    found = {}
    for s in scop.statements:
        if s.has_data_loops and any(a.array == array for a in s.accesses):
            row = _row_of(scop, s, array)
            if row is not None and row.pointers not in written:
                found[s.name] = row
    return found


def same_rows(scop: Scop, array: str) -> isl.UnionMap | None:
    """Pairs of instances that may touch a common element of an array.

    None where all pairs may, because nothing is known to be in order.
    """
    known = {fact.array for fact in scop.in_order}
    rows = find_data_rows(scop, array) if known else {}
    rows = {name: row for name, row in rows.items() if row.pointers in known}
    if not rows:
        return None
    pairs = isl.UnionMap("{ }")
    users = [s for s in scop.statements if any(a.array == array for a in s.accesses)]
    for one in users:
        for other in users:
            a, b = rows.get(one.name), rows.get(other.name)
            if a is not None and b is not None and a.pointers == b.pointers:
                pair = a.place.apply_range(b.place.reverse())
            else:
                pair = isl.Map.from_domain_and_range(one.domain, other.domain)
            pairs = pairs.union(isl.UnionMap.from_map(pair))
    return pairs


def _is_range(places: isl.Set) -> bool:
    """Whether a set of subscripts has no gap."""
    hull = places.remove_divs().convex_hull().remove_divs()
    return bool(isl.Set.from_basic_set(hull).is_subset(places))


def _row_of(scop: Scop, s: Statement, array: str) -> DataRow | None:
    """The one row in which a statement touches an array."""
    loops = [a for a in s.body if isinstance(a, Repeat)]
    inside = [a for loop in loops for a in _mentions(loop, array)]
    if len(inside) != sum(1 for a in s.body for _ in _mentions(a, array)):
        return None
    found = None
    for loop in loops:
        elements = list(_mentions(loop, array))
        if not elements:
            continue
        header = _header(loop, _constants(s))
        if header is None:
            return None
        k, first, end = header
        if any(e.subscripts[:1] != (k,) for e in elements) or k.type != first.type:
            return None
        row = _neighbours(scop, s, first, end)
        if row is None or (found is not None and not _is_same(found, row)):
            return None
        found = row
    return found


def _is_same(one: DataRow, other: DataRow) -> bool:
    return one.pointers == other.pointers and bool(one.place.is_equal(other.place))


def _header(
    loop: Repeat, constants: Mapping[Local, Expr]
) -> tuple[Local, Load, Load] | None:
    """Counter, first value and end of a loop that counts up to an element."""
    match loop:
        case Repeat(
            cond=Binary("<", Local() as k, end),
            start=(Let(start, "=", first),),
            step=(Let(stepped, "+=", Const(1)),),
            asks_first=True,
        ) if k == start == stepped and not _changes(k, loop.body):
            bounds = [
                constants.get(e, e) if isinstance(e, Local) else e for e in (first, end)
            ]
            match bounds:
                case [Load() as low, Load() as high]:
                    return k, low, high
    return None


def _constants(s: Statement) -> dict[Local, Expr]:
    """Variables of an instance that get one value, with that value."""
    lets = list(_lets(s.body))
    known = {
        a.local: a.value
        for a in s.body
        if isinstance(a, Let) and a.is_new and a.value is not None and a.op == "="
    }
    return {
        local: value
        for local, value in known.items()
        if sum(a.local == local for a in lets) == 1 and value.dtype == local.type
    }


def _lets(actions: tuple[Action, ...]) -> Iterator[Let]:
    """What gives variables a value, at any depth."""
    for action in actions:
        if isinstance(action, Let):
            yield action
        yield from _lets(inner_actions(action))


def _changes(k: Local, actions: tuple[Action, ...]) -> bool:
    """Whether something gives a variable a value."""
    return any(a.local == k for a in _lets(actions))


def _neighbours(scop: Scop, s: Statement, first: Load, end: Load) -> DataRow | None:
    """The row from an element to the one behind it."""
    array = scop.array(first.array)
    is_plain = len(first.subscripts) == 1 and not array.n_expanded and not array.view
    if first.array != end.array or not is_plain or array.type.is_float:
        return None
    try:
        ((_, low),) = load_relations(scop, first, s.iterators, s.name)
        ((_, high),) = load_relations(scop, end, s.iterators, s.name)
    except (AnalysisError, ValueError):
        return None
    if n_dims(low.range()) != 1:
        return None
    low, high = (m.intersect_domain(s.domain) for m in (low, high))
    step = isl.Map(f"{{ {first.array}[p] -> {first.array}[p + 1] }}")
    return DataRow(first.array, low) if low.apply_range(step).is_equal(high) else None


def _mentions(action: Action, array: str) -> Iterator[Element]:
    """The elements of an array in an action, and in those inside of it."""
    for top in own_expressions(action):
        for e in walk(top):
            if isinstance(e, Element) and e.array == array:
                yield e
    for inner in inner_actions(action):
        yield from _mentions(inner, array)
