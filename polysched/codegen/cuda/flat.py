"""The printer's nodes without marks, and without loops of one iteration."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from polysched.codegen.nodes import Block, Branch, Loop, Mark, Node, change_blocks


def flatten(block: Block, index_type: str) -> Block:
    """The block with loops of one iteration as constants, where nothing follows."""
    items = tuple(_flat(item, index_type) for item in block.items)
    match items:
        case (Loop(condition=None) as loop,):
            line = f"const {index_type} {loop.iterator} = {loop.first};"
            inner = loop.body
            return Block(
                inner.items,
                (*block.opening, line, *inner.opening),
                (*inner.closing, *block.closing),
            )
    return replace(block, items=items)


def _flat(node: Node, index_type: str) -> Node:
    match node:
        case Block():
            return flatten(node, index_type)
        case Loop():
            return replace(node, body=flatten(node.body, index_type))
        case Branch(condition, then, other):
            return Branch(
                condition,
                flatten(then, index_type),
                flatten(other, index_type) if other else None,
            )
    return node


def without_marks(block: Block, kept: str = "") -> Block:
    """The block with all marks dissolved, but for those of one kind."""
    items: list[Node] = []
    for item in block.items:
        match item:
            case Mark(name, body) if not kept or name.split(":")[0] != kept:
                items += without_marks(body, kept).items
            case _:
                items.append(change_blocks(item, partial(without_marks, kept=kept)))
    return replace(block, items=tuple(items))
