"""The dependence graph between statements and its strongly connected components."""

from __future__ import annotations

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
