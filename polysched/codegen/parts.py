"""Statements whose instances are split: those that read copies get a name of their own.

A tree may run a statement in several places, each with a part of its instances (index
sets are split). Copies made for one of them are no business of the others; so before
copies are made, the part below a ``pack`` mark becomes a statement of its own::

    sequence:                               sequence:
      filter S2[i, j]: i < c                  filter S2[i, j]
        ...                            ==>      ...
      filter S2[i, j]: i >= c                 filter S2_1[i, j]
        mark pack:S2:1 ...                      mark pack:S2:1 ...
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import islpy as isl

from polysched.base import CodegenError
from polysched.ir import ScheduleTree, Scop, Statement, packed_iterators
from polysched.sets import node_kind


@dataclass(frozen=True, eq=False)
class Parts:
    """A SCoP and its tree in which every copy is made for whole statements.

    Attributes
    ----------
    scop : Scop
        With further statements.
    tree : ScheduleTree
        Over their instances.
    origin : dict of str to str
        What each further statement is a part of.
    to_parts : isl.UnionMap
        Every instance of the given SCoP to its instance here.
    """

    scop: Scop
    tree: ScheduleTree
    to_parts: isl.UnionMap
    origin: dict[str, str] = field(default_factory=dict)

    def rename(self, deps: isl.UnionMap) -> isl.UnionMap:
        """Pairs of instances of the given SCoP as pairs of instances here."""
        if not self.origin:
            return deps
        return deps.apply_domain(self.to_parts).apply_range(self.to_parts)


def name_parts(scop: Scop, tree: ScheduleTree) -> Parts:
    """Give the instances below ``pack`` marks names of their own where others remain.

    Raises
    ------
    CodegenError
        If two marks stand above different parts of a statement that overlap.
    """
    same = scop.domain.identity()
    parts = _find_parts(scop, tree)
    if not parts:
        return Parts(scop, tree, same)
    taken = {s.name for s in scop.statements}
    statements: list[Statement] = []
    origin: dict[str, str] = {}
    for statement in scop.statements:
        rest = statement.domain
        for part in parts.get(statement.name, ()):
            name = _fresh(statement.name, taken)
            origin[name] = statement.name
            statements.append(_part(statement, part, name))
            rest = rest.subtract(part)
        if statement.name in parts:
            statement = _part(statement, rest.coalesce(), statement.name)
        if not statement.domain.is_empty():
            statements.append(statement)
    back = isl.UnionMap("{ }")
    for s in statements:
        renamed = isl.Map.identity(s.domain.get_space().map_from_set())
        renamed = renamed.intersect_domain(s.domain)
        renamed = renamed.set_tuple_name(isl.dim_type.out, origin.get(s.name, s.name))
        back = back.union(isl.UnionMap.from_map(renamed))
    pulled = tree.schedule.pullback_union_pw_multi_aff(
        isl.UnionPwMultiAff.from_union_map(back)
    )
    scop = replace(scop, statements=tuple(statements))
    return Parts(scop, ScheduleTree(pulled), back.reverse(), origin)


def _find_parts(scop: Scop, tree: ScheduleTree) -> dict[str, list[isl.Set]]:
    """For statements of which copies are made for a part only: the parts."""
    found: dict[str, list[isl.Set]] = {}
    for mark, name in _pack_marks(tree):
        domain = scop.statement(name).domain
        part = mark.get_domain().extract_set(domain.get_space())
        if domain.is_subset(part):
            continue
        known = found.setdefault(name, [])
        if any(part.is_equal(k) for k in known):
            continue
        if not all(part.is_disjoint(k) for k in known):
            raise CodegenError(f"copies for two overlapping parts of {name}")
        known.append(part)
    return found


def _pack_marks(tree: ScheduleTree) -> Iterator[tuple[isl.ScheduleNode, str]]:
    for _, node in tree.nodes():
        if node_kind(node) == "mark":
            found = packed_iterators(str(node.mark_get_id().get_name()))
            if found is not None:
                yield node, found[0]


def _part(statement: Statement, domain: isl.Set, name: str) -> Statement:
    """The statement over some of its instances, under a name."""
    accesses = tuple(
        replace(
            a,
            relation=a.relation.intersect_domain(domain).set_tuple_name(
                isl.dim_type.in_, name
            ),
        )
        for a in statement.accesses
    )
    domain = domain.set_tuple_name(name)
    return replace(statement, name=name, domain=domain, accesses=accesses)


def _fresh(name: str, taken: set[str]) -> str:
    number = 1
    while f"{name}_{number}" in taken:
        number += 1
    taken.add(f"{name}_{number}")
    return f"{name}_{number}"
