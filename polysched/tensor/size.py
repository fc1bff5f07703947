"""Integers that are quasi-affine in sizes and iterators: bounds, subscripts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal


class ProductError(Exception):
    """An integer that is no sum of symbols in place of a factor."""


Language = Literal["c", "python", "isl"]


@dataclass(frozen=True)
class Symbol:
    """A size, an integer argument, an iterator, or an axis of a view (``$0``)."""

    name: str


@dataclass(frozen=True)
class FloorDiv:
    """``floor(value / divisor)``; `is_plain` when `value` is never negative."""

    value: Size
    divisor: int
    is_plain: bool = False


@dataclass(frozen=True)
class Extreme:
    """The least ("min") or greatest ("max") of some values."""

    kind: Literal["min", "max"]
    values: tuple[Size, ...]


@dataclass(frozen=True)
class Wrapped:
    """A subscript that counts from the end of `extent` elements when it is negative."""

    value: Size
    extent: Size


@dataclass(frozen=True)
class Chosen:
    """An element of an array of integers that is never written: data chose it."""

    array: str
    subscripts: tuple[Size, ...]


@dataclass(frozen=True)
class Product:
    """A product of two or more symbols, sorted, some perhaps more than once."""

    factors: tuple[str, ...]

    @property
    def name(self) -> str:
        """What isl, which multiplies no unknowns, calls it."""
        return "ps_times_" + "_".join(self.factors)


Atom = Symbol | Product | FloorDiv | Extreme | Wrapped | Chosen


@dataclass(frozen=True)
class Size:
    """A sum of atoms with integer factors, and a constant; equal sums compare equal.

    Attributes
    ----------
    terms : tuple of (Atom, int)
        Sorted; no factor is zero.
    constant : int
        What is added.

    Examples
    --------
    >>> n = symbol("N")
    >>> str(n * 2 - n + 1), (n - n).constant, str(floor_div(n + 1, 2))
    ('N + 1', 0, '(N + 1) // 2')
    """

    terms: tuple[tuple[Atom, int], ...] = ()
    constant: int = 0

    @property
    def is_constant(self) -> bool:
        """Whether it is a number."""
        return not self.terms

    @property
    def has_extreme(self) -> bool:
        """Whether a least or greatest value is among its terms."""
        return any(isinstance(atom, Extreme) for atom, _ in self.terms)

    @property
    def products(self) -> tuple[Product, ...]:
        """Products in it, those in parts of its atoms included."""
        found: list[Product] = []
        for atom, _ in self.terms:
            found += [atom] if isinstance(atom, Product) else []
            found += [p for part in _parts(atom) for p in part.products]
        return tuple(found)

    @property
    def chosen(self) -> tuple[Chosen, ...]:
        """Elements of arrays in it, not those that say where in one."""
        found: list[Chosen] = []
        for atom, _ in self.terms:
            if isinstance(atom, Chosen):
                found.append(atom)
            else:
                found += [c for part in _parts(atom) for c in part.chosen]
        return tuple(found)

    def __add__(self, other: Size | int) -> Size:
        other = as_size(other)
        factors = dict(self.terms)
        for atom, factor in other.terms:
            factors[atom] = factors.get(atom, 0) + factor
        kept = [(a, f) for a, f in factors.items() if f]
        kept.sort(key=lambda t: (not isinstance(t[0], Symbol), str(t[0]), t[1]))
        return Size(tuple(kept), self.constant + other.constant)

    def __mul__(self, factor: int) -> Size:
        if not factor:
            return Size()
        return Size(
            tuple((a, f * factor) for a, f in self.terms), self.constant * factor
        )

    def __neg__(self) -> Size:
        return self * -1

    def __sub__(self, other: Size | int) -> Size:
        return self + as_size(other) * -1

    def __str__(self) -> str:
        return self.to_text("python")

    def symbols(self) -> Iterator[str]:
        """Names of all symbols, with repetitions."""
        for atom, _ in self.terms:
            if isinstance(atom, Symbol):
                yield atom.name
            elif isinstance(atom, Product):
                yield from atom.factors
            else:
                for part in _parts(atom):
                    yield from part.symbols()

    def substitute(self, values: Mapping[str, Size]) -> Size:
        """The size with symbols replaced."""
        if not values or not any(s in values for s in self.symbols()):
            return self
        result = Size((), self.constant)
        for atom, factor in self.terms:
            result = result + _substitute(atom, values) * factor
        return result

    def _remainder_text(self, language: Language) -> str:
        """``value % divisor`` if that is what the sum is."""
        for atom, factor in self.terms:
            if isinstance(atom, FloorDiv) and factor == -atom.divisor:
                rest = Size(tuple(t for t in self.terms if t[0] != atom), self.constant)
                if rest != atom.value or language == "isl":
                    continue
                inner = rest.to_text(language)
                inner = inner if inner.isidentifier() else f"({inner})"
                if atom.is_plain or language == "python":
                    return f"{inner} % {atom.divisor}"
                return f"({inner} % {atom.divisor} + {atom.divisor}) % {atom.divisor}"
        return ""

    def to_text(self, language: Language) -> str:
        """The expression in C, Python or isl."""
        text = self._remainder_text(language)
        if text:
            return text
        for atom, factor in self.terms:
            part = _atom_text(atom, language, alone=abs(factor) == 1)
            if abs(factor) != 1:
                part = f"{abs(factor)} * {part}"
            if not text:
                text = part if factor > 0 else f"-{part}"
            else:
                text += f" + {part}" if factor > 0 else f" - {part}"
        if not text:
            return str(self.constant)
        if self.constant:
            text += f" {'+' if self.constant > 0 else '-'} {abs(self.constant)}"
        return text


def as_size(value: Size | int) -> Size:
    """An integer as a `Size`."""
    return value if isinstance(value, Size) else Size((), value)


def symbol(name: str) -> Size:
    """A symbol as a `Size`."""
    return Size(((Symbol(name), 1),))


def floor_div(value: Size, divisor: int, is_plain: bool = False) -> Size:
    """``floor(value / divisor)`` for a divisor that is not zero."""
    if divisor < 0:
        return floor_div(-value, -divisor)
    inner = [(a, f) for a, f in value.terms if f % divisor]
    outer = Size(
        tuple((a, f // divisor) for a, f in value.terms if f % divisor == 0),
        value.constant // divisor if not inner else 0,
    )
    if not inner:
        return outer
    whole = value.constant - value.constant % divisor
    rest = Size(tuple(inner), value.constant - whole)
    if is_plain and (whole or len(inner) != len(value.terms)):
        rest, outer, whole = value, Size(), 0
    atom = FloorDiv(rest, divisor, is_plain)
    return outer + Size(((atom, 1),), whole // divisor)


def modulo(value: Size, divisor: int, is_plain: bool = False) -> Size:
    """The remainder that has the sign of `divisor`."""
    return value - floor_div(value, divisor, is_plain) * divisor


def extreme(kind: Literal["min", "max"], values: tuple[Size, ...]) -> Size:
    """The least or greatest; values that differ by a constant are compared."""
    kept: list[Size] = []
    for value in values:
        for k, other in enumerate(kept):
            gap = value - other
            if gap.is_constant:
                if (gap.constant < 0) == (kind == "min"):
                    kept[k] = value
                break
        else:
            kept.append(value)
    if len(kept) == 1:
        return kept[0]
    return Size(((Extreme(kind, tuple(kept)), 1),))


def wrapped(value: Size, extent: Size) -> Size:
    """``value``, or ``value + extent`` when it is negative."""
    return Size(((Wrapped(value, extent), 1),))


def product(one: Size, two: Size) -> Size | None:
    """The product of two sums of products; None if there are other atoms in them.

    Examples
    --------
    >>> h, w = symbol("h"), symbol("w")
    >>> str(product(h + 1, w * 2))
    '2 * w + 2 * h * w'
    """
    result = as_size(one.constant * two.constant)
    result = result + Size(one.terms) * two.constant + Size(two.terms) * one.constant
    for first, factor in one.terms:
        for second, other in two.terms:
            names = (_factors(first), _factors(second))
            if not all(names):
                return None
            atom = Product(tuple(sorted((*names[0], *names[1]))))
            result = result + Size(((atom, factor * other),))
    return result


def _factors(atom: Atom) -> tuple[str, ...]:
    """What an atom is the product of; nothing if it is none of symbols."""
    if isinstance(atom, Symbol):
        return (atom.name,)
    return atom.factors if isinstance(atom, Product) else ()


def chosen(array: str, subscripts: tuple[Size, ...]) -> Size:
    """An element of an array of integers."""
    return Size(((Chosen(array, subscripts), 1),))


def _parts(atom: Atom) -> tuple[Size, ...]:
    if isinstance(atom, FloorDiv):
        return (atom.value,)
    if isinstance(atom, Extreme):
        return atom.values
    if isinstance(atom, Wrapped):
        return (atom.value, atom.extent)
    if isinstance(atom, Chosen):
        return atom.subscripts
    return ()


def _substitute(atom: Atom, values: Mapping[str, Size]) -> Size:
    if isinstance(atom, Symbol):
        return values.get(atom.name) or (
            values[atom.name] if atom.name in values else Size(((atom, 1),))
        )
    if isinstance(atom, Product):
        result = as_size(1)
        for name in atom.factors:
            found = product(result, values.get(name, symbol(name)))
            if found is None:
                raise ProductError(name)
            result = found
        return result
    parts = tuple(p.substitute(values) for p in _parts(atom))
    if isinstance(atom, FloorDiv):
        return floor_div(parts[0], atom.divisor, atom.is_plain)
    if isinstance(atom, Extreme):
        return extreme(atom.kind, parts)
    if isinstance(atom, Chosen):
        return chosen(atom.array, parts)
    return wrapped(parts[0], parts[1])


def _atom_text(atom: Atom, language: Language, alone: bool) -> str:
    if isinstance(atom, Symbol):
        return atom.name
    if isinstance(atom, Product):
        return atom.name if language == "isl" else " * ".join(atom.factors)
    texts = [p.to_text(language) for p in _parts(atom)]
    if isinstance(atom, FloorDiv):
        return _div_text(atom, texts[0], language, alone)
    if isinstance(atom, Extreme):
        if language != "c":
            return f"{atom.kind}({', '.join(texts)})"
        result = texts[0]
        sign = "<" if atom.kind == "min" else ">"
        for text in texts[1:]:
            result = f"({result} {sign} {text} ? {result} : {text})"
        return result
    if isinstance(atom, Chosen):
        assert language != "isl"
        separator = "][" if language == "c" else ", "
        return f"{atom.array}[{separator.join(texts)}]"
    value, more = texts[0], (atom.value + atom.extent).to_text(language)
    if language == "python":
        return f"({more} if {value} < 0 else {value})"
    return f"({value} < 0 ? {more} : {value})"


def _div_text(atom: FloorDiv, inner: str, language: Language, alone: bool) -> str:
    divisor = atom.divisor
    if language == "isl":
        return f"floor(({inner})/{divisor})"
    if not inner.isidentifier():
        inner = f"({inner})"
    if language == "python":
        text = f"{inner} // {divisor}"
    elif atom.is_plain:
        text = f"{inner} / {divisor}"
    else:
        text = f"({inner} - ({inner} % {divisor} + {divisor}) % {divisor}) / {divisor}"
    return text if alone else f"({text})"
