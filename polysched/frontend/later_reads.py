"""What may read a variable behind a statement, as far as the syntax tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pycparser import c_ast

from polysched.frontend.trees import names

LOOPS = (c_ast.For, c_ast.While, c_ast.DoWhile)
Later = tuple[Any, ...]


def loops_with_later(
    items: Sequence[Any], later: Later = ()
) -> Iterator[tuple[Any, Later]]:
    """Every `for` loop, and what may run behind it: each of it may be first.

    Parameters
    ----------
    items : sequence of nodes
        Statements of a block.
    later : tuple of nodes
        What may run behind the block.
    """
    for k, item in enumerate(items):
        rest = c_ast.Compound(list(items[k + 1 :]), item.coord)
        yield from _loops_in(item, (rest, *later))


def _loops_in(node: Any, later: Later) -> Iterator[tuple[Any, Later]]:
    if isinstance(node, c_ast.For):
        yield node, later
    if isinstance(node, LOOPS):
        later = (node, *later)
    if isinstance(node, c_ast.Compound):
        yield from loops_with_later(node.block_items or (), later)
        return
    for _, child in node.children():
        yield from _loops_in(child, later)


def sets(item: Any, name: str) -> bool:
    """Whether a statement sets a variable before it reads it."""
    if isinstance(item, c_ast.For):
        item = item.init
    if isinstance(item, c_ast.ExprList):
        first = next((e for e in item.exprs if name in names(e)), None)
        return sets(first, name)
    if isinstance(item, c_ast.Assignment) and sets(item.rvalue, name):
        return True  # i = j = 0
    if not isinstance(item, c_ast.Assignment) or item.op != "=":
        return False
    is_it = isinstance(item.lvalue, c_ast.ID) and item.lvalue.name == name
    return is_it and name not in names(item.rvalue)


def may_read(node: Any, name: str) -> bool:
    """Whether something may read a variable that it has not set."""
    if isinstance(node, c_ast.ID):
        return bool(node.name == name)
    if isinstance(node, c_ast.Compound):
        for item in node.block_items or ():
            if sets(item, name):
                return False
            if may_read(item, name):
                return True
        return False
    if sets(node, name):
        return False
    return any(may_read(child, name) for _, child in node.children())
