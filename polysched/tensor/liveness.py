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
        For each loop and ``if``: names that may be read behind it.
    head : dict of AST node to frozenset of str
        For each loop: names that may be read when an iteration begins.
    """

    def __init__(self, body: Sequence[ast.stmt]) -> None:
        self.after: dict[ast.AST, Names] = {}
        self.head: dict[ast.AST, Names] = {}
        self._ends: list[Names] = []  # what is read behind the loops around
        self._block(body, _NONE)

    def _block(self, body: Sequence[ast.stmt], live: Names) -> Names:
        for statement in reversed(body):
            live = self._statement(statement, live)
        return live

    def _statement(self, node: ast.stmt, live: Names) -> Names:
        if isinstance(node, ast.For):
            head = self._loop(node, live, _bound_names(node.target), _NONE)
            return live | head | read_names(node.iter)
        if isinstance(node, ast.While):
            test = read_names(node.test)
            return live | test | self._loop(node, live, _NONE, test)
        if isinstance(node, ast.Break):
            return self._ends[-1] if self._ends else live
        if isinstance(node, ast.If):
            self.after[node] = live
            then = self._block(node.body, live)
            other = self._block(node.orelse, live)
            return then | other | read_names(node.test)
        if isinstance(node, ast.Return):
            return read_names(node)
        killed = _bound_names(node)
        return (live - killed) | read_names(node)

    def _loop(
        self, node: ast.For | ast.While, live: Names, target: Names, test: Names
    ) -> Names:
        """What an iteration may read; `test` is read where each of them begins."""
        self.after[node] = live
        self._ends.append(live)
        head = live | test
        while True:
            found = head | (self._block(node.body, head) - target)
            if found == head:
                break
            head = found
        self.head[node] = (self._block(node.body, head) - target) | test
        self._ends.pop()
        return self.head[node]


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
        elif not isinstance(node, (ast.For, ast.While)):
            found |= _bound_names(node)
    return frozenset(found)
