"""Register tiles whose lanes read other rows: squares turned within the tile.

What a transposition stores lies in neighbours along the lanes, what it loads in
neighbours along the other loop of the tile. Squares of it are loaded along their rows
and turned in registers::

    for (j = jt; j <= jt + 3; j++)       r0 = A[it][jt .. jt+3], r1 = A[it+1][...], ...
      for (i = it; i <= it + 3; i++) ==> turned: r4 = A[it .. it+3][jt], ...
        B[j][i] = 2 * A[i][j];           B[jt][it .. it+3] = 2 * r4; ...
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

from polysched.codegen.lanes import (
    LaneReader,
    LaneWriter,
    NotVectors,
    PointPrinters,
    Position,
)
from polysched.codegen.macros import Macros
from polysched.codegen.nodes import Block
from polysched.codegen.tile_loops import TileLoops, is_read
from polysched.codegen.turned import Mix, find_turned, turn_square
from polysched.codegen.vectors import VectorNames
from polysched.ir import TURNED_BYTES, Assign, Load


def write_turned_tile(
    points: PointPrinters,
    tile: TileLoops,
    assign: Assign,
    vectors: VectorNames,
    macros: Macros,
) -> Block | None:
    """Straight-line code of a full tile of two loops, None where nothing is turned.

    Parameters
    ----------
    points : PointPrinters
        Of the tile.
    tile : TileLoops
        Nothing else touches what it stores.
    assign : Assign
        What a point runs.
    vectors : VectorNames
        Types and variables in use.
    macros : Macros
        Gets what turns squares.

    Raises
    ------
    NotVectors
        If an operand is neither turned nor the same or neighbours in the lanes.
    """
    type_, lanes = assign.target.type, tile.lanes
    if len(tile.loops) != 2 or lanes < 2 or type_.n_bytes not in TURNED_BYTES:
        return None
    n_rows = tile.loops[0].n_iterations or 0
    turned = () if n_rows % lanes else find_turned(points, assign, lanes)
    if not turned:
        return None
    vector, mix = vectors.type(type_, lanes), vectors.mixer(type_, lanes, macros)
    written = _TurnedTile(points, assign, turned, lanes, vector, mix, vectors)
    for position in tile.positions:
        if position[0] % lanes == 0:
            written.add_square(position)
    vectors.declare(type_, lanes)
    return Block((), tuple(written.lines))


@dataclass
class _TurnedTile:
    """Lines of a tile, one square after the other."""

    points: PointPrinters
    assign: Assign
    turned: tuple[Load, ...]
    lanes: int
    vector: str
    mix: Mix
    vectors: VectorNames
    lines: list[str] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)
    scalars: dict[str, str] = field(default_factory=dict)
    numbers: count[int] = field(default_factory=count)

    def add_square(self, position: Position) -> None:
        """As many points along either loop as there are lanes."""
        row, lane = position
        columns = {load: self._columns(position, load) for load in self.turned}
        for k in range(self.lanes):
            now = {load: names[k] for load, names in columns.items()}
            self._store((row + k, lane), now)

    def _columns(self, position: Position, load: Load) -> list[str]:
        row, lane = position
        rows = []
        for k in range(self.lanes):
            start = self.points.at((row, lane + k)).load(load)
            rows.append(self._next())
            value = f"*(const {self.vector} *)&{start}"
            self.lines.append(f"const {self.vector} {rows[-1]} = {value};")
        found, columns = turn_square(rows, self.mix, self._next)
        self.lines += [f"const {self.vector} {name} = {text};" for name, text in found]
        return columns

    def _store(self, position: Position, columns: dict[Load, str]) -> None:
        """What all lanes of one row of the target become."""
        row, lane = position
        first, second = self.points.at(position), self.points.at((row, lane + 1))
        assign = self.assign
        reader = LaneReader(first, second, assign.target, frozenset(columns))
        reader.check(assign)
        if not reader.varies(assign.value):
            raise NotVectors
        element = f"*({self.vector} *)&{first.load(assign.target)}"
        held = self._next()
        writer = LaneWriter(
            self.known, self.scalars, self.lines, self.vector, self.vectors.take,
            reader, held, columns,
        )  # fmt: skip
        if is_read(assign):
            self.lines.append(f"{self.vector} {held} = {element};")
            value = writer.value(assign.value)
            self.lines.append(f"{held} {assign.op} {value};")
        else:
            value = writer.value(assign.value)
            self.lines.append(f"const {self.vector} {held} = {value};")
        self.lines.append(f"{element} = {held};")

    def _next(self) -> str:
        return self.vectors.take("r", next(self.numbers))
