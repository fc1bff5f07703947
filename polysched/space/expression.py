"""Conditions over the numbers of a schedule, as text: ``outer_parallel > 0``.

Comparisons, ``and``, ``or``, ``not``, arithmetic, ``abs``, ``min`` and ``max``, as in
Python; nothing else is understood, and nothing is executed.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from polysched.base import PolyschedError

MAX_LENGTH = 1000
MAX_DEPTH = 50

_COMPARISONS: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: math.pow,
}
_UNARY: dict[type[ast.unaryop], Callable[[float], float]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Not: lambda x: float(not is_true(x)),
}
_FUNCTIONS: dict[str, Callable[..., float]] = {"abs": abs, "min": min, "max": max}


class ExpressionError(PolyschedError):
    """A condition or a name that a space does not understand."""


@dataclass(frozen=True)
class Expression:
    """A formula over named numbers.

    Attributes
    ----------
    text : str
        As the user wrote it.
    tree : ast.expr
        Checked: only what this module evaluates.
    """

    text: str
    tree: ast.expr

    @classmethod
    def parse(cls, text: str, names: Iterable[str]) -> Expression:
        """Read a formula.

        Parameters
        ----------
        text : str
            For example ``"outer_parallel > 0 and stride_score <= 2"``.
        names : iterable of str
            The numbers there are.

        Raises
        ------
        ExpressionError
            If the text is no such formula or names something else; names that are
            close are proposed.
        """
        if len(text) > MAX_LENGTH:
            raise ExpressionError(
                f"found {len(text)} characters of expression, expected {MAX_LENGTH} "
                "at most"
            )
        try:
            tree = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise ExpressionError(
                f"cannot read the expression {text!r}",
                hint="write for example 'outer_parallel > 0 and stride_score <= 2'",
            ) from error
        _check(tree, text, tuple(names), MAX_DEPTH)
        return cls(text, tree)

    def evaluate(self, values: Mapping[str, float]) -> float:
        """The value for given numbers; truth is 1 or 0.

        Numbers that are missing are not-a-number, and no comparison with one holds.

        Raises
        ------
        ExpressionError
            If it divides by zero or overflows.
        """
        try:
            return float(_evaluate(self.tree, values))
        except ZeroDivisionError as error:
            raise ExpressionError(
                f"{self.text!r} divides by zero",
                hint="ask first, as in 'tile_bytes > 0 and 1 / tile_bytes < 1'",
            ) from error
        except (OverflowError, ValueError) as error:
            raise ExpressionError(f"{self.text!r} has no finite value") from error


def is_true(value: float) -> bool:
    """Whether a value is neither 0 nor not-a-number."""
    return value == value and value != 0


def check_name(name: str, names: Iterable[str]) -> None:
    """Refuse a name that is none of the given ones, with those that are close."""
    known = tuple(names)
    if name in known:
        return
    close = get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else None
    if hint is None:
        hint = f"the features are: {', '.join(known)}"
    raise ExpressionError(f"no feature named {name!r}", hint=hint)


def _check(node: ast.expr, text: str, names: tuple[str, ...], depth: int) -> None:
    """Refuse everything but what `_evaluate` knows."""
    if depth == 0:
        raise ExpressionError(
            f"the expression {text[:40]!r}... is nested more than {MAX_DEPTH} deep"
        )
    match node:
        case ast.Name(id=name):
            check_name(name, names)
            return
        case ast.Constant(value=bool() | int() | float()):
            return
        case ast.BoolOp(values=parts):
            pass
        case ast.Compare(left=left, ops=ops, comparators=others) if all(
            type(op) in _COMPARISONS for op in ops
        ):
            parts = [left, *others]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            parts = [left, right]
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
            parts = [operand]
        case ast.Call(func=ast.Name(id=name), args=parts, keywords=[]) if (
            name in _FUNCTIONS
            and (len(parts) == 1 if name == "abs" else len(parts) > 1)
        ):
            pass
        case _:
            found = ast.get_source_segment(text.strip(), node) or text
            raise ExpressionError(
                f"{found!r} is not understood in the expression {text!r}",
                hint="comparisons, and, or, not, arithmetic, abs, min and max are",
            )
    for part in parts:
        _check(part, text, names, depth - 1)


def _evaluate(node: ast.expr, values: Mapping[str, float]) -> float:
    match node:
        case ast.Name(id=name):
            return values.get(name, math.nan)
        case ast.Constant(value=value):
            return float(value)  # type: ignore[arg-type]  # checked when read
        case ast.BoolOp(op=ast.And(), values=parts):
            return float(all(is_true(_evaluate(p, values)) for p in parts))
        case ast.BoolOp(values=parts):
            return float(any(is_true(_evaluate(p, values)) for p in parts))
        case ast.Compare():
            return float(_compare(node, values))
        case ast.BinOp(left=left, op=op, right=right):
            return _ARITHMETIC[type(op)](
                _evaluate(left, values), _evaluate(right, values)
            )
        case ast.UnaryOp(op=op, operand=operand):
            return float(_UNARY[type(op)](_evaluate(operand, values)))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _FUNCTIONS[name](*(_evaluate(a, values) for a in arguments))
    raise AssertionError(ast.dump(node))


def _compare(node: ast.Compare, values: Mapping[str, float]) -> bool:
    """A chain of comparisons."""
    left = _evaluate(node.left, values)
    for op, other in zip(node.ops, node.comparators, strict=True):
        right = _evaluate(other, values)
        if not _COMPARISONS[type(op)](left, right):
            return False
        left = right
    return True
