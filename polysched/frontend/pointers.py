"""Pointers that a SCoP declares to walk along a row: ``double *row = A[i];``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pycparser import c_ast

from polysched.frontend.declarations import Symbol
from polysched.frontend.literals import integer
from polysched.ir import Binary, Cast, Const, Expr, types


@dataclass(frozen=True, eq=False)
class Place:
    """The element of an array that a pointer points to.

    Attributes
    ----------
    base : ID
        The array's name where the pointer was set.
    subscripts : tuple of Expr
        Of the element; what the pointer is subscripted with adds to the last.
    """

    base: Any
    subscripts: tuple[Expr, ...]

    def moved(self, distance: Expr, op: str = "+") -> Place:
        """So many elements further on, or back with ``-``."""
        *outer, last = self.subscripts
        return Place(self.base, (*outer, _sum(op, last, distance)))

    def element(self, subscripts: tuple[Expr, ...]) -> tuple[Expr, ...]:
        """Subscripts of the array for those of the pointer."""
        first, *inner = subscripts
        return (*self.moved(first).subscripts, *inner)


@dataclass(frozen=True)
class PlaceReader:
    """Reads addresses in an array.

    Parameters
    ----------
    read : callable
        Reads an integer expression.
    symbol : callable
        What a name means.
    known : mapping of Symbol to Place
        Pointers whose place is known.
    """

    read: Callable[[Any], Expr]
    symbol: Callable[[Any], Symbol]
    known: Mapping[Symbol, Place]

    def place(self, node: Any) -> Place | None:
        """Where an address expression points; None if it has another form.

        ``A``, ``A[i]``, ``&A[i][j]``, ``*(A + i)``, these plus or minus an integer.
        """
        match node:
            case c_ast.ID() if not self.symbol(node).is_integer:
                known = self.known.get(self.symbol(node))
                return known or Place(node, (integer(0),))
            case c_ast.ArrayRef():
                row = self._element(node)
                return row and Place(row.base, (*row.subscripts, integer(0)))
            case c_ast.UnaryOp(op="&", expr=c_ast.ArrayRef()):
                return self._element(node.expr)
            case c_ast.UnaryOp(op="*"):
                start = self.place(node.expr)
                return start and Place(start.base, (*start.subscripts, integer(0)))
            case c_ast.BinaryOp(op="+" | "-"):
                start, distance = self.place(node.left), node.right
                if start is None and node.op == "+":
                    start, distance = self.place(node.right), node.left
                return start and start.moved(self.read(distance), node.op)
        return None

    def _element(self, node: Any) -> Place | None:
        """An element or row of an array, as its place."""
        subscripts: list[Any] = []
        while isinstance(node, c_ast.ArrayRef):
            subscripts.insert(0, node.subscript)
            node = node.name
        if not isinstance(node, c_ast.ID):
            return None
        values = tuple(self.read(s) for s in subscripts)
        known = self.known.get(self.symbol(node))
        if known is not None:
            return Place(known.base, known.element(values))
        return Place(node, values)


def _sum(op: str, left: Expr, right: Expr) -> Expr:
    """A sum as of addresses, which unsigned distances do not wrap."""
    if op == "+" and isinstance(left, Const) and left.value == 0:
        return right
    return Binary(op, _signed(left), _signed(right))


def _signed(distance: Expr) -> Expr:
    return Cast(types.LONG, distance) if distance.dtype.kind == "uint" else distance
