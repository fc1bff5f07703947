"""Data that one statement leaves in a cache for another one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from polysched.analysis import Vector, function_directions
from polysched.cost.nest import Nest

KEPT_SHARE = 0.75  # of a cache; the rest is for what passes through


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
        self._moved = cache(self._movement)
        self._users: dict[str, list[int]] = {}
        for position, nest in enumerate(nests):
            for array in {r.array for r in nest.references}:
                self._users.setdefault(array, []).append(position)

    def saved_bytes(self, position: int, capacity_bytes: int, *, shared: bool) -> float:
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
        """
        nest = self._nests[position]
        saved = 0.0
        for array in {r.array for r in nest.references if len(r.rows) > 1}:
            traffic = nest.traffic(capacity_bytes, self._line_bytes, array)
            found = [
                self._left(earlier, position, array, capacity_bytes, shared)
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
        bytes_here = self._touched(position, depth, array)
        if 2 * self._touched(earlier, depth, array) < bytes_here:
            return 0.0
        together = sum(
            self._touched(k, depth, None) for k in range(earlier, position + 1)
        )
        if together > KEPT_SHARE * capacity:
            return 0.0
        return other.runs(depth) * bytes_here

    def _measure(self, position: int, depth: int, array: str | None) -> int:
        return self._nests[position].footprint(depth, self._line_bytes, array)

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
