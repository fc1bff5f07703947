"""The recursion: bands where there are rows, cuts where there are none."""

from __future__ import annotations

from collections.abc import Sequence as SequenceOf
from math import gcd

from polysched.base import Deadline
from polysched.ir import LinearRow, Scop
from polysched.schedule.rowwise.algebra import is_spanned
from polysched.schedule.rowwise.cluster import Clustering
from polysched.schedule.rowwise.edges import Edge, edges_within
from polysched.schedule.rowwise.finder import Earlier, RowFinder, extended
from polysched.schedule.rowwise.fusion import (
    Fusion,
    Members,
    components_in_order,
    cut_by_depth,
    cut_late,
    cut_smart,
)
from polysched.schedule.rowwise.graph import in_source_order, weak_components
from polysched.schedule.rowwise.objectives import Strategy
from polysched.schedule.rowwise.plan import Band, Leaf, Plan, Sequence
from polysched.schedule.rowwise.unit import Row


class Search:
    """Plans a group of statements, from the outermost row inwards.

    A plan exists whatever happens: where no row is found in time, or at all, the
    statements keep their original order. Every edge that is left orders its pairs as
    the original program does, so its rows, put behind any rows that respect all edges,
    respect them too.

    Parameters
    ----------
    scop : Scop
    strategy : Strategy
    fusion : str
        Name of the fusion policy.
    finder : RowFinder
    deadline : Deadline

    Attributes
    ----------
    kept_original : list of tuple of str
        Groups that were left in their original order.
    """

    def __init__(
        self,
        scop: Scop,
        strategy: Strategy,
        fusion: Fusion,
        finder: RowFinder,
        deadline: Deadline,
    ) -> None:
        self.kept_original: list[Members] = []
        self._scop = scop
        self._strategy = strategy
        self._fusion = fusion
        self._finder = finder
        self._deadline = deadline
        self._depth = {s.name: s.n_loops for s in scop.statements}
        self._place = {s.name: k for k, s in enumerate(scop.statements)}

    def plan(self, edges: tuple[Edge, ...]) -> Plan:
        """The plan of the whole SCoP."""
        members = tuple(self._place)
        earlier: dict[str, tuple[LinearRow, ...]] = dict.fromkeys(members, ())
        if self._fusion == "smart":
            components = components_in_order(members, edges)
            parts = cut_by_depth(components, edges, self._depth)
            if len(parts) > 1:
                return self._in_sequence(parts, edges, earlier)
        return self._group(members, edges, earlier)

    def _group(
        self, members: Members, edges: tuple[Edge, ...], earlier: Earlier
    ) -> Plan:
        if self._deadline.expired:
            return self._original(members, earlier)
        is_complete = not any(self._finder.missing_rank(m, earlier) for m in members)
        if is_complete and not edges:
            return Leaf()
        parts = self._apart(members, edges, is_complete)
        if len(parts) > 1:
            return self._in_sequence(parts, edges, earlier)
        if edges and (is_complete or self._strategy.step == "carry"):
            return self._carry(members, edges, earlier)
        if self._fusion == "cluster":
            return self._clusters(members, edges, earlier)
        rows = self._finder.band(members, edges, earlier)
        if rows:
            return self._below(rows, members, edges, earlier)
        return self._stuck(members, edges, earlier)

    def _apart(
        self, members: Members, edges: tuple[Edge, ...], is_complete: bool
    ) -> tuple[Members, ...]:
        """What is cut without asking whether it has a row in common."""
        if is_complete or self._fusion == "none":
            return components_in_order(members, edges)
        if self._fusion in ("components", "cluster"):
            return weak_components(members, _pairs(edges))
        return (members,)

    def _clusters(
        self, members: Members, edges: tuple[Edge, ...], earlier: Earlier
    ) -> Plan:
        found = Clustering(self._scop, members, edges, earlier, self._finder).clusters()
        clusters = {c.members: c for c in found}
        parts = []
        for c in map(
            clusters.__getitem__, in_source_order(clusters, _pairs(edges), members)
        ):
            inside = edges_within(edges, c.members)
            if c.rows:
                plan = self._below(c.rows, c.members, inside, earlier)
            elif c.is_complete:
                plan = self._group(c.members, inside, earlier)
            else:
                plan = self._stuck(c.members, inside, earlier)
            parts.append((c.members, plan))
        return parts[0][1] if len(parts) == 1 else Sequence(tuple(parts))

    def _below(
        self,
        rows: SequenceOf[Row],
        members: Members,
        edges: tuple[Edge, ...],
        earlier: Earlier,
    ) -> Plan:
        """A band, and the plan of what it leaves to be ordered."""
        after = {m: earlier[m] for m in members}
        for row in rows:
            after = extended(after, row)
        left = tuple(r for e in edges if (r := e.left_by(rows)) is not None)
        return Band(tuple(rows), self._group(members, left, after))

    def _stuck(
        self, members: Members, edges: tuple[Edge, ...], earlier: Earlier
    ) -> Plan:
        """No common row: cut, else carry what can be carried, else stay as it was."""
        components = components_in_order(members, edges)
        if len(components) > 1:
            parts = self._cut(components, edges, earlier)
            if len(parts) == 1:
                parts = weak_components(members, _pairs(edges))
            return self._in_sequence(parts, edges, earlier)
        return self._carry(members, edges, earlier)

    def _cut(
        self,
        components: tuple[Members, ...],
        edges: tuple[Edge, ...],
        earlier: Earlier,
    ) -> tuple[Members, ...]:
        if self._fusion == "smart":
            return cut_smart(components, edges, self._depth)
        if self._fusion == "max":
            return cut_late(
                components,
                lambda part: self._has_row(part, edges, earlier),
            )
        return components

    def _has_row(
        self, part: Members, edges: tuple[Edge, ...], earlier: Earlier
    ) -> bool:
        inside = edges_within(edges, part)
        return bool(self._finder.band(self._sorted(part), inside, earlier, most=1))

    def _carry(
        self, members: Members, edges: tuple[Edge, ...], earlier: Earlier
    ) -> Plan:
        row = self._finder.carrying_row(members, edges, earlier)
        if row is not None:
            return self._behind_carrying(row, members, edges, earlier)
        components = components_in_order(members, edges)
        if len(components) > 1:
            return self._in_sequence(components, edges, earlier)
        if not all(e.is_exact for e in edges):
            exact = tuple(x for e in edges if (x := e.exactly()) is not None)
            return self._group(members, exact, earlier)
        return self._original(members, earlier)

    def _behind_carrying(
        self, row: Row, members: Members, edges: tuple[Edge, ...], earlier: Earlier
    ) -> Plan:
        """A row of its own; one with a stride becomes a loop around a sequence."""
        scaled, remainders = split_stride(row)
        after = extended(earlier, scaled)
        left = tuple(r for e in edges if (r := e.left_by([row])) is not None)
        parts = []
        for remainder in sorted(set(remainders.values())):
            part = tuple(m for m in members if remainders[m] == remainder)
            inside = self._group(part, edges_within(left, part), after)
            parts.append((part, inside))
        plan = parts[0][1] if len(parts) == 1 else Sequence(tuple(parts))
        return Band((scaled,), plan)

    def _in_sequence(
        self,
        parts: SequenceOf[Members],
        edges: tuple[Edge, ...],
        earlier: Earlier,
    ) -> Plan:
        members = self._sorted(tuple(m for part in parts for m in part))
        ordered = in_source_order(parts, _pairs(edges), members)
        return Sequence(
            tuple(
                (part, self._group(part, edges_within(edges, part), earlier))
                for part in ordered
            )
        )

    def _sorted(self, members: Members) -> Members:
        return tuple(sorted(members, key=self._place.__getitem__))

    def _original(self, members: Members, earlier: Earlier, level: int = 0) -> Plan:
        """The source's rows behind the earlier ones, without those that say nothing."""
        if level == 0:
            self.kept_original.append(members)
        by_rank: dict[int, list[str]] = {}
        for m in members:
            by_rank.setdefault(self._scop.statement(m).position[level], []).append(m)
        parts = []
        for _, group in sorted(by_rank.items()):
            parts.append((tuple(group), self._original_loop(group, earlier, level)))
        return parts[0][1] if len(parts) == 1 else Sequence(tuple(parts))

    def _original_loop(
        self, group: SequenceOf[str], earlier: Earlier, level: int
    ) -> Plan:
        if any(self._depth[m] == level for m in group):
            return Leaf()
        row = {m: self._source_row(m, level) for m in group}
        after = extended(earlier, row)
        inside = self._original(tuple(group), after, level + 1)
        return inside if _is_implied(row, earlier) else Band((row,), inside)

    def _source_row(self, name: str, level: int) -> LinearRow:
        s = self._scop.statement(name)
        coefficients = [0] * s.n_loops
        coefficients[level] = s.directions[level]
        return LinearRow(tuple(coefficients))


