"""Elements that are changed several times in a row, with a variable of their own.

A compiler that cannot tell pointers apart stores an element after every change, as what
is read for the next one might be the element itself::

    C[i][j] = 0.0;                             double sum;
    for (int k = 0; k < n; k++)                sum = 0.0;
      C[i][j] += A[i][k] * B[k][j];   ==>      for (int k = 0; k < n; k++)
                                                 sum += A[i][k] * B[k][j];
                                               C[i][j] = sum;

Different arrays are different objects, as everywhere else; an array that a change reads
besides is left alone. The order of operations stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import groupby

from polysched.codegen.accumulate import runs_at_all, with_accumulator
from polysched.codegen.ctext import Names, identifiers
from polysched.codegen.linear import Linear
from polysched.codegen.nodes import (
    Block,
    Branch,
    Instance,
    Loop,
    Node,
    change_blocks,
    walk_nodes,
)
from polysched.ir import (
    Assign,
    Load,
    Lookup,
    Scop,
    action_expressions,
    walk,
)

_CHANGES = ("+=", "-=", "*=")


@dataclass(frozen=True)
class Element:
    """An element, and how a piece of code changes it.

    Attributes
    ----------
    text : str
        As C has it.
    type_ : str
        Its C type.
    """

    text: str
    type_: str


@dataclass(frozen=True)
class Holder:
    """What it takes to give elements of arrays variables of their own.

    Attributes
    ----------
    scop : Scop
        What the statements are.
    names : Names
        Source of identifiers.
    text : callable
        An element at an instance, as C text.
    place : callable
        Its subscripts.
    behind_pointers : frozenset of str
        Private arrays that lie on the heap.
    """

    scop: Scop
    names: Names
    text: Callable[[Load, Instance], str]
    place: Callable[[Load, Instance], tuple[Linear, ...]]
    behind_pointers: frozenset[str] = frozenset()

    def is_named(self, array: str, element: str, blocks: Iterable[Block]) -> bool:
        """Whether lines that stand in blocks already speak of an element's array."""
        names = {element.partition("[")[0], self.scop.array(array).source_name}
        lines = (line for b in blocks for line in (*b.opening, *b.closing))
        return any(names & identifiers(line) for line in lines)

    def is_worth_holding(self, name: str) -> bool:
        """Whether compilers have to take an array for a part of any other.

        Where data decide which element is meant, it is another one when they change:
        these are left alone.
        """
        if name in self.scop.looked_up:
            return False
        array = self.scop.array(name)
        if name in self.behind_pointers:
            return True
        is_parameter = array.storage == "parameter"
        return bool(array.extents) and (is_parameter or array.extents[0] is None)


class HeldElements(Holder):
    """Gives the elements of a block that are changed in a row their variables."""

    def convert(self, block: Block) -> Block:
        """The block with the variables in place."""
        groups = groupby(block.items, key=self._element)
        items: list[Node] = []
        for element, found in groups:
            together = tuple(found)
            if element is not None and _is_worth(together):
                held = self._hold(element, together)
                if together == block.items and isinstance(held, Block):
                    return _put_into(block, held)
                items.append(held)
            else:
                items += [change_blocks(node, self.convert) for node in together]
        return replace(block, items=tuple(items))

    def _element(self, node: Node) -> Element | None:
        """The only element that a node changes, if it does nothing else."""
        match node:
            case Instance():
                return self._changed(node)
            case Loop() if is_plain(node):
                found = {self._element(item) for item in node.body.items}
                element = found.pop() if len(found) == 1 else None
                if element and node.iterator not in identifiers(element.text):
                    return element
        return None

    def _changed(self, instance: Instance) -> Element | None:
        if instance.has_variables:
            return None
        body = self.scop.statement(instance.statement).body
        action = body[0] if len(body) == 1 else None
        if not isinstance(action, Assign):
            return None
        target = action.target
        read = [e for top in action_expressions(action) for e in walk(top)]
        others = {e.array for e in read if isinstance(e, Load | Lookup) and e != target}
        if target.array in others or not self.is_worth_holding(target.array):
            return None
        return Element(self.text(target, instance), target.type.name)

    def _hold(self, element: Element, nodes: tuple[Node, ...]) -> Node:
        name = self.names.take(_variable(self.scop, nodes))
        begun = isinstance(nodes[0], Instance) and not self._reads_itself(nodes[0])
        start = "" if begun else f" = {element.text}"
        inside = Block(
            with_accumulator(Block(nodes), name).items,
            (f"{element.type_} {name}{start};",),
            (f"{element.text} = {name};",),
        )
        first = nodes[0]
        if isinstance(first, Loop) and len(nodes) == 1 and not first.n_iterations:
            return Branch(runs_at_all(first), inside)
        return inside

    def _reads_itself(self, instance: Instance) -> bool:
        action = self.scop.statement(instance.statement).body[0]
        assert isinstance(action, Assign)
        return action.op != "=" or action.target in walk(action.value)


def _put_into(block: Block, held: Block) -> Block:
    """A block that holds nothing but another one, without that one's braces."""
    opening = (*block.opening, *held.opening)
    closing = (*held.closing, *block.closing)
    return replace(block, items=held.items, opening=opening, closing=closing)


def is_plain(loop: Loop) -> bool:
    """Whether a loop runs one iteration after the other, behind nothing else."""
    block = loop.body
    return (
        loop.condition is not None
        and not (loop.pragmas or loop.accumulates or loop.sums)
        and not (block.opening or block.closing or block.pragma)
    )


def _is_worth(nodes: tuple[Node, ...]) -> bool:
    """Whether an element is changed more than once, and runs of loops are certain.

    A single loop may be asked whether it runs at all; of others that must be known, as
    what never runs may have no element.
    """
    loops = [n for node in nodes for n in walk_nodes(node) if isinstance(n, Loop)]
    if len(nodes) == 1:
        return isinstance(nodes[0], Loop) and all(n.n_iterations for n in loops[1:])
    certain = any(isinstance(n, Instance) for n in nodes)
    return certain or all(n.n_iterations for n in loops)


def _variable(scop: Scop, nodes: tuple[Node, ...]) -> str:
    bodies = (
        scop.statement(n.statement).body[0]
        for node in nodes
        for n in walk_nodes(node)
        if isinstance(n, Instance)
    )
    is_sum = any(isinstance(a, Assign) and a.op in _CHANGES for a in bodies)
    return "sum" if is_sum else "held"
