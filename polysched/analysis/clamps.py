"""Values held between two numbers, as a greatest of a least.

Users and their functions cut values off with nested questions,
``x < 0 ? 0 : x > 255 ? 255 : x``, of which compilers make jumps. The same as two
extrema, ``y > 255 ? 255 : y`` of ``y = x < 0 ? 0 : x``, are two instructions, and run
in lanes.
"""

from __future__ import annotations

from dataclasses import replace

from polysched.ir import (
    Binary,
    Cast,
    Const,
    Expr,
    ScalarType,
    Scop,
    Select,
    Unary,
    map_action,
    map_expr,
    promote,
    types,
)
from polysched.ir.expr import MIRRORED


def order_clamps(scop: Scop) -> Scop:
    """The SCoP with every cut at two ends as two extrema; results stay the same.

    Of floating-point numbers only questions with ``<`` and ``>`` are taken, whose other
    answer is the value itself: one that is no number stays none.
    """
    bodies = [tuple(map_action(a, _clamp) for a in s.body) for s in scop.statements]
    if all(b == s.body for b, s in zip(bodies, scop.statements, strict=True)):
        return scop
    statements = tuple(
        s if body == s.body else replace(s, body=body)
        for body, s in zip(bodies, scop.statements, strict=True)
    )
    return replace(scop, statements=statements)


def _clamp(expr: Expr) -> Expr | None:
    """A cut at two ends as the extremum of another one, None for anything else."""
    if not isinstance(expr, Select):
        return None
    outer = _cut(expr)
    if outer is None:
        return None
    end, op, value, rest = outer
    if not isinstance(rest, Select) or expr.dtype != promote(value.dtype):
        return None
    inner = _cut(rest)
    if inner is None or inner[2] != value or inner[1][0] == op[0]:
        return None
    other, other_op, _, kept = inner
    ends = (end, other) if op[0] == "<" else (other, end)
    low, high = (_number(e) or 0 for e in ends)
    if low > high or not _is_kept(value, kept, low, high):
        return None
    if not all(_suits(e, value.dtype) for e in ends):
        return None
    value = map_expr(value, _clamp)
    first = Select(Binary(op, value, end), end, value)
    return Select(Binary(other_op, first, other), other, first)


def _cut(expr: Select) -> tuple[Expr, str, Expr, Expr] | None:
    """The end c, op, x and the rest of ``x op c ? c : rest``, None for others."""
    cond = expr.cond
    if not isinstance(cond, Binary) or cond.op not in MIRRORED:
        return None
    op, value, end = cond.op, cond.left, cond.right
    if _number(value) is not None:
        op, value, end = MIRRORED[op], end, value
    if _number(end) is None or _number(value) is not None:
        return None
    is_float = value.dtype.is_float
    if is_float and op not in ("<", ">"):
        return None
    for answer, rest, is_first in (
        (expr.then, expr.other, True),
        (expr.other, expr.then, False),
    ):
        if _number(answer) == _number(end):
            if is_first:
                return end, op, value, rest
            if not is_float:  # x > c ? rest : c, which is x <= c ? c : rest
                return end, _NOT[op], value, rest
    return None


_NOT = {"<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def _number(expr: Expr) -> int | float | None:
    """The value of a literal, perhaps with a sign; None of anything else."""
    match expr:
        case Const(value):
            return value
        case Unary("-", Const(value)):
            return -value
        case Binary("-", Unary("-", Const(int(value))), Const(int(other))):
            return -value - other  # as INT_MIN is written
    return None


def _is_kept(value: Expr, kept: Expr, least: float, most: float) -> bool:
    """Whether what is kept between the ends is the value itself."""
    if kept == value:
        return True
    match kept:
        case Cast(type_, operand) if operand == value and not value.dtype.is_float:
            low, high = _range(type_)
            return low <= least and most <= high
    return False


def _range(type_: ScalarType) -> tuple[float, float]:
    """Least and greatest value of an integer type; none of others."""
    if type_.is_float or type_ == types.BOOL:
        return 1, 0
    bits = 8 * type_.n_bytes
    if type_.kind == "uint":
        return 0, 2**bits - 1
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


def _suits(end: Expr, type_: ScalarType) -> bool:
    """Whether comparisons with an end, and choices of it, are of the value's type."""
    if type_.is_float:
        return end.dtype == type_ or not end.dtype.is_float
    return end.dtype == promote(type_)
