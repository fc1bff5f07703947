"""No pragma of vector lanes for loops whose iterations have none.

Without ``-ffast-math`` neither gcc nor clang runs `exp` and its kin in vector lanes,
and neither lets lanes leave a loop inside at different turns. Clang warns then that it
could not do what ``omp simd`` asks for.
"""

from __future__ import annotations

from dataclasses import replace

from polysched.analysis import is_instruction
from polysched.codegen.ctext import identifiers
from polysched.codegen.nodes import (
    Block,
    Loop,
    Node,
    change_blocks,
    instances,
    walk_nodes,
)
from polysched.ir import Call, Scop, action_expressions, walk


def leave_lost_lanes(block: Block, scop: Scop) -> Block:
    """The block with no pragma of lanes for loops that no compiler has lanes for.

    Those are loops that call functions of libraries, and loops around others whose
    bounds they change.

    Parameters
    ----------
    block : Block
        With all pragmas in place.
    scop : Scop
        Its statements may call.
    """

    def visit(node: Node) -> Node:
        node = change_blocks(node, lambda b: leave_lost_lanes(b, scop))
        if isinstance(node, Loop) and node.has_lanes and _has_none(node, scop):
            shared = node.pragmas_without_lanes if node.is_shared else ()
            return replace(node, pragmas=shared)
        return node

    return replace(block, items=tuple(map(visit, block.items)))


def _has_none(loop: Loop, scop: Scop) -> bool:
    return _changes_bounds(loop) or _calls(loop, scop)


def _changes_bounds(loop: Loop) -> bool:
    """Whether an inner loop has other turns in each iteration of this one."""
    inner = (n for n in walk_nodes(loop.body) if isinstance(n, Loop))
    heads = (t for n in inner for t in (n.first, n.condition) if t is not None)
    return any(loop.iterator in identifiers(t.text) for t in heads)


def _calls(loop: Loop, scop: Scop) -> bool:
    return any(
        isinstance(e, Call) and not e.is_own and not is_instruction(e.name)
        for instance in instances(loop.body)
        for action in scop.statement(instance.statement).body
        for top in action_expressions(action)
        for e in walk(top)
    )
