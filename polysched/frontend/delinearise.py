"""Flat subscripts ``A[i*n + j]`` seen as ``A[i][j]``, with the proof that they may be.

The idea, of recovering dimensions from the symbolic factors of a flat subscript, is
that of Grosser et al., "Optimistic delinearization of parametrically sized arrays",
ICS 2015. Here every inner subscript is shown by isl to stay inside its dimension; where
that needs a relation between parameters, the relation becomes an assumption.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise, product
from math import gcd

import islpy as isl

from polysched.frontend.accesses import PathWalker
from polysched.frontend.affine import Affine
from polysched.frontend.assumptions import Assumptions
from polysched.frontend.builder import Draft
from polysched.frontend.exact_values import NotAffine
from polysched.frontend.flat_dimensions import Shape, set_dimensions, with_dimensions
from polysched.frontend.local_ranges import Between, at_corners, find_ranges
from polysched.frontend.objects import Object
from polysched.frontend.polynomial import Monomial, Polynomial, read_polynomial
from polysched.frontend.products import Products
from polysched.ir import Binary, Element, Expr, Local, Param, types
from polysched.sets import param_names, read_set

_MIN_CONSTANT_PITCH = 4
_MIN_INNER_PITCH = 8  # the colours of a pixel stay side by side
_MAX_CONSTANT_PITCHES = 4


class CannotDelinearise(Exception):  # noqa: N818  a verdict inside the room
    """Flat accesses that fit no dimensions.

    Attributes
    ----------
    expr : Expr
        The load, or the part of its subscript, at fault.
    array : str
        Name of the array.
    reason : str
        Why.
    """

    def __init__(self, load: Element, reason: str, expr: Expr | None = None) -> None:
        super().__init__(reason)
        self.expr = expr or load
        self.array = load.array
        self.reason = reason


@dataclass(frozen=True, eq=False)
class FlatAccess:
    """One flat access and the instances that make it.

    Attributes
    ----------
    load : Load
        What is accessed.
    position : int
        Which of its subscripts is the flat one, from the end.
    affine, domain : Affine, isl.Set
        Of the place that the access stands in.
    ranges : mapping of Local to Between
        Of the variables of loops inside its statement.
    """

    load: Element
    position: int
    affine: Affine
    domain: isl.Set
    ranges: Mapping[Local, Between]

    @property
    def subscript(self) -> Expr:
        """The flat subscript."""
        return self.load.subscripts[self.position]

    def verdict(self) -> NotAffine | None:
        """Why the flat subscript is not affine as it stands; None if it is."""
        try:
            for corner, domain in self.corners(self.subscript):
                self.affine.value(corner, domain)
        except NotAffine as verdict:
            return verdict
        return None

    def reached(self) -> isl.Set:
        """Instances that surely have the access, if nothing else forbids it."""
        _, domain = next(self.corners(self.subscript))
        return domain

    def corners(self, expr: Expr) -> Iterator[tuple[Expr, isl.Set]]:
        """An expression where loops inside the statement begin and end.

        Each with the instances in which these loops turn at all.
        """
        for corner, met in at_corners(expr, self.ranges):
            domain = self.domain
            for between in met:
                turns = Binary("<=", between.first, between.last)
                domain = self.affine.condition(turns, domain)
            yield corner, domain


def delinearise(
    drafts: Sequence[Draft], objects: Iterable[Object], assumptions: Assumptions,
    products: Products,
) -> list[Draft]:  # fmt: skip
    """Give flat arrays their dimensions; other arrays are left as they are.

    Raises
    ------
    CannotDelinearise
        If an access is not affine and no dimensions fit all accesses of its array.
    """
    flat = {o.name: o for o in objects if o.n_subscripts}
    accesses = _gather(drafts, flat)
    chosen: list[tuple[Object, dict[int, Shape]]] = []
    for name, array in flat.items():
        shapes: dict[int, Shape] = {}
        for k in range(array.n_subscripts):
            found = accesses.get((name, k))
            if found is None or (array.n_subscripts > 1 and not _may_be_flat(found)):
                continue
            shape = _find_shape(found, array, assumptions, products)
            if shape is not None:
                _check_rows(found, array)
                shapes[k] = shape
        if shapes:
            chosen.append((array, shapes))
    result = list(drafts)
    for array, shapes in chosen:  # nothing changes unless all arrays fit
        result = [with_dimensions(d, array, shapes) for d in result]
        set_dimensions(array, shapes)
    return result


def _gather(
    drafts: Iterable[Draft], flat: Mapping[str, Object]
) -> dict[tuple[str, int], list[FlatAccess]]:
    """Accesses by array and position among the subscripts that C has."""
    accesses: dict[tuple[str, int], list[FlatAccess]] = {}
    for draft in drafts:
        affine = draft.nest.affine

        ranges = find_ranges(draft.body)

        def note(load: Element, domain: isl.Set, written: bool = False) -> None:
            array = flat.get(load.array)
            if array is None:
                return
            for k in range(array.n_subscripts):
                position = k - len(array.extents)
                found = FlatAccess(load, position, affine, domain, ranges)  # noqa: B023
                accesses.setdefault((load.array, k), []).append(found)

        walker = PathWalker(affine, note, note)
        for action in draft.body:
            walker.action(action, draft.nest.domain)
    return accesses


def _may_be_flat(found: list[FlatAccess]) -> bool:
    """Whether what varies is multiplied with parameters, as far as the text tells."""
    return any(
        True for a in found for _ in read_polynomial(a.subscript).bent_monomials()
    )


def _check_rows(found: list[FlatAccess], array: Object) -> None:
    """Beside other subscripts it has to be known how long rows are."""
    if None in array.extents[1:]:
        raise CannotDelinearise(
            found[0].load, "one of several subscripts is flat, and a size in the "
            "array's declaration may change behind it or is no parameter",
        )  # fmt: skip


def _find_shape(
    found: list[FlatAccess], array: Object, assumptions: Assumptions,
    products: Products,
) -> Shape | None:  # fmt: skip
    """The shape that fits all accesses; None to leave the subscript as it is."""
    bent = [(a.load, v) for a in found if (v := a.verdict()) is not None]
    polynomials = [read_polynomial(a.subscript) for a in found]
    if bent:
        monomials = {m for p in polynomials for m in p.bent_monomials()}
        load, verdict = bent[0]
        if not monomials:
            raise CannotDelinearise(load, verdict.reason, verdict.expr)
        try:
            pitches = _chain(monomials, load)
        except CannotDelinearise:
            shape = _loose_shape(found, monomials, assumptions, products)
            if shape is None:
                raise
            return shape
        wide = _chain({_widened(m, polynomials) for m in monomials}, load)
        if wide == pitches:
            return _check_all(found, Shape(pitches, {}, products), assumptions)
        return _narrow_or_wide(found, (pitches, wide), assumptions, products)
    if array.loops or array.n_subscripts > 1:
        return None
    for pitches in _constant_pitches(polynomials):
        trial = Assumptions()
        trial.context = assumptions.context
        try:
            shape = _check_all(found, Shape(pitches, {}, products), trial)
        except CannotDelinearise:
            continue
        if trial.holds.plain_is_universe():
            return shape
    return None


def _chain(monomials: set[Monomial], load: Element) -> tuple[Monomial, ...]:
    """Pitches, each dividing the one before."""
    ordered = sorted(monomials, key=lambda m: (-m.degree, -m.factor, m.text))
    for big, small in pairwise(ordered):
        if not big.is_multiple_of(small):
            raise CannotDelinearise(
                load, f"its subscripts are multiples of both {big.text} and "
                f"{small.text}, which fit no array dimensions",
            )  # fmt: skip
    return tuple(ordered)


def _loose_shape(
    found: list[FlatAccess], monomials: set[Monomial], assumptions: Assumptions,
    products: Products,
) -> Shape | None:  # fmt: skip
    """Pitches of which the last does not divide the one before.

    As many rows as a parameter says have to be all that there are, and to fit into one
    of the longer ones, which is assumed.
    """
    *outer, first, second = sorted(monomials, key=lambda m: (-m.degree, m.text))
    plain = first.degree == second.degree == 1 and first.factor == second.factor == 1
    met = [set(read_polynomial(a.subscript).bent_monomials()) for a in found]
    if not plain or any(not {first, second} <= both for both in met):
        return None
    names = sorted({n for a in found for n in param_names(a.domain)} - products.names)
    for big, small in ((first, second), (second, first)):
        pitches = (*outer, big, small)
        if any(not a.is_multiple_of(b) for a, b in pairwise(pitches[:-1])):
            continue
        for name in names:
            rows = Param(name, types.INT)
            trial = Assumptions()
            trial.context, trial.range = assumptions.context, assumptions.range
            shape = Shape(pitches, {}, products, rows)
            try:
                _check_all(found, shape, trial)
            except CannotDelinearise:
                continue
            if _rests_on(trial.holds, big):  # one row, or none
                continue
            n_rows = len(shape.extents) - 2
            if any(not _outside(a, shape, (n_rows,)).is_empty() for a in found):
                continue
            if _assume_room(rows, small, big, assumptions, products):
                assumptions.holds = assumptions.holds.intersect(trial.holds)
                return shape
    return None


def _rests_on(holds: isl.Set, pitch: Monomial) -> bool:
    """Whether an assumption names the size that a pitch is."""
    (size,) = pitch.factors
    at = holds.find_dim_by_name(isl.dim_type.param, getattr(size, "name", ""))
    return at >= 0 and bool(holds.involves_dims(isl.dim_type.param, at, 1))


def _assume_room(
    rows: Param, small: Monomial, big: Monomial, assumptions: Assumptions,
    products: Products,
) -> bool:  # fmt: skip
    """Assume that so many short rows fit into a long one; False if that may not be."""
    (limit,) = big.factors
    total = products.find(Monomial((rows,)).times(small).factors, types.LONG)
    if total is None or not isinstance(limit, Param):
        return False
    a, b = total.name, limit.name
    fits = read_set(f"[{a}, {b}] -> {{ : {a} <= {b} }}")
    assumptions.holds = assumptions.holds.intersect(fits)
    return True


def _narrow_or_wide(
    found: list[FlatAccess], choices: tuple[tuple[Monomial, ...], tuple[Monomial, ...]],
    assumptions: Assumptions, products: Products,
) -> Shape:  # fmt: skip
    """The first pitches that assume nothing new, else the first that fit at all."""
    holds, fitting = assumptions.holds, []
    for pitches in choices:
        assumptions.holds = holds
        try:
            shape = _check_all(found, Shape(pitches, {}, products), assumptions)
        except CannotDelinearise:
            continue
        if assumptions.holds.is_equal(holds):
            return shape
        fitting.append((shape, assumptions.holds))
    assumptions.holds = holds
    if not fitting:
        return _check_all(found, Shape(choices[1], {}, products), assumptions)
    shape, assumptions.holds = fitting[0]
    return shape


def _widened(monomial: Monomial, polynomials: Sequence[Polynomial]) -> Monomial:
    """A pitch times what all subscripts multiply it with, as 3 of ``3*(i*n + j)``."""
    factors = [
        abs(t.factor)
        for p in polynomials
        for t in p.terms
        if t.atom is not None and t.monomial.factors == monomial.factors
    ]
    return Monomial(monomial.factors, gcd(*factors))


def _constant_pitches(
    polynomials: Sequence[Polynomial],
) -> Iterator[tuple[Monomial, ...]]:
    """Constant row lengths that all subscripts may share, most dimensions first."""
    steps = Counter(abs(c) for p in polynomials for c in p.iterator_coefficients())
    largest = max(steps, default=0)
    if largest < _MIN_CONSTANT_PITCH:
        return
    inner = [c for c, _ in steps.most_common() if _MIN_INNER_PITCH <= c < largest]
    tried = (largest, *sorted(inner[: _MAX_CONSTANT_PITCHES - 1], reverse=True))
    for n in range(len(tried), 0, -1):
        for chosen in combinations(tried, n):
            if all(big % small == 0 for big, small in pairwise(chosen)):
                yield tuple(Monomial(factor=c) for c in chosen)


def _check_all(
    found: list[FlatAccess], shape: Shape, assumptions: Assumptions
) -> Shape:
    """Choose how each subscript is split, and prove that it stays in its row."""
    for access in found:
        if access.subscript in shape.shifts:
            candidates = [shape.shifts[access.subscript]]
        else:
            candidates = _shifts(len(shape.pitches), not shape.pitches[0].degree)
        _choose(access, shape, candidates, assumptions)
    return shape


def _shifts(n: int, in_all: bool) -> list[tuple[int, ...]]:
    """No shift first, then one row up or down in one dimension, or in all of them."""
    if in_all:
        return sorted(product((0, 1, -1), repeat=n), key=lambda s: sum(map(abs, s)))
    none = (0,) * n
    single = [
        tuple(s if k == j else 0 for k in range(n)) for j in range(n) for s in (1, -1)
    ]
    return [none, *single]


def _choose(
    access: FlatAccess, shape: Shape, candidates: list[tuple[int, ...]],
    assumptions: Assumptions,
) -> None:  # fmt: skip
    """Take the first split that is always right, else one right under assumptions."""
    outside = []
    for shift in candidates:
        trial = replace(shape, shifts={access.subscript: shift})
        bad = _outside(access, trial)
        if bad.is_empty():
            shape.shifts[access.subscript] = shift
            return
        outside.append((bad, shift))
    for bad, shift in outside:
        if _is_hopeless(bad, shape):
            continue
        if assumptions.exclude(bad, access.reached()):
            shape.shifts[access.subscript] = shift
            return
    raise CannotDelinearise(
        access.load, "an inner subscript may leave its row, so that two elements "
        "of the model would be one in memory",
    )  # fmt: skip


def _is_hopeless(bad: isl.Set, shape: Shape) -> bool:
    """Whether a row would have to be as long as a product of sizes, and is none."""
    names = shape.products.names
    rows = {e.name for e in shape.extents if isinstance(e, Param)}
    return bool(names & set(param_names(bad))) and not names & rows


def _outside(
    access: FlatAccess, shape: Shape, only: Sequence[int] | None = None
) -> isl.Set:
    """Instances at which an inner subscript is outside of its dimension.

    Of all but the outermost, or of some of these, counted from 0.
    """
    affine = access.affine
    bad = access.domain.subtract(access.domain)
    try:
        subscripts = shape.subscripts(access.subscript)
        for corner, domain in access.corners(subscripts[0]):
            affine.value(corner, domain)
        inner = zip(subscripts[1:], shape.extents, strict=True)
        for k, (subscript, extent) in enumerate(inner):
            if only is not None and k not in only:
                continue
            for corner, domain in access.corners(subscript):
                value = affine.value(corner, domain)
                limit = affine.value(extent, domain)
                wrong = value.lt_set(affine.constant(0)).union(value.ge_set(limit))
                bad = bad.union(wrong.intersect(domain))
    except NotAffine as verdict:
        raise CannotDelinearise(access.load, verdict.reason, verdict.expr) from None
    return bad.coalesce()
