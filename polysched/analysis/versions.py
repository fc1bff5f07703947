"""Copies of what an update in place reads of rows and columns that it changes itself.

``P[i][j] = min(P[i][j], P[i][k] + P[k][j])`` reads column ``k`` in iteration ``k`` as
it was before where ``j <= k``, and as the iteration itself leaves it where ``j > k``;
later iterations change it again. No two iterations of ``k`` can change places, then,
though the values are known long before. With a copy of each version, an update reads
nothing that is written but its own element::

    for k:                              for k:
      for i, j:                           for i: c0[k][i] = P[i][k];   likewise r0
        P[i][j] = f(P[i][j],              for i, j with i == k or j == k:  as before
                    P[i][k], P[k][j])     for i: c1[k][i] = P[i][k];   likewise r1
                                 →        for i, j < k: f(P[i][j], c0[k][i], r0[k][j])
                                          and three more, i < k < j: c1 and r0, ...
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from itertools import product

import islpy as isl

from polysched.analysis.flow import Flow, compute_flow
from polysched.analysis.operands import load_relations
from polysched.base import AnalysisError
from polysched.ir import (
    Access,
    Array,
    Assign,
    Binary,
    Const,
    Expr,
    Guard,
    Iter,
    Load,
    Param,
    Scop,
    Select,
    Statement,
    action_expressions,
    map_action,
    original_tree,
    promote,
    walk,
)
from polysched.sets import list_maps, union_of_maps

MIN_LOOPS = 3  # around an update: with two, copies are as many as updates
_IN = isl.dim_type.in_


def copy_versions(scop: Scop) -> Scop:
    """Let updates in place read copies of rows and columns that change later.

    A statement qualifies that is alone in its outermost loop, and updates one element
    for each value of the others, if it reads elements of its own array that fewer
    loops choose, and that later iterations of the outermost loop change. Results do not
    change: every read of the new statements is proven to see, through the copies, the
    value of the same instance as before, and every element is last written by the same
    one. Where that is not so, the statement stays as it is.

    Parameters
    ----------
    scop : Scop
        With private scalars in their final place.

    Returns
    -------
    Scop
        An update in place becomes one statement for the elements that it reads in the
        same iteration, and one for each combination of versions that the others read;
        copies are arrays of the SCoP's own, expanded over the outermost loop.
    """
    for statement in scop.statements:
        update = _find_update(scop, statement)
        if update is None:
            continue
        parted = _Parting(scop, update).build()
        if parted is not None:
            scop = parted
    return scop


@dataclass(frozen=True, eq=False)
class _Read:
    """An element of the array that is not the updated one.

    Attributes
    ----------
    load : Load
        As the body has it.
    relation : isl.Map
        Instances to the element.
    index : tuple of int
        The statement's iterators that choose it, besides the outermost.
    """

    load: Load
    relation: isl.Map
    index: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class _Update:
    """A statement that changes one element, and what it reads of the array besides."""

    statement: Statement
    action: Assign
    write: isl.Map
    reads: tuple[_Read, ...]


def _find_update(scop: Scop, s: Statement) -> _Update | None:
    """What a statement updates and reads, None where it is no such update."""
    is_alone = sum(o.position[0] == s.position[0] for o in scop.statements) == 1
    action = _as_assignment(s)
    if not is_alone or s.n_loops < MIN_LOOPS or action is None:
        return None
    name = action.target.array
    array = scop.array(name)
    if array.is_scalar or array.n_expanded or name in scop.looked_up:
        return None
    found = _relations(scop, s, action)
    write = found.pop(action.target, None)
    if write is None or any(r.is_equal(write) for r in found.values()):
        return None
    reads = []
    for load, relation in found.items():
        index = _index(s, load)
        is_there = load in _sure_reads(action.value) or _is_inside(array, relation)
        if index is None or not is_there:
            return None
        reads.append(_Read(load, relation, index))
    own = action.op != "=" or action.target in walk(action.value)
    update = _Update(s, action, write, tuple(reads))
    return update if own and reads and _is_in_place(update) else None


def _as_assignment(s: Statement) -> Assign | None:
    """What a statement does as one assignment; None where it is none.

    Under a condition that reads the element it is one that may leave it as it is.
    """
    match s.body:
        case (Assign() as action,):
            return action
        case (Guard(cond, (Assign(target, "=", value),), ()),):
            is_read = target in _sure_reads(cond)
            if is_read and value.dtype == promote(target.type):
                return Assign(target, "=", Select(cond, value, target))
    return None


def _sure_reads(expr: Expr) -> Iterator[Expr]:
    """What is read whatever conditions say."""
    yield expr
    match expr:
        case Select(first, _, _) | Binary("&&" | "||", first, _):
            yield from _sure_reads(first)
        case _:
            for operand in expr.operands:
                yield from _sure_reads(operand)


def _is_inside(array: Array, relation: isl.Map) -> bool:
    """Whether only elements are meant that the array is known to have."""
    sizes = []
    for extent in array.extents:
        match extent:
            case Const(int(value), _, _):
                sizes.append(str(value))
            case Param(name, _):
                sizes.append(name)
            case _:
                return False
    params = ", ".join(sorted({size for size in sizes if not size.isdigit()}))
    names = [f"d{k}" for k in range(len(sizes))]
    inside = " and ".join(
        f"0 <= {name} < {size}" for name, size in zip(names, sizes, strict=True)
    )
    box = f"[{params}] -> {{ {array.name}[{', '.join(names)}] : {inside} }}"
    return bool(relation.range().is_subset(isl.Set(box)))


def _relations(scop: Scop, s: Statement, action: Assign) -> dict[Load, isl.Map]:
    """What an assignment touches of its target's array; empty where that is unknown."""
    try:
        return {
            load: relation.intersect_domain(s.domain)
            for top in (action.target, action.value)
            for load, relation in load_relations(scop, top, s.iterators, s.name)
            if load.array == action.target.array
        }
    except AnalysisError:
        return {}


