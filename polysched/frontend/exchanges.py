"""Pointers that exchange their places: whether they stay apart.

An exchange leaves as many places as there were. Two pointers that were apart are apart
again, unless one of them is set anew while the other may have its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pycparser import c_ast

from polysched.frontend.pointer_values import Value, Variable
from polysched.frontend.trees import parts

_LOOPS = (c_ast.For, c_ast.While, c_ast.DoWhile)
_JUMPS = (c_ast.Goto, c_ast.Label)


def exchange_group(start: Variable) -> set[Variable]:
    """Variables that take each other's places, with those that they go by way of.

    Parameters
    ----------
    start : Variable
        One of them; alone in its group if it takes nobody's place.
    """
    found = {start}
    waiting = [start]
    while waiting:
        variable = waiting.pop()
        taken = {other for value in variable.values for other in value.turns}
        for other in (taken | variable.takers) - found:
            found.add(other)
            waiting.append(other)
    return found


def find_mixed_setting(pair: Sequence[Variable], function: Any) -> Any | None:
    """What sets one of two pointers after they may have been exchanged, if anything.

    Parameters
    ----------
    pair : sequence of Variable
        Pointers of one group.
    function : FuncDef
        The one around the SCoP. For pointers that other functions see `find_shared`
        asks more.
    """
    if any(v.kind not in {"local", "parameter"} for v in pair):
        return None
    group = exchange_group(pair[0])
    turns = {
        id(v.node) for one in group for v in one.values if v.kind == "turn"
    }  # fmt: skip
    anew = [
        {id(v.node) for v in one.values if _is_anew(v, one, group)} for one in pair
    ]  # fmt: skip
    places = [function.body]
    places += [p for p in parts(function.body) if isinstance(p, _LOOPS)]
    for place in places:
        inside = {id(p) for p in parts(place)}
        if not inside & turns:
            continue
        again = isinstance(place, _LOOPS) or _has_jumps(function)
        for node in _late(place, turns, anew, again):
            return node
    return None


def _is_anew(value: Value, variable: Variable, group: set[Variable]) -> bool:
    """Whether a pointer gets a place from outside of its group."""
    if value.kind in {"turn", "argument"}:
        return False
    return not value.sources or not set(value.sources) <= group | {variable}


def _late(
    place: Any, turns: set[int], anew: Sequence[set[int]], again: bool
) -> Iterator[Any]:
    """Values that are set anew behind an exchange, in the order of the text.

    In a loop the exchange of an iteration is in front of all of the next: both are set
    there, whatever else is so.
    """
    is_turned = False
    sure = {id(p) for p in _values_for_sure(place)}
    both = all(one & sure for one in anew)
    for part in parts(place):
        is_turned |= id(part) in turns
        if any(id(part) in one for one in anew) and (is_turned or (again and not both)):
            yield part


def _values_for_sure(place: Any) -> Iterator[Any]:
    """What the statements of a loop's own block set."""
    body = getattr(place, "stmt", place)
    for item in getattr(body, "block_items", None) or ():
        if isinstance(item, c_ast.Assignment):
            yield item.rvalue
        elif isinstance(item, c_ast.Decl) and item.init is not None:
            yield item.init


def _has_jumps(function: Any) -> bool:
    return any(isinstance(p, _JUMPS) for p in parts(function.body))
