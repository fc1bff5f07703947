"""Which integers an expression may be, by its types, numbers and operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from polysched.ir.expr import (
    COMPARISONS,
    LOGICAL,
    SHIFTS,
    Binary,
    Call,
    Cast,
    Const,
    Element,
    Expr,
    Iter,
    Local,
    Select,
    Unary,
)
from polysched.ir.types import BOOL, CHAR, ScalarType


@dataclass(frozen=True)
class Range:
    """Integers from `low` to `high`."""

    low: int
    high: int

    def holds(self, other: Range) -> bool:
        """Whether all of another range lies in this one."""
        return self.low <= other.low and other.high <= self.high

    def joined(self, other: Range) -> Range:
        """The smallest range that holds both."""
        return Range(min(self.low, other.low), max(self.high, other.high))

    @property
    def ends(self) -> tuple[int, int]:
        """Both ends."""
        return self.low, self.high


def range_of_type(type_: ScalarType) -> Range:
    """The values of an integer type; of plain `char`, wherever it has a sign."""
    bits = 8 * type_.n_bytes
    if type_ == BOOL:
        return Range(0, 1)
    if type_.kind == "uint":
        return Range(0, (1 << bits) - 1)
    high = (1 << bits) - 1 if type_ == CHAR else (1 << (bits - 1)) - 1
    return Range(-(1 << (bits - 1)), high)


def range_of(
    expr: Expr, known: Mapping[str | Local | Iter, Range] | None = None
) -> Range | None:
    """The values of an integer expression; None where it computes with fractions.

    Arithmetic and conversions that may wrap give all values of their type.

    Parameters
    ----------
    expr : Expr
        What is evaluated.
    known : mapping of (str, Local or Iter) to Range, optional
        Arrays, scalars, variables of an instance and iterators of which more is known
        than their type.
    """
    if expr.dtype.is_float:
        return None
    all_of_type = range_of_type(expr.dtype)
    match expr:
        case Const(int(value), _, _):
            return Range(value, value)
        case Element(name, _, _):
            return (known or {}).get(name, all_of_type)
        case Local() | Iter():
            return (known or {}).get(expr, all_of_type)
        case Binary(op) if op in COMPARISONS or op in LOGICAL:
            return Range(0, 1)
    parts = [range_of(e, known) for e in _parts(expr)]
    if not parts or any(part is None for part in parts):
        return all_of_type
    found = _combined(expr, [part for part in parts if part is not None])
    return found if found and all_of_type.holds(found) else all_of_type


def _parts(expr: Expr) -> tuple[Expr, ...]:
    return expr.operands[1:] if isinstance(expr, Select) else expr.operands


def _combined(expr: Expr, parts: list[Range]) -> Range | None:
    """The values of an operator, of operands in these ranges; None where not known."""
    match expr:
        case Cast(type_, _):
            return Range(0, 1) if type_ == BOOL else parts[0]
        case Call("abs", is_own=False):
            return Range(max(0, parts[0].low), max(map(abs, parts[0].ends)))
        case Unary("!", _):
            return Range(0, 1)
        case Unary(op, operand):
            x = _converted(parts[0], operand, expr.dtype)
            return _SIGNS[op](x) if op in _SIGNS else None
        case Select(_, then, other):
            first = _converted(parts[0], then, expr.dtype)
            return first.joined(_converted(parts[1], other, expr.dtype))
        case Binary(op, left, right):
            a = _converted(parts[0], left, expr.dtype)
            shifts = op in SHIFTS
            b = parts[1] if shifts else _converted(parts[1], right, expr.dtype)
            return _OPERATORS[op](a, b) if op in _OPERATORS else None
    return None


def _converted(found: Range, operand: Expr, type_: ScalarType) -> Range:
    """An operand's values in the type that an operator computes with."""
    if operand.dtype == type_:
        return found
    whole = range_of_type(type_)
    return found if whole.holds(found) else whole


def _products(a: Range, b: Range) -> Range:
    ends = [x * y for x in a.ends for y in b.ends]
    return Range(min(ends), max(ends))


def _quotients(a: Range, b: Range) -> Range | None:
    """C divides towards zero."""
    if b.low <= 0:
        return None
    ends = [abs(x) // y * (1 if x >= 0 else -1) for x in a.ends for y in b.ends]
    return Range(min(ends), max(ends))


def _remainders(a: Range, b: Range) -> Range | None:
    """C's remainders have the sign of what is divided, and are no larger."""
    if b.low <= 0:
        return None
    most = b.high - 1
    return Range(max(min(a.low, 0), -most), min(max(a.high, 0), most))


def _ands(a: Range, b: Range) -> Range | None:
    """At most what one operand is that has no sign."""
    highs = [x.high for x in (a, b) if x.low >= 0]
    return Range(0, min(highs)) if highs else None


def _ors(a: Range, b: Range) -> Range | None:
    """No bits that neither operand has; the same for bits of one alone."""
    if a.low < 0 or b.low < 0:
        return None
    return Range(0, (1 << max(a.high.bit_length(), b.high.bit_length())) - 1)


def _shifted_left(a: Range, b: Range) -> Range | None:
    if a.low < 0 or b.low < 0 or b.high > MAX_SHIFT:
        return None
    return Range(a.low << b.low, a.high << b.high)


def _shifted_right(a: Range, b: Range) -> Range | None:
    """Compilers keep the sign."""
    if b.low < 0 or b.high > MAX_SHIFT:
        return None
    ends = [x >> n for x in a.ends for n in b.ends]
    return Range(min(ends), max(ends))


MAX_SHIFT = 63  # larger ones have no meaning in C

_SIGNS: dict[str, Callable[[Range], Range]] = {
    "+": lambda x: x,
    "-": lambda x: Range(-x.high, -x.low),
    "~": lambda x: Range(~x.high, ~x.low),
}
_OPERATORS: dict[str, Callable[[Range, Range], Range | None]] = {
    "+": lambda a, b: Range(a.low + b.low, a.high + b.high),
    "-": lambda a, b: Range(a.low - b.high, a.high - b.low),
    "*": _products,
    "/": _quotients,
    "%": _remainders,
    "&": _ands,
    "|": _ors,
    "^": _ors,
    "<<": _shifted_left,
    ">>": _shifted_right,
}
