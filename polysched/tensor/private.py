"""Variables of loops that data end: declared in the innermost block that uses them.

The C front end takes such a loop and the variables that are declared for it as one
statement, which no dependence ties to the next iteration around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from polysched.tensor.expr import (
    Assign,
    Node,
    Storage,
    blocks_of,
    expressions_of,
    is_left_early,
    loads,
    walk_nodes,
)

Declarations = dict[int, dict[int, list[Storage]]]  # block, place in it: what


def find_private(nodes: Sequence[Node], variables: Iterable[Storage]) -> Declarations:
    """Where to declare the variables that loops use which data end.

    Parameters
    ----------
    nodes : sequence of Node
        All statements.
    variables : iterable of Storage
        Scalar variables; each is written before it is read wherever it is used.

    Returns
    -------
    dict
        By the identity of a block and the number of a statement in it: the variables
        to declare in front of that statement.
    """
    inside = {
        id(s)
        for node in walk_nodes(list(nodes))
        if is_left_early(node)
        for s in _mentioned(node)
    }
    found: Declarations = {}
    for variable in variables:
        if id(variable) in inside:
            block, k = _place(nodes, variable)
            found.setdefault(id(block), {}).setdefault(k, []).append(variable)
    return found


def _place(block: Sequence[Node], variable: Storage) -> tuple[Sequence[Node], int]:
    """The innermost block with all uses of a variable, and the first statement."""
    while True:
        users = [k for k, n in enumerate(block) if _uses([n], variable)]
        node = block[users[0]]
        inner = [b for b in blocks_of(node) if _uses(b, variable)]
        if len(users) > 1 or len(inner) != 1 or variable in _own(node):
            return block, users[0]
        block = inner[0]


def _uses(nodes: Iterable[Node], variable: Storage) -> bool:
    return any(variable in _own(n) for n in walk_nodes(list(nodes)))


def _mentioned(node: Node) -> list[Storage]:
    return [s for n in walk_nodes([node]) for s in _own(n)]


def _own(node: Node) -> list[Storage]:
    """What a statement itself reads or writes, without the blocks in it."""
    found = [e.storage for x in expressions_of(node) for e in loads(x)]
    return [*found, node.target.storage] if isinstance(node, Assign) else found
