"""Buffers that take turns: ``t = p; p = q; q = t;`` leaves two that are apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pycparser import c_ast

from polysched.frontend.trees import parts

Turns = tuple[set[str], dict[str, str]]
_ENDS = (c_ast.Pragma, c_ast.Break, c_ast.Continue, c_ast.Goto, c_ast.Return)


def turn_key(node: Any) -> str:
    """What a name, or what it points to, is called among those that take turns."""
    if isinstance(node, c_ast.ID):
        return str(node.name)
    is_pointed = isinstance(node, c_ast.UnaryOp) and node.op == "*"
    if is_pointed and isinstance(node.expr, c_ast.ID):
        return f"*{node.expr.name}"
    return ""


def find_turns(node: Any, defined: set[str]) -> Iterator[tuple[int, Turns]]:
    """What variables are set to, and what is then assigned in the same block.

    The latter ends at the region, which may use both, and at jumps. The second, with
    what is assigned, is for variables that other functions see: it ends at calls too.
    """
    items = [child for _, child in node.children()]
    near: set[str] = set()
    lasting: dict[str, str] = {}
    for item in reversed(items):
        yield from find_turns(item, defined)
        inner = list(parts(item))
        if any(isinstance(n, _ENDS) for n in inner):
            near, lasting = set(), {}
        for one in _in_turn(item):
            if isinstance(one, c_ast.Assignment) and turn_key(one.lvalue):
                yield id(one.rvalue), (set(near), dict(lasting))
                near.add(turn_key(one.lvalue))
                lasting[turn_key(one.lvalue)] = (
                    turn_key(one.rvalue) if one.op == "=" else ""
                )
            elif isinstance(one, c_ast.Decl) and one.init is not None:
                yield id(one.init), (set(near), dict(lasting))
        if any(_is_call_of(n, defined) for n in inner):
            lasting = {}


def _is_call_of(node: Any, defined: set[str]) -> bool:
    if not isinstance(node, c_ast.FuncCall):
        return False
    return not isinstance(node.name, c_ast.ID) or node.name.name in defined


def _in_turn(item: Any) -> list[Any]:
    """A statement, or what commas join, last one first."""
    return item.exprs[::-1] if isinstance(item, c_ast.ExprList) else [item]
