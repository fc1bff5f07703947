"""Sizes of arrays that still are what their variables say: `n` behind ``A[m][n]``.

C evaluates the extents of an array where it is declared. A variable that changes behind
the declaration, or a name that means another one there, no longer tells how far apart
rows are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pycparser import c_ast

from polysched.frontend.declarations import ArrayC, CType, PointerC, Scope
from polysched.frontend.trees import STEP_OPS, names, parts


@dataclass(frozen=True, eq=False)
class LastingSizes:
    """Looks at what a function does behind its declarations.

    Parameters
    ----------
    function : FuncDef
        The function.
    defined : mapping of str to FuncDef
        Functions of the file, for variables of the file that they change.
    """

    function: Any
    defined: Mapping[str, Any]

    def type_of(self, ctype: CType, declaration: Any, scope: Scope) -> CType:
        """A declared type; extents that may change behind the declaration are unknown.

        Parameters
        ----------
        ctype : CType
            What was declared.
        declaration : node
            Where, in the function.
        scope : Scope
            What names mean there.
        """
        match ctype:
            case PointerC(target=target):
                return replace(ctype, target=self.type_of(target, declaration, scope))
            case ArrayC(element=element, extent=extent):
                inner = self.type_of(element, declaration, scope)
                used = set() if extent is None else set(names(extent))
                lasts = not any(self._changes(n, declaration, scope) for n in used)
                return replace(ctype, element=inner, extent=extent if lasts else None)
        return ctype

    def is_lasting(self, declaration: Any, scope: Scope) -> bool:
        """Whether a variable of the function keeps the value it is declared with."""
        return not self._changes(declaration.name, declaration, scope)

    def _changes(self, name: str, declaration: Any, scope: Scope) -> bool:
        """Whether a variable may change, or be hidden, behind a declaration."""
        symbol = scope.find(name)
        if symbol is None or symbol.value is not None:
            return False
        before, behind = self._split(declaration)
        if any(_changes(part, name) for part in behind):
            return True
        given = {id(p) for part in before for p in _given_addresses(part)}
        if any(_takes_address(p, name) and id(p) not in given for p in before):
            return True
        if symbol.storage not in {"global", "static"}:
            return False
        return any(_changes(part, name) for part in self._called(behind))

    def _split(self, declaration: Any) -> tuple[list[Any], list[Any]]:
        """What the function has up to a declaration, and behind it."""
        every = list(parts(self.function))
        inside = {id(p) for p in parts(declaration)}
        ends = [k for k, p in enumerate(every) if id(p) in inside]
        end = max(ends, default=-1) + 1
        return every[:end], every[end:]

    def _called(self, pieces: list[Any]) -> Iterator[Any]:
        """Everything in the file's functions that pieces of a program mention."""
        waiting = [n for p in pieces if isinstance(p, c_ast.ID) for n in (p.name,)]
        seen: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name in seen or name not in self.defined:
                continue
            seen.add(name)
            body = self.defined[name].body
            waiting += names(body)
            yield from parts(body)


def _changes(node: Any, name: str) -> bool:
    """Whether a piece of syntax itself sets, steps, hides or hands on a variable."""
    match node:
        case c_ast.Assignment(lvalue=c_ast.ID(name=found)):
            return bool(found == name)
        case c_ast.UnaryOp(op=op, expr=c_ast.ID(name=found)) if op in STEP_OPS:
            return bool(found == name)
        case c_ast.Decl(name=found) if not isinstance(node.type, c_ast.FuncDecl):
            return bool(found == name)
    return _takes_address(node, name)


def _takes_address(node: Any, name: str) -> bool:
    return (
        isinstance(node, c_ast.UnaryOp)
        and node.op == "&"
        and isinstance(node.expr, c_ast.ID)
        and node.expr.name == name
    )


def _given_addresses(node: Any) -> list[Any]:
    """Arguments of a call, ``scanf("%d", &n)``: they are taken not to be kept."""
    is_call = isinstance(node, c_ast.FuncCall) and node.args is not None
    return list(node.args.exprs) if is_call else []
