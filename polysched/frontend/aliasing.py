"""Pointers that plainly point into another array of the same SCoP.

Distinct names are taken not to overlap. That is a promise the user makes without saying
so; where the function itself breaks it in front of the scop (``double *p = A;``), the
SCoP is refused. Two pointers that it sets into one array, ``lo = A; hi = A + 512;``,
are apart for sizes with which no element that one writes is the other's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import islpy as isl
from pycparser import c_ast

from polysched.frontend.declarations import Symbol
from polysched.frontend.objects import Object
from polysched.ir import Statement
from polysched.sets import read_map, read_set


def find_overlap(
    function: Any, symbols: Sequence[Symbol], written: set[Symbol]
) -> tuple[Symbol, Symbol, Any] | None:
    """A local pointer, the accessed array it was set from, and where.

    Parameters
    ----------
    function : FuncDef
        The function around the SCoP.
    symbols : sequence of Symbol
        What the SCoP accesses.
    written : set of Symbol
        What it writes: two objects that are only read may overlap.
    """
    for pointer in symbols:
        if not pointer.is_pointer:
            continue
        for value in _values(function.body, pointer.name):
            for other in symbols:
                if other is pointer or not {other, pointer} & written:
                    continue
                if _is_swapped(function, other):
                    continue
                if _leads_to(value, other.name):
                    return pointer, other, value
    return None


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Two pointers that a function sets into one array.

    Attributes
    ----------
    first, second : str
        Names of the arrays that they stand for.
    distance : int
        Elements from where the first points to where the second does.
    node : node
        What the second is set to.
    """

    first: str
    second: str
    distance: int
    node: Any

    def common(self, statements: Sequence[Statement]) -> isl.Set:
        """Elements of the array that one writes and the other touches."""
        found = read_set("{ [e] : false }")
        for one, other, shift in (
            (self.first, self.second, self.distance),
            (self.second, self.first, -self.distance),
        ):
            moved = read_map(f"{{ [e] -> [e + {shift}] }}")
            written = _elements(statements, one, writes_only=True)
            touched = _elements(statements, other, writes_only=False).apply(moved)
            found = found.union(written.intersect(touched))
        return found


def find_neighbours(function: Any, objects: Sequence[Object]) -> Iterator[Neighbours]:
    """Pointers that a function sets once, by constants apart, into one array.

    Parameters
    ----------
    function : FuncDef
        The function around the SCoP.
    objects : sequence of Object
        What the SCoP accesses.
    """
    places = []
    for item in objects:
        values = list(_values(function.body, item.symbol.name))
        place = (
            _place(values[0]) if item.symbol.is_pointer and len(values) == 1 else None
        )
        if place is not None:
            places.append((item.name, *place, values[0]))
    for (one, root, start, _), (other, base, behind, node) in combinations(places, 2):
        if root == base and one != other:
            yield Neighbours(one, other, behind - start, node)


def _elements(
    statements: Sequence[Statement], array: str, *, writes_only: bool
) -> isl.Set:
    found = read_set("{ [e] : false }")
    for statement in statements:
        for access in statement.writes if writes_only else statement.accesses:
            relation = access.relation.intersect_domain(statement.domain)
            if access.array == array and relation.dim(isl.dim_type.out) == 1:
                found = found.union(relation.range().reset_tuple_id())
    return found


def _place(value: Any) -> tuple[str, int] | None:
    """The array that an address is of, and how far behind its start it is."""
    match value:
        case c_ast.ID():
            return str(value.name), 0
        case c_ast.UnaryOp(op="&", expr=c_ast.ArrayRef(name=root, subscript=at)):
            place, number = _place(root), _number(at)
            return _behind(place, number)
        case c_ast.BinaryOp(op="+" | "-" as op):
            number = _number(value.right)
            sign = 1 if op == "+" else -1
            return _behind(
                _place(value.left), None if number is None else sign * number
            )
    return None


def _behind(
    place: tuple[str, int] | None, number: int | None
) -> tuple[str, int] | None:
    if place is None or number is None:
        return None
    return place[0], place[1] + number


def _number(node: Any) -> int | None:
    if not isinstance(node, c_ast.Constant) or node.type not in {"int", "long int"}:
        return None
    return int(node.value.rstrip("uUlL"), 0)


def _is_swapped(function: Any, symbol: Symbol) -> bool:
    """Whether a local pointer is assigned anew: two buffers that take turns."""
    local = symbol.is_pointer and symbol.storage == "local"
    return local and len(list(_values(function.body, symbol.name))) > 1


def _values(node: Any, name: str) -> Iterator[Any]:
    """What a variable is set to."""
    if isinstance(node, c_ast.Decl) and node.name == name and node.init is not None:
        yield node.init
    if (
        isinstance(node, c_ast.Assignment)
        and isinstance(node.lvalue, c_ast.ID)
        and node.lvalue.name == name
    ):
        yield node.rvalue
    for _, child in node.children():
        yield from _values(child, name)


def _leads_to(value: Any, name: str) -> bool:
    """Whether an address expression starts from a variable."""
    if isinstance(value, c_ast.ID):
        return bool(value.name == name)
    if isinstance(value, (c_ast.ArrayRef, c_ast.StructRef)):
        return _leads_to(value.name, name)
    if isinstance(value, c_ast.Cast):
        return _leads_to(value.expr, name)
    if isinstance(value, c_ast.UnaryOp):
        return value.op in {"&", "*"} and _leads_to(value.expr, name)
    if isinstance(value, c_ast.BinaryOp):
        return _leads_to(value.left, name) or _leads_to(value.right, name)
    if isinstance(value, c_ast.TernaryOp):
        return _leads_to(value.iftrue, name) or _leads_to(value.iffalse, name)
    return False
