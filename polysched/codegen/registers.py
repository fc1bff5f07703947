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
has fewer points, the points' loops go outside and hold one vector, then one of half as
many elements, down to one element. Where lanes do not begin and end alike in all rows
and read a panel of a packed copy, rows are held as a whole (`padded`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

from polysched.analysis import has_terms, sum_leaves
from polysched.codegen.ahead import ask_ahead
from polysched.codegen.apart import is_apart
from polysched.codegen.build import Built
from polysched.codegen.crossed import CrossedBlocks
from polysched.codegen.ctext import Names, Text, binary, identifiers
from polysched.codegen.cut_rows import cut_loop
from polysched.codegen.dots import DotTiles
from polysched.codegen.expr import ExprPrinter
from polysched.codegen.lanes import (
    LaneWriter,
    NotVectors,
    PointPrinters,
    lane_reader,
)
from polysched.codegen.nodes import Block, Branch, Loop, Mark, Node
from polysched.codegen.padded import PaddedRows
from polysched.codegen.rolled import RolledRows
from polysched.codegen.storage import Buffer
from polysched.codegen.tile_loops import (
    TileLoops,
    bound_names,
    guarded,
    is_read,
    narrow,
    read_chain,
    read_tile,
    split_loop,
)
from polysched.codegen.turned import Squares, find_turned, with_loop
from polysched.codegen.turned_tiles import write_turned_tile
from polysched.codegen.vectors import VectorNames
from polysched.ir import (
    Assign,
    Expr,
    Load,
    ScalarType,
    Scop,
    Statement,
)


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
    panels : mapping of str to int
        Packed copies in panels, and how wide these are.
    groups : mapping of str to Buffer
        Packed copies in groups.
    vectors : VectorNames
        Types and variables in use.
    """

    scop: Scop
    built: Built
    printer: ExprPrinter
    names: Names
    type: ScalarType
    panels: Mapping[str, int] = field(default_factory=dict)
    groups: Mapping[str, Buffer] = field(default_factory=dict)
    vectors: VectorNames = field(init=False)

    def __post_init__(self) -> None:
        self.vectors = VectorNames(self.names)

    def convert(self, block: Block) -> Block:
        """The block with every full register tile written out."""
        items = tuple(new for item in block.items for new in self._node(item))
        match items:
            case (Block(inner, opening, closing, False),):  # needs no braces
                opening, closing = block.opening + opening, closing + block.closing
                return replace(block, items=inner, opening=opening, closing=closing)
        return replace(block, items=items)

    def _node(self, node: Node) -> Iterator[Node]:
        match node:
            case Mark(_, body):
                printed = self._rolled.print(node)
                tile = None if printed else read_tile(node)
                if tile is not None:
                    printed = self._print(tile, ())
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
        crossed = self._crossed.print(loop)
        if crossed is not None:
            return crossed
        chain, tile = read_chain(loop)
        if tile is not None:
            printed = self._print(tile, chain)
            if printed is None and len(chain) == 1:
                printed = self._print_cut(tile, loop)
            if printed is not None:
                return printed
        return replace(loop, body=self.convert(loop.body))

    def _print_cut(self, tile: TileLoops, loop: Loop) -> Node | None:
        """The iterations that run all rows of a tile apart from the others."""
        cut = cut_loop(tile, loop, self.built.exprs.macros)
        if cut is None:
            return None
        whole = self._print(cut.tile, (cut.whole,))
        if whole is None:
            return None
        rest = replace(cut.rest, body=self.convert(cut.rest.body))
        return Block((whole, rest) if cut.is_first else (rest, whole))

    def _print(self, tile: TileLoops, chain: tuple[Loop, ...]) -> Node | None:
        """Vector code of a tile held across a chain of loops, None where not proven."""
        statement = self.scop.statement(tile.instance.statement)
        match statement.body:
            case (Assign() as assign,) if not assign.target.is_chosen_by_data:
                pass
            case _:
                return None
        try:
            if not self._is_held(tile, chain, statement, assign):
                return None
            if tile.terms > 1:
                return self._dots.print(tile, self._points(tile), chain, assign)
            if tile.is_full:
                return self._write(tile, chain, assign)
            return self._write_edge(tile, chain, assign)
        except NotVectors:
            return None

    @cached_property
    def _crossed(self) -> CrossedBlocks:
        return CrossedBlocks(
            self.scop, self.built, self.printer, self.type, self.vectors
        )

    @cached_property
    def _rolled(self) -> RolledRows:
        return RolledRows(self.scop, self._points, self.vectors)

    @cached_property
    def _padded(self) -> PaddedRows:
        return PaddedRows(
            self.built, self.panels, self.vectors, self.type.name, self._write
        )

    @cached_property
    def _dots(self) -> DotTiles:
        return DotTiles(
            self.built, self.groups, self.vectors, self.built.exprs.macros,
            self.type.name,
        )  # fmt: skip

    def _points(self, tile: TileLoops) -> PointPrinters:
        statement = self.scop.statement(tile.instance.statement)
        linear = self.built.exprs.linear
        return PointPrinters(
            self.printer, statement, tile.instance, tile.loops, linear, self.type
        )

    def _is_held(
        self,
        tile: TileLoops,
        chain: tuple[Loop, ...],
        statement: Statement,
        assign: Assign,
    ) -> bool:
        """Whether the target may live in registers while the chain of loops runs."""
        if chain and not is_read(assign):
            return False
        tile_here = tile if tile.is_full else tile.at_iterators(1)
        first = self._points(tile_here).at((0,) * len(tile.loops))
        element = first.load(assign.target).text
        if identifiers(element) & {loop.iterator for loop in chain}:
            return False
        return is_apart(self.built, tile.loops, tile.instance, chain, statement)

    def _write(
        self, tile: TileLoops, chain: tuple[Loop, ...], assign: Assign, row: str = ""
    ) -> Node:
        """Straight-line code of all vectors of a tile; the target may be in a row."""
        points = self._points(tile)
        square = None if row else self._write_squares(points, tile, chain, assign)
        if square is not None:
            return square
        vector = self.vectors.type(assign.target.type, tile.lanes)
        vectors: dict[str, str] = {}
        scalars: dict[str, str] = {}
        opening: list[str] = []
        inner: list[str] = []
        closing: list[str] = []
        writers: list[LaneWriter] = []
        for number, position in enumerate(tile.positions):
            reader = lane_reader(points, position, assign, tile.lanes, widens=True)
            reader.check(assign)
            held = self.vectors.take("c", number)
            element = reader.first.load(assign.target).text
            if row:
                element = f"{row}[{tile.number(position)}]"
            if tile.lanes > 1:
                element = f"*({vector} *)&{element}"
            writer = LaneWriter(
                vectors, scalars, inner, vector, self.vectors.take, reader, held,
                type_of=partial(self.vectors.declare, lanes=tile.lanes),
            )  # fmt: skip
            writers.append(writer)
            if is_read(assign):
                opening.append(f"{vector} {held} = {element};")
            closing.append(f"{element} = {held};")
        # one term of all vectors before the next: its operands alone are in registers
        for op, term in _updates(assign, tile.in_turn):
            for writer in writers:
                value = writer.value(term)
                if is_read(assign):
                    inner.append(f"{writer.held} {op} {value};")
                    continue
                if tile.lanes > 1 and not writer.reader.varies(term):
                    value = binary("-", value, Text(f"({vector}){{0}}"))
                inner.append(f"const {vector} {writer.held} = {value};")
        self.vectors.declare(assign.target.type, tile.lanes)
        if not chain:
            return Block((), tuple(opening + inner + closing))
        body = Block((), tuple(inner))
        for loop in reversed(chain):
            body = Block((replace(loop, body=body),))
        return guarded(chain[0], Block(body.items, tuple(opening), tuple(closing)))

    def _write_squares(
        self,
        points: PointPrinters,
        tile: TileLoops,
        chain: tuple[Loop, ...],
        assign: Assign,
    ) -> Node | None:
        """The tile with what lies across its rows turned; None where nothing does."""
        if not chain:
            macros = self.built.exprs.macros
            return write_turned_tile(points, tile, assign, self.vectors, macros)
        if tile.lanes == 1:
            return None
        around = with_loop(points, chain[-1])
        turned = find_turned(around, assign, tile.lanes)
        if not turned:
            return None
        return self._write_turned(tile, chain, assign, around, turned)

    def _write_turned(
        self,
        tile: TileLoops,
        chain: tuple[Loop, ...],
        assign: Assign,
        points: PointPrinters,
        turned: tuple[Load, ...],
    ) -> Node:
        """The innermost loop of the chain in squares, then what is left of it."""
        loop, type_ = chain[-1], assign.target.type
        if loop.step != 1 or loop.condition is None or loop.accumulates:
            raise NotVectors
        vector = self.vectors.type(type_, tile.lanes)
        mix = self.vectors.mixer(type_, tile.lanes, self.built.exprs.macros)
        n_rows = tile.loops[-1].n_iterations or 0
        name = self.vectors.take("ahead", 0)
        asked = ask_ahead(self.scop, points, turned, n_rows, tile.ahead, name)
        squares = Squares(
            points, assign, turned, tile.lanes, vector, mix,
            self.vectors.take, asked=asked,
        )  # fmt: skip
        opening, closing = [asked.declare(self.type)] if asked else [], []
        for number, position in enumerate(tile.positions):
            held = self.vectors.take("c", number)
            element = points.at((0, *position)).load(assign.target)
            opening.append(f"{vector} {held} = *({vector} *)&{element};")
            closing.append(f"*({vector} *)&{element} = {held};")
        whole, rest = split_loop(loop, tile.lanes)
        parts = [replace(whole, body=Block((), tuple(squares.square(tile.positions))))]
        if (loop.n_iterations or 1) % tile.lanes:
            column = Block((), tuple(squares.column(tile.positions)))
            parts.append(replace(rest, body=column))
        if asked:
            parts[:0] = asked.pages(loop, tile.positions, tile.lanes)
        self.vectors.declare(type_, tile.lanes)
        body = Block(tuple(parts))
        for outer in reversed(chain[:-1]):
            body = Block((replace(outer, body=body),))
        return guarded(chain[0], Block(body.items, tuple(opening), tuple(closing)))

    def _write_edge(
        self, tile: TileLoops, chain: tuple[Loop, ...], assign: Assign
    ) -> Node | None:
        """The points' loops with a vector of each row at a time, as wide as fits.

        Rows that are there in any case are held together: they need not wait for each
        other.
        """
        inside = {loop.iterator for loop in chain}
        for loop in tile.loops:
            if bound_names(loop) & inside or loop.step != 1 or loop.pragmas:
                return None
        rows = tile.whole_rows
        if chain and not rows:
            single = self._points(tile.at_iterators(tile.lanes))
            padded = self._padded.print(tile, single, chain, assign)
            if padded is not None:
                return padded
        *outer, lane = (loop for loop in tile.loops if loop not in rows)
        parts = []
        for part, lanes in narrow(lane, tile.lanes):
            written = self._write(tile.at_iterators(lanes, rows), chain, assign)
            parts.append(replace(part, body=_as_block(written)))
        body = Block(tuple(parts))
        for loop in reversed(outer):
            body = Block((replace(loop, body=body),))
        return body


def _updates(assign: Assign, in_turn: bool) -> list[tuple[str, Expr]]:
    """An update as one, or as one for each of its terms."""
    if not in_turn or not has_terms(assign):
        return [(assign.op, assign.value)]
    leaves = sum_leaves(assign.value, assign.op == "+=")
    return [("+=" if positive else "-=", term) for term, positive in leaves]


def _as_block(node: Node) -> Block:
    return node if isinstance(node, Block) else Block((node,))
