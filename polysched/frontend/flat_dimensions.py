"""Writes the dimensions that flat subscripts have into accesses and arrays.

An array of several dimensions of which one is flat, ``col[(c*k + u)*k + v][i*w + j]``,
is an array of numbers to the code that is generated: one subscript reaches all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod

from polysched.frontend.builder import Draft
from polysched.frontend.literals import fold, integer
from polysched.frontend.objects import Object
from polysched.frontend.polynomial import Monomial, Polynomial, read_polynomial
from polysched.frontend.products import Products
from polysched.ir import Binary, Cast, Const, Element, Expr, map_action, types

_MAX_INT = (1 << 31) - 1


@dataclass(frozen=True, eq=False)
class Shape:
    """Dimensions of a flat subscript.

    Attributes
    ----------
    pitches : tuple of Monomial
        Elements per step of each dimension but the last, largest first.
    shifts : dict
        For a flat subscript, how much to move from each inner to the next outer one.
    products : Products
        Products of parameters that may be lengths of rows.
    last_rows : Expr, optional
        How many rows of the last length the ones before hold, where that is no
        quotient of both: ``x[i*n + h*m + j]``.
    """

    pitches: tuple[Monomial, ...]
    shifts: dict[Expr, tuple[int, ...]]
    products: Products
    last_rows: Expr | None = None

    @property
    def extents(self) -> tuple[Expr, ...]:
        """Extents of all dimensions but the outermost."""
        following = (*self.pitches[1:], Monomial())
        pairs = list(zip(self.pitches, following, strict=True))
        found = [
            self.products.extent(big.divide(small))
            for big, small in pairs if big.is_multiple_of(small)
        ]  # fmt: skip
        if self.last_rows is not None:
            found.insert(-1, self.last_rows)
        return tuple(found)

    @property
    def is_wide(self) -> bool:
        """Whether a flat subscript is computed in eight bytes."""
        return any(s.dtype.n_bytes > 4 for s in self.shifts)

    def subscripts(self, flat: Expr) -> tuple[Expr, ...]:
        """The subscripts that a flat one becomes."""
        factors = [f for pitch in self.pitches for f in pitch.factors]
        parts = _split(read_polynomial(flat, factors), self.pitches)
        shift = self.shifts[flat]
        extents = (None, *self.extents)
        result = []
        for k, part in enumerate(parts):
            expr = part
            if k < len(shift) and shift[k]:
                expr = _plus(expr, -shift[k], None)
            if k and shift[k - 1]:
                expr = _plus(expr, shift[k - 1], extents[k])
            result.append(expr)
        return tuple(result)

    def outer_extent(self, declared: Expr | None) -> Expr | None:
        """How often the largest pitch goes into what is declared; None if unknown."""
        if declared is None:
            return None
        terms = read_polynomial(declared).terms
        if len(terms) != 1 or terms[0].atom is not None or terms[0].factor < 1:
            return None
        whole = Monomial(terms[0].monomial.factors, terms[0].factor)
        if not whole.is_multiple_of(self.pitches[0]):
            return None
        return self.products.extent(whole.divide(self.pitches[0]))


def _split(polynomial: Polynomial, pitches: tuple[Monomial, ...]) -> list[Expr]:
    """Coefficients of the pitches, and what is left, as expressions."""
    rest = polynomial
    parts = []
    for pitch in pitches:
        part, rest = rest.split(pitch)
        parts.append(part.to_expr())
    return [*parts, rest.to_expr()]


def _plus(expr: Expr, factor: int, amount: Expr | None) -> Expr:
    """``expr + factor * amount``."""
    term: Expr = integer(abs(factor))
    if amount is not None:
        term = amount if abs(factor) == 1 else Binary("*", term, amount)
    if fold(expr) == 0 and factor > 0:
        return term
    return Binary("+" if factor > 0 else "-", expr, term)


def with_dimensions(draft: Draft, array: Object, shapes: Mapping[int, Shape]) -> Draft:
    """A draft whose accesses of an array have the dimensions of its flat subscripts.

    Parameters
    ----------
    draft : Draft
        It is not changed.
    array : Object
        As C has it.
    shapes : mapping of int to Shape
        By position among the subscripts that C has.
    """

    def change(expr: Expr) -> Expr | None:
        if not isinstance(expr, Element) or expr.array != array.name:
            return None
        found: list[Expr] = []
        first = len(expr.subscripts) - len(array.extents)
        for k, subscript in enumerate(expr.subscripts, -first):
            shape = shapes.get(k)
            if shape is None:
                found.append(subscript)
            elif subscript in shape.shifts:
                found += shape.subscripts(subscript)
            else:  # an access that no instance makes
                found += (integer(0),) * (1 + len(shape.pitches))
        return replace(expr, subscripts=tuple(found))

    return replace(draft, body=tuple(map_action(a, change) for a in draft.body))


def set_dimensions(array: Object, shapes: Mapping[int, Shape]) -> None:
    """Give an object the dimensions of its flat subscripts, and their pitches.

    Of several dimensions that C has, all but the first need a known extent.
    """
    if array.n_subscripts == 1:
        _set_row(array, shapes[0])
        return
    row = _Row.behind(array)
    extents, pitches = list[Expr | None](), list[Expr]()
    for k in reversed(range(array.n_subscripts)):
        shape, declared = shapes.get(k), array.extents[k]
        inner = () if shape is None else shape.extents
        outer = declared if shape is None else shape.outer_extent(declared)
        extents[:0] = [outer, *inner]
        steps = (
            [] if shape is None else [row.times(p.to_expr(True)) for p in shape.pitches]
        )
        pitches[:0] = [*steps, row.value]
        if k:
            assert declared is not None
            row = row.following(declared)
    array.extents = (*extents, *array.extents[array.n_subscripts :])
    array.pitches = tuple(pitches if array.layout is not None else pitches[:-1])
    array.is_flattened = True


def _set_row(array: Object, shape: Shape) -> None:
    """The same for an array of one dimension."""
    outer: Expr | None = None
    declared = array.extents[0]
    size = None if declared is None else fold(declared)
    row = prod(fold(e) or 0 for e in shape.extents)
    if size is not None and row and size % row == 0:
        outer = integer(size // row)
    inner = array.extents[1:]
    array.extents = (outer, *shape.extents, *inner)
    is_wide = shape.is_wide and (size is None or size > _MAX_INT)
    pitches = tuple(p.to_expr(is_wide) for p in shape.pitches)
    if array.layout is not None:
        n = integer(array.layout.n)
        pitches = (*(Binary("*", p, n) for p in pitches), n)
    array.pitches = pitches


@dataclass(frozen=True)
class _Row:
    """Elements per step of a subscript that C has.

    C steps over rows in bytes, which no array is too large for: products are of eight
    bytes, unless the whole array is known to be small.
    """

    value: Expr
    is_small: bool

    @classmethod
    def behind(cls, array: Object) -> _Row:
        """Of the last subscript."""
        n = 1 if array.layout is None else array.layout.n
        sizes = [None if e is None else fold(e) for e in array.extents]
        known = [size for size in sizes if size is not None]
        is_small = len(known) == len(sizes) and prod(known) <= _MAX_INT
        return cls(integer(n), is_small)

    def times(self, size: Expr) -> Expr:
        """Elements in so many rows."""
        one, other = fold(self.value), fold(size)
        if one is not None and other is not None:
            return integer(one * other, types.INT if self.is_small else types.LONG)
        if one == 1:
            return _long(size)
        return Binary("*", _long(size), self.value)

    def following(self, size: Expr) -> _Row:
        """Of the subscript in front."""
        return _Row(self.times(size), self.is_small)


def _long(expr: Expr) -> Expr:
    if isinstance(expr, Const):
        return integer(int(expr.value), types.LONG)
    return expr if expr.dtype.n_bytes > 4 else Cast(types.LONG, expr)
