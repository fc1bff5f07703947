"""Data that one statement leaves in a cache for another one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import gcd

from polysched.analysis import Reference, Vector, function_directions
from polysched.cost.lookups import row_arrays
from polysched.cost.nest import Nest

KEPT_SHARE = 0.75  # of a cache; the rest is for what passes through
LOST_SHARE = 0.9  # of the first cache, from which on it keeps nothing of a pass


class Reuse:
    """What statements that share outer loops need not load again.

    Two statements under one loop pass over the same array once, as far as memory is
    concerned, if all that one iteration of that loop touches stays in the cache, and
    if the loop moves both to the same part of the array: rows that one has read are of
    no use to another that reads columns.

    Parameters
    ----------
    nests : sequence of Nest
        All statements, in the order in which they run.
    line_bytes : int
        Cache line.
    """

    def __init__(self, nests: Sequence[Nest], line_bytes: int) -> None:
        self._nests = nests
        self._line_bytes = line_bytes
        self._touched = cache(self._measure)
        self._together = cache(self._measure_together)
        self._depths = cache(self._measure_depths)
        self._kept = cache(self._find_kept)
        self._moved = cache(self._movement)
        self._may_meet = cache(self._find_meeting)
        self._stretches = cache(self._measure_stretches)
        self._users: dict[str, list[int]] = {}
        for position, nest in enumerate(nests):
            for array in {r.array for r in nest.references}:
                self._users.setdefault(array, []).append(position)

    def nest(self, position: int) -> Nest:
        """One of the statements."""
        return self._nests[position]

    def traffic(
        self, position: int, capacity_bytes: int, array: str | None = None
    ) -> float:
        """Bytes that one statement brings into a cache, with the others beside it.

        As `Nest.traffic`; but what its loops touch stays in the cache only if what the
        other statements in them touch fits as well. If not, every iteration of the
        loop that they share brings its data in again: all of it where the statements
        touch twice of what the cache holds, a part of it where they touch less.
        """
        nest = self._nests[position]
        outer, kept, lost = self._kept(position, capacity_bytes)
        alone = nest.runs(outer) * nest.footprint(outer, self._line_bytes, array)
        if not lost:
            return alone
        passing = nest.passing_bytes(kept, self._line_bytes, array)
        again = nest.runs(kept) * passing
        return alone + lost * max(0.0, again - alone)

    def total_bytes(self) -> int:
        """All that the statements touch, each array as much as one of them does."""
        return sum(map(self._bytes_of, self._users))

    def new_bytes(self) -> int:
        """Of that results of which the region reads no value from before it."""
        known = {
            k: self._nests[users[0]].scop.array(k) for k, users in self._users.items()
        }
        new = (
            k for k, array in known.items() if not (array.live_in or array.is_private)
        )
        return sum(map(self._bytes_of, new))

    def _bytes_of(self, array: str) -> int:
        return max(self._touched(k, 0, array) for k in self._users[array])

    def met_before(self, position: int) -> frozenset[str]:
        """Arrays that an earlier statement of the same iteration touches likewise."""
        nest = self._nests[position]
        depth = len(nest.members)
        mates = [
            k
            for k in range(position)
            if len(self._nests[k].members)
            == depth
            == common_depth(self._nests[k], nest)
        ]
        return frozenset(
            array
            for array in {r.array for r in nest.references}
            for k in mates
            if self._moved(k, depth, array) >= self._moved(position, depth, array)
        )

    def rows_before(self, position: int) -> frozenset[str]:
        """Arrays along whose rows an earlier statement of the same iteration runs."""
        nest = self._nests[position]
        depth = len(nest.members)
        rows = row_arrays(nest)
        return frozenset(
            array
            for k in range(position if rows else 0)
            if len(self._nests[k].members)
            == depth
            == common_depth(self._nests[k], nest)
            for array in rows & row_arrays(self._nests[k])
        )

    def saved_bytes(
        self,
        position: int,
        capacity_bytes: int,
        *,
        shared: bool,
        in_order: bool = False,
    ) -> float:
        """Bytes of a statement's `traffic` that an earlier one has loaded already.

        Parameters
        ----------
        position : int
            Of the statement.
        capacity_bytes : int
            Of the cache.
        shared : bool
            Whether all threads use one cache; a private one holds only what its own
            thread loaded.
        in_order : bool
            Whether neighbours in memory are neighbours in the cache, as in the first
            one; pages fall on the sets of the others by chance, and what statements
            both touch counts for each.
        """
        nest = self._nests[position]
        saved = 0.0
        for array in {r.array for r in nest.references if len(r.rows) > 1}:
            traffic = self.traffic(position, capacity_bytes, array)
            found = [
                self._left(earlier, position, array, capacity_bytes, shared)
                * self._kept_share(earlier, position, capacity_bytes, in_order=in_order)
                for earlier in self._users[array]
                if earlier < position
            ]
            saved += min(traffic, max(found, default=0.0))
        return saved

    def _left(
        self, earlier: int, position: int, array: str, capacity: int, shared: bool
    ) -> float:
        """Bytes of an array that an earlier statement leaves for this one."""
        one, other = self._nests[earlier], self._nests[position]
        depth = common_depth(one, other)
        if not shared and not (
            _same_threads(one, depth) and _same_threads(other, depth)
        ):
            return 0.0
        if not self._moved(earlier, depth, array) & self._moved(position, depth, array):
            return 0.0
        if not self._may_meet(earlier, position, array):
            return 0.0
        if self._is_far(earlier, position, array, KEPT_SHARE * capacity):
            return 0.0
        bytes_here = self._touched(position, depth, array)
        if 2 * self._touched(earlier, depth, array) < bytes_here:
            return 0.0
        return other.runs(depth) * bytes_here

    def _kept_share(
        self, earlier: int, position: int, capacity: int, *, in_order: bool
    ) -> float:
        """How much a cache keeps of what a statement has loaded until another runs."""
        depth = common_depth(self._nests[earlier], self._nests[position])
        passing = range(earlier, position + 1)
        if not in_order:
            together = sum(self._touched(k, depth, None) for k in passing)
            return float(together <= KEPT_SHARE * capacity)
        most = sum(
            max((self._touched(k, depth, a) for k in users if k in passing), default=0)
            for a, users in self._users.items()
        )
        kept = (LOST_SHARE - most / capacity) / (LOST_SHARE - KEPT_SHARE)
        return min(1.0, max(0.0, kept))

    def _find_meeting(self, earlier: int, position: int, array: str) -> bool:
        """Whether accesses of two statements may have rows in common."""
        ones, others = (
            [r for r in self._nests[k].references if r.array == array]
            for k in (earlier, position)
        )
        return any(_have_common_rows(a, b) for a in ones for b in others)

    def _is_far(
        self, earlier: int, position: int, array: str, kept_bytes: float
    ) -> bool:
        """Whether shifts have it read in other tiles, when a cache holds it no more."""
        one, other = self._nests[earlier], self._nests[position]
        common = one.members[: common_depth(one, other)]
        tiles = [k for k, m in enumerate(common) if m.kind != "point"]
        if not tiles:
            return False
        inside = tiles[-1] + 1
        both = (self._stretches(k, inside, array) for k in (earlier, position))
        is_apart = any(
            a is not None and b is not None and (a[1] < b[0] or b[1] < a[0])
            for a, b in zip(*both, strict=False)
        )
        return is_apart and kept_bytes < sum(
            self._touched(k, tiles[0], None) for k in range(earlier, position + 1)
        )

    def _measure_stretches(
        self, position: int, depth: int, array: str
    ) -> list[tuple[float, float] | None]:
        """From where to where loops below a depth touch each subscript of an array.

        As seen from the first iteration of the tiles above; None for subscripts that
        other loops move than those over points of these tiles.
        """
        nest = self._nests[position]
        above = [m for m in nest.members[:depth] if m.kind != "point"]
        tiled = {m.function for m in above} | {f for m in above for f, _ in m.summed}
        extents = nest.extents_from(depth)
        points = [
            (m, d, extents[k])
            for k, (m, d) in enumerate(zip(nest.members, nest.directions, strict=True))
            if d is not None
        ]
        found = [r for r in nest.references if r.array == array]
        stretches: list[tuple[float, float] | None] = []
        for p in range(len(found[0].rows)):
            ends: list[float] = []
            for r in found:
                moves = [(m, r.moves(d)[p], n) for m, d, n in points if r.moves(d)[p]]
                if not moves or any(m.function not in tiled for m, _, _ in moves):
                    ends = []
                    break
                start = r.offsets[p] - sum(move * m.constant for m, move, _ in moves)
                ways = [move * (n - 1) for _, move, n in moves]
                ends.append(float(start + sum(w for w in ways if w < 0)))
                ends.append(float(start + sum(w for w in ways if w > 0)))
            stretches.append((min(ends), max(ends)) if ends else None)
        return stretches

    def _measure(self, position: int, depth: int, array: str | None) -> int:
        return self._nests[position].footprint(depth, self._line_bytes, array)

    def _find_kept(self, position: int, capacity: int) -> tuple[int, int, float]:
        """Where a statement's data come from outside: alone, and with the others.

        The loop that brings them in, the first one whose data stay with the others
        beside it, and which part of the data is lost between its iterations.
        """
        nest = self._nests[position]
        first = kept = nest.first_kept(capacity, self._line_bytes)
        n_members = len(nest.members)
        while kept < n_members and not self._fit(position, kept, capacity):
            kept += 1
        lost = 0.0
        if kept not in (first, n_members):
            lost = min(1.0, self._together(position, kept - 1) / capacity - 1.0)
        return max(0, first - 1), kept, lost

    def _fit(self, position: int, first: int, capacity: int) -> bool:
        """Whether a cache holds what all statements in some loops touch."""
        mates = [position, *self._mates(position, first)]
        most = sum(self._touched(k, first, None) for k in mates)
        return most <= capacity or self._together(position, first) <= capacity

    def _mates(self, position: int, first: int) -> list[int]:
        """Other statements that run within the loop of a member."""
        return [k for k, depth in self._depths(position) if depth > first]

    def _measure_together(self, position: int, first: int) -> int:
        """Bytes that the loops from a member on touch, of all statements in them."""
        mates = {position, *self._mates(position, first)}
        total = 0
        for array, users in self._users.items():
            here = [self._touched(k, first, array) for k in users if k in mates]
            total += max(here, default=0)
        return total

    def _measure_depths(self, position: int) -> list[tuple[int, int]]:
        """The other statements, and how many loops they share with one."""
        nest = self._nests[position]
        return [
            (k, common_depth(nest, other))
            for k, other in enumerate(self._nests)
            if k != position
        ]

    def _movement(
        self, position: int, depth: int, array: str
    ) -> frozenset[tuple[Vector | None, ...]]:
        """How each access to an array moves with each of the loops down to a depth."""
        nest = self._nests[position]
        directions = function_directions([m.function for m in nest.members])[:depth]
        return frozenset(
            tuple(None if d is None else r.moves(d) for d in directions)
            for r in nest.references
            if r.array == array
        )


def _have_common_rows(one: Reference, other: Reference) -> bool:
    """Whether rows of two accesses may be the same, as odd and even ones never are."""
    if len(one.rows) != len(other.rows):
        return True
    for a, b, x, y in zip(
        one.rows[:-1], other.rows[:-1], one.offsets, other.offsets, strict=False
    ):
        numbers = *a, *b, x - y
        if any(n != int(n) for n in numbers):
            continue
        step = gcd(*map(int, (*a, *b)))
        if step and int(x - y) % step:
            return False
    return True


def common_depth(one: Nest, other: Nest) -> int:
    """How many loops, from the outside in, two statements share."""
    depth = 0
    for a, b in zip(one.members, other.members, strict=False):
        if (a.path, a.position) != (b.path, b.position):
            break
        depth += 1
    return depth


def _same_threads(nest: Nest, depth: int) -> bool:
    """Whether the loops below a depth are not dealt out to threads."""
    return nest.shared is None or nest.shared < depth
