"""A schedule taken apart: bands, bodies, reuse and distances as lists, not numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

import islpy as isl

from polysched.analysis.dependences import Dependences
from polysched.analysis.explain import statement_names
from polysched.analysis.legality import set_band_flags
from polysched.analysis.loop_code import (
    guarded_statements,
    is_unimodular,
    loop_keys,
    row_matrix,
)
from polysched.analysis.row_distance import RowDistance, row_distances, shared_points
from polysched.analysis.statement_nest import (
    KnownStatementNests,
    StatementNest,
    statement_nests,
)
from polysched.ir import NodePath, ScheduleTree, Scop
from polysched.sets import node_kind


@dataclass(frozen=True)
class BandProfile:
    """One band of a tree.

    Attributes
    ----------
    path : tuple of int
        Path of the band node.
    permutable : bool
        The band's flag.
    coincident : tuple of bool
        The flag of each member.
    statements : tuple of str
        Statements inside.
    """

    path: NodePath
    permutable: bool
    coincident: tuple[bool, ...]
    statements: tuple[str, ...]


@dataclass(frozen=True)
class BodyProfile:
    """One innermost loop body.

    Attributes
    ----------
    statements : tuple of str
        In it.
    strides : mapping of (str, bool) to int
        How many references have stride class "0", "1" or "N" along the innermost loop;
        the flag tells writes from reads.
    """

    statements: tuple[str, ...]
    strides: Mapping[tuple[str, bool], int]


@dataclass(frozen=True)
class LevelReuse:
    """Reuse that the loops of one level carry, summed over the statements.

    Attributes
    ----------
    temporal, spatial, group : int
        References that stay in place along the loop, that move to a neighbour, that
        meet what another reference of the statement touched some iterations before.
    """

    temporal: int
    spatial: int
    group: int


@dataclass(frozen=True)
class ScheduleProfile:
    """What the numbers of `schedule_features` are made from.

    Attributes
    ----------
    nests : tuple of StatementNest
        Every statement with the loops around it.
    bands : tuple of BandProfile
        Top down.
    bodies : tuple of BodyProfile
        Innermost loop bodies.
    parallel_levels : mapping of str to (int or None)
        Level of each statement's first parallel loop, 1 for the outermost.
    loops_per_level : tuple of int
        Loops side by side at each level, outermost first.
    partition : str
        How statements share loops: parentheses are loops, ``(S0 (S1)) (S2)``.
    reuse : tuple of LevelReuse
        Per level of the point loops, outermost first.
    distances : tuple of tuple of RowDistance
        Per dependence that orders, along the rows until it is satisfied; empty without
        dependences.
    not_unimodular : tuple of str
        Statements whose rows leave gaps.
    guarded : tuple of str
        Statements that run in a part of a loop that they share.
    """

    nests: tuple[StatementNest, ...]
    bands: tuple[BandProfile, ...]
    bodies: tuple[BodyProfile, ...]
    parallel_levels: Mapping[str, int | None]
    loops_per_level: tuple[int, ...]
    partition: str
    reuse: tuple[LevelReuse, ...]
    distances: tuple[tuple[RowDistance, ...], ...] = field(default=())
    not_unimodular: tuple[str, ...] = ()
    guarded: tuple[str, ...] = ()

    @property
    def n_kept(self) -> int:
        """Pairs of a dependence and a row that orders it, while its band goes on.

        The count of the scheduler's ``rho``: later rows of a permutable band still
        respect what an earlier one has ordered.
        """
        last = {b.path: len(b.coincident) - 1 for b in self.bands if b.permutable}
        return sum(
            r.position < last.get(r.path, 0) and not r.is_zero
            for rows in self.distances
            for r in rows
        )

    @property
    def n_local_flows(self) -> int:
        """Flows between statements that stay within one shared iteration."""
        by_name = {n.name: n for n in self.nests}
        found = 0
        for rows in self.distances:
            if not rows or rows[0].dependence.kind != "flow":
                continue
            d = rows[0].dependence
            shared = len(list(shared_points(by_name[d.source], by_name[d.sink])))
            is_local = len(rows) == shared and all(r.is_zero for r in rows)
            found += d.source != d.sink and is_local
        return found


def profile_schedule(
    tree: ScheduleTree,
    scop: Scop,
    dependences: Dependences | None = None,
    known: KnownStatementNests | None = None,
) -> ScheduleProfile:
    """Take a schedule apart.

    Parameters
    ----------
    tree : ScheduleTree
        Tiled or not. When no band has a flag, as in the source order's tree, the flags
        are found from the dependences.
    scop : Scop
        What it schedules.
    dependences : Dependences, optional
        Of the SCoP; without them there are no distances.
    known : dict, optional
        Nests of other trees of the SCoP, see `statement_nests`.
    """
    if dependences is not None and not _has_flags(tree):
        tree = set_band_flags(tree, dependences)
    nests = statement_nests(tree, scop, known)
    return ScheduleProfile(
        nests=nests,
        bands=_bands(tree),
        bodies=_bodies(nests),
        parallel_levels={n.name: _parallel_level(n) for n in nests},
        loops_per_level=_loops_per_level(nests),
        partition=_partition(tree.root.child(0)),
        reuse=_reuse(nests),
        distances=() if dependences is None else row_distances(nests, dependences),
        not_unimodular=tuple(n.name for n in nests if not is_unimodular(n)),
        guarded=tuple(sorted(guarded_statements(nests, scop))),
    )


def _has_flags(tree: ScheduleTree) -> bool:
    """Whether some band is permutable, as each of one member is in a legal tree."""
    return any(node.band_get_permutable() for _, node in tree.bands())


def rank_deficit(nest: StatementNest) -> int:
    """Iterators of a statement that no row moves."""
    width = max((len(m.coefficients) for m in nest.members), default=0)
    return width - len(row_matrix(nest))


def _bands(tree: ScheduleTree) -> tuple[BandProfile, ...]:
    return tuple(
        BandProfile(
            path,
            bool(node.band_get_permutable()),
            tuple(
                bool(node.band_member_get_coincident(k))
                for k in range(node.band_n_member())
            ),
            statement_names(node.get_domain()),
        )
        for path, node in tree.bands()
    )


def _bodies(nests: Sequence[StatementNest]) -> tuple[BodyProfile, ...]:
    groups: dict[NodePath, list[StatementNest]] = {}
    for nest in nests:
        if nest.moving:
            path = nest.members[nest.moving[-1]].path
            groups.setdefault(path, []).append(nest)
    bodies = []
    for sharing in groups.values():
        strides: dict[tuple[str, bool], int] = {}
        for nest in sharing:
            for r, found in nest.inner_strides:
                key = (found, r.is_write)
                strides[key] = strides.get(key, 0) + 1
        bodies.append(BodyProfile(tuple(n.name for n in sharing), strides))
    return tuple(bodies)


def _parallel_level(nest: StatementNest) -> int | None:
    levels = (p for p, k in enumerate(nest.moving, 1) if nest.is_parallel(k))
    return next(levels, None)


def _loops_per_level(nests: Sequence[StatementNest]) -> tuple[int, ...]:
    rolled = loop_keys(nests)
    levels: list[set[tuple[NodePath, int]]] = []
    for nest in nests:
        keys = [(nest.members[k].path, nest.members[k].position) for k in nest.moving]
        for level, key in enumerate(k for k in keys if k in rolled):
            if level == len(levels):
                levels.append(set())
            levels[level].add(key)
    return tuple(len(keys) for keys in levels)


def _partition(node: isl.ScheduleNode) -> str:
    """The statements below a node; every band is a pair of parentheses."""
    kind = node_kind(node)
    if kind == "leaf":
        return " ".join(statement_names(node.get_domain()))
    children = [_partition(node.child(k)) for k in range(node.n_children())]
    inside = " ".join(c for c in children if c)
    if kind == "band":
        n = node.band_n_member()
        return f"{'(' * n}{inside}{')' * n}"
    return inside


def _reuse(nests: Sequence[StatementNest]) -> tuple[LevelReuse, ...]:
    levels = zip_longest(*(n.reuse_counts for n in nests), fillvalue=(0, 0, 0))
    return tuple(LevelReuse(*map(sum, zip(*counts, strict=True))) for counts in levels)
