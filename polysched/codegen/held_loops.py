"""Elements that stay while a loop goes on have variables around the loop.

The sums of a small block of a product stand side by side, and each term of one lies
between terms of the others. Where arrays are parameters, a compiler stores and loads
all of them every time, and uses no vector lanes::

    for (int k = 0; k < 8; k++) {                  double held = c[i][j];
      double x = b[k][j];                          double held_1 = c[i + 1][j];
      c[i][j] += a[i][k] * x;                      for (int k = 0; k < 8; k++) {
      c[i + 1][j] += a[i + 1][k] * x;      ==>       double x = b[k][j];
    }                                                held += a[i][k] * x;
                                                     held_1 += a[i + 1][k] * x;
                                                   }
                                                   c[i][j] = held;
                                                   c[i + 1][j] = held_1;

Different arrays are different objects, as everywhere else; an element has a variable if
what else the loop names of its array is another element in all iterations. A single
element is for `HeldElements`. The order of operations stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from polysched.codegen.accumulate import runs_at_all
from polysched.codegen.ctext import identifiers
from polysched.codegen.held import is_plain
from polysched.codegen.held_bodies import MAX_HELD, HeldBodies, Use, begins_by_reading
from polysched.codegen.nodes import (
    Block,
    Branch,
    Instance,
    Loop,
    Node,
    change_blocks,
    walk_blocks,
)
from polysched.ir import Load


class HeldLoops(HeldBodies):
    """Gives elements that an innermost loop changes, and stay, their variables."""

    def convert(self, block: Block) -> Block:
        """The block with the variables in place."""
        return replace(block, items=tuple(map(self._held, block.items)))

    def _held(self, node: Node) -> Node:
        staying = self._staying(node) if isinstance(node, Loop) else {}
        if not staying:
            return change_blocks(node, self.convert)
        assert isinstance(node, Loop)
        body = tuple(_instances(node.body) or ())
        named: dict[Instance, dict[Load, str]] = {instance: {} for instance in body}
        opening, closing = [], []
        for text, uses in staying.items():
            name = self.names.take("held")
            for use in uses:
                named[body[use.position]][use.load] = name
            start = f" = {text}" if begins_by_reading(uses) else ""
            opening.append(f"{uses[0].load.type.name} {name}{start};")
            closing.append(f"{text} = {name};")
        loop = replace(node, body=_with_variables(node.body, named))
        inside = Block((loop,), tuple(opening), tuple(closing))
        return inside if node.n_iterations else Branch(runs_at_all(node), inside)

    def _staying(self, loop: Loop) -> Mapping[str, list[Use]]:
        """Elements that all iterations change, beside others that they do.

        Two that differ by a number in a subscript do so in all iterations if one of
        them stays: what they have in common does not move.
        """
        body = tuple(_instances(loop.body) or ())
        bare = replace(loop, body=Block(loop.body.items))
        blocks = list(walk_blocks(loop.body))
        if len(body) < 2 or not is_plain(bare) or any(b.pragma for b in blocks):
            return {}
        moving = {n for b in blocks for line in b.opening for n in identifiers(line)}
        moving.add(loop.iterator)
        staying = {
            text: uses
            for array, (elements, _) in self._found(body).items()
            for text, uses in elements.items()
            if any(use.is_target for use in uses)
            and not moving & identifiers(text)
            and not self.is_named(array, text, blocks)
        }
        is_alone = len(self._changed_by(body)) < 2
        return {} if is_alone or len(staying) > MAX_HELD else staying

    def _changed_by(self, body: tuple[Instance, ...]) -> set[str]:
        """All that instances write, private scalars as well."""
        actions = ((i, self._action(i)) for i in body)
        return {self.text(a.target, i) for i, a in actions if a is not None}


def _instances(block: Block) -> list[Instance] | None:
    """The instances of a block and of blocks inside; None if it has anything else."""
    found: list[Instance] = []
    for node in block.items:
        inside: list[Instance] | None = None
        if isinstance(node, Instance):
            inside = [node]
        elif isinstance(node, Block) and not node.is_region:
            inside = _instances(node)
        if inside is None:
            return None
        found += inside
    return found


def _with_variables(
    block: Block, named: Mapping[Instance, Mapping[Load, str]]
) -> Block:
    """The block whose instances know the variables of their elements."""

    def items() -> Iterator[Node]:
        for node in block.items:
            if isinstance(node, Instance):
                yield replace(node, held=(*node.held, *named[node].items()))
            else:
                yield change_blocks(node, lambda b: _with_variables(b, named))

    return replace(block, items=tuple(items()))
