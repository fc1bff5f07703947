"""Vector loops all of whose vectors are whole, and begin at multiples of their length.

A loop under a mark ``vector:8:whole`` becomes three, of which the outer ones are a
vector each and run some iterations of the one in between a second time::

    for (k = 1; k <= 118; k++)         for (k = 1; k <= 8; k++)
      B[i][k] = f(A[i][k - 1],           ...
                  A[i][k + 1])   ==>   for (k = 8; k <= 111; k++)
                                         ...
                                       for (k = 111; k <= 118; k++)
                                         ...

Nothing is left over for single elements, and where rows begin at multiples of a line,
what is written does so, too. An iteration may run twice where nothing that the loop
reads is written by it, by isl: it finds what it found before, and of several that write
one element the last still comes last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import islpy as isl

from polysched.codegen.ctext import Text, binary, integer
from polysched.codegen.linear import Linear
from polysched.codegen.nodes import Block, Branch, Loop, Mark, Node
from polysched.ir import Scop
from polysched.sets import list_maps, union_of_maps


def make_vectors_whole(
    block: Block, schedules: Mapping[str, isl.UnionMap], scop: Scop
) -> Block:
    """The block with the loops in three parts that ask for it and may be so.

    Parameters
    ----------
    block : Block
    schedules : mapping of str to isl.UnionMap
        For each loop's key, instances to schedule dimensions, the loop's own last.
    scop : Scop
        Says what instances access.
    """
    items: list[Node] = []
    for item in block.items:
        match item:
            case Loop():
                body = make_vectors_whole(item.body, schedules, scop)
                parts = _parts(item)
                if len(parts) > 1 and not may_run_twice(schedules[item.key], scop):
                    parts = [item]
                items += [replace(part, body=body) for part in parts]
            case Mark(name, body):
                items.append(Mark(name, make_vectors_whole(body, schedules, scop)))
            case Branch(condition, then, other):
                then = make_vectors_whole(then, schedules, scop)
                other = other and make_vectors_whole(other, schedules, scop)
                items.append(Branch(condition, then, other))
            case Block():
                items.append(make_vectors_whole(item, schedules, scop))
            case _:
                items.append(item)
    return replace(block, items=tuple(items))


def _parts(loop: Loop) -> list[Loop]:
    """The first vector, those that begin at multiples of their length, and the last."""
    lanes, start, n = loop.whole_lanes, loop.start, loop.n_iterations
    if not lanes or n is None or start is None or not start.is_constant:
        return [loop]
    first, past = start.constant, start.constant + n
    begin, end = -(-first // lanes) * lanes, past // lanes * lanes
    if end - begin < lanes:
        return [loop]
    ranges = [(begin, end)]
    if first < begin:
        ranges.insert(0, (first, first + lanes))
    if end < past:
        ranges.append((past - lanes, past))
    return [_over(loop, *bounds) for bounds in ranges]


def _over(loop: Loop, first: int, past: int) -> Loop:
    """The loop over other numbers."""
    return replace(
        loop,
        first=integer(first),
        condition=binary("<=", Text(loop.iterator), integer(past - 1)),
        start=Linear((), first),
        n_iterations=past - first,
    )


def may_run_twice(schedule: isl.UnionMap, scop: Scop) -> bool:
    """Whether nothing that one run of a loop reads is written in it.

    Parameters
    ----------
    schedule : isl.UnionMap
        Instances to schedule dimensions, that of the loop last.
    scop : Scop
        Says what they access.
    """
    runs = union_of_maps(
        m.project_out(isl.dim_type.out, m.dim(isl.dim_type.out) - 1, 1)
        for m in list_maps(schedule)
    )
    accesses = [a for _, a in scop.iter_accesses()]
    read = union_of_maps(a.relation for a in accesses if not a.is_write)
    written = union_of_maps(a.relation for a in accesses if a.is_write)
    return bool(
        read.apply_domain(runs).intersect(written.apply_domain(runs)).is_empty()
    )