def split_stride(row: Row) -> tuple[Row, dict[str, int]]:
    """A row divided by its stride, and what the division leaves of each constant.

    Instances in the order of ``2t`` and ``2t + 1`` are those in the order of ``t``,
    and for one ``t`` of the remainders.
    """
    weights = [
        c
        for r in row.values()
        for c in (*r.coefficients, *(c for _, c in r.parameters))
    ]
    stride = gcd(*weights) or 1
    scaled = {
        m: LinearRow(
            tuple(c // stride for c in r.coefficients),
            r.constant // stride,
            tuple((p, c // stride) for p, c in r.parameters),
        )
        for m, r in row.items()
    }
    return scaled, {m: r.constant % stride for m, r in row.items()}


def _pairs(edges: SequenceOf[Edge]) -> list[tuple[str, str]]:
    return [(e.source, e.sink) for e in edges]


def _is_implied(row: Row, earlier: Earlier) -> bool:
    """Whether a row is, for all its statements, one combination of earlier rows.

    Then it has one value for all instances that share the earlier rows' values.
    """
    names = list(row)
    n_rows = len(earlier[names[0]])
    if any(len(earlier[m]) != n_rows for m in names):
        return False
    rows = [{m: earlier[m][k] for m in names} for k in range(n_rows)]
    used = {p for r in (row, *rows) for m in names for p, _ in r[m].parameters}
    params = sorted(used)
    known = [_joint(r, params) for r in (*rows, _same_for_all(row, (), 1))]
    known += [_joint(_same_for_all(row, ((p, 1),), 0), params) for p in params]
    return is_spanned(_joint(row, params), known)


def _same_for_all(
    row: Row, parameters: tuple[tuple[str, int], ...], constant: int
) -> Row:
    """A row without iterators, for the statements of another one."""
    return {
        m: LinearRow((0,) * len(r.coefficients), constant, parameters)
        for m, r in row.items()
    }


def _joint(row: Row, params: SequenceOf[str]) -> tuple[int, ...]:
    """The coefficients of all statements' rows in one vector."""
    found: list[int] = []
    for r in row.values():
        by_name = dict(r.parameters)
        found += [*r.coefficients, *(by_name.get(p, 0) for p in params), r.constant]
    return tuple(found)
