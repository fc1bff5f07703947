"""Schedule trees: the one intermediate form from scheduler to printer.

isl's own tree is the carrier. Decisions that isl has no node for are marks whose names
are listed in `marks`; a printer acts on marks and chooses nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import islpy as isl

from polysched.base import PolyschedError, Shown, check_time
from polysched.sets import node_kind

NodePath = tuple[int, ...]


@dataclass(frozen=True, eq=False, repr=False)
class ScheduleTree(Shown):
    """An isl schedule with a canonical text and a stable key."""

    schedule: isl.Schedule

    @property
    def headline(self) -> str:
        """Its key, and how many bands it has."""
        return f"ScheduleTree {self.key}: {len(self.bands())} bands"

    @classmethod
    def parse(cls, text: str) -> ScheduleTree:
        """Read a tree back from its `text`."""
        try:
            return cls(isl.Schedule(text))
        except isl.Error as error:
            raise PolyschedError(f"not a schedule tree: {text[:200]}") from error

    @classmethod
    def sequence(cls, trees: Sequence[ScheduleTree]) -> ScheduleTree:
        """Trees over different instances one after the other."""
        return cls(reduce(_in_sequence, (tree.schedule for tree in trees)))

    @classmethod
    def restore(cls, text: str) -> ScheduleTree:
        """Read a tree back that keeps its text, and so its key.

        isl may print what it has read with fewer constraints than before.
        """
        tree = cls.parse(text)
        tree.__dict__["text"] = _canonical(text)  # where the cached property looks
        return tree

    @cached_property
    def text(self) -> str:
        """The tree in isl's one-line notation, the pieces of unions in sorted order."""
        return _canonical(str(self.schedule))

    @property
    def key(self) -> str:
        """Ten hexadecimal digits, stable across runs and machines."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:10]

    @cached_property
    def map(self) -> isl.UnionMap:
        """Instances to one common time space, restricted to the tree's domain."""
        schedule_map = self.schedule.get_map()
        return schedule_map.intersect_domain(self.schedule.get_domain())

    @property
    def root(self) -> isl.ScheduleNode:
        """The domain node."""
        return self.schedule.get_root()

    def node(self, path: NodePath) -> isl.ScheduleNode:
        """The node reached from the root by child positions."""
        node = self.root
        for position in path:
            node = node.child(position)
        return node

    def nodes(self) -> Iterator[tuple[NodePath, isl.ScheduleNode]]:
        """All nodes top down, each with its path from the root."""
        return iter(self._nodes)

    @cached_property
    def _nodes(self) -> tuple[tuple[NodePath, isl.ScheduleNode], ...]:
        return tuple(_walk((), self.root))

    def parts(self) -> tuple[ScheduleTree, ...]:
        """What runs one after the other: a tree per child of an outermost sequence.

        The tree itself where it begins with something else, or a child holds nothing.
        """
        return self._parts or (self,)

    @cached_property
    def _parts(self) -> tuple[ScheduleTree, ...]:
        """The parts, none where the tree does not begin with a sequence."""
        below = self.root.child(0)
        if node_kind(below) != "sequence":
            return ()
        domain = self.schedule.get_domain()
        filters = [
            below.child(k).filter_get_filter() for k in range(below.n_children())
        ]
        # isl leaves a tree whole whose domain is empty, each part would be all of it
        if any(domain.intersect(f).is_empty() for f in filters):
            return ()
        return tuple(self._part(f) for f in filters)

    def _part(self, instances: isl.UnionSet) -> ScheduleTree:
        check_time()
        return ScheduleTree(self.schedule.intersect_domain(instances))

    def bands(self) -> list[tuple[NodePath, isl.ScheduleNode]]:
        """Band nodes top down."""
        return [
            (path, node) for path, node in self.nodes() if node_kind(node) == "band"
        ]

    def __str__(self) -> str:
        return self.text


def _in_sequence(first: isl.Schedule, second: isl.Schedule) -> isl.Schedule:
    check_time()
    return first.sequence(second)


def _canonical(text: str) -> str:
    """A printed tree with the pieces of its unions in sorted order."""
    return re.sub(r"\{[^{}]*\}", _sort_pieces, text)


def _sort_pieces(braces: re.Match[str]) -> str:
    """One union set or map with its pieces sorted; isl prints them in hash order.

    Braces of the tree itself hold nodes and contain quotes or further braces.
    """
    if '"' in braces[0]:
        return braces[0]
    pieces = braces[0][1:-1].split(";")
    return f"{{ {'; '.join(sorted(p.strip() for p in pieces))} }}"


def _walk(
    path: NodePath, node: isl.ScheduleNode
) -> Iterator[tuple[NodePath, isl.ScheduleNode]]:
    yield path, node
    for k in range(node.n_children()):
        yield from _walk((*path, k), node.child(k))


@dataclass(frozen=True)
class LinearRow:
    """One linear row of one statement's schedule.

    Attributes
    ----------
    coefficients : tuple of int
        One per iterator of the statement, outermost first.
    constant : int
        The shift.
    parameters : tuple of (str, int)
        Non-zero parameter coefficients.
    """

    coefficients: tuple[int, ...]
    constant: int = 0
    parameters: tuple[tuple[str, int], ...] = ()

    def affine_text(self, iterators: Sequence[str]) -> str:
        """The row as isl text over the given iterator names."""
        terms = [
            f"{c}{name}"
            for c, name in zip(self.coefficients, iterators, strict=True)
            if c
        ]
        terms += [f"{c}{name}" for name, c in self.parameters if c]
        if self.constant or not terms:
            terms.append(str(self.constant))
        return " + ".join(terms)


