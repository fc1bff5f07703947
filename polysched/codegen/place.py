"""Putting declarations of temporary storage where each loop iteration gets its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

from polysched.codegen.nodes import (
    Block,
    Branch,
    Instance,
    Loop,
    Node,
    change_blocks,
    children,
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
    setting, needing : frozenset of str
        Statements that write it and read nothing of it, and those that read what others
        have set.
    cleared : tuple of str
        Opening lines for a scope that reads it where only branches have set it: of that
        compilers warn. None for the same lines always.
    """

    depth: int
    opening: tuple[str, ...]
    closing: tuple[str, ...]
    touching: frozenset[str]
    reading: frozenset[str]
    unused: tuple[str, ...] = ()
    setting: frozenset[str] = frozenset()
    needing: frozenset[str] = frozenset()
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
    if declaration.cleared and _is_read_unset(block, declaration):
        opening = declaration.cleared
    opening += () if read else declaration.unused
    return Block(block.items, opening, declaration.closing)


def _is_read_unset(block: Block, declaration: Declaration) -> bool:
    """Whether a use comes before a set, for a reader that takes loops to run.

    What one arm of a branch sets is not set behind it.
    """
    found = False

    def set_behind(node: Node, is_set: bool) -> bool:
        nonlocal found
        match node:
            case Instance(statement):
                if statement in declaration.needing:
                    found = found or not is_set
                return is_set or statement in declaration.setting
            case Branch(_, then, other):
                return set_behind(then, is_set) & set_behind(other or Block(()), is_set)
        for child in children(node):
            is_set = set_behind(child, is_set)
        return is_set

    set_behind(block, is_set=False)
    return found


def _touches(node: Node, declaration: Declaration) -> bool:
    return any(i.statement in declaration.touching for i in instances(node))


def _has_outer_loop(node: Node, depth: int) -> bool:
    return any(isinstance(n, Loop) and n.depth < depth for n in walk_nodes(node))
