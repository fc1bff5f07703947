"""An element that a block sets first and loops inside change: it stays in a variable.

What a program sums up in a scalar is summed up in the element that it ends in once the
scalar is gone (`analysis.coalesce_scalars`). Compilers keep such an element in a
register over one loop, but not over several, one inside the other, with other
statements between them; then they unroll nothing and use no vector lanes::

    for (int x = 1; x < n - 1; x++) {              for (int x = 1; x < n - 1; x++) {
      out[x] = 0;                                    float held = 0;
      for (int j = -1; j <= 1; j++)                  for (int j = -1; j <= 1; j++)
        for (int i = -1; i <= 1; i++) {       ==>      for (int i = -1; i <= 1; i++) {
          w = ...;                                       w = ...;
          out[x] += w;                                   held += w;
        }                                              }
      out[x] = total / out[x];                       held = total / held;
    }                                                out[x] = held;
                                                   }

The order of operations stays, and the element is always written, as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from polysched.codegen.accumulate import with_accumulator
from polysched.codegen.ctext import identifiers
from polysched.codegen.held import Holder
from polysched.codegen.nodes import (
    Block,
    Branch,
    Instance,
    Loop,
    Mark,
    Node,
    change_blocks,
    walk_blocks,
    walk_nodes,
)
from polysched.ir import Assign, Load, Lookup, action_expressions, walk

_DEEP = 2  # loops around a change that compilers do not look through


class HeldBlocks(Holder):
    """Gives elements that a block sets and changes a variable for all of the block."""

    def convert(self, block: Block) -> Block:
        """The block with the variables in place."""
        for first in self._set_first(block):
            if self._is_held(first, block):
                block = self._hold(first, block)
        items = (change_blocks(node, self.convert) for node in block.items)
        return replace(block, items=tuple(items))

    def _set_first(self, block: Block) -> Iterator[Instance]:
        """Instances of the block, in no loop, that set an element and nothing else."""
        for node in block.items:
            if isinstance(node, Instance) and not node.has_variables:
                action = self._assignment(node)
                if action is None or action.op != "=" or not action.target.subscripts:
                    continue
                if action.target.array not in self.scop.looked_up:
                    yield node

    def _assignment(self, instance: Instance) -> Assign | None:
        body = self.scop.statement(instance.statement).body
        only = body[0] if len(body) == 1 else None
        return only if isinstance(only, Assign) else None

    def _loads(self, instance: Instance, array: str) -> list[Load | Lookup]:
        """Every mention of an array in an instance."""
        return [
            e
            for action in self.scop.statement(instance.statement).body
            for top in action_expressions(action)
            for e in walk(top)
            if isinstance(e, Load | Lookup) and e.array == array
        ]

    def _is_held(self, first: Instance, block: Block) -> bool:
        """Whether the block uses the array at this element only, from here on."""
        action = self._assignment(first)
        assert action is not None
        array, element = action.target.array, self.text(action.target, first)
        users = [
            n
            for n in walk_nodes(block)
            if isinstance(n, Instance) and self._loads(n, array)
        ]
        if users[0] is not first or action.target in walk(action.value):
            return False
        loops = [n for n in walk_nodes(block) if isinstance(n, Loop)]
        if {loop.iterator for loop in loops} & identifiers(element):
            return False
        around = _loops_around(block)
        return (
            all(self._touches_only(n, array, element) for n in users)
            and max(len(around[id(n)]) for n in users) >= _DEEP
            and all(_is_plain(loop) for n in users for loop in around[id(n)])
            and not self.is_named(array, element, walk_blocks(block))
        )

    def _touches_only(self, user: Instance, array: str, element: str) -> bool:
        action = self._assignment(user)
        if action is None or user.has_variables or action.target.array != array:
            return False
        loads = self._loads(user, array)
        return all(e == action.target for e in loads) and (
            self.text(action.target, user) == element
        )

    def _hold(self, first: Instance, block: Block) -> Block:
        action = self._assignment(first)
        assert action is not None
        target = action.target
        name = self.names.take("held")
        held = with_accumulator(
            block, name, lambda user: bool(self._loads(user, target.array))
        )
        return replace(
            held,
            opening=(*held.opening, f"{target.type.name} {name};"),
            closing=(f"{self.text(target, first)} = {name};", *held.closing),
        )


def _loops_around(block: Block) -> dict[int, tuple[Loop, ...]]:
    """The loops of a block around each of its instances, by the instance's identity."""
    found: dict[int, tuple[Loop, ...]] = {}

    def visit(node: Node, loops: tuple[Loop, ...]) -> None:
        match node:
            case Instance():
                found[id(node)] = loops
            case Loop():
                for item in node.body.items:
                    visit(item, (*loops, node))
            case Branch(_, then, other):
                for item in (*then.items, *(other.items if other else ())):
                    visit(item, loops)
            case Mark():
                for item in node.body.items:
                    visit(item, loops)
            case Block(items):
                for item in items:
                    visit(item, loops)

    visit(block, ())
    return found


def _is_plain(loop: Loop) -> bool:
    """Whether iterations run one after the other, in one thread and in no lanes."""
    return not (loop.pragmas or loop.accumulates or loop.sums or loop.body.pragma)
