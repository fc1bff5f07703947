"""C expressions as `ir` expressions, with C's types."""

from __future__ import annotations

import re
from typing import Any, NoReturn

from pycparser import c_ast, c_generator

from polysched.base import FrontendError
from polysched.frontend.declarations import (
    ArrayC,
    CType,
    PointerC,
    ScalarC,
    Scope,
    StructC,
    Symbol,
    element_type,
    read_type,
)
from polysched.frontend.literals import (
    INFINITY_TEXTS,
    LongDoubleError,
    fold,
    integer,
    long_double_as,
    read_literal,
)
from polysched.frontend.refusal import Refuser
from polysched.ir import Binary, Cast, Const, Expr, Select, Unary, types

_BINARY_OPS = frozenset(
    {
        "+", "-", "*", "/", "%", "<", "<=", ">", ">=", "==", "!=", "&&", "||", "<<",
        ">>", "&", "|", "^",
    }
)  # fmt: skip
_INTEGER_OPS = frozenset(["%", "<<", ">>", "&", "|", "^"])


def c_text(node: Any) -> str:
    """A node as C text on one line."""
    return " ".join(c_generator.CGenerator().visit(node).split())


def c_lines(node: Any) -> str:
    """A statement as C text."""
    text = c_generator.CGenerator(reduce_parentheses=True).visit(node)
    return re.sub(r"\)\s*\n\s*\{", ") {", text).rstrip() + "\n"


class ExpressionReader:
    """Turns C expressions into `Expr`; what a name means is left to subclasses.

    Parameters
    ----------
    refuser : Refuser
        Says no at a node.
    scope : Scope
        Types named in casts and ``sizeof``.
    """

    def __init__(self, refuser: Refuser, scope: Scope) -> None:
        self.refuser = refuser
        self.scope = scope
        self._nodes: dict[int, tuple[Expr, Any]] = {}

    def node_of(self, expr: Expr) -> Any | None:
        """The syntax node that an expression was read from."""
        found = self._nodes.get(id(expr))
        return found[1] if found else None

    def read(self, node: Any) -> Expr:
        """The expression at a node."""
        method = getattr(self, f"_read_{type(node).__name__.lower()}", None)
        if method is None:
            self._refuse_kind(node)
        expr: Expr = method(node)
        self._nodes[id(expr)] = (expr, node)
        return expr

    def read_identifier(self, node: Any) -> Expr:
        """The value of a name."""
        raise NotImplementedError

    def read_element(self, node: Any, base: Any, subscripts: list[Any]) -> Expr:
        """An array element; `base` is what is subscripted."""
        raise NotImplementedError

    def read_call(self, node: Any) -> Expr:
        """A function call."""
        raise NotImplementedError

    def _read_constant(self, node: Any) -> Expr:
        if node.type == "string":
            self.refuser.unsupported(node, "found a string; only numbers are taken")
        try:
            kind = "char" if node.type == "char" else "number"
            return read_literal(kind, node.value)
        except LongDoubleError:
            self.refuser.unsupported(
                node, "found a long double; float and double are taken"
            )
        except ValueError as error:
            self.refuser.unsupported(
                node, f"found a literal that is not taken: {error}"
            )

    def _read_id(self, node: Any) -> Expr:
        return self.read_identifier(node)

    def _read_arrayref(self, node: Any) -> Expr:
        subscripts: list[Any] = []
        base = node
        while True:
            if isinstance(base, c_ast.ArrayRef):
                subscripts.insert(0, base.subscript)
                base = base.name
            elif isinstance(base, c_ast.UnaryOp) and base.op == "*":
                subscripts.insert(0, c_ast.Constant("int", "0", base.coord))
                base = base.expr
            elif isinstance(base, c_ast.StructRef):
                return self.read_member(base, subscripts)
            else:
                return self.read_element(node, base, subscripts)

    def read_member(self, node: Any, subscripts: list[Any]) -> Expr:
        """A member of a structure, or an element of one that is an array."""
        self._refuse_kind(node)

    def _read_structref(self, node: Any) -> Expr:
        return self.read_member(node, [])

    def _read_funccall(self, node: Any) -> Expr:
        if isinstance(node.name, c_ast.ID) and node.name.name in INFINITY_TEXTS:
            value, type_ = INFINITY_TEXTS[node.name.name]
            return Const(value, type_, c_text(node))
        return self.read_call(node)

    def _read_cast(self, node: Any) -> Expr:
        target = read_type(node.to_type, self.scope)
        if not isinstance(target, ScalarC):
            self.refuser.unsupported(
                node,
                f"found a cast to {describe_type(target)}; "
                "casts to integer types, float and double are taken",
            )
        if (
            target.type.is_float
            and isinstance(node.expr, c_ast.Constant)
            and node.expr.type == "long double"
        ):
            return long_double_as(node.expr.value, target.type)
        return Cast(target.type, self.read(node.expr))

    def _read_ternaryop(self, node: Any) -> Expr:
        return Select(
            self.read(node.cond), self.read(node.iftrue), self.read(node.iffalse)
        )

    def _read_binaryop(self, node: Any) -> Expr:
        if node.op not in _BINARY_OPS:
            self.refuser.unsupported(node, f"found the operator {node.op!r}")
        if node.op == "/" and (count := self._count(node.left, node.right)):
            return count
        left, right = self.read(node.left), self.read(node.right)
        if node.op in _INTEGER_OPS:
            for side, child in ((left, node.left), (right, node.right)):
                if side.dtype.is_float:
                    self.refuser.wrong(
                        child, f"found a {side.dtype} operand of {node.op!r}; "
                        "it takes integers",
                    )  # fmt: skip
        return Binary(node.op, left, right)

    def _read_unaryop(self, node: Any) -> Expr:
        if node.op == "sizeof":
            return self._read_sizeof(node)
        if node.op == "*":
            return self._read_arrayref(node)
        if node.op in {"-", "+", "!", "~"}:
            return Unary(node.op, self.read(node.expr))
        self._refuse_kind(node)

    def _read_sizeof(self, node: Any) -> Expr:
        if isinstance(node.expr, c_ast.Typename):
            n_bytes = self.size_of(read_type(node.expr, self.scope))
        elif (object_type := self._type_of(node.expr)) is not None:
            n_bytes = self.size_of(object_type)
        else:
            n_bytes = self.read(node.expr).dtype.n_bytes
        if n_bytes is None:
            self.refuser.unsupported(node, "found sizeof of a type of unknown size")
        return integer(n_bytes, types.ULONG)

    def named(self, node: Any) -> Symbol | None:
        """What a name means where the expression stands."""
        return self.scope.find(node.name)

    def _type_of(self, node: Any) -> CType | None:
        """The type of an object, none of which is read: ``sizeof A[0]``."""
        match node:
            case c_ast.ID():
                symbol = self.named(node)
                if symbol is None or symbol.kind != "object":
                    return None
                ctype = symbol.ctype
                if symbol.storage == "parameter" and isinstance(ctype, ArrayC):
                    return PointerC(ctype.element)
                return ctype
            case c_ast.ArrayRef(name=base) | c_ast.UnaryOp(op="*", expr=base):
                whole = self._type_of(base)
                if isinstance(whole, ArrayC):
                    return whole.element
                return whole.target if isinstance(whole, PointerC) else None
            case c_ast.StructRef(name=base, type=arrow, field=field):
                whole = self._type_of(base)
                if arrow == "->" and isinstance(whole, PointerC):
                    whole = whole.target
                known = dict(whole.members) if isinstance(whole, StructC) else {}
                return known.get(field.name)
        return None

    def _count(self, whole: Any, part: Any) -> Expr | None:
        """Elements of an array of any size: ``sizeof A / sizeof A[0]``."""
        asks = [
            isinstance(n, c_ast.UnaryOp) and n.op == "sizeof" for n in (whole, part)
        ]
        if not all(asks):
            return None
        array, element = self._type_of(whole.expr), self._type_of(part.expr)
        if not isinstance(array, ArrayC) or array.element is not element:
            return None
        extent = self._number(array.extent)
        return None if extent is None else integer(extent, types.ULONG)

    def _number(self, extent: Any) -> int | None:
        """The value of an array's extent, if it is a constant."""
        try:
            reader = ConstantReader(self.refuser, self.scope)
            return None if extent is None else fold(reader.read(extent))
        except FrontendError:
            return None

    def size_of(self, ctype: CType) -> int | None:
        """Bytes of a type, if known."""
        if isinstance(ctype, ScalarC):
            return ctype.type.n_bytes
        if isinstance(ctype, PointerC):
            return 8
        if isinstance(ctype, ArrayC) and ctype.extent is not None:
            inner = self.size_of(ctype.element)
            count = self._number(ctype.extent)
            return None if inner is None or count is None else inner * count
        return None

    def _refuse_kind(self, node: Any) -> NoReturn:
        kind = type(node).__name__
        if kind == "UnaryOp" and node.op in _UNARY_REFUSALS:
            found = _UNARY_REFUSALS[node.op]
        else:
            found = _EXPRESSION_REFUSALS.get(kind, f"an expression of kind {kind}")
        self.refuser.unsupported(
            node,
            f"found {found}",
            hint="values are arithmetic on scalars, array elements and calls of "
            "pure functions",
        )


