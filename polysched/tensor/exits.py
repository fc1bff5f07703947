"""Early exits without jumps: what follows a ``continue`` or ``return`` moves aside."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

_Kind = Callable[[ast.stmt], bool]


def without_exits(function: ast.FunctionDef) -> None:
    """Rewrite ``if c: a; continue`` and what follows as ``if c: a; else: ...``.

    The same for ``return`` without a value, in the body of the function. An exit that
    does not end a branch of the loop's or function's own block stays as it is.
    """
    function.body = _rewritten(function.body, _is_return)


def _rewritten(body: Sequence[ast.stmt], kind: _Kind) -> list[ast.stmt]:
    result: list[ast.stmt] = []
    for k, node in enumerate(body):
        if isinstance(node, (ast.For, ast.While)):
            node.body = _rewritten(node.body, _is_continue)
        if not isinstance(node, ast.If):
            result.append(node)
            continue
        rest = list(body[k + 1 :])
        ends = [bool(b) and kind(b[-1]) for b in (node.body, node.orelse)]
        if not any(ends):
            node.body = _inside(node.body)
            node.orelse = _inside(node.orelse)
            result.append(node)
            continue
        branches = [
            _rewritten(b[:-1] if is_end else [*b, *rest], kind)
            for b, is_end in zip((node.body, node.orelse), ends, strict=True)
        ]
        node.body = branches[0] or [ast.copy_location(ast.Pass(), node)]
        node.orelse = branches[1]
        return [*result, node]
    if kind is _is_continue and result and kind(result[-1]) and len(result) > 1:
        result.pop()
    return result


def is_left(body: Sequence[ast.stmt]) -> bool:
    """Whether a ``break`` in the body of a loop may end the loop."""
    for node in body:
        if isinstance(node, ast.Break):
            return True
        if isinstance(node, ast.If) and (is_left(node.body) or is_left(node.orelse)):
            return True
    return False


def _inside(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Loops inside a branch that has no exit of the block around it."""
    return _rewritten(body, _is_nothing)


def _is_continue(node: ast.stmt) -> bool:
    return isinstance(node, ast.Continue)


def _is_return(node: ast.stmt) -> bool:
    return isinstance(node, ast.Return) and node.value is None


def _is_nothing(node: ast.stmt) -> bool:
    return False
