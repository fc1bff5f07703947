"""Components of the graph of statements, in the order in which Pluto numbers them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

Pairs = Iterable[tuple[str, str]]


def strong_components(
    members: Sequence[str], pairs: Pairs
) -> tuple[tuple[str, ...], ...]:
    """Strongly connected components in topological order, members in source order.

    The order is that of Kosaraju's algorithm when vertices and successors are visited
    in the order of `members`.

    Examples
    --------
    >>> strong_components(["a", "b", "c"], [("c", "a"), ("b", "b")])
    (('c',), ('b',), ('a',))
    """
    place = {m: k for k, m in enumerate(members)}
    after: dict[str, list[str]] = {m: [] for m in members}
    before: dict[str, list[str]] = {m: [] for m in members}
    for a, b in sorted(set(pairs), key=lambda p: (place[p[0]], place[p[1]])):
        after[a].append(b)
        before[b].append(a)
    finished = [m for tree in _search(members, after) for m in tree]
    found = _search(reversed(finished), before)
    return tuple(tuple(sorted(part, key=place.__getitem__)) for part in found)


def weak_components(
    members: Sequence[str], pairs: Pairs
) -> tuple[tuple[str, ...], ...]:
    """Parts that no pair connects, in source order of their first members."""
    place = {m: k for k, m in enumerate(members)}
    beside: dict[str, list[str]] = {m: [] for m in members}
    for a, b in pairs:
        beside[a].append(b)
        beside[b].append(a)
    found = _search(members, beside)
    return tuple(tuple(sorted(part, key=place.__getitem__)) for part in found)


def in_source_order(
    parts: Iterable[tuple[str, ...]], pairs: Pairs, members: Sequence[str]
) -> tuple[tuple[str, ...], ...]:
    """Parts sorted topologically, and by their first member where that is open.

    Parameters
    ----------
    parts : iterable of tuple of str
        Without cycles between them.
    pairs : iterable of (str, str)
        Which member goes before which.
    members : sequence of str
        All members in source order.
    """
    place = {m: k for k, m in enumerate(members)}
    left = [tuple(sorted(part, key=place.__getitem__)) for part in parts]
    left.sort(key=lambda part: place[part[0]])
    part_of = {m: part for part in left for m in part}
    before: dict[tuple[str, ...], set[tuple[str, ...]]] = {part: set() for part in left}
    for a, b in pairs:
        if part_of[a] != part_of[b]:
            before[part_of[b]].add(part_of[a])
    found: list[tuple[str, ...]] = []
    while left:
        ready = next(part for part in left if before[part].issubset(found))
        left.remove(ready)
        found.append(ready)
    return tuple(found)


def _search(
    roots: Iterable[str], successors: Mapping[str, Sequence[str]]
) -> list[list[str]]:
    """Depth-first trees, the vertices of each in the order in which they finish."""
    seen: set[str] = set()
    trees = []
    for root in roots:
        if root in seen:
            continue
        seen.add(root)
        tree = []
        path = [(root, iter(successors[root]))]
        while path:
            unseen = next((v for v in path[-1][1] if v not in seen), None)
            if unseen is None:
                tree.append(path.pop()[0])
            else:
                seen.add(unseen)
                path.append((unseen, iter(successors[unseen])))
        trees.append(tree)
    return trees
