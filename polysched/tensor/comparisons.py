"""Comparisons of values: numbers, arrays, tuples of them, and constants."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from polysched.tensor.arithmetic import BadOperation, constant, logical, logical_not
from polysched.tensor.broadcast import elementwise, operand
from polysched.tensor.emitter import Emitter
from polysched.tensor.expr import Expr
from polysched.tensor.values import Object, Pending, Value, View, is_array
from polysched.tensor.words import is_number, kind_of, plain

_ORDERS = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==",
    ast.NotEq: "!=",
}  # fmt: skip


ToNumber = Callable[[Value], Any]


class Comparer:
    """Compares values as Python and NumPy do.

    Parameters
    ----------
    emitter : Emitter
        Takes the statements that values need.
    number : callable
        A value that can be computed with; tuples of numbers become arrays.
    """

    def __init__(self, emitter: Emitter, number: ToNumber) -> None:
        self._emitter = emitter
        self._number = number

    def compare(self, op: ast.cmpop, left: Value, right: Value) -> Value:
        """One comparison.

        Raises
        ------
        BadOperation
            If Python has no such comparison, or its result is no number or array.
        """
        if isinstance(op, (ast.Is, ast.IsNot)):
            return _is(left, right, isinstance(op, ast.Is))
        if isinstance(op, (ast.In, ast.NotIn)):
            found = self._is_in(left, right)
            return found if isinstance(op, ast.In) else logical_not(found)
        values = (left, right)
        is_elementwise = any(map(is_array, values)) and not any(map(_is_object, values))
        if is_elementwise or all(map(is_number, values)):
            text, arithmetic = _ORDERS[type(op)], self._emitter.arithmetic
            return elementwise(
                self._emitter,
                lambda a, b: arithmetic.compare(text, a, b),
                self._number(left),
                self._number(right),
            )
        if not isinstance(op, (ast.Eq, ast.NotEq)):
            raise _incomparable(left, right)
        found = self._equal(left, right)
        return found if isinstance(op, ast.Eq) else logical_not(found)

    def _is_in(self, left: Value, right: Value) -> Expr:
        if isinstance(right, Object) and isinstance(right.value, str):
            if not isinstance(left, Object) or not isinstance(left.value, str):
                raise _incomparable(left, right)
            return constant(left.value in right.value)
        if not isinstance(right, tuple):
            raise BadOperation("found 'in' with numbers", "write comparisons")
        found: Expr = constant(False)
        for item in right:
            found = logical("||", found, self._equal(left, item))
        return found

    def _equal(self, left: Value, right: Value) -> Expr:
        """Whether two values are equal, as one truth value."""
        if isinstance(left, tuple) and isinstance(right, tuple):
            found: Expr = constant(len(left) == len(right))
            for one, two in zip(left, right, strict=False):
                found = logical("&&", found, self._equal(one, two))
            return found
        if any(map(is_array, (left, right))):
            raise BadOperation(
                "found a comparison of arrays where one truth value is needed",
                "use np.all or np.array_equal of one comparison",
            )
        if is_number(left) and is_number(right):
            one, two = (self._scalar(v) for v in (left, right))
            return self._emitter.arithmetic.compare("==", one, two)
        kinds = {is_number(left), is_number(right)}
        if any(isinstance(v, tuple) for v in (left, right)) and kinds == {True, False}:
            raise _incomparable(left, right)
        one, two = plain(left), plain(right)
        return constant(False if len(kinds) > 1 else bool(one == two))

    def _scalar(self, value: Value) -> Expr:
        if isinstance(value, (View, Pending)):
            value = operand(self._emitter, value)
        assert isinstance(value, Expr)
        return value


def _is(left: Value, right: Value, holds: bool) -> Expr:
    nothing = [isinstance(v, Object) and v.value is None for v in (left, right)]
    if not any(nothing):
        raise BadOperation("'is' is taken with None only", "use ==")
    return constant(all(nothing) == holds)


def _is_object(value: Value) -> bool:
    return isinstance(value, Object)


def _incomparable(left: Value, right: Value) -> BadOperation:
    return BadOperation(f"cannot compare {kind_of(left)} with {kind_of(right)}")
