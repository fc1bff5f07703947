"""Linear forms: integer coefficients of numbered variables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Linear:
    """A linear form: integer coefficients of variables, and a constant.

    Variables are the integers that `Problem.add_variable` returned.
    """

    terms: dict[int, int] = field(default_factory=dict)
    constant: int = 0

    @classmethod
    def of(cls, variable: int, coefficient: int = 1) -> Linear:
        """One variable times a coefficient."""
        return cls({variable: coefficient})

    @classmethod
    def total(cls, variables: Sequence[int], coefficient: int = 1) -> Linear:
        """The sum of variables, each with the same coefficient."""
        form = cls()
        for v in variables:
            form.add(v, coefficient)
        return form

    def add(self, variable: int, coefficient: int) -> None:
        """Add one term in place."""
        self.terms[variable] = self.terms.get(variable, 0) + coefficient

    def add_form(self, other: Linear, factor: int = 1) -> None:
        """Add `factor` times another form in place."""
        for v, c in other.terms.items():
            self.add(v, factor * c)
        self.constant += factor * other.constant

    def scaled(self, factor: int) -> Linear:
        """A new form, `factor` times this one."""
        return Linear(
            {v: factor * c for v, c in self.terms.items()}, factor * self.constant
        )

    def evaluate(self, values: Sequence[int]) -> int:
        """The form's value at a solution."""
        return self.constant + sum(c * values[v] for v, c in self.terms.items())
