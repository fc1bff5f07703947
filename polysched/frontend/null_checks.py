"""Questions whether a pointer is null, ``bias != NULL ? bias[i] : 0``, as variables.

The region does not change the pointer: the answer is one number, which shapes the model
like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pycparser import c_ast

from polysched.frontend.declarations import PointerC, ScalarC, Scope, Symbol
from polysched.frontend.iterators import changed_names
from polysched.frontend.trees import parts, with_parts
from polysched.ir import types

_JOINS = frozenset({"&&", "||"})


@dataclass(eq=False)
class NullChecks:
    """Puts variables in place of such questions.

    Parameters
    ----------
    items : sequence of nodes
        Statements of a region; they are not changed.
    scope : Scope
        Names visible at their start.
    fresh : callable
        Gives a name that nothing else has.

    Attributes
    ----------
    found : dict of str to Symbol
        The variables, by pointer.
    """

    items: Sequence[Any]
    scope: Scope
    fresh: Callable[[str], str]
    found: dict[str, Symbol] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._changed = {n for item in self.items for n in changed_names(item)}

    def put(self) -> tuple[Any, ...]:
        """The statements with variables."""
        if not any(isinstance(p, _ASKING) for i in self.items for p in parts(i)):
            return tuple(self.items)
        return tuple(with_parts(item, self._change) for item in self.items)

    def _change(self, node: Any) -> Any | None:
        match node:
            case c_ast.If() | c_ast.TernaryOp():
                cond = self._truth(node.cond)
                rest = [
                    None if part is None else with_parts(part, self._change)
                    for part in (node.iftrue, node.iffalse)
                ]
                kept = cond is node.cond and rest == [node.iftrue, node.iffalse]
                return node if kept else type(node)(cond, *rest, node.coord)
            case c_ast.BinaryOp(op="==" | "!="):
                return self._compared(node)
        return None

    def _truth(self, node: Any) -> Any:
        """A condition; pointers in it ask whether they are null."""
        match node:
            case c_ast.ID():
                return self._answer(node) or node
            case c_ast.UnaryOp(op="!", expr=inner):
                new = self._truth(inner)
                return node if new is inner else c_ast.UnaryOp("!", new, node.coord)
            case c_ast.BinaryOp(op=op, left=left, right=right) if op in _JOINS:
                a, b = self._truth(left), self._truth(right)
                if a is left and b is right:
                    return node
                return c_ast.BinaryOp(op, a, b, node.coord)
        return with_parts(node, self._change)

    def _compared(self, node: Any) -> Any | None:
        """A pointer that is compared with zero."""
        sides = [s for s in (node.left, node.right) if not _is_null(s)]
        answer = self._answer(sides[0]) if len(sides) == 1 else None
        if answer is None or node.op == "!=":
            return answer
        return c_ast.UnaryOp("!", answer, node.coord)

    def _answer(self, node: Any) -> Any | None:
        """The variable that says whether a pointer is not null."""
        if not isinstance(node, c_ast.ID) or node.name in self._changed:
            return None
        symbol = self.scope.find(node.name)
        if symbol is None or not symbol.is_pointer or symbol.kind != "object":
            return None
        assert isinstance(symbol.ctype, PointerC)
        if node.name not in self.found:
            name = self.fresh(f"{node.name}_is_there")
            decl = _declaration(name, node)
            self.found[node.name] = Symbol(
                name, "object", ScalarC(types.INT), "local", node=decl,
                held=f"({symbol.held or node.name}) != 0",
            )  # fmt: skip
        return c_ast.ID(self.found[node.name].name, node.coord)


_ASKING = (c_ast.If, c_ast.TernaryOp, c_ast.BinaryOp)


def _is_null(node: Any) -> bool:
    while isinstance(node, c_ast.Cast):
        node = node.expr
    return isinstance(node, c_ast.Constant) and node.type == "int" and node.value == "0"


def _declaration(name: str, pointer: Any) -> Any:
    """``int name = pointer != 0;`` as syntax."""
    coord = pointer.coord
    type_ = c_ast.TypeDecl(name, [], None, c_ast.IdentifierType(["int"], coord), coord)
    value = c_ast.BinaryOp("!=", pointer, c_ast.Constant("int", "0", coord), coord)
    return c_ast.Decl(name, [], [], [], [], type_, value, None, coord)
