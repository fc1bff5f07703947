"""Products of sizes and iterators in bounds and subscripts: ``x[k * h * w + p]``.

isl multiplies no two unknowns. A product of sizes is one more unknown to it; where an
iterator is a factor, the greatest and the least value of a subscript are computed by
hand, as no factor is negative, and compared with the array's size at the call.
"""

from __future__ import annotations

from collections.abc import Sequence

from polysched.tensor.bounds import largest, least
from polysched.tensor.cfunction import Check, SizeExpr
from polysched.tensor.emitter import Emitter
from polysched.tensor.size import Extreme, FloorDiv, Size, as_size, product, symbol

UNFOLDED = (
    "a subscript of an array that reshape made of a vector is not affine: it has to be "
    "a sum of multiples of loop variables, sizes and constants",
    "write the subscript of the vector: x[i * w + j]",
)
_LARGEST = 2**58  # sums of a few products that are not larger do not overflow


def multiply(emitter: Emitter, one: Size, two: Size) -> Size | None:
    """The product of two integers; None where it can be neither bound nor subscript."""
    if one.is_constant or two.is_constant:
        return one * two.constant if two.is_constant else two * one.constant
    if one.chosen or two.chosen:
        return None
    found = product(one, two)
    if found is None:
        return None
    facts = emitter.facts
    for atom in found.products:
        iterators = [f for f in atom.factors if f not in facts.parameters]
        if len(iterators) > 1 or not all(
            facts.is_certain(symbol(i), ">=", 0) for i in iterators
        ):
            return None
    _require_products(emitter, found)
    return found


def count(emitter: Emitter, shape: Sequence[Size]) -> Size | None:
    """How many elements there are; None if the sizes cannot be multiplied."""
    total = as_size(1)
    for size in shape:
        more = multiply(emitter, total, size)
        if more is None:
            return None
        total = more
    return total


def is_curved(emitter: Emitter, size: Size) -> bool:
    """Whether an iterator is multiplied by a size in it, or in what bounds it."""
    names = set(size.symbols())
    for loop in reversed(emitter.facts.loops):
        if loop.iterator in names:
            names |= {*loop.start.symbols(), *loop.stop.symbols()}
    known = set(emitter.facts.parameters)
    ends = [e for p in emitter.facts.loops if p.iterator in names
            for e in (p.start, p.stop)]  # fmt: skip
    return any(not set(p.factors) <= known for e in (size, *ends) for p in e.products)


def require_inside_flat(
    emitter: Emitter, index: Size, extent: Size, message: str
) -> bool:
    """Demand that a curved subscript lies in an axis, whatever its iterators are.

    Returns
    -------
    bool
        Whether that could be said: not where loops have other ends than sums.
    """
    loops = emitter.facts.loops
    ends = [e for p in loops for e in (p.start, p.stop)]
    if any(isinstance(a, (Extreme, FloorDiv)) for e in ends for a, _ in e.terms):
        return False
    high, low = largest(index, loops), least(index, loops)
    for end in (high, low):
        _require_products(emitter, end)
    emitter.require(high, "<", extent, message)
    emitter.require(low, ">=", 0, message)
    return True


def _require_products(emitter: Emitter, size: Size) -> None:
    """Demand that no factor among sizes and arguments is negative, and no overflow."""
    facts = emitter.facts
    for atom in size.products:
        names = tuple(f for f in atom.factors if f in facts.parameters)
        if len(names) == 1 and names[0] in facts.sizes:
            continue
        text = " * ".join(names)
        signs = [f"{n} >= 0" for n in dict.fromkeys(names)]
        python = " and ".join([*signs, f"{text} <= {_LARGEST}"])
        condition = SizeExpr(python, " && ".join([*signs, *_without_overflow(names)]))
        message = f"the product {text} has a negative factor or is too large"
        where = emitter.source.where(emitter.node)
        emitter.checks.setdefault(python, Check(condition, message, where))


def _without_overflow(names: tuple[str, ...]) -> list[str]:
    """That a product of factors is small enough, in C, one factor after the other."""
    found = [f"{names[0]} <= {_LARGEST}L"]
    for k in range(1, len(names)):
        before = " * ".join(names[:k])
        found.append(f"({before} == 0 || {names[k]} <= {_LARGEST}L / ({before}))")
    return found
