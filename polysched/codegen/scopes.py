"""Whether the C scopes of temporary storage keep every copy of a private array whole.

isl may peel iterations off a loop, or print one loop as several. A declaration at a
given depth then stands in several places, and that is right only when no element is
used in two of them: a value written in one scope is not there in another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import islpy as isl

from polysched.codegen.nodes import Block, instances, walk_blocks
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
        Code without declarations.
    domains : mapping of str to isl.UnionSet
        Instances executed at each place, by `Instance.key`.
    buffers : sequence of Buffer
        Planned storage; what is declared at the top has one scope only.
    """
    return [
        b.array.name for b in buffers if b.depth and _is_split(scop, block, domains, b)
    ]


def _is_split(
    scop: Scop, block: Block, domains: Mapping[str, isl.UnionSet], buffer: Buffer
) -> bool:
    touching = _copies_by_statement(scop, buffer)
    marker = "scope"
    declaration = Declaration(
        buffer.depth, (marker,), (), frozenset(touching), frozenset(touching)
    )
    seen = isl.UnionSet("{ }")
    for scope in walk_blocks(place(block, declaration)):
        if marker not in scope.opening:
            continue
        here = isl.UnionSet("{ }")
        for instance in instances(scope):
            if instance.statement in touching:
                copies = touching[instance.statement]
                here = here.union(domains[instance.key].apply(copies))
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
