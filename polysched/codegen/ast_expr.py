"""isl's AST expressions as C text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce

import islpy as isl

from polysched.base import CodegenError
from polysched.codegen.ctext import (
    Names,
    Text,
    binary,
    call,
    cast,
    integer,
    select,
    unary,
)
from polysched.codegen.linear import Linear, sum_of
from polysched.ir import Scop
from polysched.sets import ast_expr_kind, ast_operation

_BINARY = {
    "add": "+", "sub": "-", "mul": "*", "div": "/",
    "pdiv_q": "/", "pdiv_r": "%", "zdiv_r": "%",
    "and": "&&", "and_then": "&&", "or": "||", "or_else": "||",
    "eq": "==", "le": "<=", "lt": "<", "ge": ">=", "gt": ">",
}  # fmt: skip
_MACROS = {
    "min": "#define {0}(a, b) ((a) < (b) ? (a) : (b))",
    "max": "#define {0}(a, b) ((a) > (b) ? (a) : (b))",
    "floord": "#define {0}(a, b) ((a) < 0 ? -((-(a) + (b) - 1) / (b)) : (a) / (b))",
    "mix": """#ifdef __clang__
#define {0}(places, a, b, ...) \\
  ((void)sizeof(places), __builtin_shufflevector(a, b, __VA_ARGS__))
#else
#define {0}(places, a, b, ...) __builtin_shuffle(a, b, (places){{__VA_ARGS__}})
#endif""",
}


@dataclass
class Macros:
    """Names of the helper macros, and which of them were used.

    Attributes
    ----------
    names : Names
        Source of free identifiers.
    prefix : str
        What the macros' names begin with.
    used : dict
        Kind of macro to its name, in order of first use.
    """

    names: Names
    prefix: str = "ps_"
    used: dict[str, str] = field(default_factory=dict)

    def call(self, kind: str, *args: Text) -> Text:
        """``min(a, b)``, ``max(a, b)``, ``floord(a, b)``, ``mix(...)`` as a macro."""
        if kind not in self.used:
            self.used[kind] = self.names.take(self.prefix + kind)
        return call(self.used[kind], args)

    def around(self, lines: Sequence[str]) -> list[str]:
        """The lines between `#define` and `#undef` of the macros they use."""
        text = "\n".join(lines)
        needed = {k: n for k, n in self.used.items() if f"{n}(" in text}
        return [
            *(
                line
                for kind, name in needed.items()
                for line in _MACROS[kind].format(name).splitlines()
            ),
            *lines,
            *(f"#undef {name}" for name in needed.values()),
        ]


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


def arguments(expr: isl.AstExpr) -> list[isl.AstExpr]:
    """The arguments of an operation."""
    return [expr.get_op_arg(k) for k in range(expr.get_op_n_arg())]


def signed_parameters(scop: Scop) -> dict[str, Text]:
    """Parameters of unsigned types that C does not promote to int, as casts to long."""
    return {
        p.name: cast("long", Text(p.name))
        for p in scop.parameters
        if p.type.kind == "uint" and p.type.n_bytes >= 4
    }
