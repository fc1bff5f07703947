"""Products of parameters, ``h * w``, as parameters of their own.

isl multiplies no two unknowns. What a region never changes may be multiplied in front
of it: then the product is one more unknown, of which the model knows no relation to its
factors.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from polysched.frontend.assumptions import Assumptions
from polysched.frontend.literals import fold
from polysched.frontend.polynomial import Monomial, expr_text
from polysched.ir import Binary, Const, Expr, Param, Parameter, ScalarType, types, walk
from polysched.sets import read_set

_FACTOR_OPS = frozenset({"+", "-", "*", "/"})


@dataclass(frozen=True)
class _Product:
    monomial: Monomial
    param: Param


class Products:
    """Products that a region uses, entered when first met.

    Parameters
    ----------
    words : collection of str
        Names that are taken.
    assumptions : Assumptions
        Told that a product which is computed in two types is the same in both.
    """

    def __init__(self, words: Collection[str], assumptions: Assumptions) -> None:
        self._words = words
        self._assumptions = assumptions
        self._found: list[_Product] = []

    @property
    def names(self) -> frozenset[str]:
        """Their names."""
        return frozenset(p.param.name for p in self._found)

    def parameter(self, name: str) -> Parameter:
        """The product of that name, with its value."""
        (found,) = (p for p in self._found if p.param.name == name)
        return Parameter(name, found.param.type, found.monomial.to_expr())

    def value(self, name: str) -> Expr:
        """What it is the product of."""
        (found,) = (p for p in self._found if p.param.name == name)
        return found.monomial.to_expr()

    def find(self, factors: tuple[Expr, ...], type_: ScalarType) -> Param | None:
        """A product as C computes it in a type; None if a factor is no plain number."""
        if not all(map(_is_plain, factors)):
            return None
        type_ = types.LONG if type_.n_bytes > 4 else types.INT
        monomial = Monomial(factors)
        same = [p for p in self._found if p.monomial == monomial]
        for p in same:
            if p.param.type == type_:
                return p.param
        param = Param(self._name(monomial), type_)
        for p in same:
            a, b = param.name, p.param.name
            self._assumptions.holds = self._assumptions.holds.intersect(
                read_set(f"[{a}, {b}] -> {{ : {a} = {b} }}")
            )
        self._found.append(_Product(monomial, param))
        return param

    def extent(self, monomial: Monomial) -> Expr:
        """The length of a row; of products one that is known, or that never wraps."""
        if monomial.degree < 2:
            return monomial.to_expr()
        plain = Monomial(monomial.factors)
        same = [p.param for p in self._found if p.monomial == plain]
        found = same[0] if same else self.find(plain.factors, types.LONG)
        return monomial.to_expr() if found is None else _times(found, monomial.factor)

    def _name(self, monomial: Monomial) -> str:
        words = [re.sub(r"\W+", "_", expr_text(f)).strip("_") for f in monomial.factors]
        name = "_".join(words)
        while name in self._words or name in self.names:
            name += "_"
        return name


def _times(param: Param, factor: int) -> Expr:
    return Monomial((param,), factor).to_expr()


def _is_plain(factor: Expr) -> bool:
    """Whether a factor may be computed wherever its variables are there."""
    return all(
        isinstance(e, Param | Const)
        or (isinstance(e, Binary) and e.op in _FACTOR_OPS and _divides_by_number(e))
        for e in walk(factor)
    )


def _divides_by_number(expr: Binary) -> bool:
    return expr.op != "/" or bool(fold(expr.right))
