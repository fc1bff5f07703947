"""Putting declarations of temporary storage where each loop iteration gets its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

from polysched.codegen.nodes import (
    Block,
    Branch,
    Loop,
    Node,
    change_blocks,
    instances,
    walk_nodes,
)


@dataclass(frozen=True)
class Declaration:
    """Lines that make and unmake one object.

    Attributes
    ----------
    depth : int
        Loops around it: those of depth below this number.
    opening, closing : tuple of str
        Lines before and after its uses.
    touching : frozenset of str
        Statements that access it.
    reading : frozenset of str
        Those that read it; without one, the opening has to silence a warning.
    unused : tuple of str
        Lines for a scope in which it is written only.
    setting : frozenset of str
        Statements that write it and read nothing of it.
    cleared : tuple of str
        Opening lines for a scope that has one of these in a branch of a loop: compilers
        lose count of the iterations that set it, and warn; the same lines otherwise.
    """

    depth: int
    opening: tuple[str, ...]
    closing: tuple[str, ...]
    touching: frozenset[str]
    reading: frozenset[str]
    unused: tuple[str, ...] = ()
    setting: frozenset[str] = frozenset()
    cleared: tuple[str, ...] = ()


def place(block: Block, declaration: Declaration) -> Block:
    """The block with a declaration around every group of uses.

    Neighbours without a loop of smaller depth inside share one object: their uses
    follow each other, and a loop that could run them in parallel is around them all.
    """
    items: list[Node] = []
    run: list[Node] = []

    def close_run() -> None:
        last = max(
            (k for k, n in enumerate(run) if _touches(n, declaration)), default=-1
        )
        if last >= 0:
            inside = tuple(run[: last + 1])
            items.append(_declared(Block(inside), declaration))
        items.extend(run[last + 1 :])
        run.clear()

    for node in block.items:
        touched = _touches(node, declaration)
        if touched and _has_outer_loop(node, declaration.depth):
            close_run()
            items.append(change_blocks(node, lambda b: place(b, declaration)))
        elif touched or run:
            run.append(node)
        else:
            items.append(node)
    close_run()
    match items:
        case [Block(inner, opening, closing, False)]:
            opening, closing = block.opening + opening, closing + block.closing
            return replace(block, items=inner, opening=opening, closing=closing)
    return replace(block, items=tuple(items))


def _declared(block: Block, declaration: Declaration) -> Block:
    read = any(i.statement in declaration.reading for i in instances(block))
    opening = declaration.opening
    if declaration.cleared and _sets_in_a_branch(block, declaration.setting):
        opening = declaration.cleared
    opening += () if read else declaration.unused
    return Block(block.items, opening, declaration.closing)


def _sets_in_a_branch(block: Block, setting: frozenset[str]) -> bool:
    """Whether a loop inside has a branch with one of these statements."""
    return any(
        isinstance(branch, Branch)
        and any(i.statement in setting for i in instances(branch))
        for loop in walk_nodes(block)
        if isinstance(loop, Loop)
        for branch in walk_nodes(loop)
    )


def _touches(node: Node, declaration: Declaration) -> bool:
    return any(i.statement in declaration.touching for i in instances(node))


def _has_outer_loop(node: Node, depth: int) -> bool:
    return any(isinstance(n, Loop) and n.depth < depth for n in walk_nodes(node))
