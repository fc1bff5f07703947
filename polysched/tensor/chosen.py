"""Integers that data choose: elements of index arrays in subscripts and loop bounds.

An index array is an argument, an array of integers that the function never writes. The
C text has no check of what it holds: each use demands a range of all its elements
(`ElementRange`), which is checked at each call before anything runs.
"""

from __future__ import annotations

from collections.abc import Sequence

from polysched.tensor.arithmetic import BadOperation
from polysched.tensor.bounds import bound, largest, least
from polysched.tensor.cfunction import ElementRange, SizeExpr
from polysched.tensor.emitter import Emitter
from polysched.tensor.expr import Expr, Load, Op, as_index, loads
from polysched.tensor.facts import NEGATED, Loop
from polysched.tensor.flat import multiply
from polysched.tensor.helpers import helper
from polysched.tensor.size import Chosen, Size, chosen, extreme

_MAX_SHORT = 2**31 - 1


def read_chosen(emitter: Emitter, value: Expr) -> Size | None:
    """An integer made of elements of index arrays; None if it is something else.

    Raises
    ------
    BadOperation
        If the array would be one but is written in the function.
    """
    size = as_index(value)
    if size is not None:
        return size
    if isinstance(value, Load):
        return _read_element(emitter, value)
    if not isinstance(value, Op) or value.dtype not in ("int32", "int64"):
        return None
    parts = [read_chosen(emitter, a) for a in value.operands]
    if any(p is None for p in parts):
        return None
    sizes = [p for p in parts if p is not None]
    if value.op == "cast":  # not of a sum of int32, which may have wrapped
        return None if isinstance(value.operands[0], Op) else sizes[0]
    if value.op == "neg":
        return -sizes[0]
    if value.op == helper("abs", "int64") and not sizes[0].chosen:
        return extreme("max", (sizes[0], -sizes[0]))
    if value.op in ("+", "-"):
        return sizes[0] + sizes[1] if value.op == "+" else sizes[0] - sizes[1]
    if value.op == "*" and (
        value.dtype == "int64" or any(s.is_constant for s in sizes)
    ):
        return multiply(emitter, sizes[0], sizes[1])
    return None


def _read_element(emitter: Emitter, load: Load) -> Size | None:
    if emitter.is_index_array(load.storage):
        return chosen(load.storage.name, load.subscripts)
    if load.storage.name in emitter.written:
        raise BadOperation(
            f"{load.storage.name} chooses elements or iterations and is written in the "
            "function", "pass what chooses as an argument that is only read",
        )  # fmt: skip
    return None


def is_plain_element(size: Size) -> bool:
    """Whether a size is one element of an index array, and nothing is added to it."""
    return (
        len(size.terms) == 1
        and not size.constant
        and isinstance(size.terms[0][0], Chosen)
        and size.terms[0][1] == 1
    )


def data_loops(loops: Sequence[Loop]) -> list[Loop]:
    """Those of which data say from where to where they run, outermost first."""
    found: list[Loop] = []
    names: set[str] = set()
    for loop in loops:
        ends = (loop.start, loop.stop)
        if any(e.chosen or not names.isdisjoint(e.symbols()) for e in ends):
            found.append(loop)
            names.add(loop.iterator)
    return found


def is_by_data(emitter: Emitter, size: Size) -> bool:
    """Whether a size has elements of index arrays, or iterators that they bound."""
    names = {loop.iterator for loop in data_loops(emitter.facts.loops)}
    return bool(size.chosen) or not names.isdisjoint(size.symbols())


def require_inside(emitter: Emitter, index: Size, extent: Size, message: str) -> None:
    """Demand of index arrays that a subscript lies in an axis, from its first element.

    What a loop bounded by data runs over has to lie there also where it does not run.
    """
    low = high = index
    for loop in reversed(data_loops(emitter.facts.loops)):
        low, high = bound(low, loop, -1), bound(high, loop, +1)
    if not is_plain_element(index) and has_short(emitter, index):
        # sums of int32 wrap where NumPy's do only where none that fits an axis does
        emitter.require(extent, "<=", _MAX_SHORT, message)
    hint = "an index that data choose does not count from the end"
    _demand(emitter, low, message, hint)
    _demand(emitter, extent - 1 - high, message, hint)


def has_short(emitter: Emitter, size: Size) -> bool:
    """Whether elements of arrays of int32 are part of a size."""
    arrays = emitter.index_arrays
    return any(arrays[c.array].dtype == "int32" for c in size.chosen)


def _demand(emitter: Emitter, size: Size, message: str, hint: str) -> None:
    """Demand that a size is not negative, of what an index array holds if it has one.

    Raises
    ------
    BadOperation
        If it has several elements of such arrays, multiples of one, or a limit that
        only data say.
    """
    atoms = size.chosen
    if not atoms:
        emitter.require(size, ">=", 0, message, hint)
        return
    emitter.choosing |= dict.fromkeys(atom.array for atom in atoms)
    gaps = _known_not_negative(emitter, {atom.array for atom in atoms})
    if any(emitter.facts.is_certain(size, ">=", gap) for gap in gaps):
        return  # ``if w[i] <= c: ... x[c - w[i]]``
    factor = dict(size.terms).get(atoms[0], 0)
    if len(atoms) > 1 or abs(factor) != 1:
        raise BadOperation(
            "a subscript has more than one element of an index array, or a multiple",
            "compute the subscripts in an array before the call and pass that",
        )
    rest = size - Size(((atoms[0], factor),))
    loops = emitter.facts.loops
    limit = largest(-rest, loops) if factor > 0 else least(rest, loops)
    if not set(limit.symbols()) <= set(emitter.facts.parameters):
        raise BadOperation(
            "what is added to an element of an index array depends on data",
            "compute the subscripts in an array before the call and pass that",
        )
    emitter.require_elements(
        ElementRange(
            atoms[0].array, "least" if factor > 0 else "most",
            SizeExpr(limit.to_text("python"), limit.to_text("c")), message,
            emitter.source.where(emitter.node),
        )
    )  # fmt: skip


def _known_not_negative(emitter: Emitter, arrays: set[str]) -> list[Size]:
    """What comparisons around here with elements of index arrays say."""
    found = []
    for condition, holds in emitter.facts.data_conditions:
        if not {load.storage.name for load in loads(condition)} <= arrays:
            continue
        sides = [_exact(emitter, side) for side in condition.operands]
        op = condition.op if holds else NEGATED[condition.op]
        if any(side is None for side in sides):
            continue
        one, two = (side for side in sides if side is not None)
        if op in ("<", "<=", "=="):
            found.append(two - one - (op == "<"))
        if op in (">", ">=", "=="):
            found.append(one - two - (op == ">"))
    return found


def _exact(emitter: Emitter, value: Expr) -> Size | None:
    """An integer of elements of index arrays that has not wrapped around."""
    size = read_chosen(emitter, value)
    if size is None or (has_short(emitter, size) and not is_plain_element(size)):
        return None
    return size
