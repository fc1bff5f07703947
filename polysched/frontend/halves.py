"""Arithmetic in floating types of two bytes, written as arithmetic in `float`.

A `float` has more than twice the bits and two more, so that the sum, difference,
product, quotient or root of two such numbers, rounded to `float` and then to their
type, is what one rounding would give (Figueroa, "When is double rounding innocuous?",
SIGNUM Newsletter 30(3), 1995). What an expression computes then no longer depends on
the compiler: every rounding is a cast that all rooms see.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from polysched.frontend.half_rules import HalfRules
from polysched.frontend.literals import spell_half
from polysched.ir import (
    Action,
    Assign,
    Binary,
    Call,
    Cast,
    Const,
    Expr,
    Guard,
    Let,
    Load,
    Local,
    Lookup,
    Repeat,
    ScalarType,
    Select,
    Unary,
    common_type,
)
from polysched.ir.expr import COMPARISONS, LOGICAL, SHIFTS
from polysched.ir.types import FLOAT

_SMALL = 256  # integers up to this are exact in every such type


@dataclass(frozen=True)
class HalfWriter:
    """Rewrites what statements do.

    Attributes
    ----------
    rules : HalfRules
        What the user's compiler does with excess precision.
    """

    rules: HalfRules

    def actions(self, body: tuple[Action, ...]) -> tuple[Action, ...]:
        """The same actions without arithmetic in types of two bytes."""
        return tuple(map(self._action, body))

    def _action(self, action: Action) -> Action:
        match action:
            case Assign(target, op, value):
                new = self._lower(target)
                assert isinstance(new, Load)
                op, value = self._update(target, op, value)
                return replace(action, target=new, op=op, value=value)
            case Let(local, op, Expr() as value):
                op, value = self._update(local, op, value)
                return replace(action, op=op, value=value)
            case Guard(cond, then, other):
                branches = self.actions(then), self.actions(other)
                return Guard(self._condition(cond), *branches)
            case Repeat():
                return replace(
                    action,
                    cond=self._condition(action.cond),
                    body=self.actions(action.body),
                    start=self.actions(action.start),
                    step=self.actions(action.step),
                )
        return action

    def _update(self, old: Load | Local, op: str, value: Expr) -> tuple[str, Expr]:
        """Operator and value of an assignment to what was read as `old`.

        An update of two bytes is written out with its rounding: it is no reduction,
        as sums of few bits depend much on the order of their terms.
        """
        type_ = old.type
        if op == "=":
            return op, self._as_stored(value, type_)
        shared = common_type(type_, value.dtype)
        if not (shared.is_half or type_.is_half or value.dtype.is_half):
            return op, self._value(value)
        if type_.is_half:
            sides = self._operand(old, shared), self._operand(value, shared)
            return "=", Cast(type_, Binary(op[:-1], *sides))
        if type_.is_float or not shared.is_half or self.rules.of(shared) != "rounded":
            return op, self._operand(value, shared)
        result = self._lower(Binary(op[:-1], old, value))
        return "=", Cast(type_, self._rounded(result, shared))

    def _as_stored(self, value: Expr, type_: ScalarType) -> Expr:
        """A value to be assigned; what is rounded to two bytes says so."""
        if not type_.is_half:
            found = self._value(value)
            return Cast(type_, found) if found.dtype.is_half else found
        found = self._lower(value)
        if value.dtype != type_:
            found = self._value(value)
        return found if found.dtype == type_ else Cast(type_, found)

    def _value(self, expr: Expr) -> Expr:
        """The value of an expression outside of arithmetic in its type."""
        found = self._lower(expr)
        if expr.dtype.is_half and self.rules.of(expr.dtype) == "dropped":
            return self._rounded(found, expr.dtype)
        return found

    def _condition(self, expr: Expr) -> Expr:
        """The value of an expression that is asked whether it is zero."""
        found = self._value(expr)
        return _as_float(found) if found.dtype.is_half else found

    def _rounded(self, found: Expr, type_: ScalarType) -> Expr:
        """What was written for an expression of a type, rounded to it."""
        return found if found.dtype == type_ else Cast(type_, found)

    def _operand(self, expr: Expr, shared: ScalarType) -> Expr:
        """An operand of an operation in the type `shared`."""
        if not shared.is_half:
            found = self._value(expr)
            return Cast(shared, found) if found.dtype.is_half else found
        found = self._lower(expr)
        if found.dtype == FLOAT:
            return found
        if isinstance(expr, Const) and abs(expr.value) <= _SMALL:
            return Const(float(expr.value), FLOAT, f"{float(expr.value)}f")
        if not found.dtype.is_half and self.rules.of(shared) != "kept":
            found = Cast(shared, found)
        return Cast(FLOAT, found)

    def _lower(self, expr: Expr) -> Expr:
        """The expression; a result of a type of two bytes may come as a `float`."""
        match expr:
            case Const(_, type_, _) if type_.is_half:
                is_kept = self.rules.of(type_) == "kept"
                return spell_half(expr, FLOAT if is_kept else type_)
            case Load() | Lookup():
                subscripts = tuple(map(self._value, expr.subscripts))
                return replace(expr, subscripts=subscripts)
            case Cast(type_, operand):
                return self._cast(type_, operand)
            case Unary(op, operand) if op in "+-" and operand.dtype.is_half:
                return Unary(op, self._operand(operand, operand.dtype))
            case Unary(op, operand):
                return Unary(op, self._condition(operand))
            case Binary():
                return self._binary(expr)
            case Select():
                return self._select(expr)
            case Call():
                return replace(expr, args=tuple(map(self._value, expr.args)))
        return expr

    def _cast(self, type_: ScalarType, operand: Expr) -> Expr:
        found = self._lower(operand)
        if operand.dtype != type_:
            found = self._value(operand)
        is_excess = operand.dtype.is_half and not found.dtype.is_half
        if found.dtype == type_ and (is_excess or type_.is_half):
            return found
        return Cast(type_, found)

    def _binary(self, expr: Binary) -> Expr:
        op, left, right = expr.op, expr.left, expr.right
        if op in LOGICAL or op in SHIFTS:
            return Binary(op, self._condition(left), self._condition(right))
        shared = common_type(left.dtype, right.dtype)
        if op in COMPARISONS:
            return Binary(
                op, self._compared(left, shared), self._compared(right, shared)
            )
        found = Binary(op, self._operand(left, shared), self._operand(right, shared))
        if shared.is_half and self.rules.of(shared) == "rounded":
            return Cast(shared, found)
        return found

    def _compared(self, expr: Expr, shared: ScalarType) -> Expr:
        found = self._operand(expr, shared)
        is_excess = shared.is_half and expr.dtype.is_half
        if is_excess and self.rules.of(shared) == "dropped":
            return _as_float(self._rounded(self._lower(expr), shared))
        return found

    def _select(self, expr: Select) -> Expr:
        cond, shared = self._condition(expr.cond), expr.dtype
        if not shared.is_half:
            then, other = (self._operand(e, shared) for e in (expr.then, expr.other))
            return Select(cond, then, other)
        sides = [self._value(e) for e in (expr.then, expr.other)]
        if all(side.dtype == shared for side in sides):
            return Select(cond, *sides)
        then, other = (self._operand(e, shared) for e in (expr.then, expr.other))
        return Select(cond, then, other)


def _as_float(expr: Expr) -> Expr:
    return Cast(FLOAT, expr)
