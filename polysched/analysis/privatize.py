"""Liveness of arrays, and expansion of private scalars and small arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import islpy as isl

from polysched.analysis.flow import Flow, compute_flow
from polysched.ir import (
    Access,
    Action,
    Array,
    Const,
    Expr,
    Guard,
    Iter,
    Load,
    Scop,
    Statement,
    action_expressions,
    map_action,
    map_expr,
    original_tree,
    walk,
)
from polysched.sets import list_maps, map_names, read_map, union_of_maps

MAX_PRIVATE_ELEMENTS = 4096  # what one iteration may keep on the stack


def infer_liveness(scop: Scop) -> Scop:
    """The same SCoP, with `live_in` cleared where every read has a source inside.

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
        Only `live_in` flags differ, and only from True to False.
    """
    needed = {
        map_names(m)[1] for m in list_maps(exposed_reads(scop)) if not m.is_empty()
    }
    arrays = tuple(
        replace(a, live_in=a.live_in and a.name in needed) for a in scop.arrays
    )
    return replace(scop, arrays=arrays)


def exposed_reads(scop: Scop) -> isl.UnionMap:
    """Instances and the elements they read whose values come from before the SCoP."""
    return _flow(scop).exposed


def privatize(scop: Scop) -> Scop:
    """Give every private scalar and small array one copy per iteration.

    A private array is split into webs: groups of statements that no value connects.
    Each web becomes an array of its own (``w``, ``w_2``, ...) and is expanded over the
    largest number of common outer loops such that every value is written and read in
    the same iteration of these loops [1]_. Results do not change, since each read still
    finds the value of the same write.

    Parameters
    ----------
    scop : Scop
        With liveness inferred, see `infer_liveness`.

    Returns
    -------
    Scop
        Loads, access relations and arrays are rewritten. Private are arrays with
        neither `live_in` nor `live_out`; arrays (not scalars) are expanded only when
        they have a known size of at most `MAX_PRIVATE_ELEMENTS` elements. Arrays in
        static storage stay as they are.

    References
    ----------
    .. [1] Feautrier, "Array expansion", ICS 1988.
    """
    chosen = [a for a in scop.arrays if _is_candidate(a)]
    if not chosen:
        return scop
    values = _flow(scop).pairs
    by_array = {a.name: _flow_of(scop, a.name, values) for a in chosen}
    taken = _names_in_use(scop)
    webs = [
        web
        for array in chosen
        for web in _split(scop, array, by_array[array.name], taken)
    ]
    return _rewrite(scop, webs) if webs else scop


@dataclass(frozen=True)
class _Web:
    """Statements that share values of one array, and how far to expand it."""

    old: Array
    name: str
    statements: frozenset[str]
    n_expanded: int


def _is_candidate(array: Array) -> bool:
    if not array.is_private or array.storage in ("global", "static"):
        return False
    size = 1
    for extent in array.extents:
        if not isinstance(extent, Const):
            return False
        size *= int(extent.value)
    return size <= MAX_PRIVATE_ELEMENTS


def _names_in_use(scop: Scop) -> set[str]:
    names = {a.name for a in scop.arrays} | {a.source_name for a in scop.arrays}
    names |= {p.name for p in scop.parameters}
    for s in scop.statements:
        names |= {s.name, *s.iterators}
    return names


def _flow(scop: Scop) -> Flow:
    """Value-based flow of all arrays at once.

    Reads of a statement's own earlier writes are left out: instances are the finest
    grain that a schedule orders.
    """
    reads = []
    for statement in scop.statements:
        inner = satisfied_inside(statement)
        reads += [a.relation for a in statement.reads if a.array not in inner]
    sinks = union_of_maps(reads).intersect_domain(scop.domain)
    may = scop.access_relation("may_write")
    return compute_flow(sinks, scop.must_writes, may, original_tree(scop).map)


def satisfied_inside(statement: Statement) -> frozenset[str]:
    """Arrays whose every read in a statement follows a write of the same instance.

    Only writes that happen whenever the read does count, with equal subscripts.
    """
    exposed: set[str] = set()
    read: set[str] = set()

    def visit(actions: Iterable[Action], written: frozenset[Load]) -> frozenset[Load]:
        for action in actions:
            if isinstance(action, Guard):
                note((action.cond,), written)
                then = visit(action.then, written)
                written = then & visit(action.other, written)
                continue
            note(action.target.subscripts, written)
            note((action.value,), written)
            if action.op != "=":
                note((action.target,), written)
            written |= {action.target}
        return written

    def note(expressions: Iterable[Expr], written: frozenset[Load]) -> None:
        for expr in expressions:
            for load in walk(expr):
                if isinstance(load, Load):
                    read.add(load.array)
                    if load not in written:
                        exposed.add(load.array)

    visit(statement.body, frozenset())
    return frozenset(read - exposed)


def _flow_of(scop: Scop, array: str, flow: isl.UnionMap) -> list[isl.Map]:
    """Value flow that may pass through one array, as maps between statements."""

    def accesses(write: bool) -> isl.UnionMap:
        found = [
            a.relation
            for s, a in scop.iter_accesses()
            if a.array == array
            and a.is_write == write
            and (write or array not in satisfied_inside(s))
        ]
        return union_of_maps(found).intersect_domain(scop.domain)

    through = accesses(True).apply_range(accesses(False).reverse())
    return [m for m in list_maps(flow.intersect(through)) if not m.is_empty()]


def _split(
    scop: Scop, array: Array, flow: list[isl.Map], taken: set[str]
) -> list[_Web]:
    """The webs of one array; those without common loops stay together as one."""
    users = [
        s for s in scop.statements if any(a.array == array.name for a in s.accesses)
    ]
    groups = _components([s.name for s in users], [map_names(m) for m in flow])
    depths = {g: _common_depth(scop, array, g, flow) for g in groups}
    flat = [g for g in groups if depths[g] == array.n_expanded]
    webs: list[_Web] = []
    if len(flat) == len(groups):
        return webs
    if flat:
        merged = frozenset[str]().union(*flat)
        webs.append(_Web(array, array.name, merged, array.n_expanded))
    for group in groups:
        if depths[group] > array.n_expanded:
            name = _fresh(array.name, taken) if webs else array.name
            webs.append(_Web(array, name, group, depths[group]))
    return webs


def _components(names: list[str], edges: list[tuple[str, str]]) -> list[frozenset[str]]:
    """Connected components, in the order of their first member."""
    group = {n: {n} for n in names}
    for a, b in edges:
        if group[a] is not group[b]:
            group[a] |= group[b]
            for member in group[b]:
                group[member] = group[a]
    found: list[frozenset[str]] = []
    for n in names:
        component = frozenset(group[n])
        if component not in found:
            found.append(component)
    return found


def _common_depth(
    scop: Scop, array: Array, group: frozenset[str], flow: list[isl.Map]
) -> int:
    """The most outer loops that every value of a web stays within one iteration of."""
    members = [scop.statement(n) for n in group]
    depth = min(s.n_loops for s in members)
    while len({s.position[:depth] for s in members}) > 1:
        depth -= 1
    for relation in flow:
        if map_names(relation)[0] in group:
            depth = min(depth, _equal_prefix(relation, depth))
    return max(depth, array.n_expanded)


def _equal_prefix(relation: isl.Map, depth: int) -> int:
    """How many leading dimensions, at most `depth`, all pairs agree in."""
    for k in range(depth):
        equal = isl.Map.universe(relation.get_space()).equate(
            isl.dim_type.in_, k, isl.dim_type.out, k
        )
        if not relation.is_subset(equal):
            return k
    return depth


def _fresh(name: str, taken: set[str]) -> str:
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    taken.add(f"{name}_{number}")
    return f"{name}_{number}"


def _rewrite(scop: Scop, webs: list[_Web]) -> Scop:
    """The SCoP with every web as an array of its own."""
    arrays: list[Array] = []
    for array in scop.arrays:
        parts = [w for w in webs if w.old.name == array.name]
        arrays += [_expanded_array(w) for w in parts] or [array]
    statements = tuple(
        _rewrite_statement(s, {w.old.name: w for w in webs if s.name in w.statements})
        for s in scop.statements
    )
    return replace(scop, statements=statements, arrays=tuple(arrays))


def _expanded_array(web: _Web) -> Array:
    c_name = web.old.source_name if web.name != web.old.source_name else ""
    return replace(web.old, name=web.name, n_expanded=web.n_expanded, c_name=c_name)


def _rewrite_statement(statement: Statement, webs: Mapping[str, _Web]) -> Statement:
    if not webs:
        return statement
    iterators = {e.name: e for e in _iterators_used(statement)}

    def expand(expr: Expr) -> Expr | None:
        if not isinstance(expr, Load) or expr.array not in webs:
            return None
        web = webs[expr.array]
        added = tuple(
            iterators.get(n, Iter(n)) for n in statement.iterators[: web.n_expanded]
        )
        inner = expr.subscripts[web.old.n_expanded :]
        kept = tuple(map_expr(s, expand) for s in inner)
        return Load(web.name, added + kept, expr.type)

    return replace(
        statement,
        body=tuple(map_action(a, expand) for a in statement.body),
        accesses=tuple(
            _expand_access(statement, a, webs[a.array]) if a.array in webs else a
            for a in statement.accesses
        ),
    )


def _iterators_used(statement: Statement) -> list[Iter]:
    return [
        e
        for action in statement.body
        for top in action_expressions(action)
        for e in walk(top)
        if isinstance(e, Iter)
    ]


def _expand_access(statement: Statement, access: Access, web: _Web) -> Access:
    relation = access.relation.project_out(isl.dim_type.out, 0, web.old.n_expanded)
    names = ", ".join(statement.iterators)
    leading = ", ".join(statement.iterators[: web.n_expanded])
    prefix = read_map(f"{{ {statement.name}[{names}] -> [{leading}] }}")
    relation = prefix.flat_range_product(relation.reset_tuple_id(isl.dim_type.out))
    relation = relation.set_tuple_name(isl.dim_type.out, web.name)
    return replace(access, array=web.name, relation=relation)
