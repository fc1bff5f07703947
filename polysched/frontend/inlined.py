"""Calls of functions that read the file's own variables, as what they return.

``static double at(int i) { return grid[i]; }`` reads what the region may write: in
place of its calls stands the expression, whose reads the model sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

from pycparser import c_ast

from polysched.frontend.declarations import (
    ScalarC,
    Scope,
    Symbol,
    element_type,
    read_type,
)
from polysched.frontend.trees import names, parts, with_parts

_DEPTH = 8  # of calls in what functions return
_MAX_PARTS = 400  # of what one returns
_PLAIN = (
    *(c_ast.ID, c_ast.Constant, c_ast.BinaryOp, c_ast.ArrayRef, c_ast.StructRef),
    *(c_ast.Cast, c_ast.TernaryOp, c_ast.FuncCall, c_ast.ExprList),
    *(c_ast.Typename, c_ast.TypeDecl, c_ast.IdentifierType),
)


def with_returned(items: Sequence[Any], scope: Scope) -> tuple[Any, ...]:
    """Statements with the expressions that such functions return.

    Parameters
    ----------
    items : sequence of nodes
        The statements of a SCoP; they are not changed.
    scope : Scope
        Names visible at their start.
    """
    declared = {p.name for i in items for p in parts(i) if isinstance(p, c_ast.Decl)}
    writer = _Inliner(scope, declared)
    return tuple(writer.put(item, _DEPTH) for item in items)


class _Inliner:
    def __init__(self, scope: Scope, declared: set[str]) -> None:
        self._scope = scope
        self._declared = declared
        root = scope
        while root.parent is not None:
            root = root.parent
        self._root = root

    def put(self, node: Any, depth: int) -> Any:
        """A piece of syntax without such calls."""

        def change(part: Any) -> Any | None:
            if not isinstance(part, c_ast.FuncCall) or not depth:
                return None
            return self._returned(part, depth)

        return with_parts(node, change)

    def _returned(self, call: Any, depth: int) -> Any | None:
        """What a call returns; None to leave it."""
        symbol = self._of_file(getattr(call.name, "name", ""))
        function: Any = None if symbol is None else symbol.function
        value = None if function is None else only_value(function)
        if value is None:
            return None
        declared = function.decl.type.args
        parameters = list(declared.params) if declared else []
        arguments = list(call.args.exprs) if call.args else []
        others = set(names(value)) - {getattr(p, "name", None) for p in parameters}
        if len(parameters) != len(arguments) or not self._reads_file(others, depth):
            return None
        if not all(_is_plain(p) for a in (value, *arguments) for p in parts(a)):
            return None
        arguments = [self.put(a, depth) for a in arguments]
        given: dict[str, Any] = {}
        for parameter, argument in zip(parameters, arguments, strict=True):
            put = self._as_parameter(parameter.type, argument)
            if put is None:
                return None
            given[parameter.name] = put

        def change(part: Any) -> Any | None:
            if not isinstance(part, c_ast.ID):
                return None
            if part.name in given:
                return with_parts(given[part.name], _copy_name(call.coord))
            return c_ast.ID(part.name, call.coord)

        found = with_parts(value, change)
        return self.put(_cast(function.decl.type.type, found), depth - 1)

    def _reads_file(self, others: set[str], depth: int) -> bool:
        """Whether names are of the file, and variables or what reads some."""
        found = [self._of_file(name) for name in others]
        known = [s for s in found if s is not None]
        if len(known) < len(found):
            return False
        return any(s.kind != "function" or self._reads(s, depth) for s in known)

    def _reads(self, symbol: Symbol, depth: int) -> bool:
        """Whether a function returns what it reads of the file's variables."""
        function: Any = symbol.function
        value = None if function is None or not depth else only_value(function)
        if value is None:
            return False
        declared = function.decl.type.args
        own = {getattr(p, "name", None) for p in declared.params} if declared else set()
        return self._reads_file(set(names(value)) - own, depth - 1)

    def _as_parameter(self, type_: Any, argument: Any) -> Any | None:
        """An argument as the function sees it; arrays are passed by name only."""
        if isinstance(type_, c_ast.TypeDecl):
            return _cast(type_, argument)
        symbol = self._scope.find(getattr(argument, "name", ""))
        if symbol is None or symbol.ctype is None or argument.name in self._declared:
            return None
        wanted = element_type(read_type(type_, self._root))
        given = element_type(symbol.ctype)
        if not isinstance(wanted, ScalarC) or not isinstance(given, ScalarC):
            return None
        return argument if wanted.type == given.type else None

    def _of_file(self, name: str) -> Symbol | None:
        """A name that means the same in the region as in the file's functions."""
        found = self._root.names.get(name)
        is_same = found is not None and self._scope.find(name) is found
        return found if is_same and name not in self._declared else None


def _is_plain(node: Any) -> bool:
    """Whether a piece of an expression changes nothing."""
    if isinstance(node, c_ast.UnaryOp):
        return node.op in {"+", "-", "!", "~"}
    return isinstance(node, _PLAIN)


def only_value(function: Any) -> Any | None:
    """What a function returns that does nothing else.

    Variables that it declares, and never changes, stand for their values, and branches
    that all return are a conditional expression.
    """
    type_ = function.decl.type.type
    if not isinstance(type_, c_ast.TypeDecl):
        return None
    value = _returned_by(function.body.block_items or [], {}, type_)
    if value is None or len([*islice(parts(value), _MAX_PARTS)]) == _MAX_PARTS:
        return None
    return value


def _returned_by(items: Sequence[Any], known: dict[str, Any], type_: Any) -> Any | None:
    """What statements return that only declare variables and choose."""

    def change(node: Any) -> Any | None:
        return known.get(node.name) if isinstance(node, c_ast.ID) else None

    def put(node: Any) -> Any:
        return with_parts(node, change)

    for k, item in enumerate(items):
        match item:
            case c_ast.Return() if item.expr is not None:
                return put(item.expr)
            case c_ast.Decl(type=c_ast.TypeDecl(), storage=[]) if _is_steady(item):
                known = {**known, item.name: _cast(item.type, put(item.init))}
            case c_ast.If():
                rest = [] if item.iffalse is None else _block(item.iffalse)
                if not any(isinstance(r, c_ast.Decl) for r in rest):
                    rest += items[k + 1 :]  # or its names would hide others
                then = _returned_by(_block(item.iftrue), known, type_)
                other = _returned_by(rest, known, type_)
                if then is None or other is None:
                    return None
                return c_ast.TernaryOp(
                    put(item.cond), _cast(type_, then), _cast(type_, other), item.coord
                )  # fmt: skip
            case _:
                return None
    return None


def _is_steady(decl: Any) -> bool:
    """Whether a variable holds what it begins with, as no statement changes it."""
    return decl.init is not None and "volatile" not in decl.quals


def _block(node: Any) -> list[Any]:
    """The statements of a branch."""
    if isinstance(node, c_ast.Compound):
        return list(node.block_items or ())
    return [node]


def _cast(type_: Any, value: Any) -> Any:
    bare = c_ast.TypeDecl(None, [], None, type_.type, value.coord)
    return c_ast.Cast(
        c_ast.Typename(None, [], None, bare, value.coord), value, value.coord
    )


def _copy_name(coord: Any) -> Any:
    return lambda part: (
        c_ast.ID(part.name, coord) if isinstance(part, c_ast.ID) else None
    )
