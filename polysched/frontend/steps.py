"""Variables that are stepped inside of an assignment, as statements beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from pycparser import c_ast

from polysched.frontend.trees import names, with_parts

_STEPS = frozenset({"p++", "++", "p--", "--"})
_LAZY = (c_ast.TernaryOp, c_ast.ExprList)


def steps_apart(node: Any) -> list[Any]:
    """What a statement stands for, such as ``x[k] = e; k++;`` for ``x[k++] = e;``.

    Parameters
    ----------
    node : node
        Any statement. Only assignments and declarations of which every stepped variable
        is mentioned once, and stepped whatever is evaluated, are taken apart.
    """
    if not isinstance(node, (c_ast.Assignment, c_ast.Decl)):
        return [node]
    parts = [p for _, p in node.children()] if isinstance(node, c_ast.Decl) else [node]
    steps = [s for part in parts for s in _steps(part)]
    if not steps or any(s is None for s in steps):
        return [node]
    counts = Counter(names(node))
    if any(counts[s.expr.name] != 1 for s in steps):
        return [node]
    replaced = {id(s): s.expr for s in steps}
    rest = with_parts(node, lambda part: replaced.get(id(part)))
    before = [s for s in steps if not s.op.startswith("p")]
    behind = [s for s in steps if s.op.startswith("p")]
    return [*before, rest, *behind]


def _steps(node: Any) -> Iterator[Any]:
    """Steps of variables in an expression; None for one that may not happen."""
    if isinstance(node, c_ast.UnaryOp) and node.op in _STEPS:
        yield node if isinstance(node.expr, c_ast.ID) else None
        return
    is_lazy = isinstance(node, c_ast.BinaryOp) and node.op in {"&&", "||"}
    for _, child in node.children():
        for step in _steps(child):
            yield None if is_lazy or isinstance(node, _LAZY) else step
