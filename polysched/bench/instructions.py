"""The fewest arithmetic instructions that a statement's operations can become."""

from __future__ import annotations

from collections.abc import Collection

from polysched.analysis import expression_operations, fused_count, operation_count
from polysched.ir import Expr, Iter, Load, Statement, action_expressions, walk


def half_instructions(statement: Statement, written: Collection[str]) -> int:
    """Twice the instructions of one instance on a processor that multiplies and adds.

    An instruction does two operations at most, an addition and the multiplication in
    front of it. Every other operation takes one of its own, unless its value is the
    same in all iterations of a loop, so that it may be computed in front of it.

    Parameters
    ----------
    statement : Statement
        Whose body counts.
    written : collection of str
        Arrays that the region writes: what is read from them differs every time.
    """
    operations = sum(map(operation_count, statement.body))
    fused = sum(map(fused_count, statement.body))
    ahead = sum(
        _count_ahead(expr, set(statement.iterators), written)
        for action in statement.body
        for expr in action_expressions(action)
    )
    return max(operations, 2 * (operations - fused - ahead))


def _count_ahead(expr: Expr, iterators: set[str], written: Collection[str]) -> int:
    """Operations below an expression whose value one of the loops does not change."""
    if isinstance(expr, Load):
        return 0
    parts = list(walk(expr))
    is_fixed = not any(isinstance(e, Load) and e.array in written for e in parts)
    if is_fixed and not iterators <= {e.name for e in parts if isinstance(e, Iter)}:
        return expression_operations(expr)
    return sum(_count_ahead(e, iterators, written) for e in expr.operands)
