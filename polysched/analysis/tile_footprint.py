"""Bytes that a tile touches as a polynomial in its sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy

from polysched.analysis.program_features import operation_count
from polysched.analysis.rationals import Vector
from polysched.analysis.statement_nest import StatementNest, statement_nests
from polysched.analysis.strides import Reference
from polysched.ir import ScheduleTree, Scop


@dataclass(frozen=True)
class TileForm:
    """One statement's tile.

    Attributes
    ----------
    statement : str
    footprint_bytes : sympy.Expr
        Bytes that a box of ``T1`` by ``T2`` by ... iterations touches, the symbols in
        the order of the point loops. References of one array that differ by constants
        count once, by the hull of their boxes, as in `box_footprint`.
    operations : sympy.Expr
        Arithmetic operations of such a box.
    levels : tuple of mapping of str to int
        Tile sizes by symbol, the outermost level of tiling first; loops that are not
        tiled are left out. Empty for a statement without tiles.
    """

    statement: str
    footprint_bytes: sympy.Expr
    operations: sympy.Expr
    levels: tuple[Mapping[str, int], ...]

    @property
    def operations_per_byte(self) -> sympy.Expr:
        """Arithmetic intensity in terms of the sizes."""
        return sympy.cancel(self.operations / self.footprint_bytes)

    def at_level(self, level: int) -> sympy.Expr:
        """The footprint with the sizes of one level of tiling."""
        sizes = self.levels[level]
        known = {_size_symbol(name): size for name, size in sizes.items()}
        return self.footprint_bytes.subs(known)


def tile_forms(tree: ScheduleTree, scop: Scop) -> tuple[TileForm, ...]:
    """The footprint polynomial of every statement that has loops.

    Parameters
    ----------
    tree : ScheduleTree
        Tiled or not.
    scop : Scop
        What it schedules; statements without a known body count one operation.
    """
    return tuple(
        _tile_form(nest, scop) for nest in statement_nests(tree, scop) if nest.points
    )


def _size_symbol(name: str) -> sympy.Symbol:
    return sympy.Symbol(name, integer=True, positive=True)


def _tile_form(nest: StatementNest, scop: Scop) -> TileForm:
    names = {k: f"T{position}" for position, k in enumerate(nest.points, 1)}
    sizes = {k: _size_symbol(name) for k, name in names.items()}
    groups: dict[tuple[str, tuple[Vector, ...]], list[Reference]] = {}
    for r in nest.references:
        groups.setdefault((r.array, r.rows), []).append(r)
    total = sympy.Integer(0)
    for (array, rows), found in groups.items():
        widths = [_width(k, row, found, nest, sizes) for k, row in enumerate(rows)]
        total += scop.array(array).type.n_bytes * sympy.Mul(*widths)
    body = scop.statement(nest.name).body
    work = sum(operation_count(action) for action in body) if body else 1
    per_loop = {names[k]: nest.tile_sizes(nest.members[k]) for k in nest.points}
    n_levels = max(len(found) for found in per_loop.values())
    levels = tuple(
        {n: s[level] for n, s in per_loop.items() if level < len(s)}
        for level in range(n_levels)
    )
    return TileForm(
        nest.name, sympy.expand(total), work * sympy.Mul(*sizes.values()), levels
    )


def _width(
    subscript: int,
    row: Vector,
    found: Sequence[Reference],
    nest: StatementNest,
    sizes: Mapping[int, sympy.Symbol],
) -> sympy.Expr:
    """Values that one subscript takes over the box, the spread of the group added."""
    offsets = [r.offsets[subscript] for r in found]
    width = 1 + sympy.Rational(max(offsets) - min(offsets))
    for k, size in sizes.items():
        direction = nest.directions[k]
        assert direction is not None
        step = sum(a * b for a, b in zip(row, direction, strict=True))
        width += abs(sympy.Rational(step)) * (size - 1)
    return width
