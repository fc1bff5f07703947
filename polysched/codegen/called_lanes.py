"""No pragma of vector lanes for loops that call what has no lanes.

Without ``-ffast-math`` neither gcc nor clang runs `exp` and its kin in vector lanes;
clang warns then that it could not do what ``omp simd`` asks for.
"""

from __future__ import annotations

from dataclasses import replace

from polysched.analysis import is_instruction
from polysched.codegen.nodes import Block, Loop, Node, change_blocks, instances
from polysched.ir import Call, Scop, action_expressions, walk


def leave_called_lanes(block: Block, scop: Scop) -> Block:
    """The block with no pragma of lanes for loops that call functions of libraries.

    Parameters
    ----------
    block : Block
        With all pragmas in place.
    scop : Scop
        Its statements may call.
    """

    def visit(node: Node) -> Node:
        node = change_blocks(node, lambda b: leave_called_lanes(b, scop))
        if isinstance(node, Loop) and node.has_lanes and _calls(node, scop):
            shared = node.pragmas_without_lanes if node.is_shared else ()
            return replace(node, pragmas=shared)
        return node

    return replace(block, items=tuple(map(visit, block.items)))


def _calls(loop: Loop, scop: Scop) -> bool:
    return any(
        isinstance(e, Call) and not e.is_own and not is_instruction(e.name)
        for instance in instances(loop.body)
        for action in scop.statement(instance.statement).body
        for top in action_expressions(action)
        for e in walk(top)
    )
