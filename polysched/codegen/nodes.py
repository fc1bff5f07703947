"""The printer's own AST: loops, branches, blocks and statement instances."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import islpy as isl

from polysched.codegen.ctext import ADD, Text
from polysched.codegen.linear import Linear, StoragePlace
from polysched.ir import Expr, Load

_LANES = re.compile(r" simd(?=\b)|(?<= )simdlen\(\d+\) ?")


@dataclass(frozen=True)
class Block:
    """Nodes in order, behind declarations that live as long as the block.

    Attributes
    ----------
    items : tuple of Node
        What is executed.
    opening, closing : tuple of str
        Lines before and after the items: storage made and given back.
    is_region : bool
        Whether the line before it, a pragma, means the block: it keeps its braces.
    pragma : str
        That line, where it belongs to the block.
    """

    items: tuple[Node, ...]
    opening: tuple[str, ...] = ()
    closing: tuple[str, ...] = ()
    is_region: bool = False
    pragma: str = ""


@dataclass(frozen=True)
class Loop:
    """A counting loop.

    Attributes
    ----------
    iterator : str
        Its variable.
    first : Text
        First value.
    condition : Text or None
        When to go on; None for a loop of exactly one iteration.
    step : int
        What is added.
    depth : int
        Position of its dimension in the schedule, counted from 0.
    body : Block
        What is repeated.
    key : str
        Name of the loop in the build's side table.
    pragmas : tuple of str
        Lines in front of it.
    accumulates : bool
        Whether vector lanes accumulate into one element.
    start : Linear or None
        First value as a sum.
    n_iterations : int or None
        How often the body runs, where that is a known number.
    sums : tuple of str
        Arrays that each thread has a copy of, to add to.
    whole_lanes : int
        Lanes of vectors that should begin at multiples of their length, 0 for any.
    lower, upper : tuple of Linear
        What the first value is the largest of, and the last one the smallest, as the
        loop was made; none where that is not known.
    """

    iterator: str
    first: Text
    condition: Text | None
    step: int
    depth: int
    body: Block
    key: str = ""
    pragmas: tuple[str, ...] = ()
    accumulates: bool = False
    start: Linear | None = None
    n_iterations: int | None = None
    sums: tuple[str, ...] = ()
    whole_lanes: int = 0
    lower: tuple[Linear, ...] = ()
    upper: tuple[Linear, ...] = ()

    @property
    def is_shared(self) -> bool:
        """Whether threads share its iterations."""
        return any(" for " in line for line in self.pragmas)

    @property
    def has_lanes(self) -> bool:
        """Whether compilers are told to run its iterations in vector lanes."""
        return any(" simd" in line for line in self.pragmas)

    @property
    def pragmas_without_lanes(self) -> tuple[str, ...]:
        """The same pragmas of a loop that threads share, asking for no lanes."""
        return tuple(_LANES.sub("", line) for line in self.pragmas)

    @property
    def bound(self) -> tuple[str, Text]:
        """Comparison and bound of its condition."""
        assert self.condition is not None
        words = self.condition.text.removeprefix(f"{self.iterator} ")
        word, _, last = words.partition(" ")
        return word, Text(last, 0 if "?" in last else ADD)  # a choice in parentheses


@dataclass(frozen=True)
class Branch:
    """An `if`."""

    condition: Text
    then: Block
    other: Block | None = None


@dataclass(frozen=True, eq=False)
class Instance:
    """One statement instance.

    Attributes
    ----------
    statement : str
        Its name.
    values : tuple of isl.AstExpr
        Values of its iterators.
    offsets : dict of (array or load, position) to isl.AstExpr
        Where the temporary storage of an array begins.
    key : str
        Name of the place in the build's side table.
    accumulator : str
        The variable that stands for the element that a reduction accumulates into;
        empty where there is none.
    held : tuple of (Load, str)
        Elements as the statement has them, and the variables that stand for them.
    quotients : tuple of (Expr, str)
        The same of divisions, as the statement has them when it is printed.
    is_answered : bool
        Whether somebody around has asked the condition that the statement begins with.
    """

    statement: str
    values: tuple[isl.AstExpr, ...]
    offsets: dict[StoragePlace, isl.AstExpr] = field(default_factory=dict)
    key: str = ""
    accumulator: str = ""
    held: tuple[tuple[Load, str], ...] = ()
    quotients: tuple[tuple[Expr, str], ...] = ()
    is_answered: bool = False

    @property
    def has_variables(self) -> bool:
        """Whether variables stand for elements; others would hide what they hold."""
        return bool(self.accumulator or self.held)


@dataclass(frozen=True)
class Mark:
    """A mark of the schedule tree and what is below it."""

    name: str
    body: Block


Node = Block | Loop | Branch | Instance | Mark


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly inside a node."""
    match node:
        case Block(items):
            return items
        case Loop() | Mark():
            return node.body.items
        case Branch(_, then, other):
            return then.items + (other.items if other else ())
    return ()


def walk_nodes(node: Node) -> Iterator[Node]:
    """A node and all nodes inside it."""
    yield node
    for child in children(node):
        yield from walk_nodes(child)


def instances(node: Node) -> Iterator[Instance]:
    """All statement instances inside a node, in text order."""
    return (n for n in walk_nodes(node) if isinstance(n, Instance))


def change_blocks(node: Node, change: Callable[[Block], Block]) -> Node:
    """The node with the blocks directly inside it changed; of a block, itself."""
    match node:
        case Loop() | Mark():
            return replace(node, body=change(node.body))
        case Branch(condition, then, other):
            return Branch(condition, change(then), other and change(other))
        case Block():
            return change(node)
    return node


def walk_blocks(block: Block) -> Iterator[Block]:
    """A block and all blocks inside it."""
    yield block
    for item in block.items:
        match item:
            case Block():
                yield from walk_blocks(item)
            case Loop() | Mark():
                yield from walk_blocks(item.body)
            case Branch(_, then, other):
                yield from walk_blocks(then)
                if other is not None:
                    yield from walk_blocks(other)
