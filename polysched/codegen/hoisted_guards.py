"""A condition that a whole loop asks is asked once, around the loop.

Of a question of data around loops, ``if (ok[i][j]) for (...)``, statements keep the
answer and each asks for it. Where no loop came outside of it, all iterations of a loop
ask the same::

    for (int k = 0; k < m; k++)              if (holds)
      if (holds)                     ==>       for (int k = 0; k < m; k++)
        x[k] += y[k];                            x[k] += y[k];

Kept answers may be asked at any time; elements of other arrays might not be there where
the loop does not run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from polysched.codegen.ctext import Text, identifiers
from polysched.codegen.nodes import (
    Block,
    Branch,
    Instance,
    Loop,
    Mark,
    Node,
    change_blocks,
    instances,
    walk_blocks,
    walk_nodes,
)
from polysched.ir import Element, Expr, Guard, Local, Scop, assignments, walk


class HoistedGuards:
    """Puts conditions around loops.

    Parameters
    ----------
    scop : Scop
        Whose statements are printed.
    text : callable
        An expression of an instance as C.
    """

    def __init__(self, scop: Scop, text: Callable[[Expr, Instance], Text]) -> None:
        self._scop = scop
        self._text = text

    def convert(self, block: Block) -> Block:
        """The block with conditions around the outermost loops that ask them."""
        return replace(block, items=tuple(map(self._hoisted, block.items)))

    def _hoisted(self, node: Node) -> Node:
        if isinstance(node, Loop):
            condition = self._asked(node)
            if condition is not None:
                return Branch(condition, Block((_with_answer(node),)))
        return change_blocks(node, self.convert)

    def _asked(self, loop: Loop) -> Text | None:
        """What all instances in a loop ask, if nothing in it changes the answer."""
        if not _is_plain(loop):
            return None
        everyone = tuple(instances(loop))
        texts: set[str] = set()
        read: set[str] = set()
        condition: Text | None = None
        for instance in everyone:
            guard = self._guard(instance)
            if guard is None:
                return None
            condition = self._text(guard.cond, instance)
            texts.add(condition.text)
            read |= {e.array for e in walk(guard.cond) if isinstance(e, Element)}
        if condition is None or len(texts) > 1 or read & self._written(everyone):
            return None
        moving = {n.iterator for n in walk_nodes(loop) if isinstance(n, Loop)}
        for block in walk_blocks(loop.body):
            for line in (*block.opening, *block.closing):
                moving |= set(identifiers(line))
        return None if moving & set(identifiers(condition.text)) else condition

    def _guard(self, instance: Instance) -> Guard | None:
        """The condition of an instance that does nothing where it does not hold."""
        body = self._scop.statement(instance.statement).body
        if len(body) != 1 or not isinstance(body[0], Guard) or body[0].other:
            return None
        parts = list(walk(body[0].cond))
        read = (self._scop.array(e.array) for e in parts if isinstance(e, Element))
        is_kept = all(array.is_private for array in read)
        return body[0] if is_kept and not any(map(_is_local, parts)) else None

    def _written(self, everyone: tuple[Instance, ...]) -> set[str]:
        names = {instance.statement for instance in everyone}
        return {
            a.target.array
            for name in names
            for action in self._scop.statement(name).body
            for a in assignments(action)
        }


def _is_plain(loop: Loop) -> bool:
    """Whether threads share no part of a loop, and nothing of it is printed apart."""
    nodes = list(walk_nodes(loop))
    if any(isinstance(n, Mark) or (isinstance(n, Loop) and n.is_shared) for n in nodes):
        return False
    return not any(b.is_region or b.pragma for b in walk_blocks(loop.body))


def _is_local(expr: Expr) -> bool:
    return isinstance(expr, Local)


def _with_answer(loop: Loop) -> Loop:
    """The loop whose instances need not ask."""

    def visit(node: Node) -> Node:
        if isinstance(node, Instance):
            return replace(node, is_answered=True)
        return change_blocks(node, in_block)

    def in_block(block: Block) -> Block:
        return replace(block, items=tuple(map(visit, block.items)))

    return replace(loop, body=in_block(loop.body))
