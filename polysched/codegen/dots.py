"""Register tiles whose instructions add up several products of short integers.

A mark ``registers:16x4`` says that four terms of each sum are added up at a time. What
moves with the lanes is read from a copy in panels and groups: for each lane four values
along the innermost loop side by side, as bytes. What moves with the rows is four bytes
of an array, or of another copy, in all lanes::

    for (k = ...)                      for (k = ...; k += 4) {
      c0 += A[i][k] * B_packed[...] ==>  const ps_int16 a0 = *(group *)&A[i][k] - zero;
                                         const ps_int16 b0 = *(ps_int16 *)&B_packed...;
                                         ps_dot4_16(c0, b0, a0);

The instruction for bytes wants one of each kind, with a sign and without. Where both
have one, or none, the copy holds ``b + 128``, or ``b - 128``, and 128 times the sum of
``a`` is taken off, or put on. Sums of integers wrap around, in any order, so that they
are what the loops compute.

isl tells that groups begin where the loop begins; a copy that the last one fills only
in part holds zeros there. Rows that end within a vector are held in a place of their
own, and what lanes behind the end compute is not written back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from polysched.codegen.build import Built
from polysched.codegen.ctext import POSTFIX, Text
from polysched.codegen.dot_groups import Groups, Product, kept
from polysched.codegen.dot_macros import DOT_LANES, dot_kind
from polysched.codegen.expr import ExprPrinter
from polysched.codegen.lanes import (
    LaneReader,
    NotVectors,
    PointPrinters,
    Position,
    lane_reader,
)
from polysched.codegen.linear import Linear
from polysched.codegen.macros import Macros
from polysched.codegen.nodes import Block, Loop, Node
from polysched.codegen.storage import Buffer
from polysched.codegen.tile_loops import TileLoops, bound_names, guarded
from polysched.codegen.vectors import VectorNames
from polysched.ir import (
    Assign,
    Binary,
    Cast,
    Const,
    Expr,
    Load,
    Range,
    range_of,
    types,
)

SIGN_BITS = "0x80808080u"  # 128 in each byte, or -128
_BYTE, _NATURAL = Range(-128, 127), Range(0, 255)


@dataclass(frozen=True)
class DotTiles:
    """Writes register tiles of products that are added up several at a time.

    Attributes
    ----------
    built : Built
        Where the loops come from.
    buffers : mapping of str to Buffer
        Packed copies in groups, by array.
    vectors : VectorNames
        Types and variables in use.
    macros : Macros
        Spell the instructions.
    iterator_type : str
        C type of the loops' iterators.
    """

    built: Built
    buffers: Mapping[str, Buffer]
    vectors: VectorNames
    macros: Macros
    iterator_type: str

    def print(
        self,
        tile: TileLoops,
        points: PointPrinters,
        chain: tuple[Loop, ...],
        assign: Assign,
    ) -> Node:
        """The tile held across a chain of loops.

        Parameters
        ----------
        tile : TileLoops
            With several terms.
        points : PointPrinters
            Of its instance.
        chain : tuple of Loop
            Around the tile; along the innermost one terms follow each other.
        assign : Assign
            What the instance does.

        Raises
        ------
        NotVectors
            If the instance is no such sum, or groups do not begin with the loop.
        """
        product = self._find_product(assign)
        if product is None or not chain or tile.lanes not in DOT_LANES:
            raise NotVectors
        loop = chain[-1]
        if loop.step != 1 or loop.condition is None or loop.accumulates:
            raise NotVectors
        if tile.terms != product.buffer.terms:
            raise NotVectors
        if tile.is_full:
            return self._write(tile, points, chain, assign, product, "")
        return self._write_edge(tile, points, chain, assign, product)

    def _find_product(self, assign: Assign) -> Product | None:
        """The factors of a term; None for anything else than sums of such products."""
        match assign:
            case Assign(target, "+=", Binary("*", left, right)):
                pass
            case _:
                return None
        if target.type not in (types.INT, types.UINT):
            return None
        for one, other in ((left, right), (right, left)):
            packed, row = _packed_load(one), _plain_load(other)
            buffer = self.buffers.get(packed.array) if packed else None
            if not packed or not row or not buffer or not buffer.panel:
                continue
            if row.type.n_bytes * buffer.terms != target.type.n_bytes:
                continue
            if len(packed.subscripts) - len(buffer.sizes) != buffer.array.n_expanded:
                continue
            return self._with_signs(packed, row, buffer)
        return None

    def _with_signs(self, packed: Load, row: Load, buffer: Buffer) -> Product | None:
        """The product, if the instruction computes with such values."""
        lanes, single = range_of(packed), range_of(row)
        assert lanes is not None
        if single is None:
            return None
        if buffer.terms == 2:
            fits = Range(-(1 << 15), (1 << 15) - 1).holds(single)
            return Product(packed, row, buffer, False) if fits else None
        if _NATURAL.holds(lanes) and _BYTE.holds(single):
            return Product(packed, row, buffer, True)
        if _BYTE.holds(lanes) and _NATURAL.holds(single):
            return Product(packed, row, buffer, False)
        return None

    def _write_edge(
        self,
        tile: TileLoops,
        points: PointPrinters,
        chain: tuple[Loop, ...],
        assign: Assign,
        product: Product,
    ) -> Node:
        """Rows that are there in any case together, as wide as a panel, with copies."""
        inside = {loop.iterator for loop in chain}
        lane = tile.loops[-1]
        for loop in tile.loops:
            if bound_names(loop) & inside or loop.step != 1 or loop.pragmas:
                raise NotVectors
        if lane.start is None or lane.condition is None:
            raise NotVectors
        rows = tile.whole_rows
        held = tile.at_iterators(tile.lanes, rows)
        wide = replace(lane, n_iterations=product.buffer.panel)
        held = replace(held, loops=(*held.loops[:-1], wide))
        name = self.vectors.take("row", 0)
        at = replace(points, loops=held.loops)
        written = self._write(held, at, chain, assign, product, name)
        here = tuple(Linear.atom(Text(loop.iterator)) for loop in tile.loops)
        place = Linear()
        for loop, now, start in zip(held.loops, here, held.loops, strict=True):
            assert start.start is not None
            place = place.times(loop.n_iterations or 1).plus(now).plus(start.start, -1)
        target = self._at_iterators(points, tile).load(assign.target)
        element = f"{name}[{place.to_text()}]"
        size = len(held.positions) * tile.lanes
        declared = f"{assign.target.type.name} {name}[{size}] = {{0}};"
        around = (*rows, lane)
        body = Block(
            (written,),
            (declared, *self._nested(around, f"{element} = {target};")),
            tuple(self._nested(around, f"{target} = {element};")),
        )
        for loop in reversed([x for x in tile.loops[:-1] if x not in rows]):
            body = Block((replace(loop, body=body),))
        return body

    def _at_iterators(self, points: PointPrinters, tile: TileLoops) -> ExprPrinter:
        """The printer at the present values of all iterators."""
        here = tile.at_iterators(1)
        return replace(points, loops=here.loops).at((0,) * len(here.loops))

    def _nested(self, loops: tuple[Loop, ...], line: str) -> Iterator[str]:
        for depth, loop in enumerate(loops):
            if loop.condition is None:
                raise NotVectors
            name = loop.iterator
            yield (
                f"{'  ' * depth}for ({self.iterator_type} {name} = {loop.first}; "
                f"{loop.condition}; {name}++)"
            )
        yield f"{'  ' * len(loops)}{line}"

    def _write(
        self,
        tile: TileLoops,
        points: PointPrinters,
        chain: tuple[Loop, ...],
        assign: Assign,
        product: Product,
        row: str,
    ) -> Node:
        """Straight-line code of all vectors; the target may be in a row."""
        loop = chain[-1]
        groups = Groups(self.built, tile, points.statement, loop, product)
        if not groups.begin_with_loop:
            raise NotVectors
        if not groups.are_full and not self._ends_in_zeros(product):
            raise NotVectors
        body = _Body(self, tile, assign, product)
        opening: list[str] = []
        closing: list[str] = []
        for number, position in enumerate(tile.positions):
            reader = lane_reader(points, position, assign, tile.lanes, widens=True)
            if reader.stride(assign.target) != 1:
                raise NotVectors
            groups.check(reader)
            held = self.vectors.take("c", number)
            place = reader.first.load(assign.target).text
            if row:
                place = f"{row}[{tile.number(position)}]"
            element = f"*({body.vector} *)&{place}"
            opening.append(f"{body.vector} {held} = {element};")
            off = body.add(held, reader, position)
            closing.append(f"{element} = {held}{off};")
        opening += body.opening
        condition = loop.condition
        inner = replace(
            loop, body=Block((), tuple(body.lines)), step=tile.terms,
            condition=condition, n_iterations=None,
        )  # fmt: skip
        whole = Block((inner,))
        for outer in reversed(chain[:-1]):
            whole = Block((replace(outer, body=whole),))
        return guarded(chain[0], Block(whole.items, tuple(opening), tuple(closing)))

    def _ends_in_zeros(self, product: Product) -> bool:
        """Whether both factors have zeros behind the last term."""
        row = self.buffers.get(product.row.array)
        return (
            row is not None
            and row.terms == product.buffer.terms
            and product.buffer.starts_as_zero
            and row.starts_as_zero
        )


@dataclass
class _Body:
    """The lines of the innermost loop, and what stands in front of it."""

    tiles: DotTiles
    tile: TileLoops
    assign: Assign
    product: Product
    opening: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    _lanes: dict[str, str] = field(default_factory=dict)
    _rows: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def vector(self) -> str:
        """Type of what is held: wraps around as the instructions do."""
        return self.tiles.vectors.declare(types.UINT, self.tile.lanes)

    def add(self, held: str, reader: LaneReader, position: Position) -> str:
        """Add terms to a held vector; what is taken off it behind the loop."""
        single, off = self._row(reader.first)
        lanes = self._packed(reader.first)
        pair = (lanes, single) if self.product.lanes_are_natural else (single, lanes)
        self.lines.append(self._dot(held, *pair))
        return f" - {off}" if off else ""

    def _dot(self, held: str, natural: str, signed: str) -> str:
        kind = dot_kind(self.tile.terms, self.tile.lanes)
        texts = [Text(t) for t in (held, natural, signed)]
        return f"{self.tiles.macros.call(kind, *texts)};"

    def _packed(self, printer: ExprPrinter) -> str:
        """The vector that holds groups of the copy."""
        text = _first_of_group(printer, self.product.packed).text
        if text not in self._lanes:
            name = self.tiles.vectors.take("b", len(self._lanes))
            self._lanes[text] = name
            self.lines.append(
                f"const {self.vector} {name} = *(const {self.vector} *)&{text};"
            )
        return self._lanes[text]

    def _row(self, printer: ExprPrinter) -> tuple[str, str]:
        """The vector with a group of the other factor in all lanes, and its sums."""
        text = printer.load(self.product.row).text
        if text not in self._rows:
            vectors, number = self.tiles.vectors, len(self._rows)
            name, off = vectors.take("a", number), ""
            group = vectors.declare_group(types.UINT)
            self.lines.append(
                f"const {self.vector} {name} = "
                f"*(const {group} *)&{text} - ({self.vector}){{0}};"
            )
            if self.product.buffer.shift:
                off, signs = vectors.take("s", number), vectors.take("signs", 0)
                if not number:
                    self.opening.append(
                        f"const {self.vector} {signs} = "
                        f"{SIGN_BITS} - ({self.vector}){{0}};"
                    )
                self.opening.append(f"{self.vector} {off} = {{0}};")
                natural = self.product.lanes_are_natural
                pair = (signs, name) if natural else (name, signs)
                self.lines.append(self._dot(off, *pair))
            self._rows[text] = name, off
        return self._rows[text]


def _first_of_group(printer: ExprPrinter, load: Load) -> Text:
    """The place of a group's first value in a packed copy."""
    *outer, _ = (printer.subscript(load, k).to_text() for k in kept(printer, load))
    brackets = "".join(f"[{s}]" for s in (*outer, "0"))
    return Text(printer.arrays[load.array].name + brackets, POSTFIX)


def _packed_load(factor: Expr) -> Load | None:
    """The element of a copy, from which what was added to it is taken off again."""
    match factor:
        case Load() | Binary("+" | "-", Load(), Const()):
            load = factor if isinstance(factor, Load) else factor.operands[0]
            return load if isinstance(load, Load) and load.subscripts else None
    return None


def _plain_load(factor: Expr) -> Load | None:
    """The element that a factor is the value of."""
    while isinstance(factor, Cast):
        if range_of(factor) != range_of(factor.operand):
            return None
        factor = factor.operand
    return factor if isinstance(factor, Load) and factor.subscripts else None
