"""Rows of a register tile of which lanes are missing, held as if they were whole.

On the diagonal of a triangle rows begin or end in different places. Where lanes read a
panel of a packed copy, which holds something everywhere, rows are held in a place of
their own: lanes that a row has not compute on what the panel has there, and are not
written back. As many rows as a register tile has are held together, as long as so many
are left; then half as many, down to one::

    for (i0 = ...; i0 <= last - 1; i0 += 2) {
      double row[16] = {0};
      for (i = i0; i <= i0 + 1; i++)
        for (j = i; j <= jt + 7; j++) row[(i - i0) * 8 + j - jt] = C[i][j];
      c0 = *(ps_v4 *)&row[0], c1 = ...;
      for (k = ...) c0 += A[i0][k] * *(ps_v4 *)&B_packed[...][k][0]; ...
      *(ps_v4 *)&row[0] = c0; ...
      for (...) C[i][j] = row[(i - i0) * 8 + j - jt];
    }
    for (i = ...; i <= last; i++) ...
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from polysched.analysis import loop_spans
from polysched.codegen.build import Built
from polysched.codegen.ctext import Text, identifiers
from polysched.codegen.lanes import PointPrinters, lane_reader
from polysched.codegen.linear import Linear
from polysched.codegen.nodes import Block, Loop, Node
from polysched.codegen.tile_loops import TileLoops, in_steps
from polysched.codegen.vectors import VectorNames
from polysched.ir import Assign, Load, walk
from polysched.sets import list_maps


class TileWriter(Protocol):
    """Writes a tile whose target lies in a place of its own."""

    def __call__(
        self, tile: TileLoops, chain: tuple[Loop, ...], assign: Assign, row: str
    ) -> Node: ...


@dataclass(frozen=True)
class PaddedRows:
    """Tiles whose rows are held as a whole.

    Attributes
    ----------
    built : Built
        Where the loops come from.
    panels : mapping of str to int
        Packed copies in panels, and how wide these are.
    vectors : VectorNames
        Types and variables in use.
    iterator_type : str
        C type of the loops' iterators.
    write : TileWriter
        Writes a whole tile.
    """

    built: Built
    panels: Mapping[str, int]
    vectors: VectorNames
    iterator_type: str
    write: TileWriter

    def print(
        self,
        tile: TileLoops,
        points: PointPrinters,
        chain: tuple[Loop, ...],
        assign: Assign,
    ) -> Node | None:
        """The rows' loops around whole rows, None where lanes read no panel.

        Parameters
        ----------
        tile : TileLoops
            At an edge.
        points : PointPrinters
            Of the tile with one vector at the present values of its iterators.
        chain : tuple of Loop
            Around the tile, across which it is held.
        assign : Assign
            What its instances do.
        """
        *outer, lane = tile.loops
        if tile.lanes == 1 or lane.condition is None or lane.n_iterations:
            return None
        panel = self._find_panel(points, tile, assign)
        if panel is None:
            return None
        begin, width = panel
        lanes = replace(lane, start=begin, n_iterations=width)
        wide = tile.at_iterators(tile.lanes)
        wide = replace(wide, loops=(*wide.loops[:-1], lanes))
        if not self._stays_in_panels(points, wide, assign):
            return None
        target = points.at((0,) * len(tile.loops)).load(assign.target)
        place = Linear.atom(Text(lane.iterator)).plus(begin, -1)
        rows = _Rows(lane, target, place, width, assign.target.type.name)
        parts = []
        for part, n in self._split(outer, tile, begin):
            held = self._hold(wide, rows, part, n, chain, assign)
            parts.append(held if part is None else replace(part, body=held))
        body = Block(tuple(parts))
        for loop in reversed(outer[:-1]):
            body = Block((replace(loop, body=body),))
        return body

    def _split(
        self, outer: Sequence[Loop], tile: TileLoops, begin: Linear
    ) -> list[tuple[Loop | None, int]]:
        """The loop across the lanes, in steps of so many rows; None without one."""
        if not outer:
            return [(None, 1)]
        across = outer[-1]
        if across.condition is None or across.iterator in identifiers(
            begin.to_text().text
        ):
            return [(across, 1)]
        domain = self.built.domains[tile.instance.key]
        times = list_maps(self.built.schedules[across.key].intersect_domain(domain))
        span = loop_spans(times[0].range())[-1]
        if not span:
            return [(across, 1)]
        return list(in_steps(across, span + 1, self.vectors.take("top", 0)))

    def _hold(
        self,
        tile: TileLoops,
        rows: _Rows,
        part: Loop | None,
        n: int,
        chain: tuple[Loop, ...],
        assign: Assign,
    ) -> Block:
        """So many rows, copied to a place of their own and back."""
        name = self.vectors.take("row", 0)
        if part is None or n == 1:
            held = tile
            copy_in, copy_out = rows.copies(name, self.iterator_type)
        else:
            *outer, across, lanes = tile.loops
            first = Linear.atom(Text(part.iterator))
            across = replace(across, start=first, n_iterations=n)
            held = replace(tile, loops=(*outer, across, lanes))
            copy_in, copy_out = rows.copies(
                name, self.iterator_type, across.iterator, part.iterator, n
            )
        declared = f"{rows.type_name} {name}[{n * rows.width}] = {{0}};"
        written = self.write(held, chain, assign, name)
        return Block((written,), (declared, *copy_in), copy_out)

    def _find_panel(
        self, points: PointPrinters, tile: TileLoops, assign: Assign
    ) -> tuple[Linear, int] | None:
        """Where the panel that the lanes read begins, and its width."""
        single = tile.at_iterators(tile.lanes)
        reader = lane_reader(
            points, single.positions[0], assign, tile.lanes, widens=True
        )
        for load in walk(assign.value):
            if not isinstance(load, Load) or load.array not in self.panels:
                continue
            if reader.stride(load):
                place = load.array, len(load.subscripts) - 1
                begin = self.built.exprs.linear(tile.instance.offsets[place])
                return begin, self.panels[load.array]
        return None

    def _stays_in_panels(
        self, points: PointPrinters, tile: TileLoops, assign: Assign
    ) -> bool:
        """Whether all that differs between lanes is read from the begin of a panel."""
        at_begin = replace(points, loops=tile.loops)
        reader = lane_reader(
            at_begin, tile.positions[0], assign, tile.lanes, widens=True
        )
        width = tile.loops[-1].n_iterations
        for load in walk(assign.value):
            if not isinstance(load, Load) or load == assign.target:
                continue
            if not reader.stride(load):
                continue
            place = reader.first.subscript(load, len(load.subscripts) - 1)
            if self.panels.get(load.array) != width or place != Linear():
                return False
        return True


@dataclass(frozen=True)
class _Rows:
    """How elements of rows are copied: their loop, and both places as text.

    Attributes
    ----------
    lane : Loop
        Over the elements that a row has.
    target : Text
        Such an element.
    place : Linear
        Its number in the whole row.
    width : int
        Elements of a whole row.
    type_name : str
        Their C type.
    """

    lane: Loop
    target: Text
    place: Linear
    width: int
    type_name: str

    def copies(
        self, name: str, type_: str, row: str = "", first: str = "", n: int = 1
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Lines that copy rows to an array, and lines that copy them back."""
        place, lines = self.place, []
        if row:
            offset = Linear.atom(Text(row)).plus(Linear.atom(Text(first)), -1)
            place = place.plus(offset, self.width)
            lines = [f"for ({type_} {row} = {first}; {row} < {first} + {n}; {row}++)"]
        lane = self.lane
        head = (
            f"for ({type_} {lane.iterator} = {lane.first}; {lane.condition}; "
            f"{lane.iterator}++)"
        )
        head = f"  {head}" if row else head
        held = f"{name}[{place.to_text()}]"
        to, back = f"{held} = {self.target};", f"{self.target} = {held};"
        return (*lines, f"{head} {to}"), (*lines, f"{head} {back}")
