"""Register tiles as C: explicit vectors, accumulators held across inner loops.

A mark ``registers:4`` above the loops over the points of a full register tile becomes
straight-line code over vectors of four elements (the compiler's vector extension, as
gcc and clang have it). What a statement updates is loaded in front of the loops along
which it does not move and stored behind them::

    for (k = ...)                            ps_v4 c0 = *(ps_v4 *)&C[i][j], ...;
      for (i = it; i <= it + 1; i++)   ==>   for (k = ...)
        for (j = jt; j <= jt + 3; j++)         c0 += A[i][k] * *(ps_v4 *)&B[k][j]; ...
          C[i][j] += A[i][k] * B[k][j];      *(ps_v4 *)&C[i][j] = c0; ...

isl proves for each tile that no other access touches what is held, and that no element
is held twice; tiles of which that is not true stay loops. At the edges, where a tile
has fewer points, the points' loops go outside and hold one vector, then one element.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from math import prod

from polysched.codegen.apart import is_apart
from polysched.codegen.build import Built
from polysched.codegen.ctext import ADD, Names, Text, binary, identifiers, integer
from polysched.codegen.expr import ExprPrinter
from polysched.codegen.lanes import (
    LaneReader,
    LaneWriter,
    NotVectors,
    PointPrinters,
    Position,
)
from polysched.codegen.linear import Linear
from polysched.codegen.nodes import Block, Branch, Instance, Loop, Mark, Node
from polysched.ir import (
    MARK_REGISTERS,
    Assign,
    ScalarType,
    Scop,
    Statement,
    walk,
)

MAX_WRITTEN = 1024  # points of one tile


@dataclass(frozen=True)
class _Tile:
    """Loops over the points of a register tile and the one instance inside.

    Attributes
    ----------
    loops : tuple of Loop
        Around the points, the lanes' loop last.
    instance : Instance
        What they run.
    lanes : int
        Elements of a vector.
    """

    loops: tuple[Loop, ...]
    instance: Instance
    lanes: int

    @property
    def is_full(self) -> bool:
        """Whether the points are of a known number, in whole vectors."""
        counts = [loop.n_iterations or 0 for loop in self.loops]
        return 0 < prod(counts) <= MAX_WRITTEN and counts[-1] % self.lanes == 0

    @property
    def positions(self) -> list[Position]:
        """Offsets of the first lane of each vector of a full tile, in order."""
        counts = [range(loop.n_iterations or 0) for loop in self.loops]
        counts[-1] = range(0, self.loops[-1].n_iterations or 0, self.lanes)
        return list(product(*counts))

    @property
    def whole_rows(self) -> tuple[Loop, ...]:
        """Loops across the lanes of a known number of iterations, the same for all."""
        *outer, lane = self.loops
        known = tuple(loop for loop in outer if loop.n_iterations and loop.start)
        rest = [lane, *(loop for loop in outer if loop not in known)]
        named = {loop.iterator for loop in known}
        return () if any(_bounds(loop) & named for loop in rest) else known

    def at_iterators(self, lanes: int, whole: tuple[Loop, ...] = ()) -> _Tile:
        """One vector at the present values of iterators; some loops may stay whole."""
        loops = tuple(
            loop
            if loop in whole
            else replace(loop, start=Linear.atom(Text(loop.iterator)), n_iterations=1)
            for loop in self.loops
        )
        return replace(self, loops=loops, lanes=lanes)


@dataclass
class RegisterTiles:
    """Turns marked register tiles of a block into vector code.

    Attributes
    ----------
    scop : Scop
        What is computed.
    built : Built
        Where the block comes from.
    printer : ExprPrinter
        Knows arrays and parameters.
    names : Names
        Source of identifiers.
    type : ScalarType
        C type of iterators.
    typedefs : dict of str to str
        Vector types in use: name to declaration.
    """

    scop: Scop
    built: Built
    printer: ExprPrinter
    names: Names
    type: ScalarType
    typedefs: dict[str, str] = field(default_factory=dict)
    _taken: dict[str, str] = field(default_factory=dict)

    def convert(self, block: Block) -> Block:
        """The block with every full register tile written out."""
        items = tuple(new for item in block.items for new in self._node(item))
        match items:
            case (Block(inner, opening, closing, False),):  # needs no braces
                opening, closing = block.opening + opening, closing + block.closing
                return Block(inner, opening, closing)
        return replace(block, items=items)

    def _node(self, node: Node) -> Iterator[Node]:
        match node:
            case Mark(_, body):
                tile = _read_tile(node)
                printed = None if tile is None else self._print(tile, ())
                if printed is None:
                    yield from self.convert(body).items
                else:
                    yield printed
            case Loop():
                yield self._loop(node)
            case Branch(condition, then, other):
                then = self.convert(then)
                yield Branch(condition, then, other and self.convert(other))
            case Block():
                yield self.convert(node)
            case _:
                yield node

    def _loop(self, loop: Loop) -> Node:
        """A loop whose tile keeps its accumulators, or the loop with its body done."""
        chain, tile = _read_chain(loop)
        if tile is not None:
            printed = self._print(tile, chain)
            if printed is not None:
                return printed
        return replace(loop, body=self.convert(loop.body))

    def _print(self, tile: _Tile, chain: tuple[Loop, ...]) -> Node | None:
        """Vector code of a tile held across a chain of loops, None where not proven."""
        statement = self.scop.statement(tile.instance.statement)
        match statement.body:
            case (Assign() as assign,):
                pass
            case _:
                return None
        try:
            if not self._is_held(tile, chain, statement, assign):
                return None
            if tile.is_full:
                return self._write(tile, chain, assign)
            return self._write_edge(tile, chain, assign)
        except NotVectors:
            return None

    def _points(self, tile: _Tile) -> PointPrinters:
        statement = self.scop.statement(tile.instance.statement)
        linear = self.built.exprs.linear
        return PointPrinters(
            self.printer, statement, tile.instance, tile.loops, linear, self.type
        )

    def _is_held(
        self,
        tile: _Tile,
        chain: tuple[Loop, ...],
        statement: Statement,
        assign: Assign,
    ) -> bool:
        """Whether the target may live in registers while the chain of loops runs."""
        if chain and not _is_read(assign):
            return False
        tile_here = tile if tile.is_full else tile.at_iterators(1)
        first = self._points(tile_here).at((0,) * len(tile.loops))
        element = first.load(assign.target).text
        if identifiers(element) & {loop.iterator for loop in chain}:
            return False
        return is_apart(self.built, tile.loops, tile.instance, chain, statement)

    def _write(self, tile: _Tile, chain: tuple[Loop, ...], assign: Assign) -> Node:
        """Straight-line code of all vectors of a tile."""
        points = self._points(tile)
        vector = self._vector_type(assign.target.type, tile.lanes)
        vectors: dict[str, str] = {}
        scalars: dict[str, str] = {}
        opening: list[str] = []
        inner: list[str] = []
        closing: list[str] = []
        for number, position in enumerate(tile.positions):
            reader = _lane_reader(points, position, assign, tile.lanes)
            reader.check(assign)
            held = self._take("c", number)
            element = reader.first.load(assign.target).text
            if tile.lanes > 1:
                element = f"*({vector} *)&{element}"
            writer = LaneWriter(
                vectors, scalars, inner, vector, self._take, reader, held
            )
            value = writer.value(assign.value)
            if _is_read(assign):
                opening.append(f"{vector} {held} = {element};")
                inner.append(f"{held} {assign.op} {value};")
            else:
                if tile.lanes > 1 and not reader.varies(assign.value):
                    value = binary("-", value, Text(f"({vector}){{0}}"))
                inner.append(f"const {vector} {held} = {value};")
            closing.append(f"{element} = {held};")
        self._declare(vector, assign.target.type, tile.lanes)
        if not chain:
            return Block((), tuple(opening + inner + closing))
        body = Block((), tuple(inner))
        for loop in reversed(chain):
            body = Block((replace(loop, body=body),))
        return _guarded(chain[0], Block(body.items, tuple(opening), tuple(closing)))

    def _write_edge(
        self, tile: _Tile, chain: tuple[Loop, ...], assign: Assign
    ) -> Node | None:
        """The points' loops with a vector of each row at a time, then what is left.

        Rows that are there in any case are held together: they need not wait for each
        other.
        """
        inside = {loop.iterator for loop in chain}
        for loop in tile.loops:
            if _bounds(loop) & inside or loop.step != 1 or loop.pragmas:
                return None
        rows = tile.whole_rows
        *outer, lane = (loop for loop in tile.loops if loop not in rows)
        parts: list[Loop] = []
        rest: Loop | None = lane
        if tile.lanes > 1 and lane.condition is not None:
            whole, rest = split_loop(lane, tile.lanes)
            if (lane.n_iterations or 1) % tile.lanes == 0:
                whole, rest = replace(lane, step=tile.lanes, n_iterations=None), None
            wide = self._write(tile.at_iterators(tile.lanes, rows), chain, assign)
            parts.append(replace(whole, body=_as_block(wide)))
        if rest is not None:
            single = self._write(tile.at_iterators(1, rows), chain, assign)
            parts.append(replace(rest, body=_as_block(single)))
        body = Block(tuple(parts))
        for loop in reversed(outer):
            body = Block((replace(loop, body=body),))
        return body

    def _vector_type(self, type_: ScalarType, lanes: int) -> str:
        """The name of a vector type; of the element's where there is one lane."""
        if lanes == 1:
            return type_.name
        return self._take(f"ps_{type_.name.replace(' ', '_')}", lanes)

    def _declare(self, name: str, type_: ScalarType, lanes: int) -> None:
        """Declare a vector type that is in use, once."""
        if lanes > 1:
            self.typedefs[name] = (
                f"typedef {type_.name} {name} __attribute__((vector_size("
                f"{lanes * type_.n_bytes}), aligned({type_.n_bytes}), may_alias));"
            )

    def _take(self, stem: str, number: int) -> str:
        wanted = f"{stem}{number}"
        if wanted not in self._taken:
            self._taken[wanted] = self.names.take(wanted)
        return self._taken[wanted]