_UNARY_REFUSALS = {
    "&": "the address of an object",
    "p++": "'++' inside an expression; it is taken as a statement of its own",
    "++": "'++' inside an expression; it is taken as a statement of its own",
    "p--": "'--' inside an expression; it is taken as a statement of its own",
    "--": "'--' inside an expression; it is taken as a statement of its own",
}
_EXPRESSION_REFUSALS = {
    "StructRef": "a member of a structure",
    "Assignment": "an assignment inside an expression; write it as a statement",
    "ExprList": "a comma expression",
    "CompoundLiteral": "a compound literal",
    "Compound": "a statement expression",
    "InitList": "an initialiser list",
}


def describe_type(ctype: CType) -> str:
    """A type in words, for messages."""
    if isinstance(ctype, ScalarC):
        return str(ctype.type)
    if isinstance(ctype, (ArrayC, PointerC)):
        word = "an array" if isinstance(ctype, ArrayC) else "a pointer"
        inner = element_type(ctype)
        return f"{word} of {describe_type(inner)}"
    return ctype.what


class ConstantReader(ExpressionReader):
    """Reads constant expressions: extents, enumeration values."""

    def read_identifier(self, node: Any) -> Expr:
        symbol = self.scope.find(node.name)
        if symbol is not None and symbol.value is not None:
            return integer(symbol.value, symbol.scalar_type or types.INT)
        self.refuser.unsupported(node, f"{node.name!r} is not a constant")

    def read_element(self, node: Any, base: Any, subscripts: list[Any]) -> Expr:
        self.refuser.unsupported(node, "an array element is not a constant")

    def read_call(self, node: Any) -> Expr:
        self.refuser.unsupported(node, "a call is not a constant")
