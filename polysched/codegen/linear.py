"""Integer sums in normal form, so that what is substituted reads well."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import islpy as isl

from polysched.codegen.ctext import (
    ADD,
    MULTIPLY,
    PRIMARY,
    Text,
    binary,
    integer,
    unary,
)
from polysched.ir import Load

StoragePlace = tuple[str | Load, int]  # an array, or one load of it, and a subscript
Offsets = Mapping[str, Mapping[StoragePlace, isl.PwAff]]  # by statement


@dataclass(frozen=True)
class Linear:
    """A sum of weighted atoms and a constant.

    Attributes
    ----------
    terms : tuple of (Text, int)
        Atoms in order of first use, with non-zero weights.
    constant : int
        The rest.
    """

    terms: tuple[tuple[Text, int], ...] = ()
    constant: int = 0

    @classmethod
    def atom(cls, text: Text) -> Linear:
        """One opaque term."""
        return cls(((text, 1),))

    @property
    def is_constant(self) -> bool:
        """Whether no atom is left."""
        return not self.terms

    @property
    def is_simple(self) -> bool:
        """Whether it reads like a name: a constant, ``i``, ``i + 1``."""
        if not self.terms:
            return True
        (atom, weight), *rest = self.terms
        return not rest and weight == 1 and atom.level >= PRIMARY

    def plus(self, other: Linear, weight: int = 1) -> Linear:
        """``self + weight * other``."""
        sums: dict[Text, int] = dict(self.terms)
        for atom, w in other.terms:
            sums[atom] = sums.get(atom, 0) + weight * w
        terms = tuple((a, w) for a, w in sums.items() if w)
        return Linear(terms, self.constant + weight * other.constant)

    def times(self, factor: int) -> Linear:
        """``factor * self``."""
        return Linear().plus(self, factor)

    def divided(self, divisor: int) -> Linear | None:
        """The sum over a divisor of every weight and the constant; else None."""
        numbers = [*(w for _, w in self.terms), self.constant]
        if not divisor or any(n % divisor for n in numbers):
            return None
        terms = tuple((a, w // divisor) for a, w in self.terms)
        return Linear(terms, self.constant // divisor)

    def to_text(self) -> Text:
        """C text: positive terms, negative terms, constant."""
        positive = [(a, w) for a, w in self.terms if w > 0]
        negative = [(a, w) for a, w in self.terms if w < 0]
        total: Text | None = None
        if not positive and negative and self.constant > 0:
            total = integer(self.constant)
        for atom, weight in positive + negative:
            term = _weighted(atom, abs(weight))
            if total is None:
                total = term if weight > 0 else unary("-", term)
            else:
                total = binary("+" if weight > 0 else "-", total, term)
        if total is None:
            return integer(self.constant)
        if self.constant and (positive or self.constant < 0):
            op = "+" if self.constant > 0 else "-"
            total = binary(op, total, integer(abs(self.constant)))
        return total


def sum_of(parts: Iterable[Linear]) -> Linear:
    """The sum of several."""
    total = Linear()
    for part in parts:
        total = total.plus(part)
    return total


def _weighted(atom: Text, weight: int) -> Text:
    if weight == 1:
        return atom if atom.level >= ADD + 1 else Text(f"({atom.text})")
    return Text(f"{weight} * {atom.at_least(MULTIPLY + 1)}", MULTIPLY)
