"""Variables of inner blocks under names that nothing else has.

C lets an inner ``int k`` hide another one, and loops declare one name again and again.
What looks at names alone, before they are resolved, then sees one variable.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any

from pycparser import c_ast

from polysched.frontend.declarations import Scope
from polysched.frontend.naming import FreshNames
from polysched.frontend.trees import parts, rebuilt

_Names = dict[str, str]


def with_own_names(
    items: Sequence[Any], scope: Scope, words: Collection[str]
) -> tuple[Any, ...] | None:
    """The statements of a region with other names where one is declared twice.

    Parameters
    ----------
    items : sequence of nodes
        They are not changed; what they declare outside of blocks keeps its name.
    scope : Scope
        Names visible at their start.
    words : collection of str
        All names that the file has.

    Returns
    -------
    tuple of nodes or None
        None where no name is declared twice, or a type is declared.
    """
    every = [p for item in items for p in parts(item)]
    if any(isinstance(p, (c_ast.Typedef, c_ast.Enum)) for p in every):
        return None
    top = {id(item) for item in items}
    declared = [p for p in every if isinstance(p, c_ast.Decl) and p.name]
    count = Counter(d.name for d in declared)
    inner = {d.name for d in declared if id(d) not in top}
    twice = {n for n in inner if count[n] > 1 or scope.find(n) is not None}
    if not twice:
        return None
    renamer = _Renamer(twice, FreshNames(words))
    return tuple(
        renamer.kept(item) if isinstance(item, c_ast.Decl) else renamer.visit(item, {})
        for item in items
    )


class _Renamer:
    def __init__(self, twice: Collection[str], fresh: Callable[[str], str]) -> None:
        self._twice = twice
        self._fresh = fresh

    def kept(self, decl: Any) -> Any:
        """A declaration that keeps its name: blocks in it do not."""
        return rebuilt(decl, lambda part: self.visit(part, {}))

    def visit(self, node: Any, names: _Names) -> Any:
        """A copy; declarations enter what their names become."""
        match node:
            case c_ast.ID(name=name) if name in names:
                return c_ast.ID(names[name], node.coord)
            case c_ast.Decl(name=name) if name in self._twice:
                return self._declaration(node, names)
            case c_ast.Compound() | c_ast.For():
                names = dict(names)
            case c_ast.StructRef():
                inner = self.visit(node.name, names)
                return c_ast.StructRef(inner, node.type, node.field, node.coord)
            case c_ast.NamedInitializer():
                value = self.visit(node.expr, names)
                return c_ast.NamedInitializer(node.name, value, node.coord)
        return rebuilt(node, lambda part: self.visit(part, names))

    def _declaration(self, node: Any, names: _Names) -> Any:
        name = self._fresh(node.name)
        type_ = self._declarator(node.type, name, names)
        names[node.name] = name  # C sees it in its own value, too
        init = None if node.init is None else self.visit(node.init, names)
        return c_ast.Decl(
            name, node.quals, node.align, node.storage, node.funcspec, type_, init,
            node.bitsize, node.coord,
        )  # fmt: skip

    def _declarator(self, node: Any, name: str, names: _Names) -> Any:
        if isinstance(node, c_ast.TypeDecl):
            return c_ast.TypeDecl(name, node.quals, node.align, node.type, node.coord)

        def change(part: Any) -> Any:
            if part is node.type:
                return self._declarator(part, name, names)
            return self.visit(part, names)

        return rebuilt(node, change)
