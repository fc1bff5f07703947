"""Functions a SCoP may call: the mathematics library, and the user's pure ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pycparser import c_ast

from polysched.base import FrontendError
from polysched.frontend.cfunctions import call_name, library_type
from polysched.frontend.declarations import (
    ScalarC,
    Scope,
    Symbol,
    read_type,
    scalar_from_words,
)
from polysched.frontend.expressions import ExpressionReader
from polysched.frontend.literals import integer
from polysched.frontend.refusal import Refuser
from polysched.ir import (
    Binary,
    Call,
    Cast,
    Expr,
    ScalarType,
    Select,
    Unary,
    types,
    walk,
)

_MAX_INLINED_NODES = 100
_MAX_INLINE_DEPTH = 8
_ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "<<", ">>", "&", "|", "^"})
_ITERATIONS = 16  # of a loop in a function, where more is not known
_LOOPS = (c_ast.For, c_ast.While, c_ast.DoWhile)
_PURE_NODES = (
    c_ast.Compound, c_ast.Decl, c_ast.DeclList, c_ast.Return, c_ast.If, c_ast.ID,
    c_ast.Constant, c_ast.BinaryOp, c_ast.TernaryOp, c_ast.Cast, c_ast.Typename,
    c_ast.TypeDecl, c_ast.IdentifierType, c_ast.ExprList, c_ast.EmptyStatement,
    c_ast.Break, c_ast.Continue, c_ast.ArrayDecl, c_ast.ArrayRef, c_ast.InitList,
    c_ast.Switch, c_ast.Case, c_ast.Default, *_LOOPS,
)  # fmt: skip


class Functions:
    """Decides what may be called, and inlines what is simple.

    Parameters
    ----------
    scope : Scope
        The file's scope at its end.
    pure : sequence of str
        Names that the user declares pure.
    system_text : str
        Text of the system headers, for return types of the names in `pure`.
    refuser : Refuser
        Says no at a node.
    """

    def __init__(
        self, scope: Scope, pure: Sequence[str], system_text: str, refuser: Refuser
    ) -> None:
        self._scope = scope
        self._pure = frozenset(pure)
        self._system_text = system_text
        self._refuser = refuser
        self._verdicts: dict[str, str | None] = {}
        self._unfit: dict[str, str] = {}

    def note_unfit(self, name: str, reason: str) -> None:
        """Remember why a function's body cannot stand for a call of it."""
        self._unfit.setdefault(name, reason)

    def return_type(self, node: Any) -> ScalarType:
        """What the call at `node` returns; refuses calls that are not pure."""
        if not isinstance(node.name, c_ast.ID):
            self._refuser.unsupported(node, "found a call through a pointer")
        name = node.name.name
        symbol = self._scope.find(name)
        if name in self._pure:
            return self._declared_type(node, name, symbol)
        if symbol is not None and symbol.kind == "function" and symbol.function:
            reason = self.impurity(name)
            if reason:
                unfit = self._unfit.get(name)
                other = f", and whose body cannot stand here: {unfit}" if unfit else ""
                self._refuser.unsupported(
                    node, f"found a call of {name!r}, which {reason}{other}",
                    hint="functions compute with arguments and variables of their own, "
                    "or only choose what they return, which may read the file's; those "
                    "with pointers return behind their loops, are called whatever the "
                    "data are, and write only where a statement is one call; "
                    f"pass --pure {name} if calling it changes nothing and depends on "
                    "its arguments only",
                )  # fmt: skip
            return self._declared_type(node, name, symbol)
        known = library_type(name)
        if known is not None:
            return known
        self._refuser.unsupported(
            node, f"found a call of {name!r}, which is not known to be pure",
            hint="calls of math.h functions and of pure functions defined in the "
            f"file are taken; pass --pure {name} if it has no side effects",
        )  # fmt: skip

    def is_own(self, name: str) -> bool:
        """Whether the file has a body for a function of that name."""
        symbol = self._scope.find(name)
        return symbol is not None and symbol.function is not None

    def is_pure(self, name: str) -> bool:
        """Whether the body that the file has for a function says so."""
        is_promised = name in self._pure
        return self.is_own(name) and not is_promised and self.impurity(name) is None

    def is_static(self, name: str) -> bool:
        """Whether only the file can call a function that it has a body for."""
        symbol = self._scope.find(name)
        function = None if symbol is None else symbol.function
        return function is not None and "static" in function.decl.storage

    def _declared_type(self, node: Any, name: str, symbol: Symbol | None) -> ScalarType:
        if symbol is not None and isinstance(symbol.ctype, ScalarC):
            return symbol.ctype.type
        if symbol is None:
            known = library_type(name)
            if known is not None:
                return known
            match = re.search(
                rf"([A-Za-z_][\w\s]*?)\s+{re.escape(name)}\s*\(", self._system_text
            )
            words = [] if match is None else match.group(1).split()
            words = [w for w in words if w not in {"extern", "static", "inline"}]
            found = scalar_from_words(words) if words else None
            if found is not None:
                return found
        self._refuser.unsupported(
            node, f"the type that {name!r} returns is not a number, or not known",
            hint="declare the function in the file",
        )  # fmt: skip

    def impurity(self, name: str) -> str | None:
        """Why a function defined in the file is not pure; None if it is."""
        if name not in self._verdicts:
            self._verdicts[name] = "calls itself"
            symbol = self._scope.find(name)
            assert symbol is not None
            assert symbol.function is not None
            self._verdicts[name] = self._impurity(symbol.function)
        return self._verdicts[name]

    def _impurity(self, function: Any) -> str | None:
        arguments = function.decl.type.args
        local: set[str] = set()
        for parameter in arguments.params if arguments else ():
            if not isinstance(parameter, c_ast.Decl):
                continue
            if not isinstance(read_type(parameter.type, self._scope), ScalarC):
                return "takes a pointer"
            local.add(parameter.name)
        return self._impure_node(function.body, local)

    def _impure_node(self, node: Any, local: set[str]) -> str | None:
        if isinstance(node, c_ast.Decl):
            if node.storage and "static" in node.storage and "const" not in node.quals:
                return f"keeps a static variable {node.name!r}"
            local.add(node.name)
        elif isinstance(node, c_ast.ID):
            symbol = self._scope.find(node.name)
            if node.name in local or (symbol is not None and symbol.value is not None):
                return None
            return f"uses {node.name!r}, which is not one of its own variables"
        elif isinstance(node, c_ast.FuncCall):
            return self._impure_call(node, local)
        elif isinstance(node, (c_ast.Assignment, c_ast.UnaryOp)):
            if isinstance(node, c_ast.UnaryOp) and node.op == "&":
                return "takes an address"
        elif not isinstance(node, _PURE_NODES):
            return f"holds a construct ({type(node).__name__}) not known to be pure"
        for _, child in node.children():
            reason = self._impure_node(child, local)
            if reason:
                return reason
        return None

    def _impure_call(self, node: Any, local: set[str]) -> str | None:
        name = node.name.name if isinstance(node.name, c_ast.ID) else ""
        symbol = self._scope.find(name)
        if symbol is not None and symbol.function is not None:
            if self.impurity(name):
                return f"calls {name!r}, which {self.impurity(name)}"
        elif library_type(name) is None and name not in self._pure:
            return f"calls {name or 'a pointer'!r}, which is not known to be pure"
        return self._impure_node(node.args, local) if node.args else None

    def count_operations(self, name: str) -> int:
        """Operations in a function of the file, with a guess for its loops; or 1."""
        symbol = self._scope.find(name)
        if symbol is None or symbol.function is None or name in self._pure:
            return 1
        return max(1, self._operations(symbol.function.body))

    def _operations(self, node: Any) -> int:
        own = 0
        if isinstance(node, c_ast.BinaryOp):
            own = int(node.op in _ARITHMETIC)
        elif isinstance(node, c_ast.Assignment):
            own = int(node.op != "=")
        elif isinstance(node, c_ast.FuncCall) and isinstance(node.name, c_ast.ID):
            own = self.count_operations(node.name.name)
        below = sum(self._operations(child) for _, child in node.children())
        return own + below * (_ITERATIONS if isinstance(node, _LOOPS) else 1)

    def expand(self, call: Call, depth: int = 0) -> Expr | None:
        """The expression that a call of a simple user function stands for.

        Simple functions declare scalars with initialisers, return expressions, and
        choose between returns with ``if``; others, and recursive ones, give None.
        """
        symbol = self._scope.find(call.name)
        if symbol is None or symbol.function is None or depth > _MAX_INLINE_DEPTH:
            return None
        if call.name in self._pure or self.impurity(call.name):
            return None
        arguments = symbol.function.decl.type.args
        parameters = [
            p for p in (arguments.params if arguments else ())
            if isinstance(p, c_ast.Decl)
        ]  # fmt: skip
        if len(parameters) != len(call.args):
            return None
        reader = _BodyReader(self, self._refuser, self._scope, depth)
        for parameter, argument in zip(parameters, call.args, strict=True):
            reader.bind(parameter, argument)
        try:
            result = reader.returned(symbol.function.body.block_items or [])
        except FrontendError:
            return None
        return None if result is None else converted(result, call.type)

    def expand_small(self, call: Call) -> Expr | None:
        """`expand` for values: None when the result would be long."""
        result = self.expand(call)
        if result is None or sum(1 for _ in walk(result)) > _MAX_INLINED_NODES:
            return None
        return result


