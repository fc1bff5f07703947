"""What the next iteration of a loop waits for, operation by operation, by the model."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

from polysched.analysis import Vector
from polysched.ir import (
    Assign,
    Binary,
    Call,
    Cast,
    Const,
    Element,
    Expr,
    Iter,
    Load,
    Param,
    Select,
    Statement,
    Unary,
    assignments,
    walk,
)

QUOTIENT = 3.0  # operations in whose time a quotient or a root is there
_PLACES = (1009, 2003, 4001, 7919, 10007, 15013)  # of an iteration like any other


@dataclass(frozen=True)
class Link:
    """What a statement adds to the time from one iteration to the next.

    Attributes
    ----------
    operations : float
        That wait for each other.
    from_memory : bool
        Whether the first of them loads what the iteration before has stored.
    """

    operations: float
    from_memory: bool


def carried_chain(
    statement: Statement, direction: Vector, *, fused: bool
) -> float | None:
    """Operations between the last iteration's element and this one's.

    ``y[k] = b * x[k] + a * y[k - 1]`` makes one of a product and a sum where
    processors fuse them, two elsewhere, however many are ahead of ``y[k - 1]``.

    Parameters
    ----------
    statement : Statement
        What the loop runs.
    direction : vector
        Movement of its iterators from one iteration to the next.
    fused : bool
        Whether products and sums are one operation.

    Returns
    -------
    float or None
        None where no single assignment reads what it wrote the iteration before.
    """
    action = statement.body[0] if len(statement.body) == 1 else None
    if not isinstance(action, Assign) or any(d.denominator != 1 for d in direction):
        return None
    here = dict(zip(statement.iterators, _PLACES, strict=False))
    if len(here) < len(statement.iterators):
        return None
    steps = zip(here.items(), direction, strict=True)
    before = {name: place - int(step) for (name, place), step in steps}
    written = _place(action.target, before)
    if written is None:
        return None
    found = _depth(action.value, action.target.array, written, here, fused=fused)
    return None if found is None else found + (action.op != "=")


def arrival(statement: Statement, arrays: Set[str], *, fused: bool) -> float:
    """Operations from the elements of some arrays to what a statement stores.

    Parameters
    ----------
    statement : Statement
        What is counted; the longest way.
    arrays : set of str
        Where values come from that are waited for.
    fused : bool
        Whether products and sums are one operation.
    """
    longest = 0.0
    for assign in (a for action in statement.body for a in assignments(action)):
        behind = float(assign.op != "=")
        own = 0.0 if assign.target.array in arrays else None
        found = _arrival(assign.value, arrays, fused=fused)
        ways = [d + behind for d in (found, own) if d is not None]
        longest = max(longest, *ways, 0.0)
    return longest


def _arrival(expr: Expr, arrays: Set[str], *, fused: bool) -> float | None:
    """Operations from such an element to a value; None where it has none."""
    if isinstance(expr, Element) and expr.array in arrays:
        return 0.0
    found = [_arrival(e, arrays, fused=fused) for e in expr.operands]
    own = _operations(expr, fused=fused)
    behind = (d + n for d, n in zip(found, own, strict=True) if d is not None)
    return max(behind, default=None)


def _depth(
    expr: Expr,
    array: str,
    written: tuple[int, ...],
    here: Mapping[str, int],
    *,
    fused: bool,
) -> float | None:
    """Operations from an element to a value; None where the value is without it."""
    if isinstance(expr, Load):
        is_it = expr.array == array and _place(expr, here) == written
        return 0.0 if is_it else None
    found = [_depth(e, array, written, here, fused=fused) for e in expr.operands]
    own = _operations(expr, fused=fused)
    behind = (d + n for d, n in zip(found, own, strict=True) if d is not None)
    return max(behind, default=None)


def _operations(expr: Expr, *, fused: bool) -> list[float]:
    """Operations that an expression adds to those of each operand."""
    n = len(expr.operands)
    match expr:
        case Binary("/" | "%") | Call():
            return [QUOTIENT] * n
        case Binary("+" | "-") if fused and expr.dtype.is_float:
            return [float(not _is_product(e)) for e in expr.operands]
        case Cast() | Unary("+"):
            return [0.0]
        case Select(cond):  # conditions of iterators alone are seen ahead
            return [float(any(isinstance(e, Load) for e in walk(cond)))] * n
    return [1.0] * n


def _is_product(expr: Expr) -> bool:
    return isinstance(expr, Binary) and expr.op == "*"


def _place(element: Load, values: Mapping[str, int]) -> tuple[int, ...] | None:
    """The subscripts of an element at one iteration; None where data choose it."""
    found = [_value(e, values) for e in element.subscripts]
    return None if None in found else tuple(n for n in found if n is not None)


def _value(expr: Expr, values: Mapping[str, int]) -> int | None:
    match expr:
        case Const(int() as value):
            return value
        case Iter(name):
            return values.get(name)
        case Param(name):
            return sum(map(ord, name)) + 1
        case Cast(_, operand) | Unary("+", operand):
            return _value(operand, values)
        case Unary("-", operand):
            inner = _value(operand, values)
            return None if inner is None else -inner
        case Binary("+" | "-" | "*" as op, left, right):
            one, two = _value(left, values), _value(right, values)
            if one is None or two is None:
                return None
            return one + two if op == "+" else one - two if op == "-" else one * two
    return None
