"""Parameters that a region changes between its loops, as variables of its own.

With ``n = n / 2;`` between two loops up to n, one name stands for two numbers. If
nobody reads it behind the region, what it is set to may have a name of its own, and
bounds with that are known (`with_known_sizes`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pycparser import c_ast

from polysched.frontend.declarations import Scope
from polysched.frontend.iterators import changed_names
from polysched.frontend.known_sizes import is_arithmetic
from polysched.frontend.trees import names, parts, with_parts
from polysched.frontend.walking import renamed


def with_versions(
    items: Sequence[Any],
    scope: Scope,
    is_dead: Callable[[str], bool],
    fresh_name: Callable[[str], str],
) -> tuple[Any, ...]:
    """Statements in which variables that are read and then set have two names.

    Parameters
    ----------
    items : sequence of nodes
        The statements of a SCoP; they are not changed.
    scope : Scope
        Names visible at their start.
    is_dead : callable
        Whether nobody reads a variable from outside behind the SCoP.
    fresh_name : callable
        Makes a name that nothing else has.
    """
    for name in dict.fromkeys(n for n in map(_set_name, items) if n is not None):
        at = next(k for k, item in enumerate(items) if _set_name(item) == name)
        if not is_arithmetic(items[at].rvalue):
            continue
        if _begins_outside(items, at, name) and is_dead(name):
            items = _split(items, at, name, scope, fresh_name)
    return tuple(items)


def _begins_outside(items: Sequence[Any], at: int, name: str) -> bool:
    """Whether a variable is read before it is set, and changed there alone."""
    before = [*items[:at], items[at].rvalue]
    is_read = items[at].op != "=" or any(name in names(item) for item in before)
    rest = (i.rvalue if _set_name(i) == name else i for i in items)
    is_changed = any(name in changed_names(item) for item in rest)
    declared = (p for item in items for p in parts(item) if isinstance(p, c_ast.Decl))
    return is_read and not is_changed and all(d.name != name for d in declared)


def _split(
    items: Sequence[Any],
    at: int,
    name: str,
    scope: Scope,
    fresh_name: Callable[[str], str],
) -> Sequence[Any]:
    """The statements with another name from the first assignment on."""
    symbol = scope.find(name)
    type_ = getattr(getattr(symbol, "node", None), "type", None)
    if not isinstance(type_, c_ast.TypeDecl):
        return items
    setter, new = items[at], fresh_name(name)
    value = setter.rvalue
    if setter.op != "=":
        value = c_ast.BinaryOp(setter.op[:-1], setter.lvalue, value, setter.coord)
    decl = c_ast.Decl(
        new, [], [], [], [], renamed(type_, new), value, None, setter.coord
    )  # fmt: skip

    def rename(node: Any) -> Any | None:
        is_it = isinstance(node, c_ast.ID) and node.name == name
        return c_ast.ID(new, node.coord) if is_it else None

    return [*items[:at], decl, *(with_parts(i, rename) for i in items[at + 1 :])]


def _set_name(item: Any) -> str | None:
    """The variable that a statement of the region's own block sets."""
    if isinstance(item, c_ast.Assignment) and isinstance(item.lvalue, c_ast.ID):
        return str(item.lvalue.name)
    return None