def _lane_reader(
    points: PointPrinters, position: Position, assign: Assign, lanes: int
) -> LaneReader:
    first = points.at(position)
    if lanes == 1:
        return LaneReader(first, first, assign.target)
    *outer, lane = position
    return LaneReader(first, points.at((*outer, lane + 1)), assign.target)


def split_loop(loop: Loop, lanes: int) -> tuple[Loop, Loop]:
    """A loop in steps of whole vectors, and one over the iterations behind them."""
    assert loop.condition is not None
    word, last = _condition(loop)
    past = binary("+", last, integer(1)) if word == "<=" else last
    count = binary("-", past, loop.first)
    whole = binary("*", binary("/", count, integer(lanes)), integer(lanes))
    rest = replace(loop, first=binary("+", loop.first, whole), n_iterations=None)
    shorter = binary("-", last, integer(lanes - 1))
    condition = binary(word, Text(loop.iterator), shorter)
    return replace(loop, condition=condition, step=lanes, n_iterations=None), rest


def _condition(loop: Loop) -> tuple[str, Text]:
    """Comparison and bound of a loop's condition."""
    assert loop.condition is not None
    word, _, bound = loop.condition.text.removeprefix(f"{loop.iterator} ").partition(
        " "
    )
    return word, Text(bound, 0 if "?" in bound else ADD)  # a choice needs parentheses


