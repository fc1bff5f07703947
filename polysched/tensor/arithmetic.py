"""Operators on scalar expressions, with NumPy 2's types and values."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from polysched.tensor.dtypes import (
    divided,
    is_float,
    is_integer,
    is_narrow,
    limits,
    promote,
    wrapped,
)
from polysched.tensor.expr import Const, Expr, Index, Op, as_index
from polysched.tensor.facts import Facts
from polysched.tensor.helpers import MAX_POWER, helper
from polysched.tensor.narrow import exceeds, has_short, unlike
from polysched.tensor.size import Size, extreme, floor_div, modulo
from polysched.tensor.wraps import remainder

_MAX_SHOWN = 40


class BadOperation(Exception):  # noqa: N818  a verdict inside the room
    """An operation that NumPy or this room does not have; says why and what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def computed(name: str, function: Callable[..., Any], *values: Any) -> Any:
    """What Python computes from constants.

    Raises
    ------
    BadOperation
        If it raises an error instead, as for ``math.sqrt(-1)``.
    """
    try:
        return function(*values)
    except (ArithmeticError, ValueError) as error:
        given = ", ".join(map(repr, values))
        short = given if len(given) < _MAX_SHOWN else "so large a number"
        raise BadOperation(f"Python cannot compute {name}({short}): {error}") from None


def constant(value: float | bool, dtype: str = "", is_weak: bool = True) -> Const:
    """A number as an expression; a Python number unless a type is given."""
    if not dtype:
        if isinstance(value, bool):
            dtype = "bool"
        else:
            dtype = "float64" if isinstance(value, float) else "int64"
    return Const(dtype, is_weak, _as(value, dtype))


def _as(value: Any, dtype: str) -> int | float | bool:
    if dtype == "bool":
        return bool(value)
    if is_narrow(dtype):
        return wrapped(int(value), dtype)
    if is_integer(dtype):
        return int(value)
    number = computed("float", float, value)
    return float(np.float32(number)) if dtype == "float32" else number


def index(size: Size, is_weak: bool = True) -> Expr:
    """A quasi-affine integer as an expression."""
    if size.is_constant:
        return Const("int64", is_weak, size.constant)
    return Index("int64", is_weak, size)


def convert(expr: Expr, dtype: str, is_weak: bool = False) -> Expr:
    """The value in another type, as C converts it."""
    if expr.dtype == dtype:
        return expr if expr.is_weak == is_weak else replace(expr, is_weak=is_weak)
    if isinstance(expr, Const) and not (is_float(expr.dtype) and is_integer(dtype)):
        _check_fits(expr, dtype)
        return Const(dtype, is_weak, _as(expr.value, dtype))
    if dtype == "bool":
        return Op("bool", is_weak, "!=", (expr, constant(0, expr.dtype)))
    return Op(dtype, is_weak, "cast", (expr,))


def _check_fits(expr: Const, dtype: str) -> None:
    if not expr.is_weak or dtype == "int64" or not is_integer(dtype):
        return
    least, most = limits(dtype)
    if not least <= expr.value <= most:
        raise BadOperation(
            f"the Python integer {expr.value} does not fit into {dtype}",
            f"NumPy raises OverflowError here: use {_wider(dtype)}",
        )


def _wider(dtype: str) -> str:
    if dtype == "int32":
        return "an int64 array"
    return "a wider array, or convert with .astype(np.int32)"


def common(*operands: Expr) -> tuple[list[Expr], str, bool]:
    """The operands in their common type, the type, and whether it is weak."""
    dtype, is_weak = promote((e.dtype, e.is_weak) for e in operands)
    return [convert(e, dtype, is_weak) for e in operands], dtype, is_weak


