"""First look at a SCoP: what each name means, what is written, what is declared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pycparser import c_ast

from polysched.frontend.declarations import Scope, Symbol
from polysched.frontend.loops import iterator_node
from polysched.frontend.scoping import Declarer
from polysched.frontend.trees import STEP_OPS


@dataclass
class Survey:
    """Names of a SCoP, resolved.

    Attributes
    ----------
    symbols : dict
        Symbol of each name and declaration node, by the node's identity.
    writes : dict of Symbol to list of nodes
        Where each object is assigned; initialisers and loop headers do not count.
    iterators : dict of Symbol to node
        Objects that serve as loop iterators, with the first loop.
    declared : dict of Symbol to Decl
        Objects declared inside the SCoP, iterators included.
    """

    symbols: dict[int, Symbol | None] = field(default_factory=dict)
    writes: dict[Symbol, list[Any]] = field(default_factory=dict)
    iterators: dict[Symbol, Any] = field(default_factory=dict)
    declared: dict[Symbol, Any] = field(default_factory=dict)

    def symbol(self, node: Any) -> Symbol | None:
        """What a name or declaration node stands for."""
        return self.symbols.get(id(node))

    def is_written(self, symbol: Symbol) -> bool:
        """Whether the SCoP changes the object."""
        return symbol in self.writes or symbol in self.iterators


def survey(around: Scope, items: Iterable[Any], declarer: Declarer) -> Survey:
    """Resolve all names in the statements of a SCoP, inside the scope around it."""
    walker = _Surveyor(declarer)
    scope = around.inner()
    for item in items:
        walker.visit(item, scope)
    return walker.found


class _Surveyor:
    def __init__(self, declarer: Declarer) -> None:
        self.found = Survey()
        self.declarer = declarer

    def visit(self, node: Any, scope: Scope) -> None:
        """Resolve the names below a node."""
        if isinstance(node, c_ast.Compound):
            inner = scope.inner()
            for item in node.block_items or ():
                self.visit(item, inner)
        elif isinstance(node, c_ast.For):
            self._loop(node, scope.inner())
        elif isinstance(node, (c_ast.Decl, c_ast.Typedef)):
            self._declaration(node, scope)
        elif isinstance(node, c_ast.Assignment):
            self._write(node.lvalue, scope, node)
            self.visit(node.lvalue, scope)
            self.visit(node.rvalue, scope)
        elif isinstance(node, c_ast.UnaryOp) and node.op in STEP_OPS:
            self._write(node.expr, scope, node)
            self.visit(node.expr, scope)
        elif isinstance(node, c_ast.ID):
            self.found.symbols[id(node)] = scope.find(node.name)
        elif isinstance(node, c_ast.StructRef):
            self.visit(node.name, scope)
        else:
            for _, child in node.children():
                self.visit(child, scope)

    def _loop(self, node: Any, scope: Scope) -> None:
        iterator = iterator_node(node)
        if isinstance(iterator, c_ast.Decl):
            self._declaration(iterator, scope)
        elif iterator is not None:
            self.visit(iterator, scope)
            self.visit(node.init.rvalue, scope)
        elif node.init is not None:
            self.visit(node.init, scope)
        symbol = self.found.symbol(iterator)
        if symbol is not None:
            self.found.iterators.setdefault(symbol, node)
        for part in (node.cond, node.stmt):
            if part is not None:
                self.visit(part, scope)
        if node.next is not None:
            self._step(node.next, symbol, scope)

    def _step(self, node: Any, iterator: Symbol | None, scope: Scope) -> None:
        """The step of a loop; changing its own iterator is no write."""
        target = node.lvalue if isinstance(node, c_ast.Assignment) else None
        if isinstance(node, c_ast.UnaryOp):
            target = node.expr
        own = isinstance(target, c_ast.ID) and scope.find(target.name) is iterator
        if not own:
            self.visit(node, scope)
            return
        for _, child in node.children():
            self.visit(child, scope)

    def _declaration(self, node: Any, scope: Scope) -> None:
        if getattr(node, "init", None) is not None:
            self.visit(node.init, scope)
        if node.type is not None:
            for _, child in node.type.children():
                self.visit(child, scope)
        symbol = self.declarer.declare(node, scope, "scop")
        self.found.symbols[id(node)] = symbol
        if symbol is not None and symbol.kind == "object":
            self.found.declared[symbol] = node

    def _write(self, target: Any, scope: Scope, node: Any) -> None:
        """Note what an assignment changes: the name, or what its address starts at."""
        match target:
            case c_ast.ID():
                symbol = scope.find(target.name)
                if symbol is not None:
                    self.found.writes.setdefault(symbol, []).append(node)
            case c_ast.ArrayRef() | c_ast.StructRef():
                self._write(target.name, scope, node)
            case c_ast.UnaryOp():
                self._write(target.expr, scope, node)
            case c_ast.BinaryOp():  # an address and a distance, in either order
                for side in (target.left, target.right):
                    name = scope.find(side.name) if isinstance(side, c_ast.ID) else None
                    if name is None or not name.is_integer:
                        self._write(side, scope, node)
