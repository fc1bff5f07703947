"""Integers that a region sets between its loops, ``len = len / 2;``, put where read.

A bound with such a variable is affine if what it holds is: each assignment in the
region's own block starts a new version, in terms of what the region never changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pycparser import c_ast

from polysched.frontend.declarations import ScalarC, Scope, read_type
from polysched.frontend.iterators import changed_names
from polysched.frontend.trees import names, parts, with_parts

_OPS = frozenset({"+", "-", "*", "/", "%", "<<", ">>"})


def with_known_sizes(
    items: Sequence[Any], scope: Scope, is_own: Callable[[str], bool]
) -> tuple[Any, ...]:
    """The statements of a region, with values in place of variables that it sets.

    Parameters
    ----------
    items : sequence of nodes
        Statements; they are not changed. The assignments themselves remain.
    scope : Scope
        Names visible at their start.
    is_own : callable
        Whether nothing but assignments changes a variable from outside.
    """
    return _Sizes(items, scope, is_own).items()


class _Sizes:
    def __init__(
        self, items: Sequence[Any], scope: Scope, is_own: Callable[[str], bool]
    ) -> None:
        self._items = items
        self._scope = scope
        tops = [i for i in items if isinstance(i, c_ast.Decl)]
        hidden = {
            p.name
            for item in items
            for p in parts(item)
            if isinstance(p, c_ast.Decl) and all(p is not top for top in tops)
        }
        inner = {n for item in items for n in changed_names(_beside_setting(item))}
        twice = {d.name for d in tops if scope.find(d.name) is not None}
        self._refused = inner | hidden | twice
        self._set = {i.lvalue.name for i in items if _is_assignment(i)}
        self._types: dict[str, Any] = {d.name: d.type for d in tops}
        self._is_own = is_own
        self._known: dict[str, Any] = {}

    def items(self) -> tuple[Any, ...]:
        """The statements, in order."""
        return tuple(map(self._item, self._items))

    def _item(self, item: Any) -> Any:
        new = self._put(item)
        if _is_setter(item):
            name, value = self._setting(new)
            self._known.pop(name, None)
            if value is not None and self._is_plain(name, value):
                self._known[name] = self._converted(name, value)
        return new

    def _setting(self, item: Any) -> tuple[str, Any | None]:
        """The variable that a statement sets, and to what."""
        if isinstance(item, c_ast.Decl):
            return item.name, item.init
        name, op, value = item.lvalue.name, item.op[:-1], item.rvalue
        if not op:
            return name, value
        before = self._known.get(name)
        if before is None:
            return name, None
        return name, c_ast.BinaryOp(op, before, value, item.coord)

    def _put(self, item: Any) -> Any:
        """A statement that reads values in place of variables."""
        target = item.lvalue if isinstance(item, c_ast.Assignment) else None

        def change(node: Any) -> Any | None:
            if node is target or not isinstance(node, c_ast.ID):
                return node if node is target else None
            value = self._known.get(node.name)
            return None if value is None else with_parts(value, _copied(node.coord))

        return with_parts(item, change)

    def _is_plain(self, name: str, value: Any) -> bool:
        """Whether a variable is followed, and its value is made of what stays."""
        used = set(names(value))
        return (
            self._type(name) is not None
            and name in self._set - self._refused
            and not used & (self._set | self._refused)
            and is_arithmetic(value)
        )

    def _type(self, name: str) -> Any | None:
        """The type of an integer that only assignments change."""
        type_ = self._types.get(name)
        outer = self._scope.find(name)
        if type_ is None and outer is not None and outer.node is not None:
            type_ = outer.node.type if self._is_own(name) else None
        if not isinstance(type_, c_ast.TypeDecl):
            return None
        try:
            ctype = read_type(type_, self._scope)
        except KeyError:
            return None
        if not isinstance(ctype, ScalarC) or ctype.volatile or ctype.type.is_float:
            return None
        return type_

    def _converted(self, name: str, value: Any) -> Any:
        type_: Any = self._type(name)
        bare = c_ast.TypeDecl(None, [], None, type_.type, value.coord)
        to_type = c_ast.Typename(None, [], None, bare, value.coord)
        return c_ast.Cast(to_type, value, value.coord)


def _is_assignment(item: Any) -> bool:
    return isinstance(item, c_ast.Assignment) and isinstance(item.lvalue, c_ast.ID)


def _is_setter(item: Any) -> bool:
    """Whether a statement of the region's own block sets one variable."""
    return _is_assignment(item) or isinstance(item, c_ast.Decl)


def _beside_setting(item: Any) -> Any:
    """What a statement changes besides the variable that it sets."""
    if _is_assignment(item):
        return item.rvalue
    if isinstance(item, c_ast.Decl):
        return c_ast.EmptyStatement() if item.init is None else item.init
    return item


def is_arithmetic(node: Any) -> bool:
    """Whether an expression is made of names and integers."""
    match node:
        case c_ast.ID():
            return True
        case c_ast.Constant(type="int"):
            return True
        case c_ast.Cast():
            return is_arithmetic(node.expr)
        case c_ast.BinaryOp() if node.op in _OPS:
            return is_arithmetic(node.left) and is_arithmetic(node.right)
    return False


def _copied(coord: Any) -> Callable[[Any], Any | None]:
    """Names and numbers as nodes of their own, at the place of what they stand for."""

    def copy(node: Any) -> Any | None:
        if isinstance(node, c_ast.ID):
            return c_ast.ID(node.name, coord)
        return None

    return copy
