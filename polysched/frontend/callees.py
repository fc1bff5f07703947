"""Bodies of the file's pure functions as actions, for code that cannot call them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pycparser import c_ast

from polysched.base import FrontendError
from polysched.frontend.cfunctions import call_name
from polysched.frontend.declarations import ScalarC, Scope, read_type
from polysched.frontend.expressions import ExpressionReader
from polysched.frontend.literals import integer
from polysched.frontend.purity import Functions
from polysched.frontend.refusal import Refuser
from polysched.frontend.trees import STEP_OPS
from polysched.ir import (
    Action,
    Call,
    Expr,
    Function,
    Guard,
    Leave,
    Let,
    Local,
    Repeat,
    Return,
    Statement,
    action_expressions,
    types,
    walk,
)


def find_callees(
    statements: Iterable[Statement],
    scope: Scope,
    functions: Functions,
    refuser: Refuser,
) -> tuple[Function, ...]:
    """The functions of the file that statements call, callees in front of callers.

    Left out are those whose bodies are no plain computation with numbers: those that
    have arrays, pointers or a `switch`, or that `--pure` vouches for.

    Parameters
    ----------
    statements : iterable of Statement
        What calls them.
    scope : Scope
        Of the file, at its end.
    functions : Functions
        Knows which are pure.
    refuser : Refuser
        Says no at a node; what it raises stays here.
    """
    found: dict[str, Function | None] = {}

    def visit(calls: Iterable[str]) -> bool:
        """Whether all of them are known."""
        return all(map(visit_one, calls))

    def visit_one(name: str) -> bool:
        if name not in found:
            found[name] = None  # unless it turns out well
            function = _read(name, scope, functions, refuser)
            if function is not None and visit(_own_calls(function.body)):
                del found[name]
                found[name] = function
        return found[name] is not None

    visit(c for s in statements for c in _own_calls(s.body))
    return tuple(f for f in found.values() if f is not None)


def _own_calls(body: Sequence[Action]) -> Iterator[str]:
    """Names of the file's functions that actions call."""
    for action in body:
        for top in action_expressions(action):
            for expr in walk(top):
                if isinstance(expr, Call) and expr.is_own:
                    yield expr.name


def _read(
    name: str, scope: Scope, functions: Functions, refuser: Refuser
) -> Function | None:
    """A function of the file; None if it is no plain computation."""
    symbol = scope.find(name)
    node: Any = None if symbol is None else symbol.function
    if node is None or not functions.is_pure(name):
        return None
    reader = _FunctionReader(refuser, scope, functions)
    arguments = node.decl.type.args
    try:
        parameters = tuple(
            reader.declare(p)
            for p in (arguments.params if arguments else ())
            if isinstance(p, c_ast.Decl)
        )
        body = reader.actions(node.body)
        returned = read_type(node.decl.type.type, scope)
    except (FrontendError, KeyError):
        return None
    if not isinstance(returned, ScalarC):
        return None
    return Function(name, returned.type, parameters, body)


class _FunctionReader(ExpressionReader):
    """Reads the body of a function with numbers of its own."""

    def __init__(self, refuser: Refuser, scope: Scope, functions: Functions) -> None:
        super().__init__(refuser, scope)
        self._functions = functions
        self._blocks: list[dict[str, Local]] = [{}]
        self._taken: set[str] = set()

    def declare(self, node: Any) -> Local:
        """A parameter or variable, in the present block."""
        ctype = read_type(node.type, self.scope)
        if not isinstance(ctype, ScalarC) or ctype.volatile:
            self.refuser.unsupported(node, "not a number")
        name, number = node.name, 1
        while name in self._taken:
            name, number = f"{node.name}_{number}", number + 1
        self._taken.add(name)
        local = Local(name, ctype.type)
        self._blocks[-1][node.name] = local
        return local

    def read_identifier(self, node: Any) -> Expr:
        for block in reversed(self._blocks):
            if node.name in block:
                return block[node.name]
        symbol = self.scope.find(node.name)
        if symbol is not None and symbol.value is not None:
            return integer(symbol.value, symbol.scalar_type or types.INT)
        self.refuser.unsupported(node, "not a variable of its own")

    def read_element(self, node: Any, base: Any, subscripts: list[Any]) -> Expr:
        self.refuser.unsupported(node, "not a number")

    def read_call(self, node: Any) -> Expr:
        type_ = self._functions.return_type(node)
        args = tuple(self.read(a) for a in (node.args.exprs if node.args else ()))
        name = node.name.name
        return Call(call_name(name), args, type_, is_own=self._functions.is_own(name))

    def actions(self, node: Any) -> tuple[Action, ...]:
        """What a statement does."""
        match node:
            case None | c_ast.EmptyStatement():
                return ()
            case c_ast.Compound(block_items=items):
                return self._block(items or ())
            case c_ast.DeclList(decls=items) | c_ast.ExprList(exprs=items):
                return tuple(a for item in items for a in self.actions(item))
            case c_ast.Decl(type=c_ast.TypeDecl()):
                value = None if node.init is None else self.read(node.init)
                return (Let(self.declare(node), "=", value, True),)
            case c_ast.Return(expr=value) if value is not None:
                return (Return(self.read(value)),)
            case c_ast.If():
                cond = self.read(node.cond)
                then, other = self._block([node.iftrue]), self._block([node.iffalse])
                return (Guard(cond, then, other),)
            case c_ast.For():
                return self._for(node)
            case c_ast.While() | c_ast.DoWhile():
                asks_first = isinstance(node, c_ast.While)
                cond, body = self.read(node.cond), self._block([node.stmt])
                return (Repeat(cond, body, asks_first=asks_first),)
            case c_ast.Break():
                return (Leave(),)
            case c_ast.UnaryOp(op=op) if op in STEP_OPS:
                return (Let(self._target(node.expr), f"{op[-1]}=", integer(1)),)
            case c_ast.Assignment():
                value = self.read(node.rvalue)
                return (Let(self._target(node.lvalue), node.op, value),)
        self.refuser.unsupported(node, "no plain statement")

    def _block(self, items: Sequence[Any]) -> tuple[Action, ...]:
        self._blocks.append({})
        found = tuple(a for item in items for a in self.actions(item))
        self._blocks.pop()
        return found

    def _for(self, node: Any) -> tuple[Action, ...]:
        """A loop; several start values stand in front of it."""
        self._blocks.append({})
        start = self.actions(node.init)
        cond = integer(1) if node.cond is None else self.read(node.cond)
        body, step = self._block([node.stmt]), self.actions(node.next)
        self._blocks.pop()
        if len(start) > 1:
            return (*start, Repeat(cond, body, (), step))
        return (Repeat(cond, body, start, step),)

    def _target(self, node: Any) -> Local:
        found = self.read(node) if isinstance(node, c_ast.ID) else None
        if not isinstance(found, Local):
            self.refuser.unsupported(node, "not a variable of its own")
        return found
