"""Rows of arrays that are asked for before they are read.

The processor foresees reads that go on along a row, up to the end of a page, and not
those of rows further on::

    const int ahead = it < n - 15 ? 8 : 0;
    for (j = ...; j += 512)
      __builtin_prefetch(&A[it + ahead][j], 0, 2); ...
    for (j = ...; j += 8) {
      __builtin_prefetch(&A[it + ahead][j], 0, 2); ...

The first loop asks for one line of each page. Where a page lies has to be looked up,
which takes longer than to bring a line, and the processor looks for several pages at a
time: one after the other, as the second loop gets to them, every one is waited for.

Nothing is asked for outside of an array: near its end the rows at hand are named again.
What is asked for goes to the second cache: the first one holds too little of it until
it is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from polysched.codegen.ctext import Text, binary, identifiers, integer, select
from polysched.codegen.lanes import NotVectors, PointPrinters, Position
from polysched.codegen.linear import Linear
from polysched.codegen.nodes import Block, Loop
from polysched.ir import Load, RowsAhead, ScalarType, Scop

PAGE_BYTES = 4096  # the small ones, as a program gets that asks for no others


@dataclass(frozen=True)
class Asked:
    """Loads of a block of rows that are asked for ahead.

    Attributes
    ----------
    points : PointPrinters
        The last loop is that over the rows.
    loads : tuple of Load
        Of arrays that go on behind the block.
    condition : Text
        Whether all rows so much further on lie within them.
    ahead : RowsAhead
        Which rows these are.
    name : str
        The variable that says how many rows further on a block asks for.
    """

    points: PointPrinters
    loads: tuple[Load, ...]
    condition: Text
    ahead: RowsAhead
    name: str

    def declare(self, type_: ScalarType) -> str:
        """The line in front of the loop along the rows."""
        far = select(self.condition, integer(self.ahead.distance), integer(0))
        return f"const {type_.name} {self.name} = {far};"

    def lines(self, position: Position, lanes: int) -> list[str]:
        """Lines that ask for the rows of a square further on."""
        points = self._shifted
        places = [(0, position[0] + row) for row in self.ahead.rows(lanes)]
        return [
            f"__builtin_prefetch(&{points.at(place).load(load)}, 0, 2);"
            for load in self.loads
            for place in places
        ]

    def pages(
        self, loop: Loop, positions: Sequence[Position], lanes: int
    ) -> list[Loop]:
        """A loop as long as that along the rows, which asks for a line of each page.

        None where rows are known to be shorter than that.
        """
        step = PAGE_BYTES // max(load.type.n_bytes for load in self.loads)
        if loop.n_iterations is not None and loop.n_iterations <= step:
            return []
        lines = [line for p in positions for line in self.lines(p, lanes)]
        body = Block((), tuple(lines))
        return [replace(loop, step=step, body=body, n_iterations=None)]

    @property
    def _shifted(self) -> PointPrinters:
        """Printers of the rows that lie so much further on as the variable says."""
        *outer, rows = self.points.loops
        if rows.start is None:
            raise NotVectors
        start = rows.start.plus(Linear.atom(Text(self.name)))
        return replace(self.points, loops=(*outer, replace(rows, start=start)))


def ask_ahead(
    scop: Scop,
    points: PointPrinters,
    loads: Sequence[Load],
    n_rows: int,
    ahead: RowsAhead,
    name: str,
) -> Asked | None:
    """What can be asked for of some loads, None where that is nothing.

    Parameters
    ----------
    scop : Scop
        Knows how far arrays extend.
    points : PointPrinters
        The first loop is that along the rows, the last one that over them.
    loads : sequence of Load
        Candidates.
    n_rows : int
        Rows of a block.
    ahead : RowsAhead
        Which rows further on.
    name : str
        For the variable that says how many.
    """
    if not ahead.distance or len(points.loops) != 2:
        return None
    kept: list[Load] = []
    conditions: dict[str, Text] = {}
    for load in loads:
        found = _bounds(scop, points, load, n_rows - 1 + ahead.distance)
        if found:
            kept.append(load)
            conditions |= {c.text: c for c in found}
    if not kept:
        return None
    all_of, *others = conditions.values()
    for other in others:
        all_of = binary("&&", all_of, other)
    return Asked(points, tuple(kept), all_of, ahead, name)


def _bounds(scop: Scop, points: PointPrinters, load: Load, last: int) -> list[Text]:
    """When the last row lies in an array; none where it is not known to."""
    array = scop.array(load.array)
    if array.is_private or array.n_expanded or array.in_rows:
        return []  # pointers to rows further on may not be there
    origin = (0,) * len(points.loops)
    first, second = points.at(origin), points.at((*origin[:-1], 1))
    found = []
    for k, extent in enumerate(array.extents):
        here = first.subscript(load, k)
        move = second.subscript(load, k).plus(here, -1)
        if (load.array, k) in first.offsets or not move.is_constant:
            return []
        if move.constant and points.loops[0].iterator in identifiers(
            here.to_text().text
        ):
            return []  # it is asked once, in front of that loop
        if move.constant < 0 or (move.constant and extent is None):
            return []
        if move.constant and extent is not None:
            bound = first.index(extent).plus(Linear((), -last * move.constant))
            found.append(binary("<", here.to_text(), bound.to_text()))
    return found
