"""Terms of a sum in groups: where they lie, and whether a loop begins with one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import islpy as isl

from polysched.codegen.build import Built
from polysched.codegen.ctext import identifiers
from polysched.codegen.expr import ExprPrinter
from polysched.codegen.lanes import LaneReader, NotVectors
from polysched.codegen.linear import Linear
from polysched.codegen.nodes import Loop
from polysched.codegen.storage import Buffer
from polysched.codegen.tile_loops import TileLoops
from polysched.ir import Iter, Load, Statement
from polysched.sets import list_maps


@dataclass(frozen=True)
class Product:
    """A term: one factor in lanes, from a copy in groups, and one for all of them.

    Attributes
    ----------
    packed, row : Load
        The factors.
    buffer : Buffer
        Where the copy lies.
    lanes_are_natural : bool
        Of bytes: whether what the copy holds has no sign.
    """

    packed: Load
    row: Load
    buffer: Buffer
    lanes_are_natural: bool


@dataclass(frozen=True)
class Groups:
    """Whether terms of a loop lie in groups, one behind the other.

    Attributes
    ----------
    built : Built
        Where the loops come from.
    tile : TileLoops
        Of the sums.
    statement : Statement
        That adds to them.
    loop : Loop
        Along which terms follow each other.
    product : Product
        A term.
    """

    built: Built
    tile: TileLoops
    statement: Statement
    loop: Loop
    product: Product

    def check(self, reader: LaneReader) -> None:
        """Raise `NotVectors` unless a vector holds groups of neighbouring lanes.

        And what moves with the rows has neighbours along the loop.
        """
        packed, row = self.product.packed, self.product.row
        n = len(packed.subscripts)
        for k in range(n):
            now = reader.first.subscript(packed, k)
            move = reader.second.subscript(packed, k).plus(now, -1)
            if not move.is_constant or move.constant != int(k == n - 2):
                raise NotVectors
        lane = reader.first.subscript(packed, n - 2)
        if not lane.is_constant or lane.constant % self.tile.lanes:
            raise NotVectors
        if reader.stride(row):
            raise NotVectors
        *outer, last = (reader.first.subscript(row, k) for k in kept(reader.first, row))
        if any(self._moves(s) for s in outer) or self._weight(last) != 1:
            raise NotVectors
        self._check_iterators(reader.first)

    def _check_iterators(self, printer: ExprPrinter) -> None:
        """Raise `NotVectors` unless the loop moves the iterator of groups alone."""
        *others, inner = self.product.packed.subscripts
        for subscript in others:
            if isinstance(subscript, Iter) and self._moves(printer.index(subscript)):
                raise NotVectors
        if self._weight(printer.index(inner)) != 1:
            raise NotVectors

    def _moves(self, value: Linear) -> bool:
        return any(
            self.loop.iterator in identifiers(atom.text) for atom, _ in value.terms
        )

    def _weight(self, value: Linear) -> int:
        """What a value gains with the loop, 0 where that is no number."""
        moving = [
            (atom.text, weight)
            for atom, weight in value.terms
            if self.loop.iterator in identifiers(atom.text)
        ]
        match moving:
            case [(text, weight)] if text == self.loop.iterator:
                return weight
        return 0

    @property
    def begin_with_loop(self) -> bool:
        """Whether the loop begins with the first term of a group."""
        return self._places(last=False) == {0}

    @property
    def are_full(self) -> bool:
        """Whether it ends with the last term of one."""
        return self._places(last=True) == {self.tile.terms - 1}

    def _places(self, *, last: bool) -> set[int]:
        """Where in a group the loop's first or last terms are."""
        domain = self.built.domains[self.tile.instance.key]
        schedule = self.built.schedules[self.loop.key].intersect_domain(domain)
        (times,) = list_maps(schedule)
        runs = times.project_out(isl.dim_type.out, times.dim(isl.dim_type.out) - 1, 1)
        inner = self.product.packed.subscripts[-1]
        assert isinstance(inner, Iter)
        names = ", ".join(self.statement.iterators)
        value = isl.Map(f"{{ {self.statement.name}[{names}] -> [{inner.name}] }}")
        seen = runs.reverse().apply_range(value)
        ends = (seen.lexmax() if last else seen.lexmin()).range()
        n = self.tile.terms
        sets = (isl.Set(f"{{ [k] : k mod {n} = {place} }}") for place in range(n))
        return {k for k, s in enumerate(sets) if not ends.intersect(s).is_empty()}


def kept(printer: ExprPrinter, load: Load) -> Sequence[int]:
    """Positions of the subscripts that are written."""
    spelling = printer.arrays.get(load.array)
    if spelling is None or spelling.kept is None:
        return range(len(load.subscripts))
    return spelling.kept