def _index(s: Statement, load: Load) -> tuple[int, ...] | None:
    """Positions of the iterators that choose an element, less the outermost.

    None where that is not among them, or all of them are.
    """
    used = {e.name for e in walk(load) if isinstance(e, Iter)}
    found = [k for k, name in enumerate(s.iterators) if name in used]
    if found[:1] != [0] or len(found) == s.n_loops:
        return None
    return tuple(found[1:])


def _is_in_place(update: _Update) -> bool:
    """Whether an iteration writes no element twice, and later ones what it has read."""
    turn = _outermost(update.statement)
    written = update.write.range_product(turn)
    if not written.is_injective():
        return False
    later = turn.lex_lt_map(turn)
    return any(
        not r.relation.apply_range(update.write.reverse()).intersect(later).is_empty()
        for r in update.reads
    )


def _outermost(s: Statement) -> isl.Map:
    """Instances to the turns of their outermost loop, counted as it runs."""
    sign = "-" if s.directions[0] < 0 else ""
    names = ", ".join(s.iterators)
    return isl.Map(f"{{ {s.name}[{names}] -> [{sign}{s.iterators[0]}] }}")


class _Version(Enum):
    """Which value of an element an instance reads, as copies have it."""

    OWN = "what the instance itself changes"
    BEFORE = "as it is before the iteration of the outermost loop"
    BEHIND = "as this iteration leaves it"


@dataclass(frozen=True, eq=False)
class _Part:
    """Some instances of an update.

    Attributes
    ----------
    statement : Statement
        With these instances alone.
    instances : isl.Set
        As those of the update.
    versions : tuple of _Version
        What it reads of each of the update's elements.
    reads : tuple of isl.Map
        Where it finds what the update read: its own element, then each of the others.
    """

    statement: Statement
    instances: isl.Set
    versions: tuple[_Version, ...]
    reads: tuple[isl.Map, ...]


