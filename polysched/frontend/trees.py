"""Pieces of syntax: everything in them, their names, copies with other parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pycparser import c_ast

STEP_OPS = frozenset({"p++", "++", "p--", "--"})  # p for postfix, as the parser has it
Change = Callable[[Any], Any | None]


def parts(node: Any) -> Iterator[Any]:
    """A piece of syntax and everything in it, in the order of the text."""
    waiting = [node]
    while waiting:  # sums of many terms are deep
        found = waiting.pop()
        yield found
        waiting += [child for _, child in reversed(found.children())]


def names(node: Any) -> Iterator[str]:
    """The name of every variable that a piece of syntax mentions, each time.

    Functions are among them, members of structures are not.
    """
    if isinstance(node, c_ast.ID):
        yield node.name
    for slot, child in node.children():
        if not _is_member(node, slot):
            yield from names(child)


def assigned_names(node: Any) -> set[str]:
    """Variables that a piece of syntax assigns, steps, or takes the address of."""
    found = set()
    for part in parts(node):
        target = None
        if isinstance(part, c_ast.Assignment):
            target = part.lvalue
        elif isinstance(part, c_ast.UnaryOp) and part.op in {*STEP_OPS, "&"}:
            target = part.expr
        if isinstance(target, c_ast.ID):
            found.add(str(target.name))
    return found


def with_parts(node: Any, change: Change) -> Any:
    """A copy with other nodes at some places.

    Parameters
    ----------
    node : node
        It is not changed; what stays the same is shared with the copy.
    change : callable
        What stands in a node's place; None to look at what is in it. It does not see
        the names of members.
    """
    instead = change(node)
    if instead is not None:
        return instead
    new = {}
    for name in _slots(node):
        old = None if _is_member(node, name) else getattr(node, name)
        if isinstance(old, c_ast.Node):
            new[name] = with_parts(old, change)
        elif isinstance(old, list):
            new[name] = [_item(value, change) for value in old]
        else:
            continue
        if _is_same(old, new[name]):
            del new[name]
    if not new:
        return node
    return type(node)(**{name: getattr(node, name) for name in _slots(node)} | new)


def copied(node: Any, change: Change | None = None) -> Any:
    """A copy with nodes of its own.

    Parameters
    ----------
    node : node
        It is not changed.
    change : callable, optional
        What stands in a node's place; None to copy it. It does not see the names of
        members.
    """
    instead = None if change is None else change(node)
    if instead is not None:
        return instead
    new = {}
    for name in _slots(node):
        old = getattr(node, name)
        inner = None if _is_member(node, name) else change
        if isinstance(old, c_ast.Node):
            new[name] = copied(old, inner)
        elif isinstance(old, list):
            new[name] = [
                copied(v, inner) if isinstance(v, c_ast.Node) else v for v in old
            ]
        else:
            new[name] = old
    return type(node)(**new)


def rebuilt(node: Any, change: Callable[[Any], Any]) -> Any:
    """A node with other parts, each of which is changed."""
    new = {}
    for name in _slots(node):
        old = getattr(node, name)
        if isinstance(old, c_ast.Node):
            old = change(old)
        elif isinstance(old, list):
            old = [change(v) if isinstance(v, c_ast.Node) else v for v in old]
        new[name] = old
    return type(node)(**new)


def with_init(decl: Any, value: Any) -> Any:
    """A declaration with another initialiser."""
    return c_ast.Decl(
        decl.name, decl.quals, decl.align, decl.storage, decl.funcspec, decl.type,
        value, decl.bitsize, decl.coord,
    )  # fmt: skip


def _is_member(node: Any, slot: str) -> bool:
    """Whether a part of a node is the name of a structure's member."""
    return slot == "field" and isinstance(node, c_ast.StructRef)


def _item(value: Any, change: Change) -> Any:
    return with_parts(value, change) if isinstance(value, c_ast.Node) else value


def _is_same(old: Any, new: Any) -> bool:
    if isinstance(old, list):
        return all(a is b for a, b in zip(old, new, strict=True))
    return old is new


def _slots(node: Any) -> list[str]:
    return [name for name in node.__slots__ if name != "__weakref__"]
