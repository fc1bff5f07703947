"""Actions: what one statement instance does, with C's meaning.

A statement is most often one assignment. Control that depends on data (`Guard`,
`Repeat`) stays inside a statement, whose accesses then cover all that may happen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from polysched.ir.expr import Expr, Load, Local, map_expr


@dataclass(frozen=True)
class Assign:
    """``target op value`` with op one of ``=``, ``+=``, ``-=``, ``*=``, ``/=``, ...

    ``x op= e`` means ``x = (type of x)(x op e)`` as in C. Code for a device also has
    the name of a function there, which updates the element in one go, as a number of
    the value's type.
    """

    target: Load
    op: str
    value: Expr


@dataclass(frozen=True)
class Guard:
    """A data-dependent ``if`` inside one statement; its writes are may-writes."""

    cond: Expr
    then: tuple[Action, ...]
    other: tuple[Action, ...] = ()


@dataclass(frozen=True)
class Let:
    """A variable of the instance gets a value: ``int k = row[i];`` or ``k += 1;``.

    Attributes
    ----------
    local : Local
        The variable. All of a statement have names of their own.
    op : str
        As of `Assign`.
    value : Expr or None
        None where a declaration gives no value.
    is_new : bool
        Whether the variable is declared here.
    """

    local: Local
    op: str
    value: Expr | None
    is_new: bool = False


@dataclass(frozen=True)
class Repeat:
    """A loop inside one statement that ends when data say so; its writes may happen.

    Attributes
    ----------
    cond : Expr
        The loop goes on while it holds.
    body : tuple of Action
        One turn.
    start : tuple of Action
        What a ``for`` loop does first; a variable declared here is known in the loop
        only.
    step : tuple of Action
        What a ``for`` loop does behind each turn.
    asks_first : bool
        Whether the condition is asked before the first turn (not in ``do``).
    """

    cond: Expr
    body: tuple[Action, ...]
    start: tuple[Action, ...] = ()
    step: tuple[Action, ...] = ()
    asks_first: bool = True


@dataclass(frozen=True)
class Leave:
    """``break``: the innermost `Repeat` ends."""


@dataclass(frozen=True)
class Return:
    """``return value;``, in a `Function` only."""

    value: Expr


Action = Assign | Guard | Let | Repeat | Leave | Return


def inner_actions(action: Action) -> tuple[Action, ...]:
    """The actions directly inside of another one, in the order of the text."""
    match action:
        case Guard(_, then, other):
            return then + other
        case Repeat():
            return (*action.start, *action.body, *action.step)
    return ()


def walk_actions(action: Action) -> Iterator[Action]:
    """An action and all inside of it, in the order of the text."""
    yield action
    for inner in inner_actions(action):
        yield from walk_actions(inner)


def map_action(action: Action, change: Callable[[Expr], Expr | None]) -> Action:
    """`map_expr` over every expression of an action; targets must stay loads."""
    match action:
        case Assign(target, op, value):
            new = map_expr(target, change)
            assert isinstance(new, Load)
            return Assign(new, op, map_expr(value, change))
        case Let(_, _, Expr() as value):
            return replace(action, value=map_expr(value, change))
        case Guard(cond, then, other):
            branches = (map_actions(b, change) for b in (then, other))
            return Guard(map_expr(cond, change), *branches)
        case Return(value):
            return Return(map_expr(value, change))
        case Repeat():
            return replace(
                action,
                cond=map_expr(action.cond, change),
                body=map_actions(action.body, change),
                start=map_actions(action.start, change),
                step=map_actions(action.step, change),
            )
    return action


def map_actions(
    body: tuple[Action, ...], change: Callable[[Expr], Expr | None]
) -> tuple[Action, ...]:
    """`map_action` over several."""
    return tuple(map_action(a, change) for a in body)


def own_expressions(action: Action) -> tuple[Expr, ...]:
    """Top expressions of an action alone, without those of actions inside of it."""
    match action:
        case Assign(target, _, value):
            return target, value
        case Let(local, _, value):
            return (local,) if value is None else (local, value)
        case Guard(cond, _, _) | Repeat(cond) | Return(cond):
            return (cond,)
    return ()


def action_expressions(action: Action) -> Iterator[Expr]:
    """Top expressions of an action: conditions, targets, values, in source order."""
    yield from own_expressions(action)
    for inner in inner_actions(action):
        yield from action_expressions(inner)


def has_repeat(action: Action) -> bool:
    """Whether a loop that data end is somewhere in an action."""
    return isinstance(action, Repeat) or any(map(has_repeat, inner_actions(action)))


def assignments(action: Action) -> Iterator[Assign]:
    """Every assignment inside an action."""
    if isinstance(action, Assign):
        yield action
    for inner in inner_actions(action):
        yield from assignments(inner)
