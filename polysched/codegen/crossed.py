"""Squares of a matrix that several statements share: sums along rows and along columns.

What a mark ``squares:8:8`` means is written out here::

    for (j = ...)                          c0 = y[it .. it+7];
      for (i = it; i <= it + 7; i++) {     for (j = ...; j += 8) {
        y[i] += A[i][j] * x[j];              r0 = A[it][j .. j+7], ... r7
        z[j] += A[i][j] * w[i];              d0 = z[j .. j+7];
      }                              ==>     d0 += r0 * w[it]; ... d0 += r7 * w[it+7];
                                             z[j .. j+7] = d0;
                                             turned: the columns of r0 ... r7
                                             c0 += column 0 * x[j]; ...
                                           }
                                           y[it .. it+7] = c0;

No element is updated in another order. It is written where every statement updates an
array that no other statement touches, through one element that moves along the rows or
along the columns alone: what is read besides does not change. Everything else keeps its
loops.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count

from polysched.codegen.ahead import Asked, ask_ahead
from polysched.codegen.build import Built
from polysched.codegen.ctext import identifiers
from polysched.codegen.expr import ExprPrinter
from polysched.codegen.lanes import (
    LaneReader,
    LaneWriter,
    NotVectors,
    PointPrinters,
    Position,
)
from polysched.codegen.nodes import Block, Instance, Loop, Mark, Node
from polysched.codegen.tile_loops import TileLoops, guarded, is_read, split_loop
from polysched.codegen.turned import Known, Squares, find_turned, with_loop
from polysched.codegen.vectors import VectorNames
from polysched.ir import (
    MARK_SQUARES,
    Assign,
    Load,
    RowsAhead,
    ScalarType,
    Scop,
    Statement,
    held_lanes,
    walk,
)


@dataclass(frozen=True)
class CrossedBlock:
    """A loop along a block of rows whose points run several instances.

    Attributes
    ----------
    loop : Loop
        Along the rows.
    tiles : tuple of TileLoops
        The loop over the rows, with each instance in order.
    ahead : RowsAhead
        The rows that are asked for.
    """

    loop: Loop
    tiles: tuple[TileLoops, ...]
    ahead: RowsAhead


def read_block(loop: Loop) -> CrossedBlock | None:
    """The block of rows that a loop runs along, or None."""
    match loop.body:
        case Block((Mark(name, Block((Loop() as rows,), (), ())),), (), ()):
            kind, lanes = name.partition(":")[0], held_lanes(name)
        case _:
            return None
    instances = [item for item in rows.body.items if isinstance(item, Instance)]
    is_plain = len(instances) == len(rows.body.items) and rows.step == 1
    if kind != MARK_SQUARES or not is_plain or rows.pragmas or loop.pragmas:
        return None
    if loop.step != 1 or loop.condition is None or loop.accumulates:
        return None
    tiles = tuple(TileLoops((rows,), instance, lanes) for instance in instances)
    return CrossedBlock(loop, tiles, RowsAhead.of_mark(name))


@dataclass(frozen=True)
class _ColumnSum:
    """A statement whose target moves along the loop and is the same for all rows."""

    points: PointPrinters
    assign: Assign

    @cached_property
    def swept(self) -> tuple[Load, ...]:
        """What lies in neighbours along the loop, and elsewhere for every row."""
        points, target = self.points, self.assign.target
        first = points.at((0, 0))
        along = LaneReader(first, points.at((1, 0)), target)
        loads = {e for e in walk(self.assign.value) if isinstance(e, Load)}
        next_row = points.at((0, 1))
        found = (
            e
            for e in loads - {target}
            if along.stride(e) and first.load(e).text != next_row.load(e).text
        )
        return tuple(sorted(found, key=str))


@dataclass
class _Square:
    """The lines of one square, and what stands before and behind the loop over squares.

    Attributes
    ----------
    scop : Scop
        Knows how far arrays extend.
    type : ScalarType
        C type of iterators.
    vectors : VectorNames
        Types and variables in use.
    positions : sequence of tuple of int
        Offsets of the first rows of the squares that lie below each other.
    rows : sequence of Squares
        Statements whose targets move with the rows.
    columns : sequence of _ColumnSum
        Those whose targets move along the loop.
    vector : str
        C type of a vector.
    lanes : int
        Side of a square.
    ahead : RowsAhead
        The rows that are asked for.
    """

    scop: Scop
    type: ScalarType
    vectors: VectorNames
    positions: Sequence[Position]
    rows: Sequence[Squares]
    columns: Sequence[_ColumnSum]
    vector: str
    lanes: int
    ahead: RowsAhead

    @property
    def held(self) -> list[tuple[str, str]]:
        """Variables that are held along the loop, and the vectors in memory."""
        found = []
        for s in self.rows:
            for number, position in enumerate(self.positions):
                element = s.points.at((0, *position)).load(s.assign.target)
                name = self.vectors.take("c", s.first + number)
                found.append((name, f"*({s.vector} *)&{element}"))
        return found

    @property
    def opening(self) -> tuple[str, ...]:
        """Declarations in front of the loop over squares."""
        found = [asked.declare(self.type) for asked in self._asked]
        found += [f"const {self._element} {v} = {t};" for t, v in self._still.items()]
        found += [f"{self.vector} {name} = {place};" for name, place in self.held]
        return tuple(found)

    @property
    def _element(self) -> str:
        """C type of the elements."""
        assigns = [s.assign for s in self.rows] + [s.assign for s in self.columns]
        return assigns[0].target.type.name

    @cached_property
    def _still(self) -> dict[str, str]:
        """Values that stay along the loop, by their text, and what holds them.

        A compiler that takes what is stored for another name of what is read would read
        them again for every square.
        """
        known = Known()
        for position in self.positions:
            for s in self.columns:
                self._add_rows("", s, position, known, [])
        moving = {s.points.loops[0].iterator for s in self.columns}
        texts = [text for text in known.scalars if not identifiers(text) & moving]
        return {text: self.vectors.take("a", k) for k, text in enumerate(texts)}

    @cached_property
    def _asked(self) -> list[Asked]:
        """What statements ask for: each row is asked for once."""
        n_rows = self.lanes * len(self.positions)
        wanted = [(s.points, s.turned) for s in self.rows]
        wanted += [(s.points, s.swept) for s in self.columns]
        known: set[str] = set()
        found: list[Asked] = []
        for points, loads in wanted:
            first = points.at((0, 0))
            fresh = [e for e in loads if first.load(e).text not in known]
            name = self.vectors.take("ahead", len(found))
            asked = ask_ahead(self.scop, points, fresh, n_rows, self.ahead, name)
            if asked is not None:
                found.append(asked)
                known.update(first.load(e).text for e in asked.loads)
        return found

    def pages(self, loop: Loop) -> list[Loop]:
        """Loops that ask for a line of each page, in front of that over squares."""
        found = (a.pages(loop, self.positions, self.lanes) for a in self._asked)
        return [one for loops in found for one in loops]

    @property
    def closing(self) -> tuple[str, ...]:
        """Stores behind it."""
        return tuple(f"{place} = {name};" for name, place in self.held)

    @property
    def lines(self) -> tuple[str, ...]:
        """One square, with all statements."""
        lines: list[str] = []
        known = Known(scalars=dict(self._still))
        places = []
        for number, s in enumerate(self.columns):
            target = s.points.at((0, 0)).load(s.assign.target)
            places.append(f"*({self.vector} *)&{target}")
            held = self.vectors.take("d", number)
            lines.append(f"{self.vector} {held} = {places[-1]};")
        for number, position in enumerate(self.positions):
            for asked in self._asked:
                lines += asked.lines(position, self.lanes)
            for place, s in enumerate(self.columns):
                self._add_rows(self.vectors.take("d", place), s, position, known, lines)
            for squares in self.rows:
                squares.turn(number, position, known, lines)
        for number, element in enumerate(places):
            lines.append(f"{element} = {self.vectors.take('d', number)};")
        return tuple(lines)

    def _add_rows(
        self,
        held: str,
        s: _ColumnSum,
        position: Position,
        known: Known,
        lines: list[str],
    ) -> None:
        """The rows of a square, one after the other, as vectors along the loop."""
        for k in range(position[0], position[0] + self.lanes):
            reader = LaneReader(
                s.points.at((0, k)), s.points.at((1, k)), s.assign.target
            )
            reader.check(s.assign)
            writer = LaneWriter(
                known.vectors, known.scalars, lines, self.vector, self.vectors.take,
                reader, held,
            )  # fmt: skip
            lines.append(f"{held} {s.assign.op} {writer.value(s.assign.value)};")


@dataclass
class CrossedBlocks:
    """Prints blocks of rows square by square.

    Attributes
    ----------
    scop : Scop
        What is computed.
    built : Built
        Where the loops come from.
    printer : ExprPrinter
        Knows arrays and parameters.
    type : ScalarType
        C type of iterators.
    vectors : VectorNames
        Types and variables in use.
    """

    scop: Scop
    built: Built
    printer: ExprPrinter
    type: ScalarType
    vectors: VectorNames

    def print(self, loop: Loop) -> Node | None:
        """The loop square by square, or None where that is not proven equal."""
        block = read_block(loop)
        if block is None or not all(tile.is_full for tile in block.tiles):
            return None
        try:
            return self._write(block)
        except NotVectors:
            return None

    def _write(self, block: CrossedBlock) -> Node:
        assigns = self._check_apart(block)
        square = self._square(block, assigns)
        whole, rest = split_loop(block.loop, square.lanes)
        body = Block((), square.lines)
        loops = (*square.pages(block.loop), replace(whole, body=body))
        squares = Block(loops, square.opening, square.closing)
        items: tuple[Node, ...] = (squares,)
        if (block.loop.n_iterations or 1) % square.lanes:
            items += (rest,)
        self.vectors.declare(assigns[0].target.type, square.lanes)
        return guarded(block.loop, Block(items))

    def _square(self, block: CrossedBlock, assigns: Sequence[Assign]) -> _Square:
        lanes, type_ = block.tiles[0].lanes, assigns[0].target.type
        vector = self.vectors.type(type_, lanes)
        mix = self.vectors.mixer(type_, lanes, self.built.exprs.macros)
        positions = block.tiles[0].positions
        rows: list[Squares] = []
        columns: list[_ColumnSum] = []
        numbers = count()
        for tile, assign in zip(block.tiles, assigns, strict=True):
            points = with_loop(self._points(tile), block.loop)
            if _is_along(points, assign):
                columns.append(_ColumnSum(points, assign))
                continue
            turned = find_turned(points, assign, lanes)
            first = len(rows) * len(positions)
            rows.append(
                Squares(
                    points, assign, turned, lanes, vector, mix, self.vectors.take,
                    first, numbers,
                )
            )  # fmt: skip
        if not any(s.turned for s in rows) and (
            rows or not any(s.swept for s in columns)
        ):
            raise NotVectors
        return _Square(
            self.scop, self.type, self.vectors, positions, rows, columns, vector,
            lanes, block.ahead,
        )  # fmt: skip

    def _points(self, tile: TileLoops) -> PointPrinters:
        statement = self.scop.statement(tile.instance.statement)
        linear = self.built.exprs.linear
        return PointPrinters(
            self.printer, statement, tile.instance, tile.loops, linear, self.type
        )

    def _check_apart(self, block: CrossedBlock) -> list[Assign]:
        """The statements' assignments: each updates an array that is its own."""
        statements = [self.scop.statement(t.instance.statement) for t in block.tiles]
        assigns = [_only_update(s) for s in statements]
        written = [a.target.array for a in assigns]
        types = {a.target.type for a in assigns}
        if len(set(written)) != len(written) or len(types) != 1:
            raise NotVectors
        for statement, own in zip(statements, written, strict=True):
            touched = {access.array for access in statement.accesses}
            if touched & (set(written) - {own}):
                raise NotVectors
        return assigns


def _only_update(statement: Statement) -> Assign:
    """The one assignment of a body, which reads its array at the target alone."""
    match statement.body:
        case (Assign(target) as assign,) if is_read(assign):
            if target.is_chosen_by_data:
                raise NotVectors
        case _:
            raise NotVectors
    loads = [e for e in walk(assign.value) if isinstance(e, Load)]
    if any(e.array == assign.target.array and e != assign.target for e in loads):
        raise NotVectors
    return assign


def _is_along(points: PointPrinters, assign: Assign) -> bool:
    """Whether a target moves along the loop; else it moves from row to row.

    Raises
    ------
    NotVectors
        If it does neither, or both.
    """
    first = points.at((0, 0))
    across = LaneReader(first, points.at((0, 1)), assign.target).stride(assign.target)
    along = LaneReader(first, points.at((1, 0)), assign.target).stride(assign.target)
    if across + along != 1:
        raise NotVectors
    return along == 1
