"""Minima and maxima in all their spellings, and those that no order of terms changes.

``fmax(x, e)``, ``x = e > x ? e : x`` and ``if (e > x) x = e`` give one result in every
order, but for two things. Where a term is no number, ``x > e ? x : e`` takes it, and
the others do not. And where terms are zeros of both signs, the result may be either. So
an order is free where what decides is of the other spellings and no term is a negative
zero: magnitudes and squares, as of what an iteration has changed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from polysched.ir import (
    Action,
    Assign,
    Binary,
    Call,
    Cast,
    Const,
    Expr,
    Guard,
    Load,
    Select,
    Unary,
)
from polysched.ir.expr import MIRRORED

ExtremumOp = Literal["min", "max"]
_CALLS: dict[str, ExtremumOp] = {
    "fmin": "min", "fminf": "min", "fmax": "max", "fmaxf": "max",
}  # fmt: skip
_MAGNITUDES = frozenset({"fabs", "fabsf", "exp", "expf", "exp2", "exp2f"})
_SAME_SIGN = frozenset({"sqrt", "sqrtf", "fmax", "fmaxf", "fmin", "fminf"})


@dataclass(frozen=True)
class Extremum:
    """How parts of an extremum of floating-point numbers are put together, to the bit.

    Attributes
    ----------
    replaces_nan : bool
        Whether any number replaces an element that is none, as `fmax` does; no
        comparison does.
    """

    replaces_nan: bool


def match_call_or_choice(target: Load, value: Expr) -> tuple[ExtremumOp, Expr] | None:
    """``fmax(x, e)`` or ``e > x ? e : x`` in any of its spellings, and the term."""
    if isinstance(value, Call) and value.name in _CALLS and not value.is_own:
        others = [a for a in value.args if a != target]
        if len(value.args) == 2 and len(others) == 1:
            return _CALLS[value.name], others[0]
        return None
    if not isinstance(value, Select):
        return None
    sides = (value.then, value.other)
    others = [s for s in sides if s != target]
    if len(others) != 1:
        return None
    op = _when(value.cond, target, others[0])
    if op is None:
        return None
    if value.then == target:  # the condition keeps the old value
        op = "min" if op == "max" else "max"
    return op, others[0]


def match_guarded(guard: Guard) -> tuple[Load, ExtremumOp, Expr] | None:
    """``if (e > x) x = e``: the target, and the term."""
    if len(guard.then) != 1 or guard.other or not isinstance(guard.then[0], Assign):
        return None
    assign = guard.then[0]
    if assign.op != "=":
        return None
    op = _when(guard.cond, assign.target, assign.value)
    return None if op is None else (assign.target, op, assign.value)


def find_extremum(
    action: Action, target: Load, op: str, terms: Sequence[Expr]
) -> Extremum | None:
    """What makes the order of an extremum's terms free to the bit, or None.

    Parameters
    ----------
    action : Action
        The update.
    target : Load
        What it updates, which has a floating type.
    op : str
        The operation of the reduction.
    terms : sequence of Expr
        Its term, and conditions around it.
    """
    if op not in ("min", "max") or not target.type.is_float:
        return None
    if terms[0].dtype != target.type and not _is_magnitude(terms[0]):
        return None  # what is rounded to zero keeps its sign
    while isinstance(action, Guard):
        (inner,) = action.then
        if match_guarded(action) is not None:
            return Extremum(False) if _is_never_minus_zero(terms[0]) else None
        action = inner
    assert isinstance(action, Assign)
    value = action.value
    while isinstance(value, Cast) and value.type == value.operand.dtype:
        value = value.operand
    if isinstance(value, Select):
        takes_nan = value.then == target
        is_free = not takes_nan and _is_never_minus_zero(terms[0])
        return Extremum(False) if is_free else None
    return Extremum(True) if op == "max" and _is_magnitude(terms[0]) else None


def _when(cond: Expr, target: Load, term: Expr) -> ExtremumOp | None:
    """What is kept when the term replaces the target under a comparison of both."""
    if not isinstance(cond, Binary) or cond.op not in MIRRORED:
        return None
    op = cond.op
    if cond.left == target and cond.right == term:
        op = MIRRORED[op]
    elif not (cond.left == term and cond.right == target):
        return None
    return "max" if op in (">", ">=") else "min"


def _is_never_minus_zero(expr: Expr) -> bool:
    """Whether a number is known not to be a zero with a sign."""
    if not expr.dtype.is_float:
        return True
    match expr:
        case Cast(operand=operand):
            return _is_magnitude(operand) or not operand.dtype.is_float
        case Binary("+", left, right):
            return _is_never_minus_zero(left) or _is_never_minus_zero(right)
        case Binary("-", left, _):
            return _is_never_minus_zero(left)
        case Select(_, then, other):
            return _is_never_minus_zero(then) and _is_never_minus_zero(other)
        case Const():
            return expr.value != 0 or _is_magnitude(expr)
    return _is_magnitude(expr)


def _is_magnitude(expr: Expr) -> bool:
    """Whether a number is known to be positive, or a zero without a sign."""
    match expr:
        case Const(value):
            return math.copysign(1, value) > 0
        case Call(name, args):
            if expr.is_own:
                return False
            return name in _MAGNITUDES or (
                name in _SAME_SIGN and all(map(_is_magnitude, args))
            )
        case Binary("*", left, right) if left == right and expr.dtype.is_float:
            return True
        case Binary("+" | "*" | "/", left, right) if expr.dtype.is_float:
            return _is_magnitude(left) and _is_magnitude(right)
        case Cast(operand=operand):
            return operand.dtype.is_float and _is_magnitude(operand)
        case Unary("+", operand):
            return _is_magnitude(operand)
        case Select(_, then, other):
            return _is_magnitude(then) and _is_magnitude(other)
    return False
