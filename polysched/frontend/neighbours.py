"""Two pointers that a function sets into one array: for which sizes they are apart.

With ``lo = A; hi = A + n;`` no element that one writes may be the other's. How far they
are apart is a sum over parameters, or, where both have rows of the same length, whole
rows: ``v = work + n*m`` is `n` rows of `m` behind ``u = work``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import islpy as isl
from pycparser import c_ast

from polysched.frontend.affine import read_exactly
from polysched.frontend.aliasing import is_stepped, values_of_name
from polysched.frontend.exact_values import NotAffine
from polysched.frontend.literals import fold, integer
from polysched.frontend.naming import is_free_for_isl
from polysched.frontend.objects import Object, Objects
from polysched.frontend.pointer_values import Value, Variable, number_type
from polysched.frontend.polynomial import Monomial, expr_text, read_polynomial
from polysched.frontend.scoping import ScopSite
from polysched.frontend.trees import assigned_names
from polysched.ir import Binary, Expr, Param, Statement, walk


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Two pointers that a function sets into one array.

    Attributes
    ----------
    first, second : Object
        What they stand for.
    distance : Expr
        Elements from where the first points to where the second does.
    node : node
        What the second is set to.
    """

    first: Object
    second: Object
    distance: Expr
    node: Any

    @property
    def distance_text(self) -> str:
        """The distance, for messages."""
        value = fold(self.distance)
        return expr_text(self.distance) if value is None else str(abs(value))

    def common(self, statements: Sequence[Statement]) -> isl.Set | None:
        """Elements that one writes and the other touches; None where unknown."""
        n_dim = len(self.first.extents)
        shifts = self._shifts()
        if shifts is None or n_dim != len(self.second.extents):
            return None
        found = isl.Set.empty(isl.Space.set_alloc(isl.DEFAULT_CONTEXT, 0, n_dim))
        for one, other, map_ in (
            (self.first, self.second, shifts),
            (self.second, self.first, shifts.reverse()),
        ):
            written = _elements(statements, one.name, n_dim, writes_only=True)
            touched = _elements(statements, other.name, n_dim, writes_only=False)
            found = found.union(written.intersect(touched.apply(map_)))
        return found

    def _shifts(self) -> isl.Map | None:
        """From subscripts of the second's elements to the first's."""
        inner = self.first.extents[1:]
        if inner != self.second.extents[1:]:
            return None
        rest = read_polynomial(self.distance)
        names = [f"e{k}" for k in range(len(self.first.extents))]
        affine = read_exactly(names)
        shifted = isl.MultiPwAff.identity_on_domain_space(affine.universe().get_space())
        pitch = Monomial()
        for extent in inner:
            factor = _monomial(extent)
            if factor is None:
                return None
            pitch = pitch.times(factor)
        rows, rest = rest.split(pitch)
        if inner and rest.terms:
            return None
        try:
            moved = affine.value(rows.to_expr(), affine.universe())
        except NotAffine:
            return None
        shifted = shifted.set_at(0, shifted.get_at(0).add(moved))
        return isl.Map.from_multi_pw_aff(shifted)


def find_neighbours(site: ScopSite, objects: Objects) -> Iterator[Neighbours]:
    """Pointers that a function sets once into one array, known distances apart.

    Parameters
    ----------
    site : ScopSite
        The SCoP, and the function around it.
    objects : Objects
        What the SCoP accesses.
    """
    places = []
    for item in objects.all():
        variable = site.pointers.variable(item.symbol)
        if variable is None or not item.symbol.is_pointer or item.layout is not None:
            continue
        if item.in_rows:
            continue
        value = _only_value(variable, site)
        if value is None:
            continue
        place = _place_of(item, value.node, site.function, objects)
        root = _root(value)
        if place is None or root is None:
            continue
        if fold(place[1]) != 0 and number_type(root) != item.type:
            continue  # a distance in other units
        if variable.lasts and not _is_constant(place[1]) and not _is_ahead(value, site):
            continue
        places.append((item, root, place[1], value.node))
    for (one, root, start, _), (other, base, behind, node) in combinations(places, 2):
        if root is base and one is not other:
            yield Neighbours(one, other, _less(behind, start), node)


def _only_value(variable: Variable, site: ScopSite) -> Value | None:
    """What a variable is set to, if that is one thing."""
    if not variable.lasts:
        if is_stepped(variable, site):
            return None
        nodes = list(values_of_name(site.function.body, variable.name))
        found = [v for v in variable.values if any(v.node is n for n in nodes)]
        return found[0] if len(nodes) == len(found) == 1 else None
    return variable.values[0] if len(variable.values) == 1 else None


def _root(value: Value) -> Variable | None:
    """The variable that an address starts from, of numbers."""
    is_plain = len(value.sources) == 1 and not value.is_member
    return value.sources[0] if is_plain else None


def _is_constant(expr: Expr) -> bool:
    return fold(expr) is not None


def _is_ahead(value: Value, site: ScopSite) -> bool:
    """Whether a value is set in front of the SCoP whatever happens."""
    ahead = (item for step in site.path for item in step.items[: step.index])
    return any(getattr(item, "rvalue", None) is value.node for item in ahead)


def _less(behind: Expr, start: Expr) -> Expr:
    return behind if fold(start) == 0 else Binary("-", behind, start)


def _elements(
    statements: Sequence[Statement], array: str, n_dim: int, *, writes_only: bool
) -> isl.Set:
    found = isl.Set.empty(isl.Space.set_alloc(isl.DEFAULT_CONTEXT, 0, n_dim))
    for statement in statements:
        for access in statement.writes if writes_only else statement.accesses:
            if access.array == array:
                relation = access.relation.intersect_domain(statement.domain)
                found = found.union(relation.range().reset_tuple_id())
    return found


def _place_of(
    item: Object, value: Any, function: Any, objects: Objects
) -> tuple[str, Expr] | None:
    """The place of a pointer, which may be cast to rows of the same numbers."""
    if not isinstance(value, c_ast.Cast):
        return _place(value, function, objects)
    place = _place(value.expr, function, objects)
    is_same = place is not None and objects.outer_number_type(place[0]) == item.type
    return place if is_same else None


def _place(value: Any, function: Any, objects: Objects) -> tuple[str, Expr] | None:
    """The array that an address is of, and how far behind its start it is."""
    match value:
        case c_ast.ID():
            return str(value.name), integer(0)
        case c_ast.UnaryOp(op="&", expr=c_ast.ArrayRef(name=root, subscript=at)):
            return _behind("+", root, at, function, objects)
        case c_ast.BinaryOp(op="+" | "-" as op):
            return _behind(op, value.left, value.right, function, objects)
    return None


def _behind(
    op: str, root: Any, at: Any, function: Any, objects: Objects
) -> tuple[str, Expr] | None:
    place = _place(root, function, objects)
    if place is None:
        return None
    number = objects.outer_value(at)
    if number is None or number.dtype.is_float or not _is_steady(number, function):
        return None
    if op == "+" and fold(place[1]) == 0:
        return place[0], number
    return place[0], Binary(op, place[1], number)


def _is_steady(expr: Expr, function: Any) -> bool:
    """Whether a value is the same at every place of the function."""
    names = {e.name for e in walk(expr) if isinstance(e, Param)}
    return all(map(is_free_for_isl, names)) and not names & assigned_names(
        function.body
    )


def _monomial(extent: Expr | None) -> Monomial | None:
    """The length of a row as a product."""
    if extent is None:
        return None
    value = fold(extent)
    if value is not None:
        return Monomial((), value) if value > 0 else None
    return Monomial((extent,))
