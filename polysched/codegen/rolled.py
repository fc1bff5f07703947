"""Rolling loops as C: rows stay in registers for as long as the loop reads them.

A mark ``roll:0:B`` stands above a loop over rows, below which every statement runs in a
register tile of one vector. What an iteration has loaded or computed moves on to the
next one in variables::

    for (r = ...)                             b0 = B[first - 2]; b1 = B[first - 1]; ...
      B[r] = f(A[r - 1], A[r], A[r + 1]);     for (r = ...)
      A[r - 1] = g(B[r - 2], B[r - 1],          a2 = A[r + 1];
                   B[r]);                ==>    b2 = f(a0, a1, a2);
                                                A[r - 1] = g(b0, b1, b2);
                                                a0 = a1; a1 = a2; b0 = b1; b1 = b2;
                                              B[last - 1] = b0; B[last] = b1;

Elements of an array must be told apart by a number in one subscript, and an array be
written either before all that reads the same element, or behind it; else the tiles are
printed one by one. Different arrays are different objects, as everywhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from polysched.codegen.ctext import identifiers
from polysched.codegen.fused_sums import FusingWriter, Sums
from polysched.codegen.lanes import (
    LaneReader,
    NotVectors,
    PointPrinters,
    lane_reader,
)
from polysched.codegen.linear import Linear
from polysched.codegen.nodes import Block, Loop, Mark, Node
from polysched.codegen.tile_loops import TileLoops, is_read, read_tile
from polysched.codegen.turned import with_loop
from polysched.codegen.vectors import VectorNames
from polysched.ir import Assign, Load, Rolled, Scop, walk

MAX_ROWS = 16  # that are kept from one iteration to the next


@dataclass(frozen=True, eq=False)
class _Row:
    """What one statement computes in an iteration: a vector."""

    assign: Assign
    points: PointPrinters
    reader: LaneReader

    @property
    def loads(self) -> list[Load]:
        """What it reads as vectors."""
        found = [e for e in walk(self.assign.value) if isinstance(e, Load)]
        return [e for e in dict.fromkeys(found) if self.reader.varies(e)]

    def element(self, load: Load, row: int, start: Linear | None = None) -> str:
        """An element, so many rows further on than the loop is, or than a start."""
        points = self.points
        if start is not None:
            around, *tile = points.loops
            points = replace(points, loops=(replace(around, start=start), *tile))
        return points.at((row, 0)).load(load).text


@dataclass
class _Array:
    """The rows of an array that an iteration touches, by their distance to the first.

    Attributes
    ----------
    place : tuple of Linear
        Where the row at 0 lies.
    spelled : dict of int to (_Row, Load)
        A mention of each row.
    read : dict of int to list of int
        The statements that read a row.
    written : tuple of (int, int) or None
        The row that a statement writes, and which.
    """

    place: tuple[Linear, ...]
    spelled: dict[int, tuple[_Row, Load]] = field(default_factory=dict)
    read: dict[int, list[int]] = field(default_factory=dict)
    written: tuple[int, int] | None = None

    @property
    def first(self) -> int:
        """The least row that is read."""
        return min(self.read)

    @property
    def last(self) -> int:
        """The row that is new in every iteration."""
        return self.written[0] if self.is_handed_on and self.written else max(self.read)

    @property
    def is_handed_on(self) -> bool:
        """Whether everything that is read has been written by the loop.

        Raises
        ------
        NotVectors
            If some is, and some is not.
        """
        if self.written is None:
            return False
        row, statement = self.written
        if all(k <= row for k in self.read) and all(
            s > statement for s in self.read.get(row, ())
        ):
            return True
        if all(k >= row for k in self.read) and all(
            s <= statement for s in self.read.get(row, ())
        ):
            return False
        raise NotVectors

    def text(self, row: int, ahead: int = 0, start: Linear | None = None) -> str:
        """The first element of a row, so many iterations later."""
        near = min(self.spelled, key=lambda k: abs(k - row))
        mention, load = self.spelled[near]
        return mention.element(load, row - near + ahead, start)


@dataclass(frozen=True, eq=False)
class RolledRows:
    """Writes marked loops with their rows in variables.

    Attributes
    ----------
    scop : Scop
        What is computed.
    points : callable
        Printers of a register tile.
    vectors : VectorNames
        Types and variables in use.
    """

    scop: Scop
    points: Callable[[TileLoops], PointPrinters]
    vectors: VectorNames

    def print(self, mark: Mark) -> Node | None:
        """What a mark says, written out; None where tiles are printed one by one."""
        rolled = Rolled.of_mark(mark.name)
        match mark.body:
            case Block((Loop() as loop,), (), ()) if rolled is not None:
                pass
            case _:
                return None
        tiles = list(_tiles(loop.body))
        is_plain = loop.step == 1 and not loop.pragmas and not loop.accumulates
        if not is_plain or loop.start is None or not loop.n_iterations:
            return None
        try:
            rows = [self._row(loop, tile) for tile in tiles]
            kinds = {(r.reader.type, r.points.loops[-1].n_iterations) for r in rows}
            if len(kinds) > 1:
                raise NotVectors
            arrays = self._arrays(loop, rows)
            if sum(a.last - a.first for a in arrays.values()) > MAX_ROWS:
                raise NotVectors
            return _Writer(loop, rows, arrays, rolled, self.vectors).node()
        except NotVectors:
            return None

    def _row(self, loop: Loop, tile: TileLoops | None) -> _Row:
        if tile is None or not tile.is_full or len(tile.positions) != 1:
            raise NotVectors
        match self.scop.statement(tile.instance.statement).body:
            case (Assign(op="=") as assign,) if not assign.target.is_chosen_by_data:
                pass
            case _:
                raise NotVectors
        if is_read(assign) or tile.lanes == 1:
            raise NotVectors
        points = with_loop(self.points(tile), loop)
        reader = lane_reader(points, (0, 0), assign, tile.lanes)
        reader.check(assign)
        if not reader.varies(assign.value):
            raise NotVectors
        return _Row(assign, points, reader)

    def _arrays(self, loop: Loop, rows: list[_Row]) -> dict[str, _Array]:
        """The arrays of which an iteration reads rows."""
        found: dict[str, _Array] = {}
        targets = [r.assign.target for r in rows]
        written = {t.array for t in targets}
        if len(written) < len(targets):
            raise NotVectors
        for number, row in enumerate(rows):
            self._check_others(row, written)
            for load in row.loads:
                place = _place(row, load, loop)
                a = found.setdefault(load.array, _Array(place))
                distance = _distance(row, load, a.place)
                a.spelled.setdefault(distance, (row, load))
                a.read.setdefault(distance, []).append(number)
        for number, (row, target) in enumerate(zip(rows, targets, strict=True)):
            place = _place(row, target, loop)
            if target.array in found:
                a = found[target.array]
                distance = _distance(row, target, a.place)
                a.spelled.setdefault(distance, (row, target))
                a.written = distance, number
        return found

    def _check_others(self, row: _Row, written: set[str]) -> None:
        """Raise `NotVectors` if what is one value for all lanes might be written."""
        tops = [row.assign.target, *row.assign.value.operands, row.assign.value]
        for e in (e for top in tops for e in walk(top)):
            if not isinstance(e, Load):
                continue
            if any(isinstance(x, Load) for s in e.subscripts for x in walk(s)):
                raise NotVectors
            is_single = e != row.assign.target and not row.reader.varies(e)
            if is_single and e.array in written:
                raise NotVectors


class _Writer:
    """Writes a loop over rows and what it keeps."""

    def __init__(
        self,
        loop: Loop,
        rows: list[_Row],
        arrays: dict[str, _Array],
        rolled: Rolled,
        vectors: VectorNames,
    ) -> None:
        self.loop, self.rows, self.arrays, self.rolled = loop, rows, arrays, rolled
        self.type = rows[0].reader.type
        self.vector = vectors.declare(
            self.type, rows[0].points.loops[-1].n_iterations or 1
        )
        self.take = vectors.take
        self.names = {
            (array, row): self.take("k", number)
            for number, (array, row) in enumerate(
                (array, row)
                for array, a in arrays.items()
                for row in range(a.first, a.last + 1)
            )
        }
        self.sums = Sums(rolled.n_fused, self.take("one", 0))
        self.scalars: dict[str, str] = {}

    def node(self) -> Node:
        """The loop, what is loaded in front of it, and what is stored behind it."""
        lines = [*self._new_rows(), *self._computed(), *self._moved()]
        opening = [*self._one(), *self._first_rows()]
        loop = replace(self.loop, body=Block((), tuple(lines)))
        return Block((loop,), tuple(opening), tuple(self._last_rows()))

    def _first_rows(self) -> Iterator[str]:
        for array, a in self.arrays.items():
            for row in range(a.first, a.last):
                element = a.text(row, 0, self.loop.start)
                name = self.names[array, row]
                yield f"{self.vector} {name} = *(const {self.vector} *)&{element};"

    def _new_rows(self) -> Iterator[str]:
        """The row that is new, of arrays that the loop does not write before."""
        for array, a in self.arrays.items():
            if not a.is_handed_on:
                name, vector = self.names[array, a.last], self.vector
                yield f"const {vector} {name} = *(const {vector} *)&{a.text(a.last)};"

    def _computed(self) -> Iterator[str]:
        for number, row in enumerate(self.rows):
            target = row.assign.target
            known = {row.element(e, 0): self._name(row, e) for e in row.loads}
            is_kept = target.array in self.arrays and self._is_handed_on(target.array)
            held = self._name(row, target) if is_kept else self.take("c", number)
            lines: list[str] = []
            writer = FusingWriter(
                known, self.scalars, lines, self.vector, self.take, row.reader, held,
                sums=self.sums,
            )  # fmt: skip
            value = writer.value(row.assign.value)
            yield from lines
            yield f"const {self.vector} {held} = {value};"
            if not (is_kept and target.array in self.rolled.arrays):
                yield f"*({self.vector} *)&{row.element(target, 0)} = {held};"

    def _moved(self) -> Iterator[str]:
        for array, a in self.arrays.items():
            for row in range(a.first, a.last):
                yield f"{self.names[array, row]} = {self.names[array, row + 1]};"

    def _last_rows(self) -> Iterator[str]:
        """What has not been stored, as it has moved on."""
        for array, a in self.arrays.items():
            if array in self.rolled.arrays and a.is_handed_on:
                for row in range(a.first, a.last):
                    element = a.text(row, self.loop.n_iterations or 0, self.loop.start)
                    yield f"*({self.vector} *)&{element} = {self.names[array, row]};"

    def _one(self) -> list[str]:
        """The number one, as compilers drop a product with a constant one."""
        if self.sums.n_left == self.rolled.n_fused:
            return []
        hidden, name = self.take("one", 1), self.type.name
        return [
            f"volatile const {name} {hidden} = 1;",
            f"const {name} {self.sums.one} = {hidden};",
        ]

    def _is_handed_on(self, array: str) -> bool:
        return self.arrays[array].is_handed_on

    def _name(self, row: _Row, load: Load) -> str:
        distance = _distance(row, load, self.arrays[load.array].place)
        return self.names[load.array, distance]


def _tiles(block: Block) -> Iterator[TileLoops | None]:
    """The register tiles that are all there is in a block, None for anything else."""
    if block.opening or block.closing or not block.items:
        yield None
        return
    for item in block.items:
        match item:
            case Mark():
                yield read_tile(item)
            case Block():
                yield from _tiles(item)
            case Loop(condition=None, pragmas=(), body=body):
                yield from _tiles(body)
            case _:
                yield None


def _place(row: _Row, load: Load, loop: Loop) -> tuple[Linear, ...]:
    """The subscripts of an element, one of which is the loop's iterator and a number.

    Raises
    ------
    NotVectors
        If they are others, or lanes are no neighbours.
    """
    if row.reader.stride(load) != 1 or load.type != row.reader.type:
        raise NotVectors
    spelling = row.reader.first.arrays.get(load.array)
    n = len(load.subscripts)
    if spelling is not None and spelling.kept not in (None, tuple(range(n))):
        raise NotVectors
    place = tuple(row.reader.first.subscript(load, k) for k in range(n))
    moved = [
        sum(w for atom, w in s.terms if loop.iterator in identifiers(atom.text))
        for s in place
    ]
    plain = all(
        atom.text == loop.iterator or loop.iterator not in identifiers(atom.text)
        for s in place
        for atom, _ in s.terms
    )
    if not plain or sorted(moved) != [*([0] * (n - 1)), 1] or moved[-1]:
        raise NotVectors
    return place


def _distance(row: _Row, load: Load, place: tuple[Linear, ...]) -> int:
    """By how many rows an element is further on than one at a place."""
    own = tuple(
        row.reader.first.subscript(load, k) for k in range(len(load.subscripts))
    )
    apart = [a.plus(b, -1) for a, b in zip(own, place, strict=True)]
    if not all(d.is_constant for d in apart):
        raise NotVectors
    moved = [d.constant for d in apart if d.constant]
    rows = [d.constant for d, s in zip(apart, own, strict=True) if _is_row(s, row)]
    if len(moved) > 1 or len(rows) != 1 or (moved and rows != moved):
        raise NotVectors
    return rows[0]


def _is_row(subscript: Linear, row: _Row) -> bool:
    name = row.points.loops[0].iterator
    return any(atom.text == name for atom, _ in subscript.terms)
