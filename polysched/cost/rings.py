"""Statements of one loop that hand values on to each other, by the model.

An error that is spread, ``old = x[i] + e[i]; new = old > c; err = old - new; e[i + 1]
+= err * w;``, has no statement that waits for itself, and yet every iteration waits for
all four of the one before.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence

import islpy as isl

from polysched.analysis import Dependences, loop_distances
from polysched.cost.chains import Link, arrival
from polysched.cost.nest import Nest
from polysched.ir import NodePath, ScheduleTree

Loop = tuple[NodePath, int]


def find_links(
    tree: ScheduleTree,
    nests: Sequence[Nest],
    loops: Sequence[Loop | None],
    deps: Dependences,
    known: dict[tuple[Hashable, ...], Mapping[str, Link]] | None = None,
    *,
    fused: bool,
) -> dict[int, Link]:
    """The links of rings of several statements, by position of their nests.

    Parameters
    ----------
    tree : ScheduleTree
    nests : sequence of Nest
        All statements.
    loops : sequence of (path, position) or None
        The innermost loop around each.
    deps : Dependences
        Of the SCoP.
    known : dict, optional
        What was found of earlier trees, by the statements and their loops.
    fused : bool
        Whether products and sums are one operation.
    """
    known = {} if known is None else known
    together: dict[Loop, list[int]] = {}
    for k, (nest, loop) in enumerate(zip(nests, loops, strict=True)):
        if loop is not None and not nest.is_inner_parallel:
            together.setdefault(loop, []).append(k)
    found: dict[int, Link] = {}
    for loop, positions in together.items():
        names = [nests[k].statement.name for k in positions]
        for ring in _rings(names, deps):
            here = {nests[k].statement.name: k for k in positions}
            parts = [nests[here[name]] for name in sorted(ring)]
            key = tuple((p.statement.name, _functions(p)) for p in parts)
            if key not in known:
                known[key] = _links(tree, loop, parts, deps, fused=fused)
            found.update({here[name]: link for name, link in known[key].items()})
    return found


def _functions(nest: Nest) -> tuple[Hashable, ...]:
    """Its loops, wherever in a tree they stand."""
    return tuple((m.coefficients, m.constant, m.unrolled) for m in nest.members)


def _rings(names: Sequence[str], deps: Dependences) -> Iterator[set[str]]:
    """Statements of a loop of which each may need what all others compute."""
    if len(names) < 2:
        return
    import networkx as nx  # takes 0.2 s to load, and few loops have any

    graph = nx.DiGraph(
        (d.source, d.sink)
        for d in deps.of_kind("flow")
        if d.source in names and d.sink in names
    )
    yield from (c for c in nx.strongly_connected_components(graph) if len(c) > 1)


def _links(
    tree: ScheduleTree,
    loop: Loop,
    parts: Sequence[Nest],
    deps: Dependences,
    *,
    fused: bool,
) -> Mapping[str, Link]:
    """The longest way from values of one iteration to those that the next one needs."""
    inside, carried = _handed_on(tree, loop, parts, deps)
    ways: dict[str, dict[str, _Way]] = {}  # to a statement, by where they begin
    for part in sorted(parts, key=lambda p: p.statement.position):
        name, scop = part.statement.name, part.scop
        found: dict[str, _Way] = {}
        arrays = {
            a for (_, sink), read in carried.items() if sink == name for a in read
        }
        if arrays:
            steps = arrival(part.statement, arrays, fused=fused)
            stored = any(scop.array(a).extents for a in arrays)
            found[name] = {name: Link(steps, stored)}
        for before, known in ways.items():
            read = inside.get((before, name), set())
            for first, way in known.items() if read else ():
                steps = arrival(part.statement, read, fused=fused)
                longer = way | {name: Link(steps, False)}
                found[first] = max(found.get(first, {}), longer, key=_length)
        ways[name] = found
    rings = (ways[source].get(sink, {}) for source, sink in carried)
    return max((r for r in rings if len(r) > 1), key=_length, default={})


_Way = dict[str, Link]
_Arrays = dict[tuple[str, str], set[str]]  # that one statement hands to another


def _length(way: _Way) -> float:
    return sum(link.operations for link in way.values())


def _handed_on(
    tree: ScheduleTree, loop: Loop, parts: Sequence[Nest], deps: Dependences
) -> tuple[_Arrays, _Arrays]:
    """What statements hand on within an iteration of a loop, and to later ones."""
    path, position = loop
    names = {p.statement.name for p in parts}
    inside: _Arrays = {}
    carried: _Arrays = {}
    for d in deps.of_kind("flow"):
        if not names >= {d.source, d.sink}:
            continue
        flow = isl.UnionMap.from_map(d.relation)
        distances = loop_distances(tree.node(path), position, flow)
        least = distances.dim_min_val(0)
        if distances.is_empty() or least.is_neg():
            continue
        kind = inside if least.is_zero() else carried
        kind.setdefault((d.source, d.sink), set()).add(d.array)
    return inside, carried
