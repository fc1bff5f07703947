"""Integer expressions as sums of multiples, to add, compare and write them again."""

from __future__ import annotations

from collections.abc import Mapping

from polysched.frontend.literals import fold, integer, nearest_zero
from polysched.frontend.purity import converted
from polysched.ir import Binary, Expr, ScalarType, Unary

Total = Mapping[Expr | None, int]  # what is added, times how often; None stands for 1


def total(expr: Expr) -> Total:
    """An expression as far as it adds, subtracts, and multiplies by numbers."""
    value = fold(expr)
    if value is not None:
        return _without_zeros({None: value})
    match expr:
        case Unary("-", operand):
            return times(total(operand), -1)
        case Binary("+" | "-" as op, left, right):
            return plus(_part(left), _part(right), 1 if op == "+" else -1)
        case Binary("*", left, right):
            for factor, other in ((fold(left), right), (fold(right), left)):
                if factor is not None:
                    return times(total(other), nearest_zero(factor, expr.dtype))
    return {expr: 1}


def _part(expr: Expr) -> Total:
    value = fold(expr)
    if value is None:
        return total(expr)
    return _without_zeros({None: nearest_zero(value, expr.dtype)})


def plus(a: Total, b: Total, sign: int = 1) -> Total:
    """The sum of two, or their difference."""
    return _without_zeros(
        {e: a.get(e, 0) + sign * b.get(e, 0) for e in dict.fromkeys((*a, *b))}
    )


def times(a: Total, factor: int) -> Total:
    """A multiple."""
    return _without_zeros({e: factor * n for e, n in a.items()})


def number(a: Total) -> int | None:
    """What it comes to, if it is one number."""
    return a.get(None, 0) if a.keys() <= {None} else None


def written(a: Total, type_: ScalarType) -> Expr:
    """An expression of a type, additions in front of subtractions."""
    parts = sorted(((e, n) for e, n in a.items() if e is not None), key=_is_negative)
    result: Expr | None = None
    for e, n in parts:
        term = converted(e, type_)
        if abs(n) != 1:
            term = Binary("*", integer(abs(n), type_), term)
        if result is None:
            result = term if n > 0 else Unary("-", term)
        else:
            result = Binary("+" if n > 0 else "-", result, term)
    rest = a.get(None, 0)
    if result is None:
        return integer(rest, type_)
    if not rest:
        return result
    return Binary("+" if rest > 0 else "-", result, integer(abs(rest), type_))


def _is_negative(part: tuple[Expr, int]) -> bool:
    return part[1] < 0


def _without_zeros(a: Mapping[Expr | None, int]) -> Total:
    return {e: n for e, n in a.items() if n}
