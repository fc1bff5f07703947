"""Sums of distances of bytes, for which processors have an instruction.

``sum += abs(a[i] - b[i])`` over eight or sixteen bytes is one of them. gcc finds it in
loops, but unrolls those of up to 16 iterations before it looks for any: it is told to
leave the loop as it is, and to unroll the one around it.
"""

from __future__ import annotations

from dataclasses import replace

from polysched.codegen.nodes import Block, Instance, Loop, Node, change_blocks
from polysched.ir import Assign, Binary, Call, Expr, Load, Scop, Statement
from polysched.ir.types import UCHAR

MIN_TERMS, MAX_TERMS = 8, 16  # of half a vector, and what gcc unrolls completely


def keep_distances(block: Block, scop: Scop) -> Block:
    """The block with loops over such sums kept from being unrolled.

    Parameters
    ----------
    block : Block
        With all pragmas in place.
    scop : Scop
        What the statements compute.
    """

    def visit(node: Node) -> Node:
        node = change_blocks(node, lambda b: keep_distances(b, scop))
        if not isinstance(node, Loop) or node.pragmas or node.accumulates:
            return node
        if _adds_distances(node, scop):
            return _unrolled(node, 1)
        match node.body.items:
            case (Loop(n_iterations=int()) as inner,) if _adds_distances(inner, scop):
                if node.n_iterations and node.n_iterations <= MAX_TERMS:
                    return _unrolled(node, node.n_iterations)
        return node

    return replace(block, items=tuple(map(visit, block.items)))


def _unrolled(loop: Loop, times: int) -> Loop:
    return replace(loop, pragmas=(f"#pragma GCC unroll {times}",))


def _adds_distances(loop: Loop, scop: Scop) -> bool:
    """Whether a short loop adds distances of bytes, and nothing else."""
    n = loop.n_iterations or 0
    match loop.body.items:
        case (Instance(name),) if MIN_TERMS <= n <= MAX_TERMS and loop.step == 1:
            return _is_distance(scop.statement(name))
    return False


def _is_distance(statement: Statement) -> bool:
    match statement.body:
        case (Assign(_, "+=", Call("abs", (Binary("-", a, b),), is_own=False)),):
            return all(_is_byte(e) for e in (a, b))
    return False


def _is_byte(expr: Expr) -> bool:
    return isinstance(expr, Load) and expr.dtype == UCHAR