class Arithmetic:
    """Builds expressions; asks what is known of sizes to divide them plainly."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def binary(self, op: str, left: Expr, right: Expr, is_array: bool = False) -> Expr:
        """A binary operator of Python.

        Raises
        ------
        BadOperation
            If there is no such operation on such operands.
        """
        if op == "**":
            return self.power(left, right, is_array)
        folded = self._fold(op, left, right) or self._affine(op, left, right)
        if folded is not None:
            return folded
        operands, dtype, is_weak = common(left, right)
        if op in _BITWISE:
            return _bitwise(op, operands, dtype, is_weak)
        if op == "/":
            dtype = divided(dtype)
            operands = [convert(e, dtype, is_weak) for e in operands]
            return Op(dtype, is_weak, "/", tuple(operands))
        if dtype == "bool":
            return self._boolean(op, operands, is_weak)
        if op in ("//", "%"):
            name = helper("mod" if op == "%" else "floordiv", dtype)
            return Op(dtype, is_weak, name, tuple(operands))
        return Op(dtype, is_weak, op, tuple(operands))

    def _boolean(self, op: str, operands: list[Expr], is_weak: bool) -> Expr:
        if is_weak or op in ("//", "%"):
            dtype = "int64" if is_weak else "int8"
            left, right = (convert(e, dtype, is_weak) for e in operands)
            return self.binary(op, left, right)
        if op == "-":
            raise BadOperation(
                "NumPy has no subtraction of truth values", "use ^ or np.logical_xor"
            )
        return Op("bool", False, "||" if op == "+" else "&&", tuple(operands))

    def _fold(self, op: str, left: Expr, right: Expr) -> Expr | None:
        if not (isinstance(left, Const) and isinstance(right, Const)):
            return None
        if not (left.is_weak and right.is_weak) or op not in _FOLD:
            return None
        try:
            value = _FOLD[op](left.value, right.value)
        except (ArithmeticError, TypeError, ValueError):
            raise BadOperation(
                f"Python cannot compute {left.value!r} {op} {right.value!r}"
            ) from None
        return constant(value)

    def _affine(self, op: str, left: Expr, right: Expr) -> Expr | None:
        one, two = as_index(left), as_index(right)
        if one is None or two is None or has_short(left, right):
            return None
        is_weak = left.is_weak and right.is_weak
        if op in ("+", "-"):
            return index(one + two if op == "+" else one - two, is_weak)
        if op == "*" and (one.is_constant or two.is_constant):
            factor, other = (one, two) if one.is_constant else (two, one)
            return index(other * factor.constant, is_weak)
        if op in ("//", "%") and two.is_constant and two.constant:
            is_plain = two.constant > 0 and self._facts.is_certain(one, ">=", 0)
            function = floor_div if op == "//" else modulo
            return index(function(one, two.constant, is_plain), is_weak)
        if op == "%" and not two.is_constant:
            rest = remainder(self._facts, one, two)
            return None if rest is None else index(rest, is_weak)
        return None

    def power(self, base: Expr, exponent: Expr, is_array: bool = False) -> Expr:
        """``base ** exponent``."""
        folded = self._fold("**", base, exponent)
        if folded is not None:
            return folded
        if isinstance(exponent, Const) and not is_float(exponent.dtype):
            if is_array and base.dtype == "bool" and exponent.value == 2:
                base = convert(base, "int8")  # NumPy squares
            return self._integer_power(base, int(exponent.value), exponent)
        operands, dtype, is_weak = common(base, exponent)
        if is_float(dtype):
            if is_array and isinstance(exponent, Const) and exponent.value == 0.5:
                return Op(dtype, is_weak, c_function("sqrt", dtype), (operands[0],))
            if is_array and isinstance(exponent, Const) and exponent.value == 2.0:
                return simple_power(operands[0], 2)
            return Op(dtype, is_weak, c_function("pow", dtype), tuple(operands))
        size = as_index(exponent)
        if size is None or not self._facts.is_certain(size, ">=", 0):
            raise BadOperation(
                "the power of an integer has an exponent that may be negative",
                "make the base a float",
            )
        return Op(dtype, is_weak, helper("ipow", dtype), tuple(operands))

    def _integer_power(self, base: Expr, exponent: int, given: Const) -> Expr:
        (base, _), dtype, is_weak = common(base, given)
        if dtype == "bool":
            dtype = "int64" if is_weak else "int8"
            base = convert(base, dtype, is_weak)
        if exponent < 0 and not is_float(dtype):
            if not is_weak:
                raise BadOperation(
                    f"integers to the negative integer power {exponent} are not "
                    "allowed", "make the base a float",
                )  # fmt: skip
            base, dtype = convert(base, "float64", is_weak), "float64"
        if exponent == 0:
            return constant(1, dtype, is_weak)
        if 0 < exponent <= MAX_POWER:
            return simple_power(base, exponent)
        number = constant(exponent, dtype, is_weak)
        if not is_float(dtype):
            return Op(dtype, is_weak, helper("ipow", dtype), (base, number))
        if exponent == -1:
            return Op(dtype, is_weak, "/", (constant(1, dtype, is_weak), base))
        return Op(dtype, is_weak, c_function("pow", dtype), (base, number))

    def compare(self, op: str, left: Expr, right: Expr) -> Expr:
        """A comparison of Python; of sizes it is decided where it can be."""
        is_weak = left.is_weak and right.is_weak
        if isinstance(left, Const) and isinstance(right, Const):
            if not is_weak and (is_float(left.dtype) or is_float(right.dtype)):
                dtype, _ = promote((e.dtype, e.is_weak) for e in (left, right))
                values = [_as(e.value, dtype) for e in (left, right)]
            else:
                values = [left.value, right.value]
            return constant(_COMPARE[op](*values), "bool", is_weak)
        one, two = as_index(left), as_index(right)
        if one is not None and two is not None:
            gap = one - two
            if gap.is_constant:
                return constant(_COMPARE[op](gap.constant, 0), "bool", is_weak)
            return Op("bool", is_weak, op, (left, right))
        if exceeds(left, right) or exceeds(right, left):
            operands = [convert(e, "int64", e.is_weak) for e in (left, right)]
        else:
            operands, _, _ = common(left, right)
        return Op("bool", is_weak, op, tuple(operands))

    def negate(self, value: Expr) -> Expr:
        """``-value``."""
        if isinstance(value, Const) and value.dtype != "bool":
            return Const(value.dtype, value.is_weak, _as(-value.value, value.dtype))
        size = as_index(value)
        if size is not None and value.dtype == "int64":
            return index(-size, value.is_weak)
        if value.dtype == "bool":
            if not value.is_weak:
                raise BadOperation("NumPy has no minus of truth values", "use ~")
            if isinstance(value, Const):
                return constant(-int(value.value))
            value = convert(value, "int64", True)
        return Op(value.dtype, value.is_weak, "neg", (value,))

    def invert(self, value: Expr) -> Expr:
        """``~value``."""
        if value.dtype == "bool" and not value.is_weak:
            return logical_not(value)
        if is_float(value.dtype):
            raise BadOperation("~ is for integers and truth values")
        if isinstance(value, Const) and value.is_weak:
            return constant(~int(value.value))
        value = convert(value, "int64", True) if value.dtype == "bool" else value
        return Op(value.dtype, value.is_weak, "~", (value,))

    def absolute(self, value: Expr) -> Expr:
        """``abs(value)``."""
        if isinstance(value, Const):
            return Const(value.dtype, value.is_weak, _as(abs(value.value), value.dtype))
        size = as_index(value)
        if size is not None and self._facts.is_certain(size, ">=", 0):
            return value
        if is_float(value.dtype):
            return Op(
                value.dtype, value.is_weak, c_function("fabs", value.dtype), (value,)
            )
        if value.dtype == "bool" or value.dtype.startswith("uint"):
            return value
        return Op(value.dtype, value.is_weak, helper("abs", value.dtype), (value,))

    def greatest(self, op: str, left: Expr, right: Expr, keeps_nan: bool) -> Expr:
        """np.maximum and np.minimum, or Python's max and min (`op` "max" or "min")."""
        one, two = as_index(left), as_index(right)
        is_weak = left.is_weak and right.is_weak
        if one is not None and two is not None and not has_short(left, right):
            return index(extreme("max" if op == "max" else "min", (one, two)), is_weak)
        operands, dtype, is_weak = common(left, right)
        if dtype == "bool":
            return Op(dtype, is_weak, "||" if op == "max" else "&&", tuple(operands))
        if not keeps_nan:
            check_alike(left, right)
        if keeps_nan:
            name = helper("maximum" if op == "max" else "minimum", dtype)
            return Op(dtype, is_weak, name, tuple(operands))
        first, second = operands
        test = Op("bool", True, ">" if op == "max" else "<", (second, first))
        return Op(dtype, is_weak, "?:", (test, second, first))


