"""A marked register tile in the printer's AST: loops over points and an instance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from math import prod

from polysched.codegen.ctext import Text, binary, identifiers, integer
from polysched.codegen.lanes import Position
from polysched.codegen.linear import Linear
from polysched.codegen.nodes import Block, Branch, Instance, Loop, Mark, Node
from polysched.ir import (
    MARK_REGISTERS,
    Assign,
    RowsAhead,
    adds_terms_in_turn,
    grouped_terms,
    held_lanes,
    walk,
)

MAX_WRITTEN = 1024  # points of one tile


@dataclass(frozen=True)
class TileLoops:
    """Loops over the points of a register tile and the one instance inside.

    Attributes
    ----------
    loops : tuple of Loop
        Around the points, the lanes' loop last.
    instance : Instance
        What they run.
    lanes : int
        Elements of a vector.
    ahead : RowsAhead
        What it asks for ahead.
    terms : int
        Terms of a sum that one instruction adds up.
    in_turn : bool
        Whether the terms of an update are added one after the other.
    """

    loops: tuple[Loop, ...]
    instance: Instance
    lanes: int
    ahead: RowsAhead = field(default_factory=RowsAhead)
    terms: int = 1
    in_turn: bool = False

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

    def number(self, position: Position) -> int:
        """Of a point of a full tile, counted row by row."""
        total = 0
        for loop, offset in zip(self.loops, position, strict=True):
            total = total * (loop.n_iterations or 1) + offset
        return total

    @property
    def whole_rows(self) -> tuple[Loop, ...]:
        """Loops across the lanes of a known number of iterations, the same for all."""
        *outer, lane = self.loops
        known = tuple(loop for loop in outer if loop.n_iterations and loop.start)
        rest = [lane, *(loop for loop in outer if loop not in known)]
        named = {loop.iterator for loop in known}
        return () if any(bound_names(loop) & named for loop in rest) else known

    def at_iterators(self, lanes: int, whole: tuple[Loop, ...] = ()) -> TileLoops:
        """One vector at the present values of iterators; some loops may stay whole.

        It asks for nothing ahead: there are few such vectors.
        """
        loops = tuple(
            loop
            if loop in whole
            else replace(loop, start=Linear.atom(Text(loop.iterator)), n_iterations=1)
            for loop in self.loops
        )
        return replace(self, loops=loops, lanes=lanes, ahead=RowsAhead())


def read_chain(loop: Loop) -> tuple[tuple[Loop, ...], TileLoops | None]:
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
    tile = read_tile(node) if isinstance(node, Mark) else None
    if any(inner.n_iterations is None for inner in chain[1:]):
        return (), None  # an inner loop that may be empty: the loops inside are tried
    return tuple(chain), tile


def read_tile(mark: Mark) -> TileLoops | None:
    """The tile under a mark, None where there is more than loops and an instance."""
    if mark.name.partition(":")[0] != MARK_REGISTERS:
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
    ahead = RowsAhead.of_mark(mark.name)
    lanes, terms = held_lanes(mark.name), grouped_terms(mark.name)
    in_turn = adds_terms_in_turn(mark.name)
    return TileLoops(tuple(loops), instance, lanes, ahead, terms, in_turn)


def narrow(loop: Loop, lanes: int) -> list[tuple[Loop, int]]:
    """A loop in steps of whole vectors, then of half the lanes for the rest, to one.

    Parts that have no iterations are left out, where the number of all is known.
    """
    if loop.condition is None or lanes == 1:
        return [(replace(loop, n_iterations=None), 1)]
    word, last = loop.bound
    past = binary("+", last, integer(1)) if word == "<=" else last
    n_left = loop.n_iterations
    parts: list[tuple[Loop, int]] = []
    first = loop.first
    while lanes:
        if n_left is None or n_left >= lanes:
            shorter = binary("-", last, integer(lanes - 1)) if lanes > 1 else last
            condition = binary(word, Text(loop.iterator), shorter)
            part = replace(
                loop, first=first, condition=condition, step=lanes, n_iterations=None
            )
            parts.append((part, lanes))
        if n_left is None:
            count = binary("-", past, loop.first)
            whole = binary("*", binary("/", count, integer(lanes)), integer(lanes))
        else:
            whole = integer((loop.n_iterations or 0) // lanes * lanes)
            n_left %= lanes
        first = binary("+", loop.first, whole)
        lanes //= 2
    return parts


def in_steps(loop: Loop, most: int, name: str) -> Iterator[tuple[Loop, int]]:
    """A loop in steps of `most`, then of half as many for the rest, down to one.

    Each divides the one before it, so that what is left begins behind whole steps.
    A loop of more than one at a time is over the first of them, under another name.
    """
    word, last = loop.bound
    past = binary("+", last, integer(1)) if word == "<=" else last
    first, size = loop.first, most
    while size > 1:
        condition = binary(word, Text(name), binary("-", last, integer(size - 1)))
        yield (
            replace(
                loop, iterator=name, first=first, condition=condition, step=size,
                n_iterations=None,
            ),
            size,
        )  # fmt: skip
        whole = binary("/", binary("-", past, loop.first), integer(size))
        first = binary("+", loop.first, binary("*", whole, integer(size)))
        size = size // 2 if size % 2 == 0 else 1
    yield replace(loop, first=first, n_iterations=None), 1


def split_loop(loop: Loop, lanes: int) -> tuple[Loop, Loop]:
    """A loop in steps of whole vectors, and one over the iterations behind them."""
    assert loop.condition is not None
    word, last = loop.bound
    past = binary("+", last, integer(1)) if word == "<=" else last
    count = binary("-", past, loop.first)
    whole = binary("*", binary("/", count, integer(lanes)), integer(lanes))
    rest = replace(loop, first=binary("+", loop.first, whole), n_iterations=None)
    shorter = binary("-", last, integer(lanes - 1))
    condition = binary(word, Text(loop.iterator), shorter)
    return replace(loop, condition=condition, step=lanes, n_iterations=None), rest


def bound_names(loop: Loop) -> frozenset[str]:
    """Names in the bounds of a loop."""
    return frozenset(identifiers(f"{loop.first} {loop.condition or ''}"))


def is_read(assign: Assign) -> bool:
    """Whether an assignment reads its target."""
    return assign.op != "=" or any(e == assign.target for e in walk(assign.value))


def guarded(loop: Loop, block: Block) -> Node:
    """The block behind a test that the loop runs at all, where that is not known."""
    if loop.n_iterations:
        return block
    assert loop.condition is not None
    word, last = loop.bound
    return Branch(binary(word, loop.first, last), block)
