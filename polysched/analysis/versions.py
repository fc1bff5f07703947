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

from dataclasses import replace
from itertools import product

import islpy as isl

from polysched.analysis.flow import compute_flow
from polysched.analysis.in_place import Read, Update, find_update, outermost
from polysched.analysis.same_values import Comparison, Part, Version
from polysched.ir import (
    Access,
    Array,
    Assign,
    Expr,
    Iter,
    Load,
    Scop,
    Statement,
    action_expressions,
    map_action,
    original_tree,
    walk,
)
from polysched.sets import list_maps

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
        update = find_update(scop, statement)
        if update is None:
            continue
        parted = _Parting(scop, update).build()
        if parted is not None:
            scop = parted
    return scop


class _Parting:
    """Takes an update apart into statements that read copies.

    Parameters
    ----------
    scop : Scop
        Which it is part of.
    update : Update
        What is taken apart.
    """

    def __init__(self, scop: Scop, update: Update) -> None:
        self._scop = scop
        self._update = update
        self._statement = update.statement
        self._turn = outermost(update.statement)
        self._number = 1 + max(int(s.name[1:]) for s in scop.statements)
        self._taken = {a.name for a in scop.arrays}
        self._taken |= {a.source_name for a in scop.arrays}
        self._arrays: dict[tuple[int, Version], Array] = {}

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
        if not Comparison(self._scop, self._update, found, copies).is_same():
            return None
        others = (o for o in self._scop.statements if o.name != s.name)
        statements = sorted((*others, *placed.values()), key=lambda o: o.position)
        return replace(
            self._scop,
            statements=tuple(statements),
            arrays=(*self._scop.arrays, *self._arrays.values()),
        )

    def _parts(self) -> list[Part]:
        """Instances by the versions of all that they read."""
        s = self._statement
        versions = [self._versions(read) for read in self._update.reads]
        parts: list[Part] = []
        for chosen in product(reversed(Version), repeat=len(versions)):
            domain = s.domain
            for known, version in zip(versions, chosen, strict=True):
                domain = domain.intersect(known[version])
            domain = domain.coalesce()
            if not domain.is_empty():
                name = self._next_name() if parts else s.name
                parts.append(self._part(name, domain, chosen))
        return parts

    def _versions(self, read: Read) -> dict[Version, isl.Set]:
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
        return {Version.OWN: own, Version.BEFORE: before, Version.BEHIND: behind}

    def _in_order(self, parts: list[Part]) -> list[Statement]:
        """Parts, and copies of what they read, as each becomes known.

        Nothing where parts wait for each other in a circle.
        """
        numbers = range(len(self._update.reads))
        ordered = []
        for m in numbers:
            places = self._seen(parts, m, Version.BEFORE)
            if not places.is_empty():
                ordered.append(self._copy(m, Version.BEFORE, self._widen(m, places)))
        wanted = [self._seen(parts, m, Version.BEHIND) for m in numbers]
        waiting = list(parts)
        while waiting:
            ready = [
                part
                for part in waiting
                if all(
                    self._seen([part], m, Version.BEHIND).is_disjoint(wanted[m])
                    for m in numbers
                )
            ]
            ordered += [part.statement for part in ready]
            waiting = [part for part in waiting if part not in ready]
            n_before = len(ordered)
            for m in numbers:
                known = wanted[m].intersect(self._written(m, ready)).coalesce()
                if not known.is_empty():
                    ordered.append(self._copy(m, Version.BEHIND, known))
                    wanted[m] = wanted[m].subtract(known)
            if waiting and len(ordered) == n_before:
                return []
        return ordered

    def _seen(self, parts: list[Part], number: int, version: Version) -> isl.Set:
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

    def _written(self, number: int, parts: list[Part]) -> isl.Set:
        """Places whose elements some parts write in the same turn."""
        read = self._update.reads[number].relation
        elements = read.apply_domain(self._place(number))
        found = isl.Set.empty(elements.domain().get_space())
        for part in parts:
            own = self._update.write.intersect_domain(part.instances)
            pairs = elements.apply_range(own.reverse())
            found = found.union(pairs.equate(_IN, 0, isl.dim_type.out, 0).domain())
        return found

    def _copy(self, number: int, version: Version, places: isl.Set) -> Statement:
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

    def _array(self, number: int, version: Version) -> Array:
        """What copies of a version of one of the elements are kept in."""
        load = self._update.reads[number].load
        if (number, version) not in self._arrays:
            self._arrays[number, version] = Array(
                self._fresh(f"{load.array}_copy"), load.type,
                (None,) * len(self._update.reads[number].index), "scop",
                live_in=False, live_out=False, n_expanded=1,
            )  # fmt: skip
        return self._arrays[number, version]

    def _part(self, name: str, domain: isl.Set, chosen: tuple[Version, ...]) -> Part:
        """Some instances of the statement, with copies in the place of elements."""
        s, update = self._statement, self._update
        assign = update.action
        given: dict[Load, Load] = {}
        seen = [update.write]
        for m, (read, version) in enumerate(zip(update.reads, chosen, strict=True)):
            if version is Version.OWN:
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
        return Part(part, domain, chosen, tuple(of_part(m) for m in seen))

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