def check_alike(one: Expr, two: Expr) -> None:
    """Refuse numbers of which data choose one, where that decides when they wrap."""
    found = unlike(one, two)
    if found is not None:
        raise BadOperation(*found)


def truth(value: Expr) -> Expr:
    """Whether the value is not zero."""
    if value.dtype == "bool" and not isinstance(value, Index):
        return value
    if isinstance(value, Const):
        return constant(bool(value.value))
    return Op("bool", value.is_weak, "!=", (value, _zero(value)))


def _zero(value: Expr) -> Const:
    dtype = "int64" if value.dtype == "bool" else value.dtype
    return constant(0, dtype, value.is_weak)


def logical_not(value: Expr) -> Expr:
    """``not value``."""
    value = truth(value)
    if isinstance(value, Const):
        return replace(value, value=not value.value)
    return Op("bool", value.is_weak, "!", (value,))


def logical(op: str, left: Expr, right: Expr) -> Expr:
    """``&&`` or ``||`` of truth values, decided where one of them is known."""
    left, right = truth(left), truth(right)
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Const):
            return other if bool(one.value) == (op == "&&") else one
    return Op("bool", left.is_weak and right.is_weak, op, (left, right))


def select(condition: Expr, then: Expr, other: Expr) -> Expr:
    """``then if condition else other`` with a common type."""
    (then, other), dtype, is_weak = common(then, other)
    if isinstance(condition, Const):
        return then if condition.value else other
    return Op(dtype, is_weak, "?:", (condition, then, other))


