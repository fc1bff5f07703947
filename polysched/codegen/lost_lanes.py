"""No pragma of vector lanes for loops whose iterations have none.

Without ``-ffast-math`` neither gcc nor clang runs `exp` and its kin in vector lanes,
and neither lets lanes leave a loop inside at different turns. Clang warns then that it
could not do what ``omp simd`` asks for.

Of an array that iterations declare, lanes have one each in C; clang's share theirs
where data, or a remainder, choose the element.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from polysched.analysis import is_instruction
from polysched.codegen.ctext import identifiers
from polysched.codegen.nodes import (
    Block,
    Loop,
    Node,
    change_blocks,
    instances,
    walk_blocks,
    walk_nodes,
)
from polysched.ir import Call, Const, Element, Expr, Scop, action_expressions, walk

_ARRAY = re.compile(r"(\w+)\[")  # in a declaration


def leave_lost_lanes(block: Block, scop: Scop) -> Block:
    """The block with no pragma of lanes for loops that no compiler has lanes for.

    Those are loops that call functions of libraries, loops around others whose bounds
    they change, and loops whose iterations look up elements of arrays of their own.

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
    return _changes_bounds(loop) or _calls(loop, scop) or _looks_up_own(loop, scop)


def _changes_bounds(loop: Loop) -> bool:
    """Whether an inner loop has other turns in each iteration of this one."""
    inner = (n for n in walk_nodes(loop.body) if isinstance(n, Loop))
    heads = (t for n in inner for t in (n.first, n.condition) if t is not None)
    return any(loop.iterator in identifiers(t.text) for t in heads)


def _calls(loop: Loop, scop: Scop) -> bool:
    return any(
        isinstance(e, Call) and not e.is_own and not is_instruction(e.name)
        for e in _expressions(loop, scop)
    )


def _looks_up_own(loop: Loop, scop: Scop) -> bool:
    """Whether an array that the body declares has elements at places not known."""
    lines = (line for b in walk_blocks(loop.body) for line in b.opening)
    own = {name for line in lines for name in _ARRAY.findall(line.partition("=")[0])}
    if not own:
        return False
    has_loops = any(isinstance(n, Loop) for n in walk_nodes(loop.body))
    for e in _expressions(loop, scop):
        if isinstance(e, Element) and e.array in own:
            subscripts = e.subscripts[scop.array(e.array).n_expanded :]
            is_open = not has_loops and not all(
                isinstance(s, Const) for s in subscripts
            )
            if e.is_chosen_by_data or is_open:
                return True
    return False


def _expressions(loop: Loop, scop: Scop) -> Iterator[Expr]:
    """All expressions of the statements in a loop."""
    for instance in instances(loop.body):
        for action in scop.statement(instance.statement).body:
            for top in action_expressions(action):
                yield from walk(top)
