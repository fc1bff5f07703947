"""Which Python names a statement may still need: backwards over the syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Sequence

Names = frozenset[str]
_NONE: Names = frozenset()


class Liveness:
    """Names that are read later, at every loop and branch of a function.

    Attributes
    ----------
    after : dict of AST node to frozenset of str
        For each ``for`` and ``if``: names that may be read behind it.
    head : dict of AST node to frozenset of str
        For each ``for``: names that may be read when an iteration begins.
    """

    def __init__(self, body: Sequence[ast.stmt]) -> None:
        self.after: dict[ast.AST, Names] = {}
        self.head: dict[ast.AST, Names] = {}
        self._block(body, _NONE)

    def _block(self, body: Sequence[ast.stmt], live: Names) -> Names:
        for statement in reversed(body):
            live = self._statement(statement, live)
        return live

    def _statement(self, node: ast.stmt, live: Names) -> Names:
        if isinstance(node, ast.For):
            return self._for(node, live)
        if isinstance(node, ast.If):
            self.after[node] = live
            then = self._block(node.body, live)
            other = self._block(node.orelse, live)
            return then | other | read_names(node.test)
        if isinstance(node, ast.Return):
            return read_names(node)
        killed = _bound_names(node)
        return (live - killed) | read_names(node)

    def _for(self, node: ast.For, live: Names) -> Names:
        self.after[node] = live
        target = _bound_names(node.target)
        head = live
        while True:
            found = head | (self._block(node.body, head) - target)
            if found == head:
                break
            head = found
        self.head[node] = self._block(node.body, head) - target
        return live | self.head[node] | read_names(node.iter)


def read_names(node: ast.AST) -> Names:
    """Names that a statement or expression reads, those it updates included."""
    found = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
            found.add(part.id)
        elif isinstance(part, ast.AugAssign) and isinstance(part.target, ast.Name):
            found.add(part.target.id)
    return frozenset(found)


def _bound_names(node: ast.AST) -> Names:
    return frozenset(
        part.id
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    )


def assigned_names(body: Sequence[ast.stmt]) -> Names:
    """Names that are assigned anywhere in a block."""
    return frozenset(n for statement in body for n in _bound_names(statement))


def certain_names(body: Sequence[ast.stmt]) -> Names:
    """Names that are assigned whenever a block is executed."""
    found: set[str] = set()
    for node in body:
        if isinstance(node, ast.If):
            found |= certain_names(node.body) & certain_names(node.orelse)
        elif not isinstance(node, ast.For):
            found |= _bound_names(node)
    return frozenset(found)
