"""The frame of a tile first, then what the frame alone tells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences
from polysched.ir import ScheduleTree
from polysched.sets import list_sets, n_dims, node_kind, union_of_sets
from polysched.transform.bands import (
    coincident_flags,
    has_isolation,
    insert_band,
    member_schedules,
    tile_member,
)
from polysched.transform.step import Step

_LOOPS = re.compile(r"S(\d+)((?:\.(?:\d+|-))+)")
Bands = tuple[isl.ScheduleNode, ...]


@dataclass(frozen=True)
class Frame(Step):
    """Cut what runs in a tile of a loop by which other loops are within the tile, too.

    For a tile of `k` and the axes `i` and `j` of the statements below it::

        for kt:                        for kt:
          for k in the tile:             for k: all with i and j in the tile
            S(k, i), T(k, j)      →      for i outside: for k: S(k, i), U(k, i, j in it)
            for i, j: U(k, i, j)         for j outside: for k: T(k, j), U(k, i in it, j)
                                         for i, j outside: for k: U(k, i, j)

    What is in the tile along every axis comes first; what is outside along one runs
    for each of its values, or strips of them, by itself; what is outside along all of
    them comes last, each statement in loops of its own. (Blocks of shortest paths have
    that order.)

    Attributes
    ----------
    band : tuple of int
        Path of the band over the points of a tile, of one member, right below the band
        that counts the tiles; each statement has a branch of the sequence below.
    size : int
        Values of the band's member in a tile.
    loops : tuple of str
        ``S3.-.1``: statement S3 has no iterator along the first axis, and its iterator
        1 along the second. For every statement below the band.
    strips : tuple of int
        For each axis, how many of its values outside of the tile run together.
    """

    size: int
    loops: tuple[str, ...]
    strips: tuple[int, ...]

    name: ClassVar[str] = "frame"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        if node.band_n_member() != 1 or node.get_schedule_depth() < 1:
            return "found no band of one member below another"
        if has_isolation(node):
            return "the band or one below it isolates full tiles, which must come last"
        if not all(map(_LOOPS.fullmatch, self.loops)):
            return f"found the loops {list(self.loops)}, expected some as S3.-.1"
        if any(len(found) != len(self.strips) for found in self._axes.values()):
            return f"found other axes in {list(self.loops)} than {len(self.strips)}"
        if self.size < 2 or min(self.strips) < 1:
            return f"found a tile of {self.size} and strips of {list(self.strips)}"
        dims = {s.get_tuple_name(): n_dims(s) for s in list_sets(node.get_domain())}
        if sorted(dims) != sorted(self._axes) or sorted(dims) != sorted(
            _branches(node)
        ):
            return "expected a branch, and the loops, of each statement below the band"
        for name, positions in self._axes.items():
            if any(p is not None and p >= dims[name] for p in positions):
                return f"found an iterator that {name} does not have"
        if sum(not part.is_empty() for _, part in self._parts(node)) < 2:
            return "found everything on one side of the tile"
        return None

    @cached_property
    def _axes(self) -> dict[str, tuple[int | None, ...]]:
        """For each statement its iterator along every axis."""
        found = {}
        for text in self.loops:
            name, *positions = text.split(".")
            found[name] = tuple(None if p == "-" else int(p) for p in positions)
        return found

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return False

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        branches = _branches(node)
        (loop,) = member_schedules(node)
        flag = coincident_flags(node)
        parts = [
            (axes, part) for axes, part in self._parts(node) if not part.is_empty()
        ]
        domain = node.get_domain()
        node = node.insert_sequence(_filters([_simplify(p, domain) for _, p in parts]))
        for k, (axes, part) in enumerate(parts):
            below = node.child(k).child(0).cut()
            around = [self._strips(part, axis, axes) for axis in axes]
            below = _rebuild(below, part, branches, around)
            below = insert_band(below, [_within(loop, part)], flag, permutable=False)
            for values in reversed(around):
                below = insert_band(below, [values], [False], permutable=False)
            while below.get_tree_depth() > node.get_tree_depth():
                below = below.parent()
            node = below
        return node

    def _parts(
        self, node: isl.ScheduleNode
    ) -> Iterator[tuple[tuple[int, ...], isl.UnionSet]]:
        """Axes, and the instances that are outside of the tile along just these."""
        every = range(len(self.strips))
        inside = [self._inside(node, axis) for axis in every]
        for count in range(len(self.strips) + 1):
            for axes in combinations(every, count):
                part = node.get_domain()
                for axis in every:
                    known = inside[axis]
                    if axis in axes:
                        part = part.intersect(self._along(part, axis)).subtract(known)
                    else:
                        part = part.subtract(self._along(part, axis).subtract(known))
                if count < len(self.strips):
                    yield axes, part.coalesce()
                    continue
                for name in self._axes:
                    alone = (s for s in list_sets(part) if s.get_tuple_name() == name)
                    yield axes, union_of_sets(alone).coalesce()

    def _along(self, domain: isl.UnionSet, axis: int) -> isl.UnionSet:
        """Instances of the statements that have an axis."""
        return union_of_sets(
            s
            for s in list_sets(domain)
            if self._axes[s.get_tuple_name()][axis] is not None
        )

    def _inside(self, node: isl.ScheduleNode, axis: int) -> isl.UnionSet:
        """Instances that are within the tile along an axis."""
        domain = self._along(node.get_domain(), axis)
        depth = node.get_schedule_depth()
        tile = node.get_prefix_schedule_union_map().intersect_domain(domain)
        along = isl.UnionMap.from_union_pw_aff(self._values(domain, axis))
        names = ", ".join(f"c{d}" for d in range(depth + 1))
        first, value = f"c{depth - 1}", f"c{depth}"
        here = isl.UnionSet(
            f"{{ [{names}] : {first} <= {value} < {first} + {self.size} }}"
        )
        return tile.flat_range_product(along).intersect_range(here).domain()

    def _strips(
        self, part: isl.UnionSet, axis: int, axes: tuple[int, ...]
    ) -> isl.UnionPwAff:
        """Values outside of the tile, or strips where others are inside."""
        values = self._values(part, axis)
        is_last = len(axes) == len(self.strips)
        return values if is_last else tile_member(values, self.strips[axis])

    def _values(self, domain: isl.UnionSet, axis: int) -> isl.UnionPwAff:
        """Instances to their values along an axis."""
        total = isl.UnionPwAff.empty(domain.get_space())
        for instances in list_sets(domain):
            position = self._axes[instances.get_tuple_name()][axis]
            assert position is not None
            space = isl.LocalSpace.from_space(instances.get_space())
            value = isl.Aff.var_on_domain(space, isl.dim_type.set, position)
            total = total.union_add(
                isl.UnionPwAff.from_pw_aff(isl.PwAff.from_aff(value))
            )
        return total


def _branches(node: isl.ScheduleNode) -> dict[str, Bands]:
    """Statements that are alone in a branch of the sequence below a band; its bands."""
    below = node.child(0)
    found: dict[str, Bands] = {}
    if node_kind(below) != "sequence":
        return found
    for k in range(below.n_children()):
        inner = below.child(k).child(0)
        names = {s.get_tuple_name() for s in list_sets(inner.get_domain())}
        bands = []
        while node_kind(inner) == "band":
            bands.append(inner)
            inner = inner.child(0)
        if len(names) == 1 and node_kind(inner) == "leaf":
            found[names.pop()] = tuple(bands)
    return found


def _rebuild(
    leaf: isl.ScheduleNode,
    part: isl.UnionSet,
    branches: dict[str, Bands],
    around: list[isl.UnionPwAff],
) -> isl.ScheduleNode:
    """The branches of a part's statements at a leaf, less the loops that are around."""
    here = {s.get_tuple_name(): isl.UnionSet.from_set(s) for s in list_sets(part)}
    names = [name for name in branches if name in here]
    if len(names) > 1:
        leaf = leaf.insert_sequence(_filters([here[n].universe() for n in names]))
    for k, name in enumerate(names):
        below = leaf.child(k).child(0) if len(names) > 1 else leaf
        for band in reversed(branches[name]):
            kept = [
                (_within(member, here[name]), flag)
                for member, flag in zip(
                    member_schedules(band), coincident_flags(band), strict=True
                )
                if not any(_is_same(member, one, here[name]) for one in around)
            ]
            if kept:
                members, flags = zip(*kept, strict=True)
                permutable = bool(band.band_get_permutable())
                below = insert_band(below, members, flags, permutable)
        leaf = below.parent().parent() if len(names) > 1 else below
    return leaf


def _is_same(one: isl.UnionPwAff, other: isl.UnionPwAff, part: isl.UnionSet) -> bool:
    """Whether two functions have the same values for all instances."""
    return bool(part.is_subset(one.sub(other).zero_union_set()))


def _within(member: isl.UnionPwAff, part: isl.UnionSet) -> isl.UnionPwAff:
    """The values of the statements of a part alone."""
    return member.intersect_domain(part.universe())


def _filters(parts: list[isl.UnionSet]) -> isl.UnionSetList:
    found = isl.UnionSetList.alloc(parts[0].get_ctx(), len(parts))
    for part in parts:
        found = found.add(part)
    return found


def _simplify(part: isl.UnionSet, domain: isl.UnionSet) -> isl.UnionSet:
    """The filter that picks a part of a domain, in few constraints."""
    return union_of_sets(
        s.coalesce().gist(domain.extract_set(s.get_space())) for s in list_sets(part)
    )