def c_function(name: str, dtype: str) -> str:
    """A function of math.h for a type."""
    return name + "f" if dtype == "float32" else name


def _bitwise(op: str, operands: list[Expr], dtype: str, is_weak: bool) -> Expr:
    if is_float(dtype):
        raise BadOperation(f"{op} is for integers and truth values")
    if dtype == "bool" and op in _LOGICAL_OF:
        return Op(dtype, is_weak, _LOGICAL_OF[op], tuple(operands))
    if dtype == "bool":
        raise BadOperation(f"{op} is for integers")
    if op in ("<<", ">>"):
        count = operands[1]
        limit = np.dtype(dtype).itemsize * 8
        if not isinstance(count, Const) or not 0 <= count.value < limit:
            raise BadOperation(f"the right side of {op} has to be a small constant")
    return Op(dtype, is_weak, op, tuple(operands))


def simple_power(value: Expr, exponent: int) -> Expr:
    """A product of equal factors; longer ones are calls of a function."""
    if exponent == 1:
        return value
    if exponent == 2:
        return Op(value.dtype, value.is_weak, "*", (value, value))
    name = helper(f"pow{exponent}", value.dtype)
    return Op(value.dtype, value.is_weak, name, (value,))


_BITWISE = frozenset({"&", "|", "^", "<<", ">>"})
_LOGICAL_OF = {"&": "&&", "|": "||", "^": "!="}
_FOLD: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
    "//": operator.floordiv, "%": operator.mod, "**": operator.pow,
    "&": operator.and_, "|": operator.or_, "^": operator.xor,
    "<<": operator.lshift, ">>": operator.rshift,
}  # fmt: skip
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
