"""Which write a read's value comes from, exactly, for the statements of a program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import islpy as isl

from polysched.sets import list_maps, map_names, read_map, union_of_maps
from polysched.tensor.cfunction import CParameter
from polysched.tensor.expr import (
    Assign,
    Expr,
    For,
    If,
    Load,
    Node,
    Storage,
    blocks_of,
    expressions_of,
    is_left_early,
    loads,
    walk,
    walk_nodes,
)
from polysched.tensor.expr import is_affine as is_affine_condition
from polysched.tensor.facts import Facts, Loop
from polysched.tensor.size import Size, floor_div, symbol

INITIAL = "initial"


@dataclass(eq=False)
class AccessPoint:
    """One load or store of the program's text.

    Attributes
    ----------
    name : str
        Unique; the tuple name of its instances.
    node : Node
        The assignment, or the branch whose condition loads.
    number : int
        Which load of the node, in the order of `walk`; -1 for the store.
    storage : Storage
        What is accessed.
    loops : tuple of For
        Enclosing loops, outermost first.
    is_certain : bool
        Whether a store happens for sure when its loops get there.
    relation, order : isl.Map
        Instances to elements, and to their place in the order of execution.
    """

    name: str
    node: Node
    number: int
    storage: Storage
    loops: tuple[For, ...]
    is_certain: bool
    relation: isl.Map
    order: isl.Map

    @property
    def is_store(self) -> bool:
        """Whether it writes."""
        return self.number < 0


@dataclass(eq=False)
class Flow:
    """Sources of one array's loads.

    Attributes
    ----------
    sources : dict of str to set of str
        For each load: the stores its value may come from, and `INITIAL` for what the
        array held before.
    relation : isl.UnionMap
        Instances of stores to instances of loads that read what they wrote.
    """

    sources: dict[str, set[str]] = field(default_factory=dict)
    relation: isl.UnionMap = field(default_factory=lambda: isl.UnionMap("{ }"))


class Accesses:
    """All accesses of a program, in order.

    Parameters
    ----------
    parameters : sequence of CParameter
        Sizes and scalars.
    body : list of Node
        Statements.
    """

    def __init__(self, parameters: Sequence[CParameter], body: list[Node]) -> None:
        self._facts = Facts()
        for p in parameters:
            if p.dtype in ("int64", "int32", "bool"):
                self._facts.add_parameter(p.name, p.kind == "size")
        self._depth = _depth(body)
        self.points: list[AccessPoint] = []
        self.bent: set[int] = set()
        self._loops: list[For] = []
        self._may = 0
        self._add_products(body)
        self._block(body, [])

    def of(self, storage: Storage) -> list[AccessPoint]:
        """Accesses of one array."""
        return [p for p in self.points if p.storage is storage]

    def _add_products(self, body: list[Node]) -> None:
        """Make products of sizes known before anything is said of them."""
        for node in walk_nodes(body):
            sizes = [node.start, node.stop] if isinstance(node, For) else []
            found = [e for x in expressions_of(node) for e in loads(x)]
            found += [node.target] if isinstance(node, Assign) else []
            sizes += [s for e in found for s in e.storage.extents]
            with self._facts.asking():
                for size in (*sizes, *(s for e in found for s in e.subscripts)):
                    if size.products:
                        self._facts.text(size)

    def _block(self, nodes: list[Node], position: list[str]) -> None:
        for k, node in enumerate(nodes):
            here = [*position, str(k)]
            if isinstance(node, Assign):
                self._expr(node, node.value, here)
                self._add(node, -1, node.target, here)
            elif is_left_early(node):
                self._leave_alone(node)
            elif isinstance(node, For):
                self._for(node, here)
            elif isinstance(node, If):
                self._if(node, here)

    def _leave_alone(self, loop: Node) -> None:
        """What a loop touches that data end keeps its storage."""
        for node in walk_nodes([loop]):
            targets = [node.target] if isinstance(node, Assign) else []
            found = [e for x in expressions_of(node) for e in loads(x)]
            self.bent |= {id(e.storage) for e in (*targets, *found)}

    def _for(self, node: For, here: list[str]) -> None:
        self._loops.append(node)
        loop = Loop(node.iterator, node.start, node.stop, node.step)
        ends = (node.start, node.stop)
        is_may = any(e.chosen or e.products for e in ends)  # it may not run
        self._may += is_may
        with self._facts.inside_loop(loop):
            sign = "" if node.step > 0 else "-"
            self._block(node.body, [*here, f"{sign}{node.iterator}"])
        self._may -= is_may
        self._loops.pop()

    def _if(self, node: If, here: list[str]) -> None:
        self._expr(node, node.condition, here)
        is_may = not is_affine_condition(node.condition)
        self._may += is_may
        for k, (body, holds) in enumerate(((node.body, True), (node.orelse, False))):
            with self._facts.where(node.condition, holds):
                self._block(body, [*here, str(k + 1)])
        self._may -= is_may

    def _expr(self, node: Node, expr: Expr, here: list[str]) -> None:
        for number, part in enumerate(e for e in walk(expr) if isinstance(e, Load)):
            self._add(node, number, part, here)

    def _add(self, node: Node, number: int, load: Load, here: list[str]) -> None:
        if load.storage.is_fixed:
            return
        name = f"P{len(self.points)}"
        iterators = ", ".join(n.iterator for n in self._loops)
        head = self._facts.head
        domain = self._facts.domain([]).set_tuple_name(name)
        with self._facts.asking():
            before = len(self._facts.fresh)
            subscripts = ", ".join(self._facts.text(s) for s in load.subscripts)
            if len(self._facts.fresh) > before:  # it is left as it is
                self.bent.add(id(load.storage))
                subscripts = ", ".join("0" for _ in load.subscripts)
        relation = read_map(
            f"{head}{{ {name}[{iterators}] -> {load.storage.name}[{subscripts}] }}"
        ).intersect_domain(domain)
        vector = [*here, *["0"] * (self._depth - len(here)), "1" if number < 0 else "0"]
        order = read_map(f"{head}{{ {name}[{iterators}] -> [{', '.join(vector)}] }}")
        self.points.append(
            AccessPoint(
                name, node, number, load.storage, tuple(self._loops), not self._may,
                relation, order,
            )
        )  # fmt: skip

    def flow(self, storage: Storage, is_read_after: bool) -> Flow:
        """Where the values of an array's loads come from.

        With `is_read_after`, one more load, `END`, reads all of it at the end.
        """
        points = self.of(storage)
        stores = [p for p in points if p.is_store]
        certain = union_of_maps([p.relation for p in stores if p.is_certain])
        possible = union_of_maps([p.relation for p in stores])
        loads = [p.relation for p in points if not p.is_store]
        orders = [p.order for p in points]
        if is_read_after:
            end, order = self._end(storage)
            loads.append(end)
            orders.append(order)
        reads = union_of_maps(loads)
        info = isl.UnionAccessInfo.from_sink(reads)
        info = info.set_must_source(certain).set_may_source(possible)
        info = info.set_schedule_map(union_of_maps(orders))
        found = info.compute_flow()
        dependences = found.get_may_dependence()
        result = Flow(relation=dependences)
        for pair in list_maps(dependences):
            source, sink = map_names(pair)
            result.sources.setdefault(sink, set()).add(source)
        for pair in list_maps(found.get_may_no_source()):
            result.sources.setdefault(map_names(pair)[0], set()).add(INITIAL)
        return result

    def _end(self, storage: Storage) -> tuple[isl.Map, isl.Map]:
        names = [f"ps_e{k}" for k in range(len(storage.extents))]
        text = ", ".join(names)
        head = self._facts.head
        inside = " and ".join(
            f"0 <= {n} and {n} < {self._facts.text(e)}"
            for n, e in zip(names, storage.extents, strict=True)
        )
        where = f" : {inside}" if inside else ""
        read = f"{head}{{ END[{text}] -> {storage.name}[{text}]{where} }}"
        vector = ", ".join([str(_LAST), *["0"] * self._depth])
        return read_map(read), read_map(f"{head}{{ END[{text}] -> [{vector}] }}")


_LAST = 2**30  # behind all statements of a block


def _depth(nodes: list[Node]) -> int:
    """Length of the longest position."""
    longest = 1
    for node in nodes:
        for body in blocks_of(node):
            longest = max(longest, 2 + _depth(body))
    return longest


def iterator_of(loop: For) -> Size:
    """How often a loop has run before an iteration, from 0 on."""
    gap = symbol(loop.iterator) - loop.start
    if loop.step < 0:
        gap = -gap
    return gap if abs(loop.step) == 1 else floor_div(gap, abs(loop.step), True)
