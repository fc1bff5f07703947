"""Conditions and divisions of iterators, and what they come to on some instances.

``i > 0 ? u[i - 1] : u[i]`` is ``u[i - 1]`` on all instances but the first, and
``(i + 1) % 600`` is ``i + 1`` on all but the last; so is ``(i + 1) % n``. On every
other instance ``i / 2`` is ``(i - 1) / 2``, which leaves nothing over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import islpy as isl

from polysched.frontend.affine import read_exactly
from polysched.frontend.exact_values import NotAffine
from polysched.frontend.literals import fold
from polysched.ir import (
    Action,
    Binary,
    Const,
    Expr,
    Guard,
    Iter,
    Select,
    Statement,
    Unary,
    inner_actions,
    own_expressions,
    walk,
)
from polysched.ir.expr import LOGICAL
from polysched.sets import value_range

_MAX_QUOTIENTS = 3  # of a remainder that is no repeated pattern
_MAX_SHIFT = 16  # bits that are divided away
_CACHED_STATEMENTS = 256


@dataclass(frozen=True, eq=False)
class Condition:
    """A condition that iterators decide.

    Attributes
    ----------
    expr : Expr
        As it stands in the body.
    holds, fails : isl.Set
        Instances, without a name.
    """

    expr: Expr
    holds: isl.Set
    fails: isl.Set

    def parts(self) -> list[isl.Set]:
        """Instances with one answer each."""
        return [self.holds, self.fails]

    def decide(self, instances: isl.Set) -> bool | None:
        """What it is on all of some instances; None where it varies."""
        if instances.is_disjoint(self.fails):
            return True
        return False if instances.is_disjoint(self.holds) else None


@dataclass(frozen=True, eq=False)
class Remainder:
    """``x % m`` of an affine x and a positive constant m.

    Attributes
    ----------
    expr : Binary
        As it stands in the body.
    modulus : Const
        The constant.
    quotient : isl.PwAff
        The floor of x / m, over instances without a name.
    domain : isl.Set
        All of them.
    """

    expr: Binary
    modulus: Const
    quotient: isl.PwAff
    domain: isl.Set

    def parts(self) -> list[isl.Set]:
        """Instances with one quotient each; empty where there are many quotients."""
        bounds = _range_of(self.quotient, self.domain)
        if bounds is None or bounds[1] - bounds[0] >= _MAX_QUOTIENTS:
            return []
        return [
            self.domain.intersect(self.quotient.eq_set(self._constant(q)))
            for q in range(bounds[0], bounds[1] + 1)
        ]

    def decide(self, instances: isl.Set) -> int | None:
        """The quotient of all of some instances; None where it varies."""
        bounds = _range_of(self.quotient, instances)
        if bounds is None or bounds[0] != bounds[1] or bounds[0] < 0:
            return None
        return bounds[0]

    def _constant(self, value: int) -> isl.PwAff:
        space = isl.LocalSpace.from_space(self.quotient.get_domain_space())
        aff = isl.Aff.zero_on_domain(space).add_constant_val(isl.Val(value))
        return isl.PwAff.from_aff(aff)


@dataclass(frozen=True, eq=False)
class SizeRemainder:
    """``x % n`` of an affine x and n, where the quotient is one of a few.

    Attributes
    ----------
    expr : Binary
        As it stands in the body.
    quotients : tuple of (int, isl.Set)
        Instances with each quotient, without a name.
    """

    expr: Binary
    quotients: tuple[tuple[int, isl.Set], ...]

    @property
    def modulus(self) -> Expr:
        """The divisor n."""
        return self.expr.right

    def parts(self) -> list[isl.Set]:
        """Instances with one quotient each."""
        return [where for _, where in self.quotients]

    def decide(self, instances: isl.Set) -> int | None:
        """The quotient of all of some instances; None where it varies."""
        one = (q for q, where in self.quotients if instances.is_subset(where))
        return next(one, None)


@dataclass(frozen=True, eq=False)
class Division:
    """``x / m`` or ``x % m`` of an affine x and a positive number m, or bits of x.

    Attributes
    ----------
    expr : Binary
        As it stands in the body: `/`, `%`, `>>` or `&`.
    modulus : int
        The number.
    value : isl.PwAff
        x, over instances without a name.
    """

    expr: Binary
    modulus: int
    value: isl.PwAff

    def parts(self) -> list[isl.Set]:
        """None: what is left over changes from instance to instance."""
        return []

    def decide(self, instances: isl.Set) -> int | None:
        """What is left over on all of some instances; None where it varies.

        Neither where x may be negative and is no multiple, as C's division truncates.
        """
        rest = self.value.mod_val(isl.Val(self.modulus))
        bounds = _range_of(rest, instances)
        if bounds is None or bounds[0] != bounds[1]:
            return None
        if bounds[0] and not instances.is_subset(self.value.nonneg_set()):
            return None
        return bounds[0]


Case = Condition | Remainder | SizeRemainder | Division


@lru_cache(maxsize=_CACHED_STATEMENTS)
def find_cases(statement: Statement) -> tuple[Case, ...]:
    """The conditions and divisions in a statement's body that iterators decide.

    Conditions on data, and those that a call or the wrapping of unsigned numbers make
    doubtful, are left out.
    """
    reader = _Reader(statement)
    found: dict[tuple[Expr, bool], list[Case]] = {}
    for action in statement.body:
        for key in _candidates(action):
            if key not in found:
                found[key] = reader.read(*key)
    return tuple(case for cases in found.values() for case in cases)


def _range_of(value: isl.PwAff, instances: isl.Set) -> tuple[int, int] | None:
    """The least and the largest integer that a function takes; None if none."""
    low, high = value_range(value, instances)
    if not (low.is_int() and high.is_int()):
        return None
    return low.to_python(), high.to_python()


def _candidates(action: Action) -> Iterator[tuple[Expr, bool]]:
    """Expressions that may be cases, and whether they are conditions."""
    if isinstance(action, Guard):
        yield from ((leaf, True) for leaf in _leaves(action.cond))
    for expr in own_expressions(action):
        yield from _inside(expr)
    for inner in inner_actions(action):
        yield from _candidates(inner)


def _inside(expr: Expr) -> Iterator[tuple[Expr, bool]]:
    for node in walk(expr):
        match node:
            case Select(cond, _, _):
                yield from ((leaf, True) for leaf in _leaves(cond))
            case Binary("/" | "%" | ">>" | "&"):
                yield node, False


def _leaves(cond: Expr) -> Iterator[Expr]:
    """The parts of a condition that are joined by ``&&``, ``||`` and ``!``."""
    match cond:
        case Binary(op, left, right) if op in LOGICAL:
            yield from _leaves(left)
            yield from _leaves(right)
        case Unary("!", operand):
            yield from _leaves(operand)
        case _:
            yield cond


class _Reader:
    """Reads the expressions of one statement, and nothing that needs an assumption."""

    def __init__(self, statement: Statement) -> None:
        self.domain = statement.domain.reset_tuple_id()
        self.affine = read_exactly(statement.iterators)

    def read(self, expr: Expr, is_condition: bool) -> list[Case]:
        """The cases that an expression is; a remainder is a division as well."""
        if not any(isinstance(e, Iter) for e in walk(expr)):
            return []
        try:
            if is_condition:
                holds = self.affine.condition(expr, self.domain)
                return [Condition(expr, holds, self.domain.subtract(holds))]
            assert isinstance(expr, Binary)
            rest = self._remainder(expr) if expr.op == "%" else None
            found = rest, self._division(expr)
            return [case for case in found if case is not None]
        except NotAffine:
            return []

    def _remainder(self, expr: Binary) -> Remainder | SizeRemainder | None:
        modulus = fold(expr.right)
        if expr.left.dtype != expr.dtype or (modulus is not None and modulus < 1):
            return None
        if modulus is None:
            found = self.affine.quotients(expr, self.domain)
            parts = tuple((q, where) for q, _, where in found if not where.is_empty())
            return SizeRemainder(expr, parts) if parts else None
        value = self.affine.value(expr.left, self.domain)
        self.affine.exact.require_exact(expr.left, expr.dtype, self.domain)
        quotient = value.scale_down_val(isl.Val(modulus)).floor()
        constant = Const(modulus, expr.dtype, str(modulus))
        return Remainder(expr, constant, quotient, self.domain)

    def _division(self, expr: Binary) -> Division | None:
        modulus = _modulus(expr)
        if expr.left.dtype != expr.dtype or modulus is None:
            return None
        value = self.affine.value(expr.left, self.domain)
        self.affine.exact.require_exact(expr.left, expr.dtype, self.domain)
        return Division(expr, modulus, value)


def _modulus(expr: Binary) -> int | None:
    """The number that divides the left side; None where it is none above 1."""
    amount = fold(expr.right)
    if amount is None or amount < 1:
        return None
    if expr.op == ">>":
        return 1 << amount if amount < _MAX_SHIFT else None
    if expr.op == "&":
        amount += 1
        return amount if not amount & (amount - 1) else None
    return amount if amount > 1 else None
