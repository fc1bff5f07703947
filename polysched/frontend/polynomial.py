"""Flat subscripts as polynomials: products of parameters times affine coefficients."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from polysched.frontend.literals import fold, integer, nearest_zero
from polysched.ir import (
    Binary,
    Cast,
    Expr,
    Iter,
    Load,
    Local,
    Param,
    Unary,
    walk,
)
from polysched.ir.types import INT, LONG


@dataclass(frozen=True)
class Monomial:
    """A product of a positive constant and parameter factors.

    Attributes
    ----------
    factors : tuple of Expr
        Parameters, or sums and quotients of parameters and constants, ordered by text.
    factor : int
        The constant.
    """

    factors: tuple[Expr, ...] = ()
    factor: int = 1

    @property
    def degree(self) -> int:
        """Number of symbolic factors."""
        return len(self.factors)

    @property
    def text(self) -> str:
        """For messages and ordering."""
        names = [expr_text(f) for f in self.factors]
        if self.factor != 1 or not names:
            names.insert(0, str(self.factor))
        return "*".join(names)

    def is_multiple_of(self, other: Monomial) -> bool:
        """Whether the other one divides it."""
        left = list(self.factors)
        for factor in other.factors:
            if factor not in left:
                return False
            left.remove(factor)
        return self.factor % other.factor == 0

    def divide(self, other: Monomial) -> Monomial:
        """The quotient; the other one must divide it."""
        left = list(self.factors)
        for factor in other.factors:
            left.remove(factor)
        return Monomial(tuple(left), self.factor // other.factor)

    def times(self, other: Monomial) -> Monomial:
        """The product."""
        factors = sorted(self.factors + other.factors, key=expr_text)
        return Monomial(tuple(factors), self.factor * other.factor)

    def to_expr(self, wide: bool = False) -> Expr:
        """The product as an expression; a wide one is a number of eight bytes."""
        if not self.factors:
            return integer(self.factor, LONG if wide else INT)
        result: Expr | None = integer(self.factor) if self.factor != 1 else None
        first, *others = self.factors
        if wide and first.dtype.n_bytes <= 4:
            first = Cast(LONG, first)
        for factor in (first, *others):
            result = factor if result is None else Binary("*", result, factor)
        return integer(1) if result is None else result


def expr_text(expr: Expr) -> str:
    """A stable text of an expression over parameters and constants."""
    if isinstance(expr, Param):
        return expr.name
    if isinstance(expr, Binary):
        return f"({expr_text(expr.left)} {expr.op} {expr_text(expr.right)})"
    if isinstance(expr, Cast):
        return expr_text(expr.operand)
    value = fold(expr)
    return repr(expr) if value is None else str(value)


@dataclass(frozen=True)
class Term:
    """``factor * monomial * atom``; the atom is None or an affine non-parameter."""

    monomial: Monomial
    atom: Expr | None
    factor: int


@dataclass(frozen=True)
class Polynomial:
    """A sum of terms."""

    terms: tuple[Term, ...] = field(default=())

    def bent_monomials(self) -> Iterator[Monomial]:
        """Products that make the polynomial non-affine: the possible pitches."""
        for term in self.terms:
            if term.monomial.degree and term.atom is not None:
                yield Monomial(term.monomial.factors)

    def iterator_coefficients(self) -> Iterator[int]:
        """Constant factors of terms with an iterator."""
        for term in self.terms:
            if term.atom is not None and not term.monomial.degree:
                yield term.factor

    def split(self, pitch: Monomial) -> tuple[Polynomial, Polynomial]:
        """The coefficient of `pitch`, and the terms it does not divide.

        Of a constant, what is nearest to a multiple of a constant pitch.
        """
        inside: list[Term] = []
        outside: list[Term] = []
        for term in self.terms:
            if term.monomial.degree == pitch.degree == 0 and term.atom is None:
                rows = (term.factor + pitch.factor // 2) // pitch.factor
                parts = (inside, rows), (outside, term.factor - rows * pitch.factor)
                for part, factor in parts:
                    part += [Term(Monomial(), None, factor)] if factor else []
                continue
            whole = Monomial(term.monomial.factors, abs(term.factor))
            if not whole.is_multiple_of(pitch):
                outside.append(term)
                continue
            quotient = whole.divide(pitch)
            sign = 1 if term.factor > 0 else -1
            inside.append(
                Term(Monomial(quotient.factors), term.atom, sign * quotient.factor)
            )
        return Polynomial(tuple(inside)), Polynomial(tuple(outside))

    def to_expr(self) -> Expr:
        """The sum as an expression."""
        result: Expr | None = None
        for term in self.terms:
            magnitude = _term_expr(term)
            if result is None:
                result = magnitude if term.factor > 0 else Unary("-", magnitude)
            else:
                result = Binary("+" if term.factor > 0 else "-", result, magnitude)
        return integer(0) if result is None else result


def _term_expr(term: Term) -> Expr:
    """A term without its sign."""
    monomial = Monomial(term.monomial.factors, abs(term.factor))
    if term.atom is None:
        return monomial.to_expr()
    if monomial == Monomial():
        return term.atom
    return Binary("*", monomial.to_expr(), term.atom)


def read_polynomial(expr: Expr, factors: Collection[Expr] = ()) -> Polynomial:
    """An expression as a polynomial; what is neither sum nor product is an atom.

    Sums of parameters that are among `factors` stay one factor.
    """
    merged: dict[tuple[Monomial, Expr | None], int] = {}
    for term in _Reader(factors).terms(expr):
        key = (term.monomial, term.atom)
        merged[key] = merged.get(key, 0) + term.factor
    return Polynomial(tuple(Term(m, a, f) for (m, a), f in merged.items() if f))


class _Reader:
    """Reads terms; some sums of parameters stay one factor of products."""

    def __init__(self, factors: Collection[Expr]) -> None:
        self._factors = factors

    def terms(self, expr: Expr) -> list[Term]:
        value = fold(expr)
        if value is not None:
            return [Term(Monomial(), None, nearest_zero(value, expr.dtype))]
        match expr:
            case Cast(type_, operand) if type_.n_bytes >= 4 and not type_.is_float:
                return self.terms(operand)
            case Unary("+", operand):
                return self.terms(operand)
            case Unary("-", operand):
                return _negated(self.terms(operand))
            case Binary("+", left, right):
                return self.terms(left) + self.terms(right)
            case Binary("-", left, right):
                return self.terms(left) + _negated(self.terms(right))
            case Binary("*", left, right):
                return self._product(left, right)
            case Param():
                return [Term(Monomial((expr,)), None, 1)]
            case Binary("/", left, _) if fold(left) is None and not _varies(expr):
                return [Term(Monomial((_without_casts(expr),)), None, 1)]
        return [Term(Monomial(), expr, 1)]

    def _product(self, left: Expr, right: Expr) -> list[Term]:
        """A product; sums of parameters times what varies stay one factor."""
        left_terms, right_terms = (
            self._factor_terms(left, right),
            self._factor_terms(right, left),
        )
        result = []
        for a in left_terms:
            for b in right_terms:
                if a.atom is not None and b.atom is not None:
                    return [Term(Monomial(), Binary("*", left, right), 1)]
                result.append(
                    Term(
                        a.monomial.times(b.monomial),
                        a.atom or b.atom,
                        a.factor * b.factor,
                    )
                )
        return result

    def _factor_terms(self, expr: Expr, other: Expr) -> list[Term]:
        """Terms of one factor of a product."""
        terms = self.terms(expr)
        is_sum = len(terms) > 1 and all(t.atom is None for t in terms)
        if is_sum and (_varies(other) or _without_casts(expr) in self._factors):
            plain = _without_casts(expr)
            return [Term(Monomial((plain,)), None, 1)]
        return terms


def _negated(terms: list[Term]) -> list[Term]:
    return [Term(t.monomial, t.atom, -t.factor) for t in terms]


def _varies(expr: Expr) -> bool:
    return any(isinstance(e, (Iter, Load, Local)) for e in walk(expr))


def _without_casts(expr: Expr) -> Expr:
    while isinstance(expr, Cast):
        expr = expr.operand
    return expr
