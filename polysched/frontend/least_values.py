"""Minima and maxima of integers that choices spell, ``a < b ? a : b``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from polysched.ir import Binary, Cast, Expr, Select
from polysched.ir.expr import MIRRORED

_INT_BYTES = 4


@dataclass(frozen=True)
class Chain:
    """The least or the greatest of some values.

    Attributes
    ----------
    is_least : bool
        Which of the two.
    values : tuple of Expr
        Signed, all of one type that nothing is promoted to; at least two.
    """

    is_least: bool
    values: tuple[Expr, ...]

    def suffices(self, op: str) -> bool:
        """Whether ``chain op x`` holds as soon as it holds of one of the values."""
        return self.is_least == (op in ("<", "<="))


def find_chain(expr: Expr) -> Chain | None:
    """What a choice is the least or greatest of, or None.

    The model compares such values one by one: of six distances to the sides of a box,
    which is the least is a matter of eighteen pieces, and whether one is small of six.
    """
    is_least = _is_least(expr)
    if is_least is None:
        return None
    values = tuple(dict.fromkeys(_values(expr, is_least)))
    type_ = values[0].dtype
    if type_.kind != "int" or type_.n_bytes < _INT_BYTES or len(values) < 2:
        return None
    if any(e.dtype != type_ or isinstance(e, Cast) for e in values):
        return None
    return Chain(is_least, values)


def _is_least(expr: Expr) -> bool | None:
    """Whether a choice is of the lesser value; None if of neither."""
    match expr:
        case Select(Binary(op, left, right), then, other) if op in MIRRORED:
            is_less = op in ("<", "<=")
            if (left, right) == (then, other):
                return is_less
            if (left, right) == (other, then):
                return not is_less
    return None


def _values(expr: Expr, is_least: bool) -> Iterator[Expr]:
    waiting = [expr]
    while waiting:
        found = waiting.pop()
        if isinstance(found, Select) and _is_least(found) == is_least:
            waiting += [found.other, found.then]
        else:
            yield found
