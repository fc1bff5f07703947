"""Which statements vectors of a language extension can compute."""

from __future__ import annotations

from polysched.ir import (
    Assign,
    Binary,
    Const,
    Expr,
    Load,
    Param,
    ScalarType,
    Statement,
    Unary,
)


def is_arithmetic(statement: Statement) -> bool:
    """Whether a body is one assignment of sums and products in the target's type."""
    match statement.body:
        case (Assign(target, "=" | "+=" | "-=" | "*=" | "/=", value),):
            return target.type.is_float and _is_plain(value, target.type)
    return False


def _is_plain(e: Expr, type_: ScalarType) -> bool:
    match e:
        case Load() | Const() | Param():
            return e.dtype == type_
        case Unary("-" | "+", operand):
            return _is_plain(operand, type_)
        case Binary("+" | "-" | "*" | "/", left, right):
            return _is_plain(left, type_) and _is_plain(right, type_)
    return False
