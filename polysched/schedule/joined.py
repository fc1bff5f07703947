"""Statements behind each other in one loop, scheduled as one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import islpy as isl

from polysched.analysis import Dependence, Dependences, check_legal
from polysched.base import Deadline
from polysched.ir import Access, Rows, Scop, Statement
from polysched.schedule.canonical import canonical_rows
from polysched.schedule.facts import MachineFacts
from polysched.schedule.partitioned import solve_recipe
from polysched.schedule.pieces import Piece, cut_dependences
from polysched.schedule.solve import Recipe, Solved, rows_to_tree


@dataclass(frozen=True, eq=False)
class Joined:
    """A SCoP some of whose statements stand for several of another one.

    Attributes
    ----------
    original, scop : Scop
        Before and after.
    original_dependences, dependences : Dependences
        Theirs.
    groups : tuple of tuple of str
        Names of the statements of `original` that each of `scop` stands for, which has
        the name of the first.
    """

    original: Scop
    scop: Scop
    original_dependences: Dependences
    dependences: Dependences
    groups: tuple[tuple[str, ...], ...]

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """Its dependences, cut."""
        return cut_dependences(self.scop, self.dependences)

    def solve(
        self, recipe: Recipe, deadline: Deadline, machine: MachineFacts | None = None
    ) -> Solved:
        """As `solve_recipe`; the schedule is one of the original SCoP, proven there."""
        found = solve_recipe(
            self.scop, self.dependences, recipe, deadline, self.pieces, machine
        )
        return self.spread(found)

    def spread(self, found: Solved) -> Solved:
        """A schedule of the original SCoP: members of a group in their order.

        Parameters
        ----------
        found : Solved
            Of `scop`, with its rows.

        Raises
        ------
        IllegalScheduleError
            If it is not legal there.
        """
        rows = found.rows
        assert rows is not None
        most = max(map(len, self.groups))
        apart: dict[str, Rows] = {}
        for group in self.groups:
            own = rows[group[0]]
            for k, name in enumerate(group):
                last = own.betas[-1] * most + k
                names = self.original.statement(name).iterators
                apart[name] = Rows(names, (*own.betas[:-1], last), own.linear)
        ordered = canonical_rows(
            {s.name: apart[s.name] for s in self.original.statements}
        )
        tree = rows_to_tree(self.original, self.original_dependences, ordered)
        check_legal(tree, self.original_dependences, self.original)
        return replace(found, tree=tree, rows=ordered, shape=None, known=None)


def join_statements(scop: Scop, dependences: Dependences) -> Joined | None:
    """Take statements that run one behind the other for the same iterations as one.

    A program of many straight-line statements, as a collision of a lattice gas with
    its temporaries, has an integer program that is solved in minutes, and hardly
    a schedule that moves them apart is worth having.

    Parameters
    ----------
    scop, dependences
        What is to be scheduled.

    Returns
    -------
    Joined or None
        None where no two statements may be joined.
    """
    groups = tuple(_groups(scop))
    if len(groups) == len(scop.statements):
        return None
    leaders = {name: group[0] for group in groups for name in group}
    statements = tuple(_join([scop.statement(n) for n in g]) for g in groups)
    joined = replace(scop, statements=statements)
    items = tuple(_renamed(d, leaders) for d in dependences.items)
    known = replace(
        dependences,
        items=tuple(d for d in items if not d.relation.is_empty()),
        reductions=(),
    )
    return Joined(scop, joined, dependences, known, groups)


def _groups(scop: Scop) -> Iterator[tuple[str, ...]]:
    """Names of statements that are neighbours in all of their loops, in order."""
    group: list[str] = []
    for before, s in pairwise((None, *scop.statements)):
        assert s is not None
        if before is not None and not _are_neighbours(before, s):
            yield tuple(group)
            group = []
        group.append(s.name)
    if group:
        yield tuple(group)


def _are_neighbours(a: Statement, b: Statement) -> bool:
    if a.position[:-1] != b.position[:-1] or a.n_loops != b.n_loops:
        return False
    return a.domain.set_tuple_name("").is_equal(b.domain.set_tuple_name(""))


def _join(members: list[Statement]) -> Statement:
    """One statement that does what all of them do."""
    first = members[0]
    if len(members) == 1:
        return first
    accesses = [_moved(a, first.name) for s in members for a in s.accesses]
    kinds = ("read", "may_write", "must_write")
    return replace(
        first,
        body=tuple(a for s in members for a in s.body),
        accesses=tuple(sorted(accesses, key=lambda a: kinds.index(a.kind))),
        text=" ".join(s.text for s in members),
    )


def _moved(access: Access, name: str) -> Access:
    relation = access.relation.set_tuple_name(isl.dim_type.in_, name)
    return replace(access, relation=relation)


def _renamed(d: Dependence, leaders: dict[str, str]) -> Dependence:
    """Between those that stand for its statements; nothing inside an iteration."""
    source, sink = leaders[d.source], leaders[d.sink]
    relation = d.relation.set_tuple_name(isl.dim_type.in_, source)
    relation = relation.set_tuple_name(isl.dim_type.out, sink)
    if source == sink and d.source != d.sink:
        space = relation.get_space()
        relation = relation.subtract(isl.Map.identity(space)).coalesce()
    return replace(d, source=source, sink=sink, relation=relation)
