"""Integers of 8 and 16 bits among others: what wraps early, and what to refuse."""

from __future__ import annotations

from polysched.tensor.dtypes import is_float, is_integer, is_narrow, limits
from polysched.tensor.expr import Const, Expr


def has_short(*values: Expr) -> bool:
    """Whether one of them may wrap before 64 bits do."""
    return any(v.dtype == "int32" or is_narrow(v.dtype) for v in values)


def exceeds(number: Expr, other: Expr) -> bool:
    """Whether a Python integer may not fit the type that it meets.

    NumPy compares such numbers by value.
    """
    if not (number.is_weak and number.dtype == "int64") or other.is_weak:
        return False
    if not is_integer(other.dtype) or other.dtype == "int64":
        return False
    least, most = limits(other.dtype)
    return not (isinstance(number, Const) and least <= number.value <= most)


def is_beyond(bound: object, dtype: str, op: str) -> bool:
    """Whether a bound is a Python integer that no number of a narrow type passes."""
    if not (is_narrow(dtype) and isinstance(bound, Const) and bound.is_weak):
        return False
    least, most = limits(dtype)
    return bound.value <= least if op == "max" else bound.value >= most


def unlike(one: Expr, two: Expr) -> tuple[str, str] | None:
    """Why a name cannot mean either of two numbers, and what to do; None if it can.

    In Python it keeps the type of what it means, and where one of the types is narrow
    that decides when numbers wrap.
    """
    kinds = [(e.dtype, e.is_weak) for e in (one, two)]
    narrow = next((d for d, _ in kinds if is_narrow(d)), None)
    if narrow is None or kinds[0] == kinds[1]:
        return None
    named = " or ".join(_kind(e) for e in (one, two))
    return (
        f"data decide whether this is {named}, which wrap differently",
        f"convert both: np.{narrow}(...), or int(...) for Python integers",
    )


def _kind(value: Expr) -> str:
    """The type in words."""
    if not value.is_weak:
        return value.dtype
    return f"a Python {'float' if is_float(value.dtype) else 'integer'}"
