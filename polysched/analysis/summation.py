"""Sums of polynomials over parametric polyhedra, loop by loop, exact or refused.

A dimension is summed between its bounds by Faulhaber's formula. Several bounds on one
side split the piece by which of them is tight; a bound with a coefficient ``a > 1``
splits the other dimensions by their residues modulo ``a``, and what then is left under
the division holds parameters only: a rounded quotient that counts as a parameter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import product

import islpy as isl
import sympy

from polysched.analysis.piece import (
    CONSTANT,
    Form,
    Piece,
    add,
    clean,
    read_piece,
    set_text,
    substitute,
    symbol,
    to_sympy,
)
from polysched.base import AnalysisError, LimitError

MAX_PIECES = 120


@dataclass
class Quotients:
    """Rounded quotients of parameters, each a parameter of its own.

    Attributes
    ----------
    found : dict of str to (Form, int)
        Name to numerator, reduced modulo the denominator, and denominator.
    """

    found: dict[str, tuple[Form, int]] = field(default_factory=dict)

    def floor(self, form: Form, denominator: int) -> Form:
        """The form ``floor(form / denominator)``; `form` holds parameters only."""
        whole = {n: c // denominator for n, c in form.items()}
        rest = clean({n: c % denominator for n, c in form.items()})
        if set(rest) - {CONSTANT}:
            name = next(
                (n for n, d in self.found.items() if d == (rest, denominator)), ""
            )
            name = name or f"f{len(self.found)}"
            self.found[name] = (rest, denominator)
            whole[name] = 1
        return clean(whole)

    def rows(self) -> Iterator[Form]:
        """The inequalities that define every quotient."""
        for name, (rest, denominator) in self.found.items():
            yield add(rest, {name: -denominator})
            yield add({name: denominator, CONSTANT: denominator - 1}, rest, -1)


@dataclass
class Summation:
    """Sums pieces to polynomials over parameters, each with where it counts.

    Attributes
    ----------
    n_parameters : int
        Of the pieces, ``p0`` and so on.
    quotients : Quotients
        Those that were needed.
    n_pieces : int
        Pieces handled so far.
    """

    n_parameters: int
    quotients: Quotients = field(default_factory=Quotients)
    n_pieces: int = 0

    @property
    def parameters(self) -> tuple[str, ...]:
        """All parameters, the rounded quotients behind the given ones."""
        return (*(f"p{k}" for k in range(self.n_parameters)), *self.quotients.found)

    def sum(self, piece: Piece) -> Iterator[tuple[isl.Set, sympy.Expr]]:
        """Parameter sets and what the piece adds there; the sets may overlap.

        Raises
        ------
        LimitError
            When more than `MAX_PIECES` pieces come up.
        AnalysisError
            When some dimension has no lower or no upper bound.
        """
        self.n_pieces += 1
        if self.n_pieces > MAX_PIECES:
            raise LimitError(f"more than {MAX_PIECES} pieces to sum")
        simple = self._simplified(piece)
        if simple is None:
            return
        if not simple.dims:
            yield self.parameter_set(simple.signs, simple.zeros), simple.summand
            return
        for smaller in self._reduced(simple):
            yield from self.sum(smaller)

    def parameter_set(
        self, signs: Iterable[Form], zeros: Iterable[Form] = ()
    ) -> isl.Set:
        """The parameters for which forms are at least zero, and others are zero."""
        return isl.Set(set_text(self.parameters, (), zeros, signs))

    def _simplified(self, piece: Piece) -> Piece | None:
        """The piece without redundant constraints; None when it has no point."""
        signs = (*piece.signs, *self.quotients.rows())
        text = set_text(self.parameters, piece.dims, piece.zeros, signs)
        found = isl.BasicSet(text).detect_equalities().remove_redundancies()
        if found.is_empty():
            return None
        names = {name: name for name in self.parameters}
        read = read_piece(found, names, 1)
        back = dict(zip(read.dims, piece.dims, strict=True))
        zeros, signs = (
            tuple({back.get(n, n): c for n, c in f.items()} for f in forms)
            for forms in (read.zeros, read.signs)
        )
        return replace(piece, zeros=zeros, signs=signs)

    def _reduced(self, piece: Piece) -> Iterable[Piece]:
        """Pieces of the same sum with one dimension less, or split by residues."""
        for form in piece.zeros:
            for name in reversed(piece.dims):
                if abs(form.get(name, 0)) == 1:
                    value = add({}, form, -form[name])
                    value.pop(name)
                    return [_replace_dimension(piece, name, value, ())]
        name = min(reversed(piece.dims), key=lambda n: _effort(piece, n))
        signs = [*piece.signs]
        for form in piece.zeros:
            signs += [form, add({}, form, -1)]
        piece = replace(piece, zeros=(), signs=tuple(signs))
        modulus = _first_modulus(piece, name)
        if modulus is not None:
            return _split_residues(piece, *modulus)
        return self._summed(piece, name)

    def _summed(self, piece: Piece, name: str) -> Iterator[Piece]:
        """The sum along one dimension, one piece per pair of tight bounds."""
        lower = self._bounds(piece, name, 1)
        upper = self._bounds(piece, name, -1)
        if not lower or not upper:
            raise AnalysisError("the set is not bounded")
        rest = [form for form in piece.signs if name not in form]
        dims = tuple(n for n in piece.dims if n != name)
        for (i, low), (j, high) in product(enumerate(lower), enumerate(upper)):
            signs = [*rest, add(high, low, -1)]
            signs += [_at_least(low, b, k < i) for k, b in enumerate(lower) if k != i]
            signs += [_at_least(b, high, k < j) for k, b in enumerate(upper) if k != j]
            summand = _faulhaber(piece.summand, name, low, high)
            if summand != 0:
                yield Piece(dims, (), tuple(signs), summand)

    def _bounds(self, piece: Piece, name: str, sign: int) -> list[Form]:
        """Lower (`sign` 1) or upper (-1) bounds, the integer ones that count."""
        found: list[Form] = []
        for form in piece.signs:
            a = sign * form.get(name, 0)
            if a <= 0:
                continue
            rest = {n: c for n, c in form.items() if n != name}
            if sign > 0:  # ceil(-rest / a)
                rest = add({CONSTANT: a - 1}, rest, -1)
            inner = {n: c // a for n, c in rest.items() if n in piece.dims}
            outer = {n: c for n, c in rest.items() if n not in piece.dims}
            bound = add(self.quotients.floor(outer, a), inner)
            if bound not in found:
                found.append(bound)
        return found


def _at_least(high: Form, low: Form, strictly: bool) -> Form:
    return add(add(high, low, -1), {CONSTANT: -1 if strictly else 0})


def _faulhaber(summand: sympy.Expr, name: str, low: Form, high: Form) -> sympy.Expr:
    """The sum of a polynomial between two bounds, ``low <= high + 1``."""
    x, first, behind = symbol(name), to_sympy(low), to_sympy(high) + 1
    total = sympy.Integer(0)
    for (power,), factor in sympy.Poly(summand, x).terms():
        antiderivative = _bernoulli(power + 1)
        difference = antiderivative(behind) - antiderivative(first)
        total += factor * difference / (power + 1)
    return sympy.expand(total)


@cache
def _bernoulli(n: int) -> sympy.Lambda:
    x = sympy.Symbol("x")
    return sympy.Lambda(x, sympy.bernoulli(n, x))


def _effort(piece: Piece, name: str) -> tuple[int, int]:
    """How many residues, then how many pairs of bounds, a dimension would cost."""
    residues = 0
    lower = sum(f.get(name, 0) > 0 for f in piece.signs)
    upper = sum(f.get(name, 0) < 0 for f in piece.signs)
    ties = sum(name in f for f in piece.zeros)
    for form in (*piece.signs, *piece.zeros):
        a = abs(form.get(name, 0))
        if a:
            others = [c for n, c in form.items() if n in piece.dims and n != name]
            residues += sum(a for c in others if c % a)
    return residues, (lower + ties) * (upper + ties)


def _first_modulus(piece: Piece, name: str) -> tuple[str, int] | None:
    """A dimension to split, and by which modulus, before `name` can be summed."""
    for form in piece.signs:
        a = abs(form.get(name, 0))
        for other in piece.dims:
            if a > 1 and other != name and form.get(other, 0) % a:
                return other, a
    return None


def _split_residues(piece: Piece, name: str, modulus: int) -> Iterator[Piece]:
    for residue in range(modulus):
        value = {name: modulus, CONSTANT: residue}
        yield _replace_dimension(piece, name, value, (name,))


def _replace_dimension(
    piece: Piece, name: str, value: Form, kept: tuple[str, ...]
) -> Piece:
    """The piece with a dimension replaced by a form; it is gone unless `kept`."""
    summand = piece.summand
    if symbol(name) in summand.free_symbols:
        summand = sympy.expand(summand.subs(symbol(name), to_sympy(value)))
    return Piece(
        tuple(n for n in piece.dims if n != name or n in kept),
        tuple(substitute(f, name, value) for f in piece.zeros),
        tuple(substitute(f, name, value) for f in piece.signs),
        summand,
    )
