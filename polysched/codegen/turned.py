"""Blocks of rows turned into columns, in vector registers.

Sums along several rows at a time have a vector of targets, but what they read lies in
as many rows. A square of it is read along the rows and turned::

    for (j = ...)                      for (j = ...; j += 4)
      for (i = it; i <= it + 3; i++)     r0 = A[it][j .. j+3], r1 = A[it+1][...], ...
        y[i] += A[i][j] * x[j];   ==>    turned: r0 = A[it .. it+3][j], ...
                                         c0 += r0 * x[j]; ... c0 += r3 * x[j+3];

Every target is still updated in the order of j. (Eklundh, "A Fast Computer Method for
Matrix Transposing", IEEE Transactions on Computers 1972.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from polysched.codegen.ahead import Asked
from polysched.codegen.ctext import Text
from polysched.codegen.lanes import (
    LaneReader,
    LaneWriter,
    NotVectors,
    PointPrinters,
    Position,
)
from polysched.codegen.linear import Linear
from polysched.codegen.macros import Macros
from polysched.codegen.nodes import Loop
from polysched.ir import Assign, Load, walk

Mix = Callable[[str, str, Sequence[int]], str]


def with_loop(points: PointPrinters, loop: Loop) -> PointPrinters:
    """Printers with one more offset, the first: of a loop around the tile."""
    here = replace(loop, start=Linear.atom(Text(loop.iterator)))
    return replace(points, loops=(here, *points.loops))


def find_turned(points: PointPrinters, assign: Assign, lanes: int) -> tuple[Load, ...]:
    """What lies in other rows for every lane, and in neighbours along the loop.

    Parameters
    ----------
    points : PointPrinters
        From `with_loop`.
    assign : Assign
        Its target moves with the lanes.
    lanes : int
        Elements of a vector.

    Raises
    ------
    NotVectors
        If a load is neither that nor the same or neighbours in the lanes.
    """
    if lanes < 2:
        return ()
    origin = (0,) * len(points.loops)
    first = points.at(origin)
    second = points.at((*origin[:-1], 1))
    across = LaneReader(first, second, assign.target, widens=True)
    along = LaneReader(first, points.at((1, *origin[1:])), assign.target)
    loads = {e for e in walk(assign.value) if isinstance(e, Load)}
    turned = {e for e in loads if e != assign.target and _is_far(across, e)}
    if any(along.stride(e) != 1 or not _is_even(across, e) for e in turned):
        raise NotVectors
    return tuple(sorted(turned, key=str))


def _is_far(across: LaneReader, load: Load) -> bool:
    try:
        across.stride(load)
    except NotVectors:
        return True
    return False


def _is_even(across: LaneReader, load: Load) -> bool:
    """Whether each lane is as far from the one before it as the second is."""
    moves = (
        across.second.subscript(load, k).plus(across.first.subscript(load, k), -1)
        for k in range(len(load.subscripts))
    )
    return all(move.is_constant for move in moves)


def mixer(macros: Macros, places: str) -> Mix:
    """Writes vectors of elements of two others.

    Parameters
    ----------
    macros : Macros
        Gets the macro, for compilers differ in what they call it.
    places : str
        Type of a vector of as many integers, as wide as the elements.
    """

    def mix(one: str, other: str, elements: Sequence[int]) -> str:
        words = (places, one, other, *map(str, elements))
        return macros.call("mix", *map(Text, words)).text

    return mix


def turn_square(
    rows: Sequence[str], mix: Mix, take: Callable[[], str]
) -> tuple[list[tuple[str, str]], list[str]]:
    """Names and values of new vectors, and of those that are the columns, in order.

    Halves of two vectors change places, single elements first, then pairs, and so on.

    Parameters
    ----------
    rows : sequence of str
        Variables that hold the rows, as many as there are lanes, a power of two.
    mix : callable
        Text of a vector of elements of two others, by their positions in both.
    take : callable
        Gives a free name.
    """
    lines: list[tuple[str, str]] = []
    names, n = list(rows), len(rows)
    width = 1
    while width < n:
        low = [e if not e & width else n + e - width for e in range(n)]
        high = [e + width if not e & width else n + e for e in range(n)]
        found = list(names)
        for k in (k for k in range(n) if not k & width):
            for place, elements in ((k, low), (k + width, high)):
                found[place] = take()
                text = mix(names[k], names[k + width], elements)
                lines.append((found[place], text))
        names, width = found, 2 * width
    return lines, names


@dataclass
class Known:
    """What has a name in a square: elements and expressions by their text.

    Attributes
    ----------
    vectors, scalars : dict of str to str
        Text to the variable that holds it, and for vectors what follows in memory.
    """

    vectors: dict[str, str] = field(default_factory=dict)
    scalars: dict[str, str] = field(default_factory=dict)


@dataclass
class Squares:
    """Lines that update vectors of targets from what is turned.

    Attributes
    ----------
    points : PointPrinters
        From `with_loop`.
    assign : Assign
        What a point runs; it reads its target.
    turned : tuple of Load
        From `find_turned`.
    lanes : int
        Elements of a vector.
    vector : str
        C type of a vector.
    mix : callable
        Text of a vector of elements of two others, by their positions in both.
    take : callable
        Gives a free name for a stem and number; ``c`` and a number is what is held.
    first : int
        The number of the first vector of targets.
    numbers : iterator of int
        For what is loaded or turned.
    asked : Asked or None
        What `square` asks for ahead.
    """

    points: PointPrinters
    assign: Assign
    turned: tuple[Load, ...]
    lanes: int
    vector: str
    mix: Mix
    take: Callable[[str, int], str]
    first: int = 0
    numbers: Iterator[int] = field(default_factory=count)
    asked: Asked | None = None

    def square(self, positions: Sequence[Position]) -> list[str]:
        """As many iterations of the loop as there are lanes."""
        lines: list[str] = []
        known = Known()
        for number, position in enumerate(positions):
            if self.asked is not None:
                lines += self.asked.lines(position, self.lanes)
            self.turn(number, position, known, lines)
        return lines

    def turn(
        self, number: int, position: Position, known: Known, lines: list[str]
    ) -> None:
        """The lines for one vector of targets, where some vectors are known."""
        columns = {e: self._turn(position, e, known, lines) for e in self.turned}
        for k in range(self.lanes):
            now = {e: names[k] for e, names in columns.items()}
            self._update(number, (k, *position), now, known, lines)

    def column(self, positions: Sequence[Position]) -> list[str]:
        """One iteration of the loop."""
        lines: list[str] = []
        known = Known()
        for number, position in enumerate(positions):
            now = {e: self._gather(position, e, lines) for e in self.turned}
            self._update(number, (0, *position), now, known, lines)
        return lines

    def _turn(
        self, position: Position, load: Load, known: Known, lines: list[str]
    ) -> list[str]:
        rows = []
        for text in self._row_starts(position, load):
            if text.text not in known.vectors:
                value = f"*(const {self.vector} *)&{text}"
                known.vectors[text.text] = self._let(value, lines)
            rows.append(known.vectors[text.text])
        found, columns = turn_square(rows, self.mix, self._next)
        lines += [f"const {self.vector} {name} = {text};" for name, text in found]
        return columns

    def _gather(self, position: Position, load: Load, lines: list[str]) -> str:
        elements = ", ".join(str(t) for t in self._row_starts(position, load))
        return self._let(f"{{{elements}}}", lines)

    def _row_starts(self, position: Position, load: Load) -> list[Text]:
        *outer, lane = position
        places = ((0, *outer, lane + k) for k in range(self.lanes))
        return [self.points.at(place).load(load) for place in places]

    def _update(
        self,
        number: int,
        position: Position,
        columns: Mapping[Load, str],
        known: Known,
        lines: list[str],
    ) -> None:
        *outer, lane = position
        first, second = self.points.at(position), self.points.at((*outer, lane + 1))
        turned = frozenset(columns)
        reader = LaneReader(first, second, self.assign.target, turned)
        reader.check(self.assign)
        held = self.take("c", self.first + number)
        writer = LaneWriter(
            known.vectors, known.scalars, lines, self.vector, self.take, reader, held,
            columns,
        )  # fmt: skip
        lines.append(f"{held} {self.assign.op} {writer.value(self.assign.value)};")

    def _let(self, value: str, lines: list[str]) -> str:
        name = self._next()
        lines.append(f"const {self.vector} {name} = {value};")
        return name

    def _next(self) -> str:
        return self.take("r", next(self.numbers))
