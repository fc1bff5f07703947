"""Conditions on data without jumps in vector lanes: choices take their place.

Compilers make masked stores of what a condition guards, if they find lanes for them at
all; gcc 12 does not for rows of a private array::

    if (r2 < near && j != i) {                  s = 1.0 / (r2 + eps);
      s = 1.0 / (r2 + eps);               ==>   f[i] = r2 < near & j != i ? f[i] + d * s
      f[i] += d * s;                                                      : f[i];
    }

An element of a private array may be written with what it holds: no other thread has it,
and it exists. What is only computed and used under the condition may be computed in any
case, if nothing can go wrong: division of floating point, but none of integers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Set

from polysched.codegen.joined import join_certainly, may_be_evaluated
from polysched.ir import (
    Action,
    Assign,
    Binary,
    Cast,
    Element,
    Expr,
    Guard,
    Let,
    Scop,
    Select,
    Statement,
    Unary,
    action_expressions,
    walk,
)

_CHANGES = frozenset({"+=", "-=", "*=", "/="})


def choose_stores(
    scop: Scop, statement: Statement, certain: Set[str]
) -> tuple[Action, ...]:
    """The body of a statement with choices for guards, where that is the same.

    Parameters
    ----------
    scop : Scop
        Which arrays are private, and who uses them.
    statement : Statement
        That runs in lanes.
    certain : set of str
        Arrays that it may read from whatever conditions say.
    """
    chooser = _Chooser(scop, statement, certain)
    return tuple(new for action in statement.body for new in chooser.convert(action))


class _Chooser:
    def __init__(self, scop: Scop, statement: Statement, certain: Set[str]) -> None:
        self._statement = statement
        self._private = {a.name for a in scop.arrays if a.storage == "scop"}
        self._known = self._private | certain
        self._shared = {
            a.array for s in scop.statements if s is not statement for a in s.accesses
        }

    def convert(self, action: Action) -> tuple[Action, ...]:
        """What takes the place of an action; itself where that is no such guard."""
        if not isinstance(action, Guard):
            return (action,)
        inside = tuple(_walk_actions((*action.then, *action.other)))
        conditions = [action.cond, *(a.cond for a in inside if isinstance(a, Guard))]
        written = Counter(a.target.array for a in inside if isinstance(a, Assign))
        temporary = self._temporary(action)
        asked = {name for c in conditions for name in _arrays(c)}
        is_right = (
            all(map(self._is_plain, inside))
            and all(map(self._is_harmless, conditions))
            and all(n in temporary and written[n] == 1 for n in asked & {*written})
        )
        if not is_right:
            return (action,)
        return tuple(self._chosen(action, None, temporary))

    def _is_plain(self, action: Action) -> bool:
        match action:
            case Assign(target, op, value):
                is_float = target.type.is_float
                return (
                    target.array in self._private
                    and (op == "=" or (op in _CHANGES and is_float))
                    and self._is_harmless(value)
                    and (is_float or not value.dtype.is_float)
                )
            case Let(_, op, value, is_new):
                return (
                    is_new
                    and op == "="
                    and value is not None
                    and (self._is_harmless(value))
                )
        return isinstance(action, Guard)

    def _is_harmless(self, expr: Expr) -> bool:
        return may_be_evaluated(expr, self._known, has_divisions=True)

    def _temporary(self, guard: Guard) -> frozenset[str]:
        """Arrays of which a guard sets one element first, and nothing else uses any."""
        others = (a for a in self._statement.body if a is not guard)
        taken = self._shared | {*_arrays(guard.cond)}
        for action in (*others, *guard.other):
            taken |= _used(action)
        elements: dict[str, set[Element]] = {}
        for e in _elements(guard):
            elements.setdefault(e.array, set()).add(e)
        found: set[str] = set()
        for action in guard.then:
            if isinstance(action, Assign) and action.op == "=":
                name = action.target.array
                is_first = name not in taken | {*_arrays(action.value)}
                if is_first and len(elements[name]) == 1:
                    found.add(name)
            taken |= _used(action)
        return frozenset(found)

    def _chosen(
        self, guard: Guard, outer: Expr | None, temporary: Set[str]
    ) -> Iterator[Action]:
        condition = guard.cond
        for branch, own in ((guard.then, condition), (guard.other, _not(condition))):
            holds = own if outer is None else Binary("&&", outer, own)
            is_first = outer is None and branch is guard.then
            for action in branch:
                if isinstance(action, Guard):
                    yield from self._chosen(action, holds, temporary)
                elif isinstance(action, Assign):
                    is_set = is_first and action.target.array in temporary
                    yield action if is_set else _choice(action, holds)
                else:
                    yield action


def _choice(action: Assign, holds: Expr) -> Assign:
    """The element becomes what it does where a condition holds, or stays."""
    target, value = action.target, action.value
    if action.op != "=":
        value = Binary(action.op[:-1], target, value)
    if value.dtype != target.type:
        value = Cast(target.type, value)
    return Assign(target, "=", Select(join_certainly(holds), value, target))


def _not(condition: Expr) -> Expr:
    return Unary("!", condition)


def _walk_actions(actions: tuple[Action, ...]) -> Iterator[Action]:
    for action in actions:
        yield action
        if isinstance(action, Guard):
            yield from _walk_actions((*action.then, *action.other))


def _elements(action: Action) -> Iterator[Element]:
    for top in action_expressions(action):
        yield from (e for e in walk(top) if isinstance(e, Element))


def _used(action: Action) -> set[str]:
    return {e.array for e in _elements(action)}


def _arrays(expr: Expr) -> Iterator[str]:
    return (e.array for e in walk(expr) if isinstance(e, Element))