class _Parting:
    """Takes an update apart into statements that read copies.

    Parameters
    ----------
    scop : Scop
        Which it is part of.
    update : _Update
        What is taken apart.
    """

    def __init__(self, scop: Scop, update: _Update) -> None:
        self._scop = scop
        self._update = update
        self._statement = update.statement
        self._turn = _outermost(update.statement)
        self._number = 1 + max(int(s.name[1:]) for s in scop.statements)
        self._taken = {a.name for a in scop.arrays}
        self._taken |= {a.source_name for a in scop.arrays}
        self._arrays: dict[tuple[int, _Version], Array] = {}

    def build(self) -> Scop | None:
        """The SCoP with the statement in parts; None where that is not the same."""
        s = self._statement
        parts = self._parts()
        ordered = self._in_order(parts)
        if not ordered:
            return None
        placed = {o.name: _at(o, s.position[0], k) for k, o in enumerate(ordered)}
        found = tuple(replace(p, statement=placed[p.statement.name]) for p in parts)
        names = {p.statement.name for p in parts}
        copies = [o for name, o in placed.items() if name not in names]
        if not _Comparison(self._scop, self._update, found, copies).is_same():
            return None
        others = (o for o in self._scop.statements if o.name != s.name)
        statements = sorted((*others, *placed.values()), key=lambda o: o.position)
        return replace(
            self._scop,
            statements=tuple(statements),
            arrays=(*self._scop.arrays, *self._arrays.values()),
        )

    def _parts(self) -> list[_Part]:
        """Instances by the versions of all that they read."""
        s = self._statement
        versions = [self._versions(read) for read in self._update.reads]
        parts: list[_Part] = []
        for chosen in product(reversed(_Version), repeat=len(versions)):
            domain = s.domain
            for known, version in zip(versions, chosen, strict=True):
                domain = domain.intersect(known[version])
            domain = domain.coalesce()
            if not domain.is_empty():
                name = self._next_name() if parts else s.name
                parts.append(self._part(name, domain, chosen))
        return parts

    def _versions(self, read: _Read) -> dict[_Version, isl.Set]:
        """The instances that read each version of an element."""
        s, write = self._statement, self._update.write
        own = read.relation.intersect(write).domain()
        sinks, sources = isl.UnionMap(read.relation), isl.UnionMap(write)
        order = original_tree(replace(self._scop, statements=(s,))).map
        flow = compute_flow(sinks, sources, isl.UnionMap("{ }"), order)
        same = isl.UnionMap(self._turn.apply_range(self._turn.reverse()))
        behind = isl.Set.empty(s.domain.get_space())
        for pairs in list_maps(flow.pairs.intersect(same)):
            behind = behind.union(pairs.range())
        behind = behind.subtract(own)
        before = s.domain.subtract(own).subtract(behind)
        return {_Version.OWN: own, _Version.BEFORE: before, _Version.BEHIND: behind}

    def _in_order(self, parts: list[_Part]) -> list[Statement]:
        """Parts, and copies of what they read, as each becomes known.

        Nothing where parts wait for each other in a circle.
        """
        numbers = range(len(self._update.reads))
        ordered = []
        for m in numbers:
            places = self._seen(parts, m, _Version.BEFORE)
            if not places.is_empty():
                ordered.append(self._copy(m, _Version.BEFORE, self._widen(m, places)))
        wanted = [self._seen(parts, m, _Version.BEHIND) for m in numbers]
        waiting = list(parts)
        while waiting:
            ready = [
                part
                for part in waiting
                if all(
                    self._seen([part], m, _Version.BEHIND).is_disjoint(wanted[m])
                    for m in numbers
                )
            ]
            ordered += [part.statement for part in ready]
            waiting = [part for part in waiting if part not in ready]
            n_before = len(ordered)
            for m in numbers:
                known = wanted[m].intersect(self._written(m, ready)).coalesce()
                if not known.is_empty():
                    ordered.append(self._copy(m, _Version.BEHIND, known))
                    wanted[m] = wanted[m].subtract(known)
            if waiting and len(ordered) == n_before:
                return []
        return ordered

    def _seen(self, parts: list[_Part], number: int, version: _Version) -> isl.Set:
        """Places of which some parts read a version."""
        found = isl.Set.empty(self._statement.domain.get_space())
        for part in parts:
            if part.versions[number] is version:
                found = found.union(part.instances)
        return found.apply(self._place(number)).coalesce()

    def _widen(self, number: int, places: isl.Set) -> isl.Set:
        """Places in few constraints, more of them where elements are there, too."""
        there = self._statement.domain.apply(self._place(number))
        return places.simple_hull().to_set().intersect(there).coalesce()

    def _place(self, number: int) -> isl.Map:
        """Instances to the turn of the outermost loop, and what chooses an element."""
        s, read = self._statement, self._update.reads[number]
        at = ", ".join(s.iterators[k] for k in (0, *read.index))
        return isl.Map(f"{{ {s.name}[{', '.join(s.iterators)}] -> [{at}] }}")

    def _written(self, number: int, parts: list[_Part]) -> isl.Set:
        """Places whose elements some parts write in the same turn."""
        read = self._update.reads[number].relation
        elements = read.apply_domain(self._place(number))
        found = isl.Set.empty(elements.domain().get_space())
        for part in parts:
            own = self._update.write.intersect_domain(part.instances)
            pairs = elements.apply_range(own.reverse())
            found = found.union(pairs.equate(_IN, 0, isl.dim_type.out, 0).domain())
        return found

    def _copy(self, number: int, version: _Version, places: isl.Set) -> Statement:
        """A statement that copies the elements at some places."""
        s, read = self._statement, self._update.reads[number]
        kept = (0, *read.index)
        name = self._next_name()
        iterators = tuple(s.iterators[k] for k in kept)
        domain = places.set_tuple_name(name).coalesce()
        for k, iterator in enumerate(iterators):
            domain = domain.set_dim_name(isl.dim_type.set, k, iterator)
        relation = read.relation.apply_domain(self._place(number))
        relation = relation.set_tuple_name(_IN, name).intersect_domain(domain)
        array = self._array(number, version)
        target = Load(array.name, tuple(self._iterator(k) for k in kept), array.type)
        names = ", ".join(iterators)
        to = isl.Map(f"{{ {name}[{names}] -> {array.name}[{names}] }}")
        return Statement(
            name, iterators, domain, (0,) * (len(kept) + 1),
            tuple(s.directions[k] for k in kept),
            (Assign(target, "=", read.load),),
            (
                Access(read.load.array, "read", relation.coalesce()),
                Access(array.name, "must_write", to.intersect_domain(domain)),
            ),
            s.where, f"copies for {s.text}",
        )  # fmt: skip

    def _array(self, number: int, version: _Version) -> Array:
        """What copies of a version of one of the elements are kept in."""
        load = self._update.reads[number].load
        if (number, version) not in self._arrays:
            self._arrays[number, version] = Array(
                self._fresh(f"{load.array}_copy"), load.type,
                (None,) * len(self._update.reads[number].index), "scop",
                live_in=False, live_out=False, n_expanded=1,
            )  # fmt: skip
        return self._arrays[number, version]

    def _part(self, name: str, domain: isl.Set, chosen: tuple[_Version, ...]) -> _Part:
        """Some instances of the statement, with copies in the place of elements."""
        s, update = self._statement, self._update
        assign = update.action
        given: dict[Load, Load] = {}
        seen = [update.write]
        for m, (read, version) in enumerate(zip(update.reads, chosen, strict=True)):
            if version is _Version.OWN:
                given[read.load] = assign.target
                seen.append(update.write)
                continue
            array, kept = self._array(m, version), (0, *read.index)
            at = tuple(self._iterator(k) for k in kept)
            given[read.load] = Load(array.name, at, read.load.type)
            to = self._place(m).set_tuple_name(isl.dim_type.out, array.name)
            seen.append(to)

        def of_part(relation: isl.Map) -> isl.Map:
            named = relation.intersect_domain(domain).set_tuple_name(_IN, name)
            return named.coalesce()

        def change(expr: Expr) -> Expr | None:
            return given.get(expr) if isinstance(expr, Load) else None

        loads = {str(m.get_tuple_name(isl.dim_type.out)): m for m in seen}
        accesses = [
            *(Access(array, "read", m) for array, m in loads.items()),
            *(a for a in s.reads if a.array != assign.target.array),
            Access(assign.target.array, "must_write", update.write),
        ]
        part = replace(
            s,
            name=name,
            domain=domain.set_tuple_name(name),
            body=(map_action(assign, change),),
            accesses=tuple(replace(a, relation=of_part(a.relation)) for a in accesses),
        )
        return _Part(part, domain, chosen, tuple(of_part(m) for m in seen))

    def _iterator(self, position: int) -> Iter:
        name = self._statement.iterators[position]
        for action in self._statement.body:
            for top in action_expressions(action):
                for e in walk(top):
                    if isinstance(e, Iter) and e.name == name:
                        return e
        return Iter(name)

    def _next_name(self) -> str:
        self._number += 1
        return f"S{self._number - 1}"

    def _fresh(self, name: str) -> str:
        number = 1
        while f"{name}{number}" in self._taken:
            number += 1
        self._taken.add(f"{name}{number}")
        return f"{name}{number}"


def _at(s: Statement, top: int, number: int) -> Statement:
    """The statement at a place in the outermost loop."""
    return replace(s, position=(top, number, *(0 for _ in s.position[2:])))


class _Comparison:
    """Whether the parts of an update read and leave what the update did.

    Parameters
    ----------
    scop : Scop
        With the update.
    update : _Update
        What was taken apart.
    parts : tuple of _Part
        The update's instances.
    copies : list of Statement
        In their places among the parts.
    """

    def __init__(
        self,
        scop: Scop,
        update: _Update,
        parts: tuple[_Part, ...],
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
