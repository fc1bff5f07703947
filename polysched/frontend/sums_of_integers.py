"""Integer expressions as sums of multiples, to add, compare and write them again."""

from __future__ import annotations

from collections.abc import Mapping

from polysched.frontend.literals import fold, integer, nearest_zero
from polysched.frontend.purity import converted
from polysched.ir import Binary, Expr, ScalarType, Unary

Total = Mapping[Expr | None, int]  # what is added, times how often; None stands for 1


def total(expr: Expr) -> Total:
    """An expression as far as it adds, subtracts, and multiplies by numbers.

    What C computes in a narrower type without a sign stays whole, as it wraps there.
    """
    value = fold(expr)
    if value is not None:
        return _without_zeros({None: value})
    match expr:
        case Unary("-", operand):
            return times(_part(operand, expr.dtype), -1)
        case Binary("+" | "-" as op, left, right):
            first, second = (_part(side, expr.dtype) for side in (left, right))
            return plus(first, second, 1 if op == "+" else -1)
        case Binary("*", left, right):
            for factor, other in ((fold(left), right), (fold(right), left)):
                if factor is not None:
                    times_ = nearest_zero(factor, expr.dtype)
                    return times(_part(other, expr.dtype), times_)
    return {expr: 1}


def _part(expr: Expr, type_: ScalarType) -> Total:
    """An operand of what is computed in a type."""
    value = fold(expr)
    if value is None:
        is_narrow = expr.dtype.kind == "uint" and expr.dtype.n_bytes < type_.n_bytes
        return {expr: 1} if is_narrow else total(expr)
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
