"""Conditions that stay while an innermost loop runs are asked once, around it.

Where statements share outer loops of which one has more iterations, isl asks inside of
the loops that both have. Compilers find that out late: what a sum adds up in memory
they have stored and loaded every time by then, and used no vector lanes::

    for (int k = 0; k < m; k++) {            if (j < n) {
      rows[i] += a[i][j][k];                   for (int k = 0; k < m; k++) {
      if (j < n)                                 rows[i] += a[i][j][k];
        columns[i] += a[j][i][k];     ==>        columns[i] += a[j][i][k];
    }                                          }
                                             } else {
                                               for (int k = 0; k < m; k++)
                                                 rows[i] += a[i][j][k];
                                             }

Each condition has the loop printed once more, so that only short bodies qualify.
"""

from __future__ import annotations

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

MAX_INSTANCES = 12  # of statements in such a loop
MAX_CONDITIONS = 2  # that are asked around one loop


def unswitch(block: Block) -> Block:
    """The block with conditions around innermost loops that do not change them."""
    return replace(block, items=tuple(_around(node) for node in block.items))


def _around(node: Node, n_left: int = MAX_CONDITIONS) -> Node:
    """A loop with its conditions around it; other nodes with their loops changed."""
    if not isinstance(node, Loop):
        return change_blocks(node, unswitch)
    condition = _staying(node) if n_left and _is_short(node) else None
    if condition is None:
        return change_blocks(node, unswitch)
    holds, fails = (
        _around(replace(node, body=_decided(node.body, condition, holds=h)), n_left - 1)
        for h in (True, False)
    )
    return Branch(condition, Block((holds,)), Block((fails,)))


def _is_short(loop: Loop) -> bool:
    """Whether it may be printed twice: an innermost loop of one thread."""
    if loop.is_shared or loop.condition is None:
        return False
    inside = [n for item in loop.body.items for n in walk_nodes(item)]
    if any(isinstance(n, Loop | Mark) for n in inside):
        return False
    if any(b.is_region or b.pragma for b in walk_blocks(loop.body)):
        return False
    return sum(1 for _ in instances(loop)) <= MAX_INSTANCES


def _staying(loop: Loop) -> Text | None:
    """The first condition in a loop that all of its iterations answer alike.

    Not of a loop of which nothing is left where it fails: isl asks that outside.
    """
    moving = {loop.iterator}
    for block in walk_blocks(loop.body):
        for line in (*block.opening, *block.closing):
            moving |= identifiers(line)
    for item in loop.body.items:
        for node in walk_nodes(item):
            if isinstance(node, Branch):
                asked = identifiers(node.condition.text)
                rest = _decided(loop.body, node.condition, holds=False)
                if not asked & moving and any(instances(rest)):
                    return node.condition
    return None


def _decided(block: Block, condition: Text, *, holds: bool) -> Block:
    """A block of its own in which a condition holds, or does not."""
    items: list[Node] = []
    for node in block.items:
        if isinstance(node, Branch) and node.condition == condition:
            side = node.then if holds else node.other
            if side is not None:
                left = _decided(side, condition, holds=holds)
                items += (left,) if left.opening or left.closing else left.items
        elif isinstance(node, Instance):
            items.append(replace(node))
        else:
            items.append(
                change_blocks(node, lambda b: _decided(b, condition, holds=holds))
            )
    return replace(block, items=tuple(items))
