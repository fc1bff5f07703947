"""Whether what a register tile holds is touched by nothing else meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

import islpy as isl

from polysched.codegen.build import Built
from polysched.codegen.nodes import Instance, Loop
from polysched.ir import Assign, Load, Statement, walk
from polysched.sets import list_maps


def is_apart(
    built: Built,
    loops: Sequence[Loop],
    instance: Instance,
    chain: Sequence[Loop],
    statement: Statement,
) -> bool:
    """Whether nothing else touches the elements that one tile holds.

    For every run of the chain of loops (or of the tile alone): each point updates an
    element of its own, and other reads of the array stay away from all of them.

    Parameters
    ----------
    built : Built
        Where the loops come from.
    loops : sequence of Loop
        Around the points of the tile.
    instance : Instance
        What they run.
    chain : sequence of Loop
        Around the tile, across which it is held.
    statement : Statement
        Of the instance, an assignment.
    """
    (assign,) = statement.body
    assert isinstance(assign, Assign)
    target, others = _split_accesses(statement, assign)
    if target is None:
        return False
    domain = built.domains[instance.key]

    def times(loop: Loop) -> isl.Map:
        return list_maps(built.schedules[loop.key].intersect_domain(domain))[0]

    outermost = times(chain[0] if chain else loops[0])
    depth = outermost.dim(isl.dim_type.out) - 1
    runs = outermost.project_out(isl.dim_type.out, depth, 1).reverse()
    held = runs.apply_range(target)
    if any(not held.intersect(runs.apply_range(o)).is_empty() for o in others):
        return False
    first = times(loops[0]).dim(isl.dim_type.out) - 1
    points = times(loops[-1])
    points = points.project_out(isl.dim_type.out, depth, first - depth).reverse()
    elements = points.apply_range(target)
    if not elements.is_single_valued():
        return False
    sharing = elements.apply_range(elements.reverse())
    for k in range(depth):
        sharing = sharing.equate(isl.dim_type.in_, k, isl.dim_type.out, k)
    return bool(sharing.is_subset(isl.Map.identity(sharing.get_space())))


def _split_accesses(
    statement: Statement, assign: Assign
) -> tuple[isl.Map | None, list[isl.Map]]:
    """The relation of the target, and of other reads of its array.

    The target is None where a read that is spelled otherwise has the same relation: it
    would not see what is held.
    """
    array = assign.target.array
    own = [a.relation for a in statement.accesses if a.array == array]
    targets = [a.relation for a in statement.writes if a.array == array]
    if len(targets) != 1:
        return None, []
    distinct: list[isl.Map] = []
    for relation in (*targets, *own):
        if not any(relation.is_equal(d) for d in distinct):
            distinct.append(relation)
    loads = {e for e in walk(assign.value) if isinstance(e, Load) and e.array == array}
    if len(loads | {assign.target}) != len(distinct):
        return None, []
    return distinct[0], distinct[1:]
