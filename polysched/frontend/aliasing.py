"""Pointers that plainly point into another array of the same SCoP.

Distinct names are taken not to overlap. That is a promise the user makes without saying
so; where the function itself breaks it in front of the scop (``double *p = A;``), the
SCoP is refused. Two pointers that it sets into one array are a matter of
`neighbours`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pycparser import c_ast

from polysched.frontend.declarations import Symbol


def find_overlap(
    function: Any, symbols: Sequence[Symbol], written: set[Symbol]
) -> tuple[Symbol, Symbol, Any] | None:
    """A local pointer, the accessed array it was set from, and where.

    Parameters
    ----------
    function : FuncDef
        The function around the SCoP.
    symbols : sequence of Symbol
        What the SCoP accesses.
    written : set of Symbol
        What it writes: two objects that are only read may overlap.
    """
    turns = dict(_find_turns(function.body))
    for pointer in symbols:
        if not pointer.is_pointer:
            continue
        for value in values_of_name(function.body, pointer.name):
            for other in symbols:
                if other is pointer or not {other, pointer} & written:
                    continue
                if _leads_to(value, other.name) and not _is_swap(value, other, turns):
                    return pointer, other, value
    return None


def _is_swap(value: Any, other: Symbol, turns: Mapping[int, set[str]]) -> bool:
    """Whether a pointer takes a local one's place, which is then set to another."""
    return (
        isinstance(value, c_ast.ID)
        and other.is_pointer
        and other.storage == "local"
        and other.name in turns.get(id(value), ())
    )


def _find_turns(node: Any) -> Iterator[tuple[int, set[str]]]:
    """What variables are set to by assignments, and what is assigned behind those.

    The second ends with the block, and with the region, which may use both pointers.
    """
    items = [child for _, child in node.children()]
    behind: set[str] = set()
    for item in reversed(items):
        yield from _find_turns(item)
        if isinstance(item, c_ast.Pragma):
            behind = set()
        for one in _parts(item):
            if isinstance(one, c_ast.Assignment) and isinstance(one.lvalue, c_ast.ID):
                yield id(one.rvalue), set(behind)
                behind.add(one.lvalue.name)
            elif isinstance(one, c_ast.Decl) and one.init is not None:
                yield id(one.init), set(behind)


def _parts(item: Any) -> list[Any]:
    """A statement, or what commas join, last one first."""
    return item.exprs[::-1] if isinstance(item, c_ast.ExprList) else [item]


def values_of_name(node: Any, name: str) -> Iterator[Any]:
    """What a variable is set to."""
    if isinstance(node, c_ast.Decl) and node.name == name and node.init is not None:
        yield node.init
    if (
        isinstance(node, c_ast.Assignment)
        and isinstance(node.lvalue, c_ast.ID)
        and node.lvalue.name == name
    ):
        yield node.rvalue
    for _, child in node.children():
        yield from values_of_name(child, name)


def _leads_to(value: Any, name: str) -> bool:
    """Whether an address expression starts from a variable."""
    if isinstance(value, c_ast.ID):
        return bool(value.name == name)
    if isinstance(value, (c_ast.ArrayRef, c_ast.StructRef)):
        return _leads_to(value.name, name)
    if isinstance(value, c_ast.Cast):
        return _leads_to(value.expr, name)
    if isinstance(value, c_ast.UnaryOp):
        return value.op in {"&", "*"} and _leads_to(value.expr, name)
    if isinstance(value, c_ast.BinaryOp):
        return _leads_to(value.left, name) or _leads_to(value.right, name)
    if isinstance(value, c_ast.TernaryOp):
        return _leads_to(value.iftrue, name) or _leads_to(value.iffalse, name)
    return False
