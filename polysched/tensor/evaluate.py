"""Python expressions to values: names, operators, subscripts, attributes, calls."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import numpy as np

from polysched.tensor.arithmetic import (
    BadOperation,
    check_alike,
    constant,
    convert,
    index,
    logical,
    logical_not,
    select,
    truth,
)
from polysched.tensor.broadcast import elementwise, operand
from polysched.tensor.calls import Call
from polysched.tensor.comparisons import Comparer
from polysched.tensor.dtypes import is_float
from polysched.tensor.emitter import Emitter
from polysched.tensor.environment import Environment
from polysched.tensor.expr import Const, Expr
from polysched.tensor.flat import UNFOLDED
from polysched.tensor.lambdas import Lambda, read_comprehension
from polysched.tensor.listed import listed
from polysched.tensor.size import ProductError, Size
from polysched.tensor.subscripts import (
    NotAffineValue,
    Slice,
    read_end,
    read_integer,
    read_items,
    read_step,
    subscript,
)
from polysched.tensor.values import Object, Pending, Value, View, is_array
from polysched.tensor.words import kind_of
from polysched.tensor.wraps import choice

if TYPE_CHECKING:
    from polysched.tensor.statements import Reader

_BINARY = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//",
    ast.Mod: "%", ast.Pow: "**", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^",
    ast.LShift: "<<", ast.RShift: ">>",
}  # fmt: skip
_REFUSED = {
    ast.Dict: ("a dictionary", "use separate variables"),
    ast.Set: ("a set", "use a tuple"),
    ast.DictComp: ("a dictionary comprehension", "write a loop"),
    ast.SetComp: ("a set comprehension", "write a loop"),
    ast.JoinedStr: ("a formatted string", "strings are taken as constants only"),
    ast.NamedExpr: ("an assignment inside an expression", "assign on a line before"),
    ast.Await: ("await", "kernels run to their end"),
    ast.Yield: ("yield: a generator", "return arrays"),
    ast.YieldFrom: ("yield: a generator", "return arrays"),
    ast.Starred: ("a starred argument", "write the arguments one by one"),
}


_OPERAND = "an operand of 'and' or 'or'"
_Node = TypeVar("_Node", bound=ast.expr)
_Result = TypeVar("_Result")


class Evaluator:
    """Evaluates expressions of one function body.

    Parameters
    ----------
    emitter : Emitter
        Takes the statements that values need.
    environment : Environment
        What names mean.
    reader : Reader
        Reads the bodies of functions that are called.
    """

    def __init__(
        self, emitter: Emitter, environment: Environment, reader: Reader
    ) -> None:
        self.emitter = emitter
        self.environment = environment
        self.reader = reader
        self._depth = 0

    @property
    def is_nested(self) -> bool:
        """Whether the expression is part of a larger one."""
        return self._depth > 1

    def evaluate(self, node: ast.expr) -> Value:
        """The value of an expression.

        Raises
        ------
        FrontendError
            If it is refused; the place is the innermost expression at fault.
        """
        name = f"_{type(node).__name__.lower()}"
        method: Callable[[Any], Value] = getattr(self, name, self._refuse_kind)
        return self._at(node, method)

    def _at(self, node: _Node, method: Callable[[_Node], _Result]) -> _Result:
        """What a method makes of an expression; refusals name its place."""
        before, self.emitter.node = self.emitter.node, node
        self._depth += 1
        try:
            return method(node)
        except NotAffineValue as verdict:
            self.emitter.source.not_affine(node, verdict.message, verdict.hint)
        except BadOperation as verdict:
            self.emitter.source.wrong(node, verdict.message, verdict.hint)
        except ProductError:
            self.emitter.source.not_affine(node, *UNFOLDED)
        finally:
            self._depth -= 1
            self.emitter.node = before

    def _refuse_kind(self, node: ast.expr) -> NoReturn:
        what, hint = _REFUSED.get(
            type(node), (f"an expression of kind {type(node).__name__}", "")
        )
        self.emitter.source.unsupported(node, f"found {what}", hint)

    def scalar(self, node: ast.expr, what: str) -> Expr:
        """An expression that has to be a number."""
        value = self.evaluate(node)
        if isinstance(value, (View, Pending)) and not value.shape:
            value = operand(self.emitter, value)
        if isinstance(value, Expr):
            return value
        self.emitter.source.wrong(
            node, f"{what} has to be a number, found {kind_of(value)}"
        )

    def condition(self, node: ast.expr, what: str = "a condition") -> Expr:
        """An expression as a truth value."""
        if isinstance(node, ast.BoolOp):
            return self._at(node, self._logical)
        return self.truth(node, self.evaluate(node), what)

    def truth(self, node: ast.expr, value: Value, what: str) -> Expr:
        """The truth value of what an expression evaluates to."""
        if isinstance(value, Object) and (
            value.value is None or isinstance(value.value, str)
        ):
            return constant(bool(value.value))
        if isinstance(value, tuple):
            return constant(bool(value))
        if is_array(value):
            self.emitter.source.wrong(
                node, f"found an array as {what}: its truth value is ambiguous",
                "use np.where, or np.logical_and and np.logical_or",
            )  # fmt: skip
        if isinstance(value, (View, Pending)):
            value = operand(self.emitter, value)
        if isinstance(value, Expr):
            return truth(value)
        self.emitter.source.wrong(node, f"found {kind_of(value)} as {what}")

    def number(self, value: Value) -> Expr | View | Any:
        """A value that can be computed with; tuples of numbers become arrays."""
        if isinstance(value, tuple):
            return self.reader.literal_array(value)
        if isinstance(value, Object):
            raise BadOperation(
                f"found {kind_of(value)} where a number or array is expected"
            )
        return value

    def _constant(self, node: ast.Constant) -> Value:
        if isinstance(node.value, (bool, int, float)):
            return constant(node.value)
        if isinstance(node.value, complex):
            raise BadOperation("found a complex number", "use two arrays")
        return Object(node.value)

    def _name(self, node: ast.Name) -> Value:
        return self.environment.read(node)

    def _tuple(self, node: ast.Tuple) -> Value:
        return tuple(self.evaluate(e) for e in node.elts)

    def _list(self, node: ast.List) -> Value:
        return tuple(self.evaluate(e) for e in node.elts)

    def _listcomp(self, node: ast.ListComp | ast.GeneratorExp) -> Value:
        return read_comprehension(self, node)

    _generatorexp = _listcomp

    def _lambda(self, node: ast.Lambda) -> Value:
        return Object(Lambda(self, node))

    def _binop(self, node: ast.BinOp) -> Value:
        left, right = self.evaluate(node.left), self.evaluate(node.right)
        return self.binary(node.op, left, right)

    def binary(self, op: ast.operator, left: Value, right: Value) -> Value:
        """A binary operator on values."""
        if (
            isinstance(left, tuple)
            and isinstance(right, tuple)
            and isinstance(op, ast.Add)
        ):
            return (*left, *right)
        if isinstance(op, ast.Mult):
            repeated = _repeated(left, right)
            if repeated is not None:
                return repeated
        one, two = self.number(left), self.number(right)
        if isinstance(op, ast.MatMult):
            return self.reader.library_call(np.matmul, one, two)
        text = _BINARY[type(op)]
        arithmetic = self.emitter.arithmetic
        is_array_op = is_array(one)
        return elementwise(
            self.emitter,
            lambda a, b: arithmetic.binary(text, a, b, is_array_op),
            one,
            two,
        )

    def _unaryop(self, node: ast.UnaryOp) -> Value:
        if isinstance(node.op, ast.Not):
            return logical_not(self.condition(node.operand, "the operand of 'not'"))
        value = self.number(self.evaluate(node.operand))
        arithmetic = self.emitter.arithmetic
        function: dict[type, Callable[[Expr], Expr]] = {
            ast.USub: arithmetic.negate, ast.Invert: arithmetic.invert,
            ast.UAdd: lambda v: convert(v, "int64", True) if v.dtype == "bool" else v,
        }  # fmt: skip
        return elementwise(self.emitter, function[type(node.op)], value)

    def _logical(self, node: ast.BoolOp) -> Expr:
        """The truth value of ``and`` or ``or``."""
        is_and = isinstance(node.op, ast.And)
        result = self.condition(node.values[0], _OPERAND)
        for other in node.values[1:]:
            if isinstance(result, Const) and bool(result.value) != is_and:
                return result
            with self.emitter.facts.where(result, holds=is_and):
                before = len(self.emitter.block)
                value = self.condition(other, _OPERAND)
            self._refuse_statements(other, before)
            result = logical("&&" if is_and else "||", result, value)
        return result

    def _boolop(self, node: ast.BoolOp) -> Value:
        """The first operand that decides ``and`` or ``or``, or the last one."""
        is_and = isinstance(node.op, ast.And)
        first, *others = node.values
        rest = ast.copy_location(ast.BoolOp(node.op, others), node)
        value = self.evaluate(first)
        known = self.truth(first, value, _OPERAND)
        if isinstance(known, Const):
            if bool(known.value) != is_and:
                return value
            return self.evaluate(others[0] if len(others) == 1 else rest)
        before = len(self.emitter.block)
        with self.emitter.facts.where(known, holds=is_and):
            other = self.scalar(others[0] if len(others) == 1 else rest, _OPERAND)
        self._refuse_statements(others[0], before)
        assert not isinstance(value, (Object, tuple))
        one = operand(self.emitter, value)
        assert isinstance(one, Expr)
        if one.dtype == other.dtype == "bool":
            return logical("&&" if is_and else "||", one, other)
        check_alike(one, other)
        return select(known, *((other, one) if is_and else (one, other)))

    def _refuse_statements(self, node: ast.expr, n_before: int) -> None:
        """What is evaluated on a condition only has to be one expression."""
        if len(self.emitter.block) != n_before:
            self.emitter.source.unsupported(
                node, "found statements (a sum, a product) that depend on a condition",
                "compute it on a line before",
            )  # fmt: skip

    def _compare(self, node: ast.Compare) -> Value:
        left = self.evaluate(node.left)
        compare = Comparer(self.emitter, self.number).compare
        result: Value | None = None
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.evaluate(right_node)
            part = compare(op, left, right)
            if result is not None and (is_array(part) or is_array(result)):
                raise BadOperation(
                    "found a chained comparison of arrays, which is ambiguous",
                    "join two comparisons with &",
                )
            if result is not None:
                assert isinstance(result, Expr)
                assert isinstance(part, Expr)
                part = logical("&&", result, part)
            result = part
            left = right
        assert result is not None
        return result

    def _ifexp(self, node: ast.IfExp) -> Value:
        condition = self.condition(node.test)
        if isinstance(condition, Const):
            return self.evaluate(node.body if condition.value else node.orelse)
        parts = []
        for branch, holds in ((node.body, True), (node.orelse, False)):
            with self.emitter.facts.where(condition, holds):
                before = len(self.emitter.block)
                parts.append(
                    self.scalar(branch, "each side of a conditional expression")
                )
            self._refuse_statements(branch, before)
        check_alike(*parts)
        size = choice(self.emitter.facts, condition, *parts)
        if size is not None:
            return index(size, all(part.is_weak for part in parts))
        return select(condition, *parts)

    def _subscript(self, node: ast.Subscript) -> Value:
        base = self.evaluate(node.value)
        items = self._items(node.slice)
        if isinstance(base, tuple):
            return self._tuple_item(base, items)
        if isinstance(base, Object):
            raise BadOperation(f"cannot subscript {kind_of(base)}")
        if isinstance(base, Expr):
            raise BadOperation("cannot subscript a number")
        view = self.emitter.settle(base)
        if any(isinstance(i, tuple) for i in items):
            return listed(self, view, items)
        chosen = read_items(self.emitter, items, is_read=True)
        result = subscript(self.emitter, view, chosen)
        return result if result.shape else result.at(())

    def view(self, node: ast.Subscript) -> View:
        """The place that a subscript names, for a write."""
        base = self.evaluate(node.value)
        before, self.emitter.node = self.emitter.node, node
        try:
            if not isinstance(base, View):
                self.emitter.source.wrong(
                    node, f"cannot assign to a part of {kind_of(base)}"
                )
            self.environment.check_write(node, base.storage)
            items = read_items(self.emitter, self._items(node.slice))
            found = subscript(self.emitter, base, items)
        except NotAffineValue as verdict:
            self.emitter.source.not_affine(node, verdict.message, verdict.hint)
        except BadOperation as verdict:
            self.emitter.source.wrong(node, verdict.message, verdict.hint)
        except ProductError:
            self.emitter.source.not_affine(node, *UNFOLDED)
        finally:
            self.emitter.node = before
        assert isinstance(found, View)
        return found

    @staticmethod
    def _tuple_item(base: tuple[Any, ...], items: list[Value | Slice]) -> Value:
        if len(items) != 1:
            raise BadOperation("a tuple takes one subscript")
        item = items[0]
        if isinstance(item, Slice):
            ends = [None if s is None else s for s in (item.start, item.stop)]
            if all(s is None or s.is_constant for s in ends):
                start, stop = (None if s is None else s.constant for s in ends)
                return tuple(base[slice(start, stop, item.step)])
            raise BadOperation("a slice of a tuple needs constant ends")
        position = read_integer(item, "a subscript")
        if not position.is_constant:
            raise BadOperation(
                "found a list or tuple with a subscript that is no constant",
                "make it an array before: np.array([...])",
            )
        if not -len(base) <= position.constant < len(base):
            raise BadOperation(
                f"the index {position.constant} is out of bounds for {len(base)} items"
            )
        found: Value = base[position.constant]
        return found

    def _items(self, node: ast.expr) -> list[Value | Slice]:
        parts = node.elts if isinstance(node, ast.Tuple) else [node]
        return [
            self._slice(p) if isinstance(p, ast.Slice) else self.evaluate(p)
            for p in parts
        ]

    def _slice(self, node: ast.Slice) -> Slice:
        ends: list[Size | None] = []
        for end in (node.lower, node.upper):
            value = None if end is None else self.evaluate(end)
            if value is None or (isinstance(value, Object) and value.value is None):
                ends.append(None)
            else:
                ends.append(read_end(self.emitter, value))
        step = read_step(None if node.step is None else self.evaluate(node.step))
        return Slice(ends[0], ends[1], step)

    def _attribute(self, node: ast.Attribute) -> Value:
        base = self.evaluate(node.value)
        if isinstance(base, Object):
            return self.environment.attribute(node, base.value)
        return self.reader.array_attribute(base, node.attr)

    def _call(self, node: ast.Call) -> Value:
        function = self.evaluate(node.func)
        if any(isinstance(a, ast.Starred) for a in node.args):
            raise BadOperation("found a starred argument", "write them one by one")
        if any(k.arg is None for k in node.keywords):
            raise BadOperation("found ** in a call", "write the keywords one by one")
        args = [self.evaluate(a) for a in node.args]
        keywords = {str(k.arg): self.evaluate(k.value) for k in node.keywords}
        name = ast.unparse(node.func)
        return self.reader.call(Call(self, node, name, function, args, keywords))


def _repeated(left: Value, right: Value) -> tuple[Any, ...] | None:
    """The items of a list as often as an integer says; None if none of both is one.

    Raises
    ------
    BadOperation
        If the integer is no constant, or Python has no such product.
    """
    for items, times in ((left, right), (right, left)):
        if isinstance(items, tuple) and isinstance(times, Expr):
            if is_float(times.dtype) and not times.is_weak:
                return None  # NumPy multiplies the items
            if not isinstance(times, Const) or is_float(times.dtype):
                raise BadOperation(
                    "found a list or tuple repeated by what is no constant integer",
                    "make an array first: np.array([...]), np.full(n, x), np.tile",
                )
            return items * int(times.value)
    return None
