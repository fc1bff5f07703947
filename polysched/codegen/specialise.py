"""Statement bodies without what is decided at their place in the code.

Where loops were cut at the border of a grid (`transform/borders.py`), conditions and
remainders of iterators have one answer in each part, and the code need not ask; where
a few iterations run in one (`transform/interleave.py`), what divisions leave over is
known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import islpy as isl

from polysched.frontend import Condition, Division, find_cases
from polysched.ir import (
    Action,
    Binary,
    Cast,
    Const,
    Expr,
    Guard,
    Repeat,
    ScalarType,
    Select,
    Statement,
    Unary,
    map_action,
    map_expr,
)
from polysched.ir.expr import COMPARISONS, LOGICAL
from polysched.ir.types import INT
from polysched.sets import list_sets


def specialise(statement: Statement, instances: isl.UnionSet) -> Statement:
    """A statement as it is on some of its instances.

    Conditional expressions and guards whose condition is the same for all of them are
    replaced by the chosen side, and ``x % m`` by x minus so many times m. Where they
    all leave the same over, it is that number, and ``x / m`` a division without a rest.

    Parameters
    ----------
    statement : Statement
        What to simplify.
    instances : isl.UnionSet
        Those that a place in the code executes, or more.
    """
    cases = find_cases(statement)
    sets = list_sets(instances)
    if not cases or len(sets) != 1:
        return statement
    here = sets[0].reset_tuple_id()
    truths: dict[Expr, bool] = {}
    quotients: dict[Expr, tuple[int, Expr]] = {}
    rests: dict[Expr, tuple[int, int]] = {}
    for case in cases:
        if isinstance(case, Condition):
            answer = case.decide(here)
            if answer is not None:
                truths[case.expr] = answer
        elif isinstance(case, Division):
            rest = case.decide(here)
            if rest is not None:
                rests[case.expr] = rest, case.modulus
        else:
            quotient = case.decide(here)
            if quotient is not None:
                quotients[case.expr] = quotient, case.modulus
    if not truths and not quotients and not rests:
        return statement
    body = _Specialiser(truths, quotients, rests).actions(statement.body)
    return replace(statement, body=body) if body else statement


@dataclass(frozen=True)
class _Specialiser:
    """What is known: conditions, how often which modulus goes in, and what is left."""

    truths: Mapping[Expr, bool]
    quotients: Mapping[Expr, tuple[int, Expr]]
    rests: Mapping[Expr, tuple[int, int]]

    def actions(self, body: tuple[Action, ...]) -> tuple[Action, ...]:
        return tuple(one for action in body for one in self._action(action))

    def _action(self, action: Action) -> tuple[Action, ...]:
        if not isinstance(action, Guard):
            return (self._unguarded(action),)
        cond = self._condition(action.cond)
        if isinstance(cond, bool):
            return self.actions(action.then if cond else action.other)
        then, other = self.actions(action.then), self.actions(action.other)
        return (Guard(self.expr(cond), then, other),) if then or other else ()

    def _unguarded(self, action: Action) -> Action:
        """What is there in any case, with its parts specialised."""
        if not isinstance(action, Repeat):
            return map_action(action, self._change)
        return Repeat(
            self.expr(action.cond),
            self.actions(action.body),
            self.actions(action.start),
            self.actions(action.step),
            action.asks_first,
        )

    def expr(self, expr: Expr) -> Expr:
        return map_expr(expr, self._change)

    def _change(self, expr: Expr) -> Expr | None:
        match expr:
            case Select(cond, then, other):
                known = self._condition(cond)
                if not isinstance(known, bool):
                    sides = self.expr(then), self.expr(other)
                    return Select(self.expr(known), *sides)
                if then.dtype == other.dtype:
                    return self.expr(then if known else other)
            case Binary("%", left, _) if expr in self.quotients:
                return _less(self.expr(left), *self.quotients[expr])
            case Binary(op, left, _) if expr in self.rests:
                rest, modulus = self.rests[expr]
                if op in ("%", "&"):
                    return _as(expr.dtype, rest)
                whole = self.expr(left)
                if rest:
                    whole = Binary("-", whole, _number(rest, expr))
                return Binary("/", whole, _number(modulus, expr))
        return None

    def _condition(self, cond: Expr) -> Expr | bool:
        """A condition, or what it comes to."""
        if cond in self.truths:
            return self.truths[cond]
        match cond:
            case Unary("!", operand):
                inner = self._condition(operand)
                return not inner if isinstance(inner, bool) else cond
            case Binary(op, left, right) if op in LOGICAL:
                return self._joined(cond, op == "&&", left, right)
        return cond

    def _joined(self, cond: Expr, is_and: bool, left: Expr, right: Expr) -> Expr | bool:
        sides = [self._condition(left), self._condition(right)]
        if (not is_and) in [s for s in sides if isinstance(s, bool)]:
            return not is_and
        open_ = [s for s in sides if not isinstance(s, bool)]
        if not open_:
            return is_and
        if len(open_) == 1:
            return open_[0] if _is_truth(open_[0]) else cond
        return Binary("&&" if is_and else "||", open_[0], open_[1])


def _number(value: int, like: Expr) -> Const:
    """An operand beside one of an expression's type, to which C converts it."""
    return Const(value, like.dtype, str(value))


def _as(type_: ScalarType, value: int) -> Expr:
    """A number of a type."""
    number = Const(value, INT, str(value))
    return number if type_ == INT else Cast(type_, number)


def _less(value: Expr, times: int, modulus: Expr) -> Expr:
    """A value minus so many times a modulus."""
    if not times:
        return value
    if isinstance(modulus, Const):
        amount = times * int(modulus.value)
        return Binary("-", value, Const(amount, value.dtype, str(amount)))
    if times == 1:
        rest = _without(value, modulus)
        if rest is not None and rest.dtype == value.dtype:
            return rest
    if abs(times) != 1:
        count = Const(abs(times), modulus.dtype, str(abs(times)))
        modulus = Binary("*", count, modulus)
    return Binary("-" if times > 0 else "+", value, modulus)


def _without(value: Expr, term: Expr) -> Expr | None:
    """A sum without one of its terms; None where it has no such term."""
    match value:
        case Binary("+", left, right) if term in (left, right):
            return right if left == term else left
        case Binary("+" | "-", left, right):
            rest = _without(left, term)
            return None if rest is None else Binary(value.op, rest, right)
    return None


def _is_truth(expr: Expr) -> bool:
    """Whether an expression is 0 or 1."""
    match expr:
        case Binary(op, _, _):
            return op in COMPARISONS or op in LOGICAL
        case Unary(op, _):
            return op == "!"
    return False
