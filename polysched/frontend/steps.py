"""Variables that are stepped inside of a statement, as statements beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from pycparser import c_ast

from polysched.frontend.trees import STEP_OPS, names, with_parts

IsOwn = Callable[[str], bool]


def _is_nobodys(_name: str) -> bool:
    return False


def steps_apart(node: Any, is_own: IsOwn = _is_nobodys) -> list[Any]:
    """What a statement stands for, such as ``x[k] = e; k++;`` for ``x[k++] = e;``.

    Parameters
    ----------
    node : node
        Any statement. Only assignments and declarations of which every stepped variable
        is mentioned once, and stepped whatever is evaluated, are taken apart.
    is_own : callable, optional
        Whether no function reads a variable: it may be stepped in arguments of calls,
        and in conditions.
    """
    if not isinstance(node, (c_ast.Assignment, c_ast.Decl)):
        return [node]
    parts = [p for _, p in node.children()] if isinstance(node, c_ast.Decl) else [node]
    steps = [s for part in parts for s in steps_in(part, is_own)]
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


def steps_in(node: Any, is_own: IsOwn = _is_nobodys) -> Iterator[Any]:
    """Steps of variables in an expression; None for one that may not happen.

    Parameters
    ----------
    node, is_own
        As of `steps_apart`.
    """
    if isinstance(node, c_ast.UnaryOp) and node.op in STEP_OPS:
        yield node if isinstance(node.expr, c_ast.ID) else None
        return
    is_call = isinstance(node, c_ast.FuncCall) and node.args is not None
    for slot, child in (node.args if is_call else node).children():
        evaluated = _evaluated(node, slot)
        for step in steps_in(child, is_own):
            is_first = evaluated == "first" and step and is_own(step.expr.name)
            yield step if is_first or evaluated == "always" else None


def _evaluated(node: Any, slot: str) -> str:
    """Whether a part of an expression always is, perhaps before others of it begin."""
    match node:
        case c_ast.FuncCall():
            return "first"
        case c_ast.TernaryOp():
            return "first" if slot == "cond" else "perhaps"
        case c_ast.BinaryOp(op="&&" | "||"):
            return "first" if slot == "left" else "perhaps"
        case c_ast.UnaryOp(op="sizeof") | c_ast.ExprList():
            return "perhaps"
    return "always"
