"""isl's way to fuse: components get bands of their own, then join where values flow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import islpy as isl

from polysched.base import LimitError
from polysched.ir import Scop
from polysched.schedule.rowwise.algebra import rank
from polysched.schedule.rowwise.edges import RESTRICT_OPERATIONS, Edge, edges_within
from polysched.schedule.rowwise.finder import Earlier, RowFinder, extended
from polysched.schedule.rowwise.fusion import Members, components_in_order
from polysched.schedule.rowwise.graph import strong_components
from polysched.schedule.rowwise.unit import Row, Unit
from polysched.sets import operation_limit

NEAR = 2  # isl's bound of distances that count as optimised


@dataclass(frozen=True)
class Cluster:
    """Statements that share a band.

    Attributes
    ----------
    members : tuple of str
    rows : list of Row
        The band; empty when there is none.
    is_complete : bool
        Whether the members had full rank before.
    """

    members: Members
    rows: list[Row]
    is_complete: bool

    @property
    def is_stuck(self) -> bool:
        """Whether rows are wanting and there are none."""
        return not self.rows and not self.is_complete


@dataclass(eq=False)
class _Link:
    """All flow from one statement to another, in different components."""

    source: str
    sink: str
    edges: tuple[Edge, ...]
    weight: int
    postponed: bool = False
    is_refused: bool = False


@dataclass
class Clustering:
    """Joins components along flow while the joint band keeps values near.

    Parameters
    ----------
    scop : Scop
    members : tuple of str
        A weakly connected group, in source order.
    edges : tuple of Edge
        Within the group.
    earlier : Earlier
        Rows outside.
    finder : RowFinder

    References
    ----------
    .. [1] Verdoolaege and Janssens, "Scheduling for PPCG", KU Leuven CW 706, 2017.
    """

    scop: Scop
    members: Members
    edges: tuple[Edge, ...]
    earlier: Earlier
    finder: RowFinder
    _of: dict[str, Cluster] = field(init=False, default_factory=dict)

    def clusters(self) -> list[Cluster]:
        """The clusters in topological order, each with its band."""
        for component in components_in_order(self.members, self.edges):
            inside = edges_within(self.edges, component)
            self._settle(component, self.finder.band(component, inside, self.earlier))
        links = self._links()
        while (link := self._best(links)) is not None:
            self._join(link, links)
        return self._ordered()

    def _settle(self, members: Members, rows: list[Row]) -> None:
        wanting = any(self.finder.missing_rank(m, self.earlier) for m in members)
        cluster = Cluster(members, rows, not wanting)
        for m in members:
            self._of[m] = cluster

    def _links(self) -> list[_Link]:
        flows: dict[tuple[str, str], list[Edge]] = {}
        for e in self.edges:
            if e.flow and self._of[e.source] is not self._of[e.sink]:
                flows.setdefault((e.source, e.sink), []).append(e)
        return [
            _Link(source, sink, tuple(edges), self._weight(edges))
            for (source, sink), edges in flows.items()
        ]

    def _weight(self, edges: Sequence[Edge]) -> int:
        """How many more rows can align source and sink of a flow exactly."""
        union = isl.Map.from_basic_map(edges[0].relation)
        for e in edges[1:]:
            union = union.union(isl.Map.from_basic_map(e.relation))
        try:
            with operation_limit(union.get_ctx(), RESTRICT_OPERATIONS):
                hull = union.affine_hull()
        except LimitError:
            return 0
        equalities = [
            c
            for c in hull.get_constraints()
            if c.is_equality()
            and c.involves_dims(isl.dim_type.in_, 0, hull.dim(isl.dim_type.in_))
            and c.involves_dims(isl.dim_type.out, 0, hull.dim(isl.dim_type.out))
        ]
        rows = [r.coefficients for r in self.earlier[edges[0].sink]]
        done = rank(rows, hull.dim(isl.dim_type.out))
        return max(0, len(equalities) - done)

    def _best(self, links: Sequence[_Link]) -> _Link | None:
        place = {id(c): k for k, c in enumerate(self._ordered())}
        open_links = [
            link
            for link in links
            if not link.is_refused
            and self._of[link.source] is not self._of[link.sink]
            and not self._of[link.source].is_stuck
            and not self._of[link.sink].is_stuck
        ]

        def worth(link: _Link) -> tuple[bool, int, int]:
            apart = place[id(self._of[link.sink])] - place[id(self._of[link.source])]
            return not link.postponed, link.weight, -apart

        return max(open_links, key=worth, default=None)

    def _join(self, link: _Link, links: Sequence[_Link]) -> None:
        """Join the clusters at both ends and all between them, or refuse the link."""
        joined = self._between(link)
        members = tuple(m for c in joined for m in c.members)
        members = tuple(sorted(members, key=self.members.index))
        inner = [
            k
            for k in links
            if k.source in members
            and k.sink in members
            and self._of[k.source] is not self._of[k.sink]
        ]
        if any(k.is_refused for k in inner):
            link.is_refused = True
            return
        if not link.postponed and any(k.postponed for k in inner):
            link.postponed = True
            return
        inside = edges_within(self.edges, members)
        most = self._rows_to_find(joined)
        units = [self._unit(c) for c in joined]
        rows = self.finder.joint_band(units, inside, most)
        was_postponed = link.postponed
        if rows and any(self._is_optimised(k, rows) for k in inner):
            self._settle(members, rows)
        elif link.postponed == was_postponed:
            link.is_refused = True

    def _unit(self, cluster: Cluster) -> Unit:
        statements = tuple(self.scop.statement(m) for m in cluster.members)
        return Unit(cluster.members[0], statements, tuple(cluster.rows))

    def _between(self, link: _Link) -> list[Cluster]:
        """The clusters on ways from the source to the sink, with both ends."""
        numbers = {id(c): str(k) for k, c in enumerate(self._ordered())}
        pairs = {
            (numbers[id(self._of[e.source])], numbers[id(self._of[e.sink])])
            for e in self.edges
        }
        source = numbers[id(self._of[link.source])]
        pairs.add((numbers[id(self._of[link.sink])], source))
        for part in strong_components(tuple(numbers.values()), pairs):
            if source in part:
                return [c for c in self._ordered() if numbers[id(c)] in part]
        raise AssertionError("a vertex is in one of the components")

    def _rows_to_find(self, joined: Sequence[Cluster]) -> int:
        """As many as the widest band has; fewer where a narrower one needs more inside.

        Otherwise the joint band would make the schedule deeper.
        """
        widest = max(len(c.rows) for c in joined)
        slack = max(self._slack(c) for c in joined if len(c.rows) == widest)
        narrow = [
            len(c.rows)
            for c in joined
            if len(c.rows) < widest and self._slack(c) > slack
        ]
        return min(narrow, default=widest)

    def _slack(self, cluster: Cluster) -> int:
        after = {m: self.earlier[m] for m in cluster.members}
        for row in cluster.rows:
            after = extended(after, row)
        return max(self.finder.missing_rank(m, after) for m in cluster.members)

    def _is_optimised(self, link: _Link, rows: Sequence[Row]) -> bool:
        """Whether distances along a link are small in all rows of a joint band.

        Rows beyond the link's weight may be large where one end does not move; such a
        link is postponed when it is met the first time.
        """
        far = [r for r in rows if not all(e.is_near(r, NEAR) for e in link.edges)]
        if not far:
            return True
        if len(far) > len(rows) - link.weight:
            return False
        if not all(_is_resting(link, r) for r in far):
            return False
        if link.postponed:
            return True
        link.postponed = True
        return False

    def _ordered(self) -> list[Cluster]:
        clusters = list({id(c): c for c in self._of.values()}.values())
        names = {id(c): str(k) for k, c in enumerate(clusters)}
        pairs = {
            (names[id(self._of[e.source])], names[id(self._of[e.sink])])
            for e in self.edges
        }
        order = strong_components(tuple(names.values()), pairs)
        return [clusters[int(part[0])] for part in order]


def _is_resting(link: _Link, row: Row) -> bool:
    """Whether a row has one value for all sources, or for all sinks, of a link."""
    sides = (
        (link.source, [e.relation.domain() for e in link.edges]),
        (link.sink, [e.relation.range() for e in link.edges]),
    )
    for name, parts in sides:
        instances = isl.Set.from_basic_set(parts[0])
        for part in parts[1:]:
            instances = instances.union(isl.Set.from_basic_set(part))
        value = isl.Aff.zero_on_domain(isl.LocalSpace.from_space(instances.get_space()))
        for k, c in enumerate(row[name].coefficients):
            value = value.set_coefficient_val(isl.dim_type.in_, k, isl.Val(c))
        if instances.apply(isl.Map.from_aff(value)).is_singleton():
            return True
    return False
