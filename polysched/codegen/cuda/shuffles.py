"""Values that the lanes of a warp pass on to each other.

``__shfl_down_sync`` gives a lane what another one holds at that moment. It takes the
place of shared memory and of a barrier as long as all lanes of the warp come to it
together: nothing around it may depend on the lane.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from polysched.base import CodegenError
from polysched.codegen.ctext import identifiers
from polysched.codegen.cuda.mapping import WARP
from polysched.codegen.nodes import Block, Branch, Instance, Loop, Mark, Node, instances
from polysched.ir import Call, Expr, ScalarType, Statement, action_expressions, walk
from polysched.ir.expr import Const
from polysched.ir.types import UINT

SHUFFLE = "__shfl_down_sync"
_ALL_LANES = Const(0xFFFFFFFF, UINT, "0xffffffffu")


def from_lane_above(value: Expr, distance: Expr, type_: ScalarType) -> Expr:
    """What the lane so many further on holds; the last ones get their own."""
    return Call(SHUFFLE, (_ALL_LANES, value, distance), type_)


def find_lanes(n_threads: Sequence[int]) -> int | None:
    """The member of a block's threads along which whole warps lie.

    Parameters
    ----------
    n_threads : sequence of int
        Threads per member; those of the last one with several are neighbours.

    Returns
    -------
    int or None
        None where a warp has threads with two values of an earlier member.

    Examples
    --------
    >>> find_lanes((2, 64, 1)), find_lanes((8, 16)), find_lanes((1, 1))
    (1, None, None)
    """
    several = [k for k, n in enumerate(n_threads) if n > 1]
    if not several or n_threads[several[-1]] % WARP:
        return None
    return several[-1]


def _has_shuffle(statement: Statement) -> bool:
    """Whether a statement takes values of other lanes."""
    return any(
        isinstance(e, Call) and e.name == SHUFFLE
        for action in statement.body
        for top in action_expressions(action)
        for e in walk(top)
    )


def check_shuffles(
    block: Block,
    statements: Sequence[Statement],
    n_threads: Sequence[int],
    threads: Sequence[str],
) -> None:
    """Refuse a kernel in which lanes of a warp would not meet where they must.

    Parameters
    ----------
    block : Block
        What a thread runs.
    statements : sequence of Statement
        Those in it.
    n_threads, threads : sequence
        Threads of a block per member, and the variables that tell them apart.

    Raises
    ------
    CodegenError
        See `check_together`; or if warps have threads that are no neighbours.
    """
    shuffling = [s.name for s in statements if _has_shuffle(s)]
    if not shuffling:
        return
    lanes = find_lanes(n_threads)
    if lanes is None:
        raise CodegenError("threads of several sums would lie in one warp")
    check_together(block, shuffling, threads[lanes])


def check_together(block: Block, shuffling: Collection[str], lane: str) -> None:
    """Refuse code in which not all lanes come to a shuffle together.

    Parameters
    ----------
    block : Block
        What a thread runs.
    shuffling : collection of str
        Statements with a shuffle.
    lane : str
        The variable by which the threads of a warp differ.

    Raises
    ------
    CodegenError
        If a loop or a condition around one depends on the lane, or there are two
        copies of it, at which lanes might wait for each other.
    """
    found = [n.statement for n in instances(block) if n.statement in shuffling]
    if len(found) != len(set(found)):
        raise CodegenError("a warp has two copies of one shuffle")
    for name, around in _surrounded(block, ()):
        if name in shuffling and lane in identifiers(" ".join(around)):
            raise CodegenError(f"lanes of a warp do not come to {name} together")


def _surrounded(
    node: Node, around: tuple[str, ...]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Names of statements, and the texts of loops and conditions around them."""
    match node:
        case Instance():
            yield node.statement, around
        case Block():
            for item in node.items:
                yield from _surrounded(item, around)
        case Loop():
            bound = node.condition.text if node.condition is not None else ""
            yield from _surrounded(node.body, (*around, node.first.text, bound))
        case Branch():
            inside = (*around, node.condition.text)
            yield from _surrounded(node.then, inside)
            if node.other is not None:
                yield from _surrounded(node.other, inside)
        case Mark():
            yield from _surrounded(node.body, around)
