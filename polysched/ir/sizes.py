"""Values of sizes, where the parameters are known."""

from __future__ import annotations

from collections.abc import Mapping

from polysched.ir.expr import Binary, Cast, Const, Expr, Param, Unary


def evaluate_size(expr: Expr, parameters: Mapping[str, int]) -> int | None:
    """The value of a size; None when a parameter is not known."""
    match expr:
        case Const(value):
            return int(value)
        case Param(name):
            return parameters.get(name)
        case Cast(_, operand):
            return evaluate_size(operand, parameters)
        case Unary("-", operand):
            inner = evaluate_size(operand, parameters)
            return None if inner is None else -inner
        case Binary(op, left, right):
            a, b = evaluate_size(left, parameters), evaluate_size(right, parameters)
            return None if a is None or b is None else _apply(op, a, b)
    return None


def _apply(op: str, a: int, b: int) -> int | None:
    if op == "+":
        return a + b
    if op == "-":
        return a - b
    if op == "*":
        return a * b
    if op == "/" and b:
        quotient = abs(a) // abs(b)
        return quotient if (a < 0) == (b < 0) else -quotient
    return None
