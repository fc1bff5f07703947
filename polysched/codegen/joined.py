"""Conditions of several parts without jumps between them, for vector lanes.

``a && b`` does not evaluate `b` where `a` fails. Compilers make a jump of that, and
leave a loop with jumps between loads out of lanes. Where `b` may be evaluated in any
case, ``a & b`` of two comparisons is the same, and comes without one.
"""

from __future__ import annotations

from collections.abc import Set

from polysched.ir import (
    Action,
    Binary,
    Call,
    Cast,
    Const,
    Element,
    Expr,
    Load,
    Local,
    Lookup,
    Range,
    Unary,
    map_expr,
    range_of,
    range_of_type,
    types,
    walk,
)
from polysched.ir.actions import map_actions
from polysched.ir.expr import COMPARISONS, LOGICAL

_JOINED = {"&&": "&", "||": "|"}
_HARMLESS = COMPARISONS | LOGICAL | {"&", "|", "^", "~", "!"}
_ARITHMETIC = frozenset({"+", "-", "*"})
_TRUTHS = Range(0, 1), Range(1, 1), Range(0, 0)


def join_conditions(body: tuple[Action, ...], certain: Set[str]) -> tuple[Action, ...]:
    """A body whose conditions jump less.

    Parameters
    ----------
    body : tuple of Action
        Of a statement.
    certain : set of str
        Arrays that it may read from whatever conditions say.
    """

    def change(expr: Expr) -> Expr | None:
        if not isinstance(expr, Binary) or expr.op not in LOGICAL:
            return None
        left, right = (map_expr(side, change) for side in (expr.left, expr.right))
        if not _is_of_data(expr.left) or not may_be_evaluated(right, certain):
            return Binary(expr.op, left, right)
        return Binary(_JOINED[expr.op], _truth(left), _truth(right))

    return map_actions(body, change)


def _is_of_data(expr: Expr) -> bool:
    """Whether data decide a condition, and no places.

    What stands behind ``i > 0`` is known to read ``m[i - 1]`` for those places alone.
    """
    if isinstance(expr, Element | Local):
        return True
    is_logical = isinstance(expr, Binary) and expr.op in LOGICAL | {"&", "|"}
    decide = all if is_logical else any
    return decide(map(_is_of_data, expr.operands))


def _truth(expr: Expr) -> Expr:
    """Whether a value is not zero, as 0 or 1."""
    if expr.dtype == types.INT and range_of(expr) in _TRUTHS:
        return expr
    return Binary("!=", expr, Const(0, expr.dtype, "0"))


def join_certainly(expr: Expr) -> Expr:
    """A condition all of whose parts may be evaluated, without jumps."""

    def change(part: Expr) -> Expr | None:
        if not isinstance(part, Binary) or part.op not in LOGICAL:
            return None
        left, right = (map_expr(side, change) for side in (part.left, part.right))
        return Binary(_JOINED[part.op], _truth(left), _truth(right))

    return map_expr(expr, change)


def may_be_evaluated(
    expr: Expr, certain: Set[str], *, has_divisions: bool = False
) -> bool:
    """Whether an expression has a value, and a cheap one, wherever it stands.

    Parameters
    ----------
    expr : Expr
    certain : set of str
        Arrays that it may read from.
    has_divisions : bool
        Whether quotients of floating point are cheap enough.
    """
    match expr:
        case Load(array, _, _):
            return array in certain
        case Lookup() | Call():
            return False
        case Cast(type_, operand) if operand.dtype.is_float and not type_.is_float:
            return False
        case Binary("/", _, _) if expr.dtype.is_float and has_divisions:
            pass
        case Binary() | Unary() if not _is_exact(expr):
            return False
    return all(
        may_be_evaluated(e, certain, has_divisions=has_divisions) for e in expr.operands
    )


def _is_exact(expr: Binary | Unary) -> bool:
    """Whether an operator surely has a result: C allows no sums that run over."""
    if expr.op in _HARMLESS:
        return True
    if expr.dtype.is_float or not any(isinstance(e, Element) for e in walk(expr)):
        return expr.op in _ARITHMETIC
    is_natural = expr.dtype.kind == "uint"
    return expr.op in _ARITHMETIC and (
        is_natural or range_of(expr) != range_of_type(expr.dtype)
    )
