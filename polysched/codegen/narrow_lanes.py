"""Vector loops over bytes and 16-bit integers, without gcc's way to align them.

For a loop with ``omp simd`` gcc 12 asks for no profit. Where it knows that a row begins
beside a multiple of a vector's length, it takes up to 63 bytes one by one until vectors
are aligned, and in short loops few or none are left; lanes asked for by number leave
parts of its vectors empty. Told only that iterations are independent, it loads from any
address, with the widest vectors that pay. Clang takes both the same way::

    #ifdef __clang__
    #define ps_lanes() _Pragma("omp simd")
    #else
    #define ps_lanes() _Pragma("GCC ivdep")
    #endif

gcc ignores it, and warns, where the condition of the loop chooses between bounds, as
``t <= ps_min(n - 1, t1 + 255)`` does. Such a bound is made a constant before the loop.
"""

from __future__ import annotations

import re
from dataclasses import replace

from polysched.codegen.ctext import Text, binary
from polysched.codegen.macros import Macros
from polysched.codegen.nodes import Block, Loop, Node, change_blocks, instances
from polysched.ir import Scop

MIN_BYTES = 4  # of elements that vectors have few of, as `int` and `float`
_CHOICE = re.compile(r"\?|\w\(")


def relax_narrow_lanes(block: Block, scop: Scop, macros: Macros, type_: str) -> Block:
    """The block with other pragmas for vector loops that touch narrow elements.

    Loops that are cut such that vectors begin at multiples of their length stay.

    Parameters
    ----------
    block : Block
        With all pragmas in place.
    scop : Scop
        Types of the arrays.
    macros : Macros
        Gives the name of the macro.
    type_ : str
        C type of loop variables.
    """

    def visit(node: Node) -> Node:
        node = change_blocks(node, lambda b: relax_narrow_lanes(b, scop, macros, type_))
        if isinstance(node, Loop) and node.has_lanes and _is_narrow(node, scop):
            return _relaxed(node, macros, type_)
        return node

    return replace(block, items=tuple(map(visit, block.items)))


def _is_narrow(loop: Loop, scop: Scop) -> bool:
    """Whether a loop that may begin anywhere touches narrow elements."""
    if loop.whole_lanes or any("reduction" in line for line in loop.pragmas):
        return False
    statements = [scop.statement(i.statement) for i in instances(loop.body)]
    arrays = {a.array for s in statements for a in (*s.reads, *s.writes)}
    return any(scop.array(array).type.n_bytes < MIN_BYTES for array in arrays)


def _relaxed(loop: Loop, macros: Macros, type_: str) -> Loop | Block:
    """The loop with the macro, and its bound before it where that is a choice."""
    if loop.is_shared:
        return replace(loop, pragmas=loop.pragmas_without_lanes)
    loop = replace(loop, pragmas=(str(macros.call("lanes")),))
    if loop.condition is None or not _CHOICE.search(loop.condition.text):
        return loop
    comparison, bound = loop.bound
    name = macros.names.take("end")
    condition = binary(comparison, Text(loop.iterator), Text(name))
    declared = f"const {type_} {name} = {bound.text};"
    return Block((replace(loop, condition=condition),), opening=(declared,))
