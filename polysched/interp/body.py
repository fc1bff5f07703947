"""Statement bodies and expressions compiled once to Python functions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from typing import Any

from polysched.base import AnalysisError
from polysched.interp import arithmetic
from polysched.interp.arithmetic import (
    FunctionTable,
    Number,
    UndefinedError,
    value_range,
)
from polysched.interp.pieces import Code, join, literal, wrap
from polysched.ir import (
    Action,
    Assign,
    Binary,
    Call,
    Cast,
    Const,
    Expr,
    Guard,
    Iter,
    Leave,
    Let,
    Load,
    Local,
    Lookup,
    Param,
    Repeat,
    ScalarType,
    Select,
    Statement,
    Unary,
    common_type,
    promote,
)
from polysched.ir.expr import COMPARISONS, LOGICAL, SHIFTS
from polysched.ir.types import DOUBLE, FLOAT

_RING = frozenset({"+", "-", "*"})
_MAX_DEPTH = 40  # Python's parser refuses about 200 nested parentheses

Body = Callable[..., None]


def compile_statement(
    statement: Statement,
    parameters: Mapping[str, int],
    memory: Mapping[str, Any],
    functions: FunctionTable,
) -> Body:
    """A function of the iterators that executes one instance.

    Parameters
    ----------
    statement : Statement
        Its body is compiled with C's types and conversions.
    parameters : mapping of str to int
        Values that replace the parameters.
    memory : mapping of str to Memory
        Storage of each array.
    functions : FunctionTable
        Where calls are looked up.

    Raises
    ------
    AnalysisError
        If the body calls an unknown function.
    """
    writer = _Writer(parameters, memory, functions)
    for action in statement.body:
        writer.action(action, 1)
    arguments = ", ".join(_iterator(n) for n in statement.iterators)
    lines = [f"def body({arguments}):", *(writer.lines or ["    pass"])]
    function: Body = writer.build("\n".join(lines), "body")
    return function


def compile_expression(
    expr: Expr, parameters: Mapping[str, int]
) -> Callable[[], Number]:
    """A function without arguments that computes an expression over parameters."""
    writer = _Writer(parameters, {}, FunctionTable())
    value = writer.value(expr)
    lines = ["def body():", *writer.lines, f"    return {value}"]
    function: Callable[[], Number] = writer.build("\n".join(lines), "body")
    return function


def evaluate_expression(expr: Expr, parameters: Mapping[str, int]) -> Number:
    """The value of an expression over parameters and constants, as C computes it.

    Raises
    ------
    AnalysisError
        If a parameter has no value, or the expression reads an array.
    """
    return compile_expression(expr, parameters)()


def _rounded(code: Code, t: ScalarType) -> Code:
    """A floating value rounded to a type; a `double` is one already."""
    name = arithmetic.ROUNDING.get(t)
    return join(f"{name}({{}})", code) if name else code


def _holds(new: ScalarType, old: ScalarType) -> bool:
    """Whether a floating type has all values of another one."""
    return new == DOUBLE or (new == FLOAT and old.is_half)


def _iterator(name: str) -> str:
    return f"i_{name}"


def _local(name: str) -> str:
    return f"l_{name}"


class _Undeclared(dict[Any, Any]):
    """An array that the SCoP does not list, which is fine in code that never runs."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def __missing__(self, key: object) -> None:
        raise UndefinedError(f"with {self.name!r}, which the SCoP does not declare")

    def admit(self, key: object) -> None:
        """Refuse a write."""
        self[key]