BandFlags = tuple[bool, tuple[bool, ...]]  # permutable, coincident per member


@dataclass(frozen=True)
class Rows:
    """One statement's schedule in 2d+1 form: scalar rows around linear rows.

    `betas` has one entry more than `linear`; ``betas[k]`` orders statements that share
    all rows before it.
    """

    iterators: tuple[str, ...]
    betas: tuple[int, ...]
    linear: tuple[LinearRow, ...]


def build_tree(
    domain: isl.UnionSet,
    rows: Mapping[str, Rows],
    groups: Callable[[tuple[str, ...], int, int], bool] | None = None,
) -> ScheduleTree:
    """A schedule tree from 2d+1 rows.

    Parameters
    ----------
    domain : isl.UnionSet
        All instances; statements are told apart by tuple name.
    rows : mapping of statement name to Rows
        All with the same number of linear rows (pad short ones with zero rows).
    groups : callable, optional
        ``groups(statements, first, level)`` says whether linear row `level` may join
        the band that starts with row `first` (permutability); by default every row is
        a band of its own.

    Returns
    -------
    ScheduleTree
        Sequences where betas differ, bands elsewhere; rows that are constant for all
        their statements are left out. Flags are not set: `analysis.set_band_flags`.
    """
    names = tuple(rows)
    n_linear = len(next(iter(rows.values())).linear) if rows else 0

    def build(
        node: isl.ScheduleNode, members: tuple[str, ...], level: int
    ) -> isl.ScheduleNode:
        """Schedule `members` from scalar row `level` on, at the leaf `node`."""
        parts = _split_by_beta(rows, members, level)
        if len(parts) > 1:
            node = node.insert_sequence(_filters(domain, parts))
            for k, part in enumerate(parts):
                below = build_linear(node.child(k).child(0), part, level)
                node = _up(below, node.get_tree_depth())
            return node
        return build_linear(node, members, level)

    def build_linear(
        node: isl.ScheduleNode, members: tuple[str, ...], level: int
    ) -> isl.ScheduleNode:
        while level < n_linear and _is_constant(rows, members, level):
            if len(_split_by_beta(rows, members, level + 1)) > 1:
                return build(node, members, level + 1)
            level += 1
        if level >= n_linear:
            return node
        band = [level]
        last = level + 1
        while (
            groups is not None
            and last < n_linear
            and len(_split_by_beta(rows, members, last)) == 1
            and (_is_constant(rows, members, last) or groups(members, level, last))
        ):
            if not _is_constant(rows, members, last):
                band.append(last)
            last += 1
        node = node.insert_partial_schedule(_partial_schedule(rows, members, band))
        below = build(node.child(0), members, last)
        return _up(below, node.get_tree_depth())

    root = isl.Schedule.from_domain(domain).get_root()
    if not names:
        return ScheduleTree(root.get_schedule())
    return ScheduleTree(build(root.child(0), names, 0).get_schedule())


def _up(node: isl.ScheduleNode, depth: int) -> isl.ScheduleNode:
    while node.get_tree_depth() > depth:
        node = node.parent()
    return node


def _split_by_beta(
    rows: Mapping[str, Rows], members: tuple[str, ...], level: int
) -> list[tuple[str, ...]]:
    betas = sorted({rows[m].betas[level] for m in members})
    return [tuple(m for m in members if rows[m].betas[level] == b) for b in betas]


def _is_constant(
    rows: Mapping[str, Rows], members: tuple[str, ...], level: int
) -> bool:
    """Whether a linear row orders nothing: all coefficients zero, one constant."""
    linear = [rows[m].linear[level] for m in members]
    return (
        all(not any(r.coefficients) for r in linear)
        and len({(r.constant, r.parameters) for r in linear}) == 1
    )


def _filters(domain: isl.UnionSet, parts: list[tuple[str, ...]]) -> isl.UnionSetList:
    spaces = {}

    def remember(s: isl.Set) -> None:
        spaces[s.get_tuple_name()] = s.get_space()

    domain.foreach_set(remember)
    filters = isl.UnionSetList.alloc(domain.get_ctx(), len(parts))
    for part in parts:
        union = isl.UnionSet.empty(domain.get_space())
        for name in part:
            if name in spaces:
                universe = isl.Set.universe(spaces[name])
                union = union.union(isl.UnionSet.from_set(universe))
        filters = filters.add(union)
    return filters


def _partial_schedule(
    rows: Mapping[str, Rows], members: tuple[str, ...], band: list[int]
) -> isl.MultiUnionPwAff:
    check_time()
    params = sorted(
        {p for m in members for k in band for p, _ in rows[m].linear[k].parameters}
    )
    prefix = f"[{', '.join(params)}] -> " if params else ""
    pieces = []
    for level in band:
        maps = []
        for m in members:
            r = rows[m]
            tuple_text = f"{m}[{', '.join(r.iterators)}]"
            maps.append(
                f"{tuple_text} -> [({r.linear[level].affine_text(r.iterators)})]"
            )
        pieces.append("{ " + "; ".join(maps) + " }")
    return isl.MultiUnionPwAff(f"{prefix}[{', '.join(pieces)}]")
