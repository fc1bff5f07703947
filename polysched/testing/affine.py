"""Affine expressions of random programs, with their ranges at several sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Ranges = tuple[tuple[int, int], ...]  # least and greatest value, one pair per scenario


@dataclass(frozen=True)
class Affine:
    """A quasi-affine integer expression over iterators and parameters.

    Attributes
    ----------
    terms : tuple of (str, int)
        Variables with their coefficients.
    constant : int
        The constant.
    modulus, divisor : int
        The sum is taken ``% modulus`` or ``/ divisor``, where not zero.
    shift : int
        Added last.
    """

    terms: tuple[tuple[str, int], ...] = ()
    constant: int = 0
    modulus: int = 0
    divisor: int = 0
    shift: int = 0

    def plus(self, n: int) -> Affine:
        """The expression plus a constant."""
        return Affine(
            self.terms, self.constant, self.modulus, self.divisor, self.shift + n
        )

    def ranges(self, variables: Mapping[str, Ranges], n_scenarios: int) -> Ranges:
        """Bounds of the value in every scenario, by interval arithmetic."""
        return tuple(self._range(variables, k) for k in range(n_scenarios))

    def _range(self, variables: Mapping[str, Ranges], k: int) -> tuple[int, int]:
        low = high = self.constant
        for name, c in self.terms:
            a, b = variables[name][k]
            low += min(c * a, c * b)
            high += max(c * a, c * b)
        if self.modulus:
            low = 0 if low >= 0 else -self.modulus + 1
            high = min(high, self.modulus - 1) if high > 0 else 0
        if self.divisor:
            low, high = int(low / self.divisor), int(high / self.divisor)
        return low + self.shift, high + self.shift

    def text(self) -> str:
        """The expression in C."""
        if self.modulus or self.divisor:
            op, n = ("%", self.modulus) if self.modulus else ("/", self.divisor)
            text = f"({_sum_text(self.terms, self.constant)}) {op} {n}"
            return _add(text, self.shift)
        return _sum_text(self.terms, self.constant + self.shift)


def _sum_text(terms: tuple[tuple[str, int], ...], constant: int) -> str:
    text = ""
    for name, c in terms:
        magnitude = name if abs(c) == 1 else f"{abs(c)} * {name}"
        if not text:
            text = magnitude if c > 0 else f"-{magnitude}"
        else:
            text += f" {'+' if c > 0 else '-'} {magnitude}"
    return _add(text, constant) if text else str(constant)


def _add(text: str, n: int) -> str:
    if not n:
        return text
    return f"{text} {'+' if n > 0 else '-'} {abs(n)}"