class _Writer:
    """Writes the Python text of one function."""

    def __init__(
        self,
        parameters: Mapping[str, int],
        memory: Mapping[str, Any],
        functions: FunctionTable,
    ) -> None:
        self.lines: list[str] = []
        self._parameters = parameters
        self._memory = memory
        self._functions = functions
        self._numbers = itertools.count()
        self._indent = 1
        self._names: dict[str, Any] = {
            name: getattr(arithmetic, name)
            for name in (
                *arithmetic.ROUNDING.values(), "single_from_int", "truncate",
                "divide_float", "divide_int", "remainder_int", "shift_left",
                "shift_right",
            )
        } | {"inf": math.inf, "nan": math.nan}  # fmt: skip

    def build(self, text: str, name: str) -> Any:
        """Compile the finished text and return what it defines."""
        scope = dict(self._names)
        exec(compile(text, "<statement>", "exec"), scope)
        return scope[name]

    def action(self, action: Action, indent: int) -> None:
        """Append the lines of one action."""
        self._indent = indent
        match action:
            case Assign():
                self._assign(action)
            case Let():
                self._let(action)
            case Guard(cond, then, other):
                self._line(f"if {self.condition(cond)}:")
                self._block(then, indent)
                if other:
                    self._indent = indent
                    self._line("else:")
                    self._block(other, indent)
            case Repeat():
                self._repeat(action, indent)
            case Leave():
                self._line("break")

    def _block(self, actions: tuple[Action, ...], indent: int) -> None:
        for inner in actions:
            self.action(inner, indent + 1)
        if not actions:
            self._indent = indent + 1
            self._line("pass")

    def _repeat(self, loop: Repeat, indent: int) -> None:
        """A loop; each turn but the first of a ``do`` begins with the condition."""
        for first in loop.start:
            self.action(first, indent)
        self._indent = indent
        number = next(self._numbers)
        if not loop.asks_first:
            self._line(f"r{number} = False")
        self._line("while True:")
        self._indent = indent + 1
        asked = "" if loop.asks_first else f"r{number} and "
        self._line(f"if {asked}not {self.condition(loop.cond)}: break")
        if not loop.asks_first:
            self._line(f"r{number} = True")
        for inner in (*loop.body, *loop.step):
            self.action(inner, indent + 1)

    def _let(self, action: Let) -> None:
        name, type_ = _local(action.local.name), action.local.type
        value = action.value
        if value is None:
            self._line(f"{name} = None")
            return
        if action.op != "=":
            value = Binary(action.op[:-1], action.local, value)
        self._line(f"{name} = {self._convert(self.value(value), value.dtype, type_)}")

    def _line(self, text: str) -> None:
        self.lines.append("    " * self._indent + text)

    def _assign(self, action: Assign) -> None:
        target, value = action.target, action.value
        if action.op != "=":
            value = Binary(action.op[:-1], target, value)
        code = self._convert(self.value(value), value.dtype, target.type)
        array, key = self._array(target.array), self._key(target.subscripts)
        number = next(self._numbers)
        self._line(f"v{number} = {code}")
        self._line(f"k{number} = {key}")
        self._line(f"if k{number} not in {array}: {array}.admit(k{number})")
        self._line(f"{array}[k{number}] = v{number}")

    def _array(self, name: str) -> str:
        self._names[f"a_{name}"] = self._memory.get(name, _Undeclared(name))
        return f"a_{name}"

    def _key(self, subscripts: tuple[Expr, ...]) -> Code:
        codes = [
            self._raw(s) if s.dtype.kind == "int" else self.value(s) for s in subscripts
        ]
        if len(codes) == 1:
            return codes[0]
        return join("(" + ", ".join(["{}"] * len(codes)) + ")", *codes)

    def value(self, expr: Expr) -> Code:
        """The value, in the range of the expression's type."""
        return self._shorten(self._value(expr))

    def _shorten(self, code: Code) -> Code:
        """Deeply nested text moved to a function of its own, evaluated when used."""
        if code.depth <= _MAX_DEPTH:
            return code
        name = f"t{next(self._numbers)}"
        self._line(f"{name} = lambda: {code}")
        return Code(f"{name}()", 1)

    def _value(self, expr: Expr) -> Code:
        match expr:
            case Const(value, type_):
                return literal(value, type_)
            case Iter(name):
                return Code(_iterator(name))
            case Local(name):
                return Code(_local(name))
            case Param(name):
                if name not in self._parameters:
                    raise AnalysisError(f"no value for the parameter {name!r}")
                return literal(self._parameters[name], expr.type)
            case Load(array, subscripts) | Lookup(array, subscripts):
                return join(f"{self._array(array)}[{{}}]", self._key(subscripts))
            case Call():
                return self._call(expr)
            case Cast(type_, operand):
                return self._convert(self.value(operand), operand.dtype, type_)
            case Select(cond, then, other):
                return join(
                    "({} if {} else {})",
                    self._as(then, expr.dtype),
                    self.condition(cond),
                    self._as(other, expr.dtype),
                )
            case Unary(op):
                return self._unary(op, expr)
            case Binary(op):
                return self._binary(op, expr)
        raise AnalysisError(f"the interpreter does not know {type(expr).__name__}")

    def _call(self, call: Call) -> Code:
        found = self._functions.find(call.name)
        if found is None:
            raise AnalysisError(
                f"the interpreter does not know the function {call.name!r}",
                hint="pass it in `functions`",
            )
        function, types = found
        self._names[f"f_{call.name}"] = function
        if types is None:
            args = [self.value(a) for a in call.args]
        else:
            if len(types) != len(call.args):
                raise AnalysisError(f"{call.name} takes {len(types)} arguments")
            args = [self._as(a, t) for a, t in zip(call.args, types, strict=True)]
        code = join(f"f_{call.name}(" + ", ".join(["{}"] * len(args)) + ")", *args)
        if types is None or not call.type.is_float:
            return wrap(code, call.type) if not call.type.is_float else code
        return self._convert(code, types[0], call.type)

    def _unary(self, op: str, expr: Unary) -> Code:
        if op == "!":
            return join("(1 if {} else 0)", self.condition(expr))
        if op == "-" and not expr.dtype.is_float:
            return wrap(self._raw(expr), expr.dtype)
        operand = self._as(expr.operand, expr.dtype)
        if op == "+":
            return operand
        code = join(f"({op}{{}})", operand)
        return wrap(code, expr.dtype) if op == "~" else code

    def _binary(self, op: str, expr: Binary) -> Code:
        if op in COMPARISONS or op in LOGICAL:
            return join("(1 if {} else 0)", self.condition(expr))
        t = expr.dtype
        if op in SHIFTS:
            name = "shift_left" if op == "<<" else "shift_right"
            amount = self.value(expr.right)
            code = join(
                f"{name}({{}}, {{}}, {8 * t.n_bytes})", self._as(expr.left, t), amount
            )
            return wrap(code, t)
        if t.is_float:
            return self._float_binary(op, expr)
        if op in _RING:
            return wrap(self._raw(expr), t)
        left, right = self._as(expr.left, t), self._as(expr.right, t)
        if op == "/":
            return wrap(join("divide_int({}, {})", left, right), t)
        if op == "%":
            return join("remainder_int({}, {})", left, right)
        return join(f"({{}} {op} {{}})", left, right)

    def _float_binary(self, op: str, expr: Binary) -> Code:
        t = expr.dtype
        left, right = self._mixed(expr.left, t), self._mixed(expr.right, t)
        if op == "/":
            code = join("divide_float({}, {})", left, right)
        else:
            code = join(f"({{}} {op} {{}})", left, right)
        return _rounded(code, t)

    def _raw(self, expr: Expr) -> Code:
        """An integer value that may have left the range of its type by a multiple."""
        if isinstance(expr, Binary) and expr.op in _RING and not expr.dtype.is_float:
            left, right = (self._raw_as(e, expr.dtype) for e in expr.operands)
            code = join(f"({{}} {expr.op} {{}})", left, right)
        elif isinstance(expr, Unary) and expr.op == "-" and not expr.dtype.is_float:
            code = join("(-{})", self._raw_as(expr.operand, expr.dtype))
        else:
            return self.value(expr)
        return self._shorten(code)

    def _raw_as(self, expr: Expr, t: ScalarType) -> Code:
        return self._raw(expr) if expr.dtype == t else self._as(expr, t)

    def _as(self, expr: Expr, t: ScalarType) -> Code:
        return self._convert(self.value(expr), expr.dtype, t)

    def _mixed(self, expr: Expr, t: ScalarType) -> Code:
        """An operand of a floating operation; Python converts small integers itself."""
        if t == DOUBLE and not expr.dtype.is_float and expr.dtype.n_bytes <= 4:
            return self.value(expr)
        return self._as(expr, t)

    def condition(self, expr: Expr) -> Code:
        """Python text that is true when the C value is not zero."""
        if isinstance(expr, Unary) and expr.op == "!":
            return join("(not {})", self.condition(expr.operand))
        if isinstance(expr, Binary) and expr.op in LOGICAL:
            word = "and" if expr.op == "&&" else "or"
            left, right = self.condition(expr.left), self.condition(expr.right)
            return self._shorten(join(f"({{}} {word} {{}})", left, right))
        if isinstance(expr, Binary) and expr.op in COMPARISONS:
            t = common_type(promote(expr.left.dtype), promote(expr.right.dtype))
            operands = (
                (self._mixed(e, t) if t.is_float else self._as(e, t))
                for e in expr.operands
            )
            return join(f"({{}} {expr.op} {{}})", *operands)
        return join("({} != 0)", self.value(expr))

    def _convert(self, code: Code, old: ScalarType, new: ScalarType) -> Code:
        """A conversion as by assignment."""
        if old == new:
            return code
        if new.is_float:
            if old.is_float:
                return code if _holds(new, old) else _rounded(code, new)
            if new == FLOAT:
                return join("single_from_int({})", code)
            return _rounded(join("float({})", code), new)
        if new.name == "_Bool":
            return join("(1 if {} != 0 else 0)", code)
        if old.is_float:
            return wrap(join("truncate({})", code), new)
        low, high = value_range(new)
        old_low, old_high = value_range(old)
        return code if low <= old_low and old_high <= high else wrap(code, new)
