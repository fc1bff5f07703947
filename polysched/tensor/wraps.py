"""Integers that wrap around, and choices between integers, as quasi-affine ones.

``(i - 1) % n`` is no affine function of a size `n`, but where the iterator runs below
it the remainder is the number itself or `n` more. Neighbours on a ring are also written
as ``i - 1 if i > 0 else n - 1``, and rows above the first one as ``i - 1 if i > 0 else
0``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from polysched.tensor.expr import Expr, as_index, is_affine
from polysched.tensor.facts import Facts
from polysched.tensor.narrow import has_short
from polysched.tensor.size import Size, Symbol, extreme, wrapped

MAX_TURNS = 4  # around a ring, which may have one element


def remainder(facts: Facts, value: Size, divisor: Size) -> Size | None:
    """``value % divisor``, where the value is a few divisors away at most.

    Parameters
    ----------
    facts : Facts
        What is known here.
    value, divisor : Size

    Returns
    -------
    Size or None
        None where the divisor may be zero or negative, or the value anywhere.
    """
    if not facts.is_certain(divisor, ">", 0):
        return None
    turns = range(MAX_TURNS + 1)
    above = next(
        (k for k in turns if facts.is_certain(value, "<", divisor * (k + 1))), None
    )
    if above is None:
        return None
    moved = value - divisor * above
    below = next(
        (k for k in turns if facts.is_certain(moved, ">=", divisor * -k)), None
    )
    if below is None:
        return None
    for _ in range(below):
        moved = wrapped(moved, divisor)
    return moved


def choice(facts: Facts, condition: Expr, then: Expr, other: Expr) -> Size | None:
    """``then if condition else other`` where it is an extremum, or wraps around.

    Parameters
    ----------
    facts : Facts
        What is known here, without the condition.
    condition, then, other : Expr

    Returns
    -------
    Size or None
        None where one of them is not affine, or it is another choice.
    """
    one, two = as_index(then), as_index(other)
    if one is None or two is None or has_short(then, other):
        return None
    if not is_affine(condition):
        return None
    question = _Question(facts, condition)
    if question.holds(one, ">=", two) and question.fails(one, "<=", two):
        return extreme("max", (one, two))
    if question.holds(one, "<=", two) and question.fails(one, ">=", two):
        return extreme("min", (one, two))
    for extent in _extents(facts, one, two):
        for moved in (one, one - extent):
            if question.wraps(moved, extent, one, two):
                return wrapped(moved, extent)
        for moved in (two, two - extent):
            if question.wraps(moved, extent, one, two):
                return wrapped(moved, extent)
    return None


class _Question:
    """What is certain where a condition holds, and where it does not."""

    def __init__(self, facts: Facts, condition: Expr) -> None:
        self._facts = facts
        self._condition = condition

    def holds(self, left: Size, op: str, right: Size) -> bool:
        """Whether a comparison is certain where the condition holds."""
        with self._facts.where(self._condition):
            return self._facts.is_certain(left, op, right)

    def fails(self, left: Size, op: str, right: Size) -> bool:
        """Whether it is where the condition does not hold."""
        with self._facts.where(self._condition, False):
            return self._facts.is_certain(left, op, right)

    def wraps(self, value: Size, extent: Size, then: Size, other: Size) -> bool:
        """Whether both sides are the value, or `extent` more where it is negative."""
        sides = ((self.holds, then), (self.fails, other))
        return all(_is_side(certain, s, value, extent) for certain, s in sides)


def _is_side(
    certain: Callable[[Size, str, Size], bool], side: Size, value: Size, extent: Size
) -> bool:
    """Whether a side is what wraps, the value or more."""
    if certain(value, ">=", Size()):
        return certain(side, "==", value)
    return certain(value, "<", Size()) and certain(side, "==", value + extent)


def _extents(facts: Facts, one: Size, two: Size) -> Iterator[Size]:
    """Lengths of the ring that two neighbours may lie on."""
    seen: list[Size] = []
    iterators = {*one.symbols(), *two.symbols()}
    ends = [loop.stop for loop in facts.loops if loop.iterator in iterators]
    for gap in (two - one, one - two, *ends):
        kept = tuple(
            (atom, factor)
            for atom, factor in gap.terms
            if isinstance(atom, Symbol) and atom.name in facts.parameters
        )
        found = Size(kept, gap.constant)
        if found not in seen and facts.is_certain(found, ">", 0):
            seen.append(found)
            yield found