def _bounds(loop: Loop) -> frozenset[str]:
    """Names in the bounds of a loop."""
    return frozenset(identifiers(f"{loop.first} {loop.condition or ''}"))


def _as_block(node: Node) -> Block:
    return node if isinstance(node, Block) else Block((node,))


def _is_read(assign: Assign) -> bool:
    """Whether an assignment reads its target."""
    return assign.op != "=" or any(e == assign.target for e in walk(assign.value))


def _read_chain(loop: Loop) -> tuple[tuple[Loop, ...], _Tile | None]:
    """Loops nested without anything between them around a register tile."""
    chain: list[Loop] = []
    node: Node = loop
    while isinstance(node, Loop) and not node.pragmas:
        chain.append(node)
        match node.body:
            case Block((inner,), (), ()):
                node = inner
            case _:
                return (), None
    tile = _read_tile(node) if isinstance(node, Mark) else None
    if any(inner.n_iterations is None for inner in chain[1:]):
        return (), None  # an inner loop that may be empty: the loops inside are tried
    return tuple(chain), tile


def _read_tile(mark: Mark) -> _Tile | None:
    """The tile under a mark, None where there is more than loops and an instance."""
    kind, _, lanes = mark.name.partition(":")
    if kind != MARK_REGISTERS:
        return None
    loops: list[Loop] = []
    body = mark.body
    while True:
        match body:
            case Block((Loop() as loop,), (), ()):
                loops.append(loop)
                body = loop.body
            case Block((Instance() as instance,), (), ()):
                break
            case _:
                return None
    if not loops or any(loop.step != 1 or loop.pragmas for loop in loops):
        return None
    return _Tile(tuple(loops), instance, int(lanes))


def _guarded(loop: Loop, block: Block) -> Node:
    """The block behind a test that the loop runs at all, where that is not known."""
    if loop.n_iterations:
        return block
    assert loop.condition is not None
    word, last = _condition(loop)
    return Branch(binary(word, loop.first, last), block)