def converted(expr: Expr, type_: ScalarType) -> Expr:
    """The expression converted to a type, if it has another."""
    is_excess = type_.is_half and isinstance(expr, Binary | Unary | Select)
    return expr if expr.dtype == type_ and not is_excess else Cast(type_, expr)


class _BodyReader(ExpressionReader):
    """Reads the body of a simple function with its parameters bound."""

    def __init__(
        self, functions: Functions, refuser: Refuser, scope: Scope, depth: int
    ) -> None:
        super().__init__(refuser, scope)
        self._functions = functions
        self._depth = depth
        self._bound: dict[str, Expr] = {}

    def bind(self, declaration: Any, value: Expr) -> None:
        """Give a parameter or local variable its value."""
        ctype = read_type(declaration.type, self.scope)
        if not isinstance(ctype, ScalarC):
            self.refuser.unsupported(declaration, "not a scalar")
        self._bound[declaration.name] = converted(value, ctype.type)

    def returned(self, items: Sequence[Any]) -> Expr | None:
        """What a list of statements returns; None if that is not simple."""
        for index, item in enumerate(items):
            if isinstance(item, c_ast.Decl):
                if item.init is None:
                    return None
                self.bind(item, self.read(item.init))
            elif isinstance(item, c_ast.Return):
                return self.read(item.expr) if item.expr is not None else None
            elif isinstance(item, c_ast.Compound):
                inner = list(item.block_items or [])
                if any(getattr(d, "name", None) in self._bound for d in inner):
                    return None  # hides a name that may be used again behind it
                return self.returned([*inner, *items[index + 1 :]])
            elif isinstance(item, c_ast.If):
                return self._choice(item, items[index + 1 :])
            else:
                return None
        return None

    def _choice(self, item: Any, rest: Sequence[Any]) -> Expr | None:
        cond = self.read(item.cond)
        before = dict(self._bound)
        then = self.returned([item.iftrue, *rest])
        self._bound = before
        other = self.returned([item.iffalse, *rest] if item.iffalse else rest)
        return None if then is None or other is None else Select(cond, then, other)

    def read_identifier(self, node: Any) -> Expr:
        if node.name in self._bound:
            return self._bound[node.name]
        symbol = self.scope.find(node.name)
        if symbol is not None and symbol.value is not None:
            return integer(symbol.value, symbol.scalar_type or types.INT)
        self.refuser.unsupported(node, "not simple")

    def read_element(self, node: Any, base: Any, subscripts: list[Any]) -> Expr:
        self.refuser.unsupported(node, "not simple")

    def read_call(self, node: Any) -> Expr:
        type_ = self._functions.return_type(node)
        args = tuple(self.read(a) for a in (node.args.exprs if node.args else ()))
        name = node.name.name
        call = Call(call_name(name), args, type_, is_own=self._functions.is_own(name))
        return self._functions.expand(call, self._depth + 1) or call
