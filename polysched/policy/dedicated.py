"""The fixed selection table of Kong and Pouchet, PLDI 2019: lists by kind of node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from polysched.analysis import Dependence, Dependences
from polysched.ir import Scop
from polysched.policy.shapes import shape_for
from polysched.schedule import (
    MachineFacts,
    Part,
    Recipe,
    is_stencil,
    split_statements,
)
from polysched.sets import list_basic_maps

NodeKind = Literal["SET", "SCC", "STEN"]
MAX_FLEX_SCC = 7
MAX_FLEX_STENCIL = (3, 5)


@dataclass(frozen=True)
class Node:
    """A node of the dependence graph, as the table sees it.

    Attributes
    ----------
    kind : {"SET", "SCC", "STEN"}
        Statements that are independent of each other; a cycle; a cycle with a stencil
        statement and no fewer dependences of statements on themselves than members.
    statements : tuple of str
        In textual order.
    depth : int
        Largest number of loops around one of them.
    flex : float
        Dependences inside the node per loop: how little freedom there is.
    has_self : bool
        Whether some statement depends on itself.
    """

    kind: NodeKind
    statements: tuple[str, ...]
    depth: int
    flex: float
    has_self: bool


def classify_nodes(scop: Scop, dependences: Dependences) -> tuple[Node, ...]:
    """The nodes of a SCoP in an order that respects all dependences.

    Dependences are counted as convex pieces, one per statement pair, array, kind and
    polyhedron; the publication counts them per pair of references and carrying loop,
    which is close to it.
    """
    groups = split_statements(scop, dependences, "NODE")
    return tuple(_classify(scop, dependences, group) for group in groups)


def _classify(scop: Scop, dependences: Dependences, group: tuple[str, ...]) -> Node:
    inside = [
        d
        for d in dependences.items
        if d.orders and d.source in group and d.sink in group
    ]
    own = [d for d in inside if d.source == d.sink]
    depth = max(scop.statement(n).n_loops for n in group)
    kind: NodeKind = "SET"
    is_cycle = len(inside) > len(own)
    stencils = [n for n in group if is_stencil(scop.statement(n))]
    if stencils and (is_cycle or len(group) == 1) and _n_pieces(own) >= len(group):
        kind = "STEN"
    elif is_cycle:
        kind = "SCC"
    flex = _n_pieces(inside) / max(1, depth)
    return Node(kind, group, depth, flex, bool(own))


def _n_pieces(dependences: Sequence[Dependence]) -> int:
    return sum(len(list_basic_maps(d.relation)) for d in dependences)


def table_objectives(node: Node, machine: MachineFacts) -> tuple[str, ...]:
    """The list of a node, most important first; MIC decides what it leaves open.

    Parallelism is of low priority where there are no more cores than vector lanes.
    """
    is_low = machine.n_cores <= machine.vector_lanes
    found: tuple[str, ...]
    if node.kind == "SET":
        found = _set_objectives(node, is_low)
    elif node.kind == "SCC":
        found = ("SO", "IP", "2OP") if node.flex <= MAX_FLEX_SCC else ("2OP_EASY",)
    elif node.flex <= MAX_FLEX_STENCIL[0]:
        found = ("SPC", "SDO")
    elif node.flex <= MAX_FLEX_STENCIL[1]:
        found = ("VSKW", "SDC", "SPC", "SDO")
    else:
        found = ("2OP_EASY",) if node.depth >= 3 else ()
    return (*dict.fromkeys(found), "MIC")


def _set_objectives(node: Node, is_low: bool) -> tuple[str, ...]:
    found: list[str] = []
    if node.depth >= 2:
        found += ["SO", "IP"]
        found += [] if is_low else ["ADA"]
    if len(node.statements) >= 2:
        found += ["SIS"]
        found += ["DGF"] if is_low else []
    if node.depth <= 2 and is_low:
        found += ["OP"]
    if node.depth >= 3 and node.has_self:
        found += ["OPIR" if is_low else "ADA"]
    return tuple(found)


def table_recipes(
    scop: Scop, dependences: Dependences, machine: MachineFacts
) -> tuple[Recipe, ...]:
    """The table's one recipe: every node with its own list.

    References
    ----------
    .. [1] Kong and Pouchet, "Model-driven transformations for multi- and many-core
       CPUs", PLDI 2019.
    """
    parts = []
    for node in classify_nodes(scop, dependences):
        names = table_objectives(node, machine)
        parts.append(Part(node.statements, names, shape_for(names)))
    return (Recipe((), partition="NODE", parts=tuple(parts)),)
