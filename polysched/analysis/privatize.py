"""Expansion of private scalars and small arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import prod

import islpy as isl

from polysched.analysis.liveness import satisfied_inside, value_flow
from polysched.ir import (
    Access,
    Array,
    Const,
    Expr,
    Iter,
    Load,
    Scop,
    Statement,
    action_expressions,
    map_action,
    map_expr,
    walk,
)
from polysched.sets import list_maps, map_names, read_map, union_of_maps

MAX_PRIVATE_ELEMENTS = 4096  # what one iteration may keep on the stack


def privatize(scop: Scop, large: frozenset[str] = frozenset()) -> Scop:
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
    large : frozenset of str
        Arrays that are expanded whatever their size.

    Returns
    -------
    Scop
        Loads, access relations and arrays are rewritten. Private are arrays with
        neither `live_in` nor `live_out`; a copy has the subscripts that the loops do
        not fix, and arrays are expanded only when it has a known size of at most
        `MAX_PRIVATE_ELEMENTS` elements, or is one row of a length known at run time.

    References
    ----------
    .. [1] Feautrier, "Array expansion", ICS 1988.
    """
    chosen = [
        a for a in scop.arrays
        if a.is_private and not a.pitches and a.name not in scop.looked_up
    ]  # fmt: skip
    if not chosen:
        return scop
    values = value_flow(scop).pairs
    by_array = {a.name: flow_through(scop, a.name, values) for a in chosen}
    taken = names_in_use(scop)
    webs = [
        web
        for array in chosen
        for web in _split(
            scop, array, by_array[array.name], taken, is_large=array.name in large
        )
    ]
    return _rewrite(scop, webs) if webs else scop


@dataclass(frozen=True)
class _Web:
    """Statements that share values of one array, and how far to expand it.

    Of the array's own subscripts those in `kept` are left; the others are functions of
    the loops that it is expanded over.
    """

    old: Array
    name: str
    statements: frozenset[str]
    n_expanded: int
    kept: tuple[int, ...] = ()


def is_small(array: Array, kept: Sequence[int]) -> bool:
    """Whether a copy with some of the array's subscripts is small, or a single row."""
    extents = [array.extents[position] for position in kept]
    if None in extents:
        return False
    sizes = [int(e.value) for e in extents if isinstance(e, Const)]
    if len(sizes) < len(extents):  # a row is small beside what loops over it compute
        return len(extents) == 1
    return prod(sizes) <= MAX_PRIVATE_ELEMENTS


def names_in_use(scop: Scop) -> set[str]:
    """Names of arrays, parameters, statements and iterators."""
    names = {a.name for a in scop.arrays} | {a.source_name for a in scop.arrays}
    names |= {p.name for p in scop.parameters}
    for s in scop.statements:
        names |= {s.name, *s.iterators}
    return names


def flow_through(scop: Scop, array: str, flow: isl.UnionMap) -> list[isl.Map]:
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
    scop: Scop, array: Array, flow: list[isl.Map], taken: set[str], *, is_large: bool
) -> list[_Web]:
    """The webs of one array; those without common loops stay together as one."""
    users = [
        s for s in scop.statements if any(a.array == array.name for a in s.accesses)
    ]
    groups = connected([s.name for s in users], [map_names(m) for m in flow])
    depths = {g: common_depth(scop, array, g, flow) for g in groups}
    kept = {g: kept_subscripts(scop, array, g, depths[g]) for g in groups}
    for g in groups:
        if not is_large and not is_small(array, kept[g]):
            depths[g] = array.n_expanded
    flat = [g for g in groups if depths[g] == array.n_expanded]
    webs: list[_Web] = []
    if len(flat) == len(groups):
        return webs
    if flat:
        merged = frozenset[str]().union(*flat)
        everything = tuple(range(len(array.extents)))
        webs.append(_Web(array, array.name, merged, array.n_expanded, everything))
    for group in groups:
        if depths[group] > array.n_expanded:
            name = _fresh(array.name, taken) if webs else array.name
            webs.append(_Web(array, name, group, depths[group], kept[group]))
    return webs


def connected(
    names: Sequence[str], edges: Iterable[tuple[str, str]]
) -> list[frozenset[str]]:
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


def common_depth(
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


def kept_subscripts(
    scop: Scop, array: Array, group: frozenset[str], depth: int
) -> tuple[int, ...]:
    """Positions of the array's own subscripts that `depth` outer loops do not fix."""
    accesses = [
        a.relation.intersect_domain(s.domain)
        for s, a in scop.iter_accesses()
        if a.array == array.name and s.name in group
    ]
    kept = []
    for position in range(len(array.extents)):
        seen = [
            _prefix_to_subscript(a, depth, array.n_expanded + position)
            for a in accesses
        ]
        if not reduce(isl.Map.union, seen).is_single_valued():
            kept.append(position)
    return tuple(kept)


def _prefix_to_subscript(access: isl.Map, depth: int, position: int) -> isl.Map:
    """Values of the outer loops to the values of one subscript."""
    n_in, n_out = access.dim(isl.dim_type.in_), access.dim(isl.dim_type.out)
    access = access.project_out(isl.dim_type.out, position + 1, n_out - position - 1)
    access = access.project_out(isl.dim_type.out, 0, position)
    access = access.project_out(isl.dim_type.in_, depth, n_in - depth)
    return access.reset_tuple_id(isl.dim_type.in_)


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
    extents = tuple(web.old.extents[k] for k in web.kept)
    return replace(
        web.old,
        name=web.name,
        extents=extents,
        n_expanded=web.n_expanded,
        c_name=c_name,
    )


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
        kept = tuple(map_expr(inner[k], expand) for k in web.kept)
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
    relation = access.relation
    n = relation.dim(isl.dim_type.out)
    kept = {web.old.n_expanded + k for k in web.kept}
    for position in reversed([k for k in range(n) if k not in kept]):
        relation = relation.project_out(isl.dim_type.out, position, 1)
    names = ", ".join(statement.iterators)
    leading = ", ".join(statement.iterators[: web.n_expanded])
    prefix = read_map(f"{{ {statement.name}[{names}] -> [{leading}] }}")
    relation = prefix.flat_range_product(relation.reset_tuple_id(isl.dim_type.out))
    relation = relation.set_tuple_name(isl.dim_type.out, web.name)
    return replace(access, array=web.name, relation=relation)
