"""Rows of arrays that are asked for before they are read.

The processor foresees reads that go on along a row, up to the end of a page, and not
those of rows further on::

    const int ahead = it < n - 15 ? 8 : 0;
    for (j = ...) {
      __builtin_prefetch(&A[it + ahead][j]); ...

Nothing is asked for outside of an array: near its end the rows at hand are named again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from polysched.codegen.ctext import Text, binary, integer, select
from polysched.codegen.lanes import NotVectors, PointPrinters
from polysched.codegen.linear import Linear
from polysched.ir import Load, Scop


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
    """

    points: PointPrinters
    loads: tuple[Load, ...]
    condition: Text

    def choose(self, ahead: int) -> Text:
        """How many rows further on the block asks for."""
        return select(self.condition, integer(ahead), integer(0))

    def shifted(self, name: str) -> PointPrinters:
        """Printers of the rows that lie so much further on as a variable says."""
        *outer, rows = self.points.loops
        if rows.start is None:
            raise NotVectors
        start = rows.start.plus(Linear.atom(Text(name)))
        return replace(self.points, loops=(*outer, replace(rows, start=start)))


def ask_ahead(
    scop: Scop, points: PointPrinters, loads: tuple[Load, ...], n_rows: int, ahead: int
) -> Asked | None:
    """What can be asked for of some loads, None where that is nothing.

    Parameters
    ----------
    scop : Scop
        Knows how far arrays extend.
    points : PointPrinters
        The last loop is that over the rows.
    loads : tuple of Load
        Candidates.
    n_rows : int
        Rows of a block.
    ahead : int
        How many rows further on; 0 for none.
    """
    if not ahead:
        return None
    kept: list[Load] = []
    conditions: dict[str, Text] = {}
    for load in loads:
        found = _bounds(scop, points, load, n_rows - 1 + ahead)
        if found:
            kept.append(load)
            conditions |= {c.text: c for c in found}
    if not kept:
        return None
    all_of, *others = conditions.values()
    for other in others:
        all_of = binary("&&", all_of, other)
    return Asked(points, tuple(kept), all_of)


def _bounds(scop: Scop, points: PointPrinters, load: Load, last: int) -> list[Text]:
    """When the last row lies in an array; none where it is not known to."""
    array = scop.array(load.array)
    if array.is_private or array.n_expanded:
        return []
    origin = (0,) * len(points.loops)
    first, second = points.at(origin), points.at((*origin[:-1], 1))
    found = []
    for k, extent in enumerate(array.extents):
        here = first.subscript(load, k)
        move = second.subscript(load, k).plus(here, -1)
        if (load.array, k) in first.offsets or not move.is_constant:
            return []
        if move.constant < 0 or (move.constant and extent is None):
            return []
        if move.constant and extent is not None:
            bound = first.index(extent).plus(Linear((), -last * move.constant))
            found.append(binary("<", here.to_text(), bound.to_text()))
    return found
