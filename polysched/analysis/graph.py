"""The dependence graph between statements and its strongly connected components."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import networkx as nx

from polysched.analysis.dependences import DependenceKind, Dependences
from polysched.ir import Scop


def dependence_graph(
    scop: Scop,
    dependences: Dependences,
    kinds: tuple[DependenceKind, ...] = ("flow", "anti", "output"),
) -> nx.DiGraph:
    """Statements as nodes in source order, one edge per pair with a dependence."""
    graph = nx.DiGraph()
    graph.add_nodes_from(s.name for s in scop.statements)
    graph.add_edges_from((d.source, d.sink) for d in dependences.of_kind(*kinds))
    return graph


def components(scop: Scop, dependences: Dependences) -> dict[str, int]:
    """The component number of each statement, numbered by first statement."""
    graph = dependence_graph(scop, dependences)
    order = {s.name: k for k, s in enumerate(scop.statements)}
    found = sorted(
        nx.strongly_connected_components(graph), key=lambda c: min(order[s] for s in c)
    )
    return {s: k for k, c in enumerate(found) for s in c}


def component_levels(scop: Scop, dependences: Dependences) -> dict[str, int]:
    """How many components depend on each other, at most, up to that of a statement.

    Components of one level are mutually independent.
    """
    component = components(scop, dependences)
    graph = _quotient(dependence_graph(scop, dependences), component)
    level: dict[Hashable, int] = {}
    for node in nx.topological_sort(graph):
        level[node] = max((level[p] + 1 for p in graph.predecessors(node)), default=0)
    return {s: level[c] for s, c in component.items()}


def weak_components(
    scop: Scop, dependences: Dependences
) -> tuple[tuple[str, ...], ...]:
    """Statements that dependences connect, in any direction; in source order."""
    graph = dependence_graph(scop, dependences)
    order = {s.name: k for k, s in enumerate(scop.statements)}
    found = [
        sorted(c, key=order.__getitem__) for c in nx.weakly_connected_components(graph)
    ]
    return tuple(tuple(c) for c in sorted(found, key=lambda c: order[c[0]]))


def order_groups(
    scop: Scop, dependences: Dependences, label: Mapping[str, Hashable]
) -> tuple[tuple[str, ...], ...]:
    """Groups of statements that can run one after the other.

    Parameters
    ----------
    scop, dependences
        What is grouped.
    label : mapping of statement name to hashable
        Statements of one label are a group. Groups that depend on each other in a
        cycle cannot be ordered; each is split into its strongly connected components,
        and a component that lies in several groups stays together.

    Returns
    -------
    tuple of tuple of str
        Every statement once, groups in an order that respects all dependences, the
        source order where there is a choice; inside a group in source order.
    """
    graph = dependence_graph(scop, dependences)
    component = components(scop, dependences)
    cyclic: set[Hashable] = set()
    for labels in nx.strongly_connected_components(_quotient(graph, label)):
        if len(labels) > 1:
            cyclic |= labels
    final: dict[str, Hashable] = {
        s: ("component", component[s]) if label[s] in cyclic else ("label", label[s])
        for s in label
    }
    order = {s.name: k for k, s in enumerate(scop.statements)}
    members: dict[Hashable, list[str]] = {}
    for name in order:
        members.setdefault(final[name], []).append(name)
    ordered = nx.lexicographical_topological_sort(
        _quotient(graph, final), key=lambda group: order[members[group][0]]
    )
    return tuple(tuple(members[group]) for group in ordered)


def _quotient(graph: nx.DiGraph, label: Mapping[str, Hashable]) -> nx.DiGraph:
    """Labels as nodes, without edges from one to itself."""
    found = nx.DiGraph()
    found.add_nodes_from(dict.fromkeys(label[s] for s in graph))
    found.add_edges_from(
        (label[a], label[b]) for a, b in graph.edges if label[a] != label[b]
    )
    return found
