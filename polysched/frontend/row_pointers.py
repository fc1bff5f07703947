"""Pointers to rows that stay, as the arrays or planes that they are set to.

``double (*from)[n] = a;`` and ``float (*p)[m] = V[t % 2];`` are other names for ``a``
and ``V[t % 2]`` to the end of the block, if nothing there changes what these are.

Works on syntax; what has no such form is left as it is, and refused where it stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pycparser import c_ast

from polysched.frontend.declarations import Scope
from polysched.frontend.expressions import c_text
from polysched.frontend.iterators import changed_names
from polysched.frontend.trees import copied, names, parts, with_parts
from polysched.frontend.walking import renamed


def with_rows_named(items: Sequence[Any], scope: Scope) -> list[Any]:
    """The statements of a SCoP without pointers to rows that are set once.

    Parameters
    ----------
    items : sequence of nodes
        The statements; they are not changed.
    scope : Scope
        Names visible at the start of the SCoP.
    """
    return _Writer(items, scope).block(items, {})


class _Writer:
    def __init__(self, items: Sequence[Any], scope: Scope) -> None:
        self._scope = scope
        every = [part for item in items for part in parts(item)]
        declared = [p for p in every if isinstance(p, c_ast.Decl)]
        self._own = {d.name: d for d in declared}
        self._twice = {d.name for d in declared if self._own[d.name] is not d}
        self._asked = {
            p.expr.name for p in every
            if isinstance(p, c_ast.UnaryOp) and p.op in {"&", "sizeof"}
            and isinstance(p.expr, c_ast.ID)
        }  # fmt: skip

    def block(self, items: Sequence[Any], known: Mapping[str, Any]) -> list[Any]:
        """The statements of a block; `known` is what pointers are other names for."""
        known = dict(known)
        found = []
        for k, item in enumerate(items):
            item = self._named(item, known)
            rest = items[k + 1 :]
            if isinstance(item, c_ast.Decl) and self._is_other_name(item, rest):
                known[item.name] = item.init
            else:
                found.append(item)
        return found

    def _named(self, item: Any, known: Mapping[str, Any]) -> Any:
        def put(node: Any) -> Any | None:
            if isinstance(node, c_ast.Compound):
                return c_ast.Compound(
                    self.block(node.block_items or (), known), node.coord
                )
            if isinstance(node, c_ast.ID) and node.name in known:
                return copied(known[node.name])
            return None

        return with_parts(item, put)

    def _is_other_name(self, decl: Any, rest: Sequence[Any]) -> bool:
        """Whether a declaration gives rows another name, for good."""
        is_rows = isinstance(decl.type, c_ast.PtrDecl) and isinstance(
            decl.type.type, c_ast.ArrayDecl
        )
        if not is_rows or decl.storage or decl.init is None:
            return False
        place, used = decl.init, []
        while isinstance(place, c_ast.ArrayRef):
            used.append(place.subscript)
            place = place.name
        if not isinstance(place, c_ast.ID):
            return False
        read = {place.name, *(name for node in used for name in names(node))}
        plain = (c_ast.ID, c_ast.Constant, c_ast.BinaryOp, c_ast.UnaryOp)
        if not all(isinstance(p, plain) for node in used for p in parts(node)):
            return False
        changed = {name for item in rest for name in changed_names(item)}
        changed |= {
            p.name for i in rest for p in parts(i) if isinstance(p, c_ast.Decl)
        }  # fmt: skip
        if place.name in self._twice or {decl.name, *read} & (changed | self._asked):
            return False
        rows = self._rows(place.name, len(used))
        return rows is not None and rows == _bare(decl.type)

    def _rows(self, name: str, n_subscripts: int) -> str | None:
        """The type of a pointer to what an array holds so deep."""
        node = self._own.get(name)
        if node is None:
            symbol = self._scope.find(name)
            node = getattr(symbol, "node", None)
        type_ = getattr(node, "type", None)
        for _ in range(n_subscripts):
            if not isinstance(type_, (c_ast.ArrayDecl, c_ast.PtrDecl)):
                return None
            type_ = type_.type
        if not isinstance(type_, (c_ast.ArrayDecl, c_ast.PtrDecl)):
            return None
        return _bare(c_ast.PtrDecl([], type_.type, None))


def _bare(type_: Any) -> str:
    """A pointer's type as text, whatever is declared, and if that is constant."""
    text = c_text(c_ast.Typename(None, [], None, renamed(type_, "")))
    return " ".join(word for word in text.split() if word not in {"const", "restrict"})
