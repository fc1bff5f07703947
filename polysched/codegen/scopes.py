"""Whether the C scopes of temporary storage keep every copy of a private array whole.

isl may peel iterations off a loop, or print one loop as several. A declaration at a
given depth then stands in several places, and that is right only when no element is
used in two of them: a value written in one scope is not there in another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import islpy as isl

from polysched.codegen.nodes import (
    Block,
    Loop,
    instances,
    walk_blocks,
    walk_nodes,
)
from polysched.codegen.place import Declaration, place
from polysched.codegen.storage import Buffer
from polysched.ir import Scop


def find_split_storage(
    scop: Scop,
    block: Block,
    domains: Mapping[str, isl.UnionSet],
    buffers: Sequence[Buffer],
) -> list[str]:
    """Private arrays of which some copy would be used in two scopes, by isl.

    Parameters
    ----------
    scop : Scop
        Says which statements access which array.
    block : Block
        Code without declarations, as they are put into it: marks keep together what
        without them may be in two scopes.
    domains : mapping of str to isl.UnionSet
        Instances executed at each place, by `Instance.key`.
    buffers : sequence of Buffer
        Planned storage; what is declared at the top has one scope only.
    """
    placed = block
    copies = {b.array.name: _copies_by_statement(scop, b) for b in buffers}
    for buffer in buffers:  # one after the other, as the declarations are placed
        name = buffer.array.name
        users = frozenset(copies[name])
        placed = place(placed, Declaration(buffer.depth, (name,), (), users, users))
    names = [b.array.name for b in buffers if b.depth]
    return [n for n in names if _is_split(placed, n, domains, copies[n])]


def find_shared_by_lanes(
    scop: Scop, block: Block, buffers: Sequence[Buffer]
) -> dict[str, int]:
    """Storage that vector lanes would share, and the first dimension of such loops.

    What lies on the heap is made outside of loops, and so is one object for all lanes;
    each iteration of a vector loop then needs elements of its own.

    Parameters
    ----------
    scop : Scop
        Says which statements access which array.
    block : Block
        Code with the pragmas of vector loops alone.
    buffers : sequence of Buffer
        Those on the heap.
    """
    arrays = {s.name: {a.array for a in s.accesses} for s in scop.statements}
    found: dict[str, int] = {}
    for loop in walk_nodes(block):
        if isinstance(loop, Loop) and loop.pragmas:
            touched = {a for i in instances(loop) for a in arrays[i.statement]}
            for buffer in buffers:
                name = buffer.array.name
                if name in touched and loop.depth < found.get(name, buffer.depth):
                    found[name] = loop.depth
    return found


def _is_split(
    placed: Block,
    name: str,
    domains: Mapping[str, isl.UnionSet],
    copies: Mapping[str, isl.UnionMap],
) -> bool:
    """Whether two scopes opened for an array use one of its copies."""
    seen = isl.UnionSet("{ }")
    for scope in walk_blocks(placed):
        if name not in scope.opening:
            continue
        here = isl.UnionSet("{ }")
        for instance in instances(scope):
            if instance.statement in copies:
                used = domains[instance.key].apply(copies[instance.statement])
                here = here.union(used)
        if not here.is_disjoint(seen):
            return True
        seen = seen.union(here)
    return False


def _copies_by_statement(scop: Scop, buffer: Buffer) -> dict[str, isl.UnionMap]:
    """For each statement: instances to the copies (expanded subscripts) they use."""
    found: dict[str, isl.UnionMap] = {}
    for statement, access in scop.iter_accesses():
        if access.array != buffer.array.name:
            continue
        own = access.relation.dim(isl.dim_type.out) - buffer.array.n_expanded
        relation = access.relation.project_out(
            isl.dim_type.out, buffer.array.n_expanded, own
        )
        copies = isl.UnionMap.from_map(relation)
        known = found.get(statement.name)
        found[statement.name] = copies if known is None else known.union(copies)
    return found
