"""Largest values of sizes over enclosing loops, for arrays that live through them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from polysched.tensor.facts import Loop
from polysched.tensor.size import (
    Atom,
    Chosen,
    Extreme,
    FloorDiv,
    Product,
    Size,
    Symbol,
    as_size,
    extreme,
    floor_div,
)


def largest(size: Size, loops: Sequence[Loop]) -> Size:
    """An upper bound without the loops' iterators."""
    for k in range(len(loops) - 1, -1, -1):
        if loops[k].iterator in set(size.symbols()):
            size = bound(size, loops[k], +1)
    return size


def least(size: Size, loops: Sequence[Loop]) -> Size:
    """A lower bound without the loops' iterators."""
    return -largest(-size, loops)


def bound(size: Size, loop: Loop, sign: int) -> Size:
    """An upper bound without one loop's iterator; a lower one for a negative sign."""
    result = as_size(size.constant)
    for atom, factor in size.terms:
        direction = sign if factor > 0 else -sign
        result = result + _bound_atom(atom, loop, direction) * factor
    return result


def _bound_atom(atom: Atom, loop: Loop, sign: int) -> Size:
    if isinstance(atom, Symbol):
        if atom.name != loop.iterator:
            return Size(((atom, 1),))
        return _end(loop, "max" if sign > 0 else "min")
    if isinstance(atom, Chosen):
        return Size(((atom, 1),))
    if isinstance(atom, Product):
        end = _end(loop, "max" if sign > 0 else "min")
        return Size(((atom, 1),)).substitute({loop.iterator: end})
    if isinstance(atom, FloorDiv):
        return floor_div(bound(atom.value, loop, sign), atom.divisor)
    if isinstance(atom, Extreme):
        values = tuple(bound(v, loop, sign) for v in atom.values)
        return extreme(atom.kind, values)
    return bound(atom.extent, loop, sign) - 1 if sign > 0 else as_size(0)


def _end(loop: Loop, which: Literal["min", "max"]) -> Size:
    if (loop.step > 0) == (which == "max"):
        return loop.stop - 1 if loop.step > 0 else loop.stop + 1
    return loop.start
