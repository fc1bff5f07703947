"""isl's AST expressions as C text."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce

import islpy as isl

from polysched.base import CodegenError
from polysched.codegen.ctext import (
    Text,
    binary,
    cast,
    integer,
    select,
    unary,
)
from polysched.codegen.linear import Linear, sum_of
from polysched.codegen.macros import Macros
from polysched.ir import Scop
from polysched.sets import ast_expr_kind, ast_operation

_BINARY = {
    "add": "+", "sub": "-", "mul": "*", "div": "/",
    "pdiv_q": "/", "pdiv_r": "%", "zdiv_r": "%",
    "and": "&&", "and_then": "&&", "or": "||", "or_else": "||",
    "eq": "==", "le": "<=", "lt": "<", "ge": ">=", "gt": ">",
}  # fmt: skip


@dataclass(frozen=True)
class AstExprPrinter:
    """Prints isl's AST expressions.

    Attributes
    ----------
    macros : Macros
        Records which helper macros the text needs.
    spellings : dict of str to Text
        What to write for identifiers: parameters that must be converted to a signed
        type first, renamed iterators.
    """

    macros: Macros
    spellings: dict[str, Text] = field(default_factory=dict)

    def text(self, expr: isl.AstExpr) -> Text:
        """The expression as isl has it."""
        kind = ast_expr_kind(expr)
        if kind == "int":
            return integer(int(str(expr.get_val())))
        if kind == "id":
            name = str(expr.get_id().get_name())
            return self.spellings.get(name, Text(name))
        return self._operation(ast_operation(expr), arguments(expr))

    def _operation(self, op: str, args: list[isl.AstExpr]) -> Text:
        texts = [self.text(a) for a in args]
        if op == "add" and is_operation(
            args[0], "minus"
        ):  # n - n % 8, not -(n % 8) + n
            return binary("-", texts[1], self.text(args[0].get_op_arg(0)))
        if op == "minus":
            return unary("-", texts[0])
        if op in _BINARY:
            return binary(_BINARY[op], *texts)
        if op in ("min", "max"):
            return reduce(lambda a, b: self.macros.call(op, a, b), texts)
        if op == "fdiv_q":
            return self.macros.call("floord", *texts)
        if op in ("cond", "select"):
            return select(*texts)
        raise CodegenError(f"isl made an expression of unexpected kind {op}")

    def linear(self, expr: isl.AstExpr) -> Linear:
        """The expression as a sum; what is not linear becomes an atom."""
        kind = ast_expr_kind(expr)
        if kind == "int":
            return Linear((), int(str(expr.get_val())))
        if kind != "op":
            return Linear.atom(self.text(expr))
        args = arguments(expr)
        match ast_operation(expr):
            case "add":
                return sum_of(self.linear(a) for a in args)
            case "sub":
                return self.linear(args[0]).plus(self.linear(args[1]), -1)
            case "minus":
                return self.linear(args[0]).times(-1)
            case "mul":
                left, right = (self.linear(a) for a in args)
                if left.is_constant:
                    return right.times(left.constant)
                if right.is_constant:
                    return left.times(right.constant)
            case "div":  # of multiples
                return Linear.atom(
                    binary("/", self.linear(args[0]).to_text(), self.text(args[1]))
                )
        return Linear.atom(self.text(expr))


def is_operation(expr: isl.AstExpr, op: str) -> bool:
    """Whether an expression is an operation of a kind."""
    return ast_expr_kind(expr) == "op" and ast_operation(expr) == op


def arguments(expr: isl.AstExpr) -> list[isl.AstExpr]:
    """The arguments of an operation."""
    return [expr.get_op_arg(k) for k in range(expr.get_op_n_arg())]


def signed_parameters(scop: Scop, *, is_wide: bool = False) -> dict[str, Text]:
    """Parameters of unsigned types that C does not promote to int, as casts to long.

    Where bounds are wide (`wide_bounds`), all that have four bytes.
    """
    return {
        p.name: cast("long", Text(p.name))
        for p in scop.parameters
        if (p.type.kind == "uint" and p.type.n_bytes >= 4)
        or (is_wide and p.type.n_bytes == 4)
    }
