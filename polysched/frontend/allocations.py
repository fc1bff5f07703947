"""Memory that a function gets for itself: how much, and that it is freed again."""

from __future__ import annotations

from typing import Any

from pycparser import c_ast

from polysched.frontend.declarations import PointerC, ScalarC
from polysched.frontend.liveness import (
    JUMPS,
    changes,
    contains,
    has_escaped,
    mentions,
)
from polysched.frontend.scoping import ScopSite
from polysched.frontend.trees import parts


def is_scratch(site: ScopSite, name: str) -> bool:
    """Whether a pointer has memory of its own that nobody uses behind the SCoP.

    It is got from ``malloc`` or ``calloc``, and nobody else is told where it is.
    """
    found = site.scope.find("free")
    body = site.function.body
    if contains(body, JUMPS) or (found is not None and found.function is not None):
        return False
    declared = [
        p for p in parts(body) if isinstance(p, c_ast.Decl) and p.name == name
    ]  # fmt: skip
    if len(declared) != 1 or not _is_kept(body, name):
        return False
    symbol = site.scope.find(name)
    ctype = None if symbol is None else symbol.ctype
    if not isinstance(ctype, PointerC) or not isinstance(ctype.target, ScalarC):
        return False  # `t[1]` and `t[1].row` would be addresses
    for step in reversed(site.path):
        if step.loop is not None:
            return False
        rest = step.items[step.index + 1 :]
        if any(mentions(item, name) and not _is_free(item, name) for item in rest):
            return False
    return True


def allocated_size(site: ScopSite, name: str) -> list[Any]:
    """Factors of how many bytes a pointer's memory has; none where that may change."""
    calls = [
        value.expr if isinstance(value, c_ast.Cast) else value
        for part in parts(site.function.body)
        if (value := _set_to(part, name)) is not None
    ]
    if len(calls) != 1 or not _is_allocation(calls[0]):
        return []
    found = [f for argument in calls[0].args.exprs for f in _factors(argument)]
    used = {n for f in found for p in parts(f) if (n := getattr(p, "name", None))}
    changed = {
        n for n in used if isinstance(n, str) and (
            any(changes(p, n) for p in parts(site.function.body))
            or has_escaped(site.function, n, False)
        )
    }  # fmt: skip
    return [] if changed else found


def _set_to(node: Any, name: str) -> Any | None:
    if isinstance(node, c_ast.Decl):
        return node.init if node.name == name else None
    return node.rvalue if changes(node, name) and hasattr(node, "rvalue") else None


def _factors(node: Any) -> list[Any]:
    if isinstance(node, c_ast.BinaryOp) and node.op == "*":
        return [*_factors(node.left), *_factors(node.right)]
    return [node]


def _is_free(node: Any, name: str) -> bool:
    """Whether a statement is ``free(name);``."""
    is_call = (
        isinstance(node, c_ast.FuncCall) and getattr(node.name, "name", "") == "free"
    )
    return is_call and [getattr(a, "name", None) for a in node.args.exprs] == [name]


def _is_kept(node: Any, name: str) -> bool:
    """Whether nothing but memory of its own goes into a pointer, or comes out of it."""
    match node:
        case c_ast.ID():
            return bool(node.name != name)
        case c_ast.ArrayRef(name=c_ast.ID()):
            return _is_kept(node.subscript, name)
        case c_ast.UnaryOp(op="&"):
            return not mentions(node.expr, name)
        case (
            c_ast.Assignment(rvalue=c_ast.Assignment() as inner)
            | c_ast.Decl(init=c_ast.Assignment() as inner)
        ) if changes(inner, name):
            return False  # another variable has it, too
        case c_ast.UnaryOp(op="sizeof") | c_ast.UnaryOp(op="!", expr=c_ast.ID()):
            return True
        case c_ast.BinaryOp(op="==" | "!=", left=c_ast.ID()):
            return _is_kept(node.right, name)
        case c_ast.Decl() if node.name == name:
            return node.init is None or _is_allocation(node.init)
        case c_ast.Assignment(op="=", lvalue=c_ast.ID()) if node.lvalue.name == name:
            return _is_allocation(node.rvalue)
    return _is_free(node, name) or all(_is_kept(c, name) for _, c in node.children())


def _is_allocation(node: Any) -> bool:
    if isinstance(node, c_ast.Cast):
        node = node.expr
    is_call = isinstance(node, c_ast.FuncCall)
    return is_call and getattr(node.name, "name", "") in {"malloc", "calloc"}
