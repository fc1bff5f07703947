"""Where what C computes is what integers without an end would be.

A model computes with any integers. Signed ones do not overflow in C, unsigned ones wrap
around: that they do not, where it matters, is required of the domain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import islpy as isl

from polysched.frontend.literals import fold
from polysched.ir import (
    Binary,
    Call,
    Cast,
    Const,
    Expr,
    Iter,
    ScalarType,
    Select,
    Unary,
    walk,
)

Require = Callable[[isl.Set, isl.Set, Expr, str], None]
_INT_BITS = 32
_HASHING = 1 << 20
_LARGE = 1 << 32  # a number that only eight bytes hold


class NotAffine(Exception):  # noqa: N818  a verdict inside the room, not a user's error
    """An expression that is not affine, the part at fault, and why."""

    def __init__(self, expr: Expr, reason: str) -> None:
        super().__init__(reason)
        self.expr = expr
        self.reason = reason


class ExactValues:
    """Requires that values have not wrapped around.

    Parameters
    ----------
    value : callable
        The function that an expression computes on a domain, of any integers.
    constant : callable
        A constant function.
    require : callable
        As `Affine` takes it.
    """

    def __init__(
        self,
        value: Callable[[Expr, isl.Set], isl.PwAff],
        constant: Callable[[int], isl.PwAff],
        require: Require,
    ) -> None:
        self._value = value
        self._constant = constant
        self._require = require
        self._is_rough = False

    @contextmanager
    def roughly(self) -> Iterator[None]:
        """Domains have points that the program never has: no value is too large there.

        Whoever reads an expression so reads it again on the domain itself.
        """
        self._is_rough = True
        try:
            yield
        finally:
            self._is_rough = False

    def require_exact(self, expr: Expr, type_: ScalarType, domain: isl.Set) -> None:
        """What is computed must not have wrapped around, nor wrap if converted.

        Sums, products and shifts to the left may on the way: whatever else is done
        with them asks.
        """
        self.require_not_negative(expr, type_, domain)
        if not is_computed(expr):
            return
        if expr.dtype.n_bytes < type_.n_bytes:
            self.require_not_negative(expr, expr.dtype, domain)
        value = self._value(expr, domain)
        self.require_within(expr, value, expr.dtype, domain)

    def require_not_negative(
        self, expr: Expr, type_: ScalarType, domain: isl.Set, least: int = 0
    ) -> None:
        """An expression converted to `type_` must not wrap around.

        If `least` is -1, it may be the greatest value of the type.
        """
        if type_.kind != "uint" or fold(expr) is not None or isinstance(expr, Const):
            return
        value = self._value(expr, domain)
        bad = domain.intersect(value.lt_set(self._constant(least)))
        if not bad.is_empty():
            self._require(
                bad,
                domain,
                expr,
                f"its type is {type_}, and a value below zero wraps around",
            )

    def require_within(
        self, expr: Expr, value: isl.PwAff, type_: ScalarType, domain: isl.Set
    ) -> None:
        """A value must not be too large for a type of four bytes.

        Sums of type `int` never are, as C leaves open what they would be, and what
        stands for a variable of the type itself is not. Of eight bytes only products
        with large numbers are.
        """
        source = expr.operand.dtype if isinstance(expr, Cast) else expr.dtype
        is_sum = type_.kind == "uint" and is_computed(expr)
        if type_.n_bytes < 4 or self._is_rough or fold(expr) is not None:
            return
        if type_.n_bytes > 4 and not (is_sum and _has_large(expr)):
            return
        if not is_sum and (not isinstance(expr, Cast) or _holds(type_, source)):
            return
        greatest = (1 << (8 * type_.n_bytes - (type_.kind == "int"))) - 1
        bad = value.gt_set(self._constant(greatest))
        if type_.kind == "int":
            bad = bad.union(value.lt_set(self._constant(-greatest - 1)))
        bad = domain.intersect(bad)
        if not bad.is_empty():
            reason = f"its type is {type_}, and it may be too large for it"
            if is_sum and _is_hash(expr):  # nobody means the few numbers that fit
                raise NotAffine(expr, f"it is computed in {type_} and wraps around")
            self._require(bad, domain, expr, reason)

    def require_fits(
        self, expr: Expr, value: isl.PwAff, type_: ScalarType, domain: isl.Set
    ) -> None:
        """A value converted to a narrow type must fit."""
        n_bits = 8 * type_.n_bytes
        low, high = (0, (1 << n_bits) - 1)
        if type_.kind == "int":
            low, high = -(1 << (n_bits - 1)), (1 << (n_bits - 1)) - 1
        bad = domain.intersect(
            value.lt_set(self._constant(low)).union(value.gt_set(self._constant(high)))
        )
        if not bad.is_empty():
            raise NotAffine(expr, f"its value may not fit into {type_}")

    def equal_where(
        self,
        values: tuple[isl.PwAff, isl.PwAff],
        sides: tuple[Expr, Expr],
        compared: ScalarType,
    ) -> isl.Set:
        """Where unsigned numbers are equal, of which some are written as others.

        The number before zero is the greatest one: ``i - 1 == UINT_MAX``, ``x == -1``.
        """
        n_bits = 8 * compared.n_bytes
        half = 1 << (n_bits - 1)
        parts = [e for side in sides for e in walk(side)]
        gap = values[0].sub(values[1])
        equal: isl.Set = gap.zero_set()
        if all(v is None or 0 <= v < half for v in map(fold, parts)):
            return equal
        for turn in (1 << n_bits, -(1 << n_bits)):
            equal = equal.union(gap.add_constant_val(isl.Val(str(turn))).zero_set())
        if n_bits > _INT_BITS and any(isinstance(e, Iter) for e in parts):
            for side, value in zip(sides, values, strict=True):
                if fold(side) is None:  # no loop counts that far
                    equal = equal.intersect(value.lt_set(self._constant(half)))
        return equal.coalesce()


def is_computed(expr: Expr) -> bool:
    """Whether something is computed, perhaps converted to its own type."""
    while isinstance(expr, Cast) and expr.type == expr.operand.dtype:
        expr = expr.operand
    return isinstance(expr, Binary | Unary | Select | Call)


def _is_hash(expr: Expr) -> bool:
    """Whether an element of it is multiplied by a number that makes it wrap soon."""
    products = (e for e in walk(expr) if isinstance(e, Binary) and e.op == "*")
    numbers = (fold(side) for e in products for side in e.operands)
    return any(v is not None and v >= _HASHING for v in numbers)


def _has_large(expr: Expr) -> bool:
    """Whether a number of more than four bytes is part of it."""
    numbers = (fold(e) for e in walk(expr))
    return any(v is not None and _LARGE <= v < 1 << 63 for v in numbers)


def _holds(type_: ScalarType, source: ScalarType) -> bool:
    """Whether a type of four bytes has all values of another that are not negative."""
    return source.n_bytes < 4 or (
        source.n_bytes == 4 and (type_.kind == "uint" or source.kind == "int")
    )
