"""The original execution order of a SCoP as rows and as a schedule tree."""

from __future__ import annotations

from collections.abc import Sequence

import islpy as isl

from polysched.ir.scop import Scop, Statement
from polysched.ir.tree import LinearRow, Rows, ScheduleTree, build_tree
from polysched.sets import union_of_sets


def original_rows(scop: Scop) -> dict[str, Rows]:
    """The textual order in 2d+1 form, padded to the deepest statement."""
    return _rows(scop.statements)


def _rows(statements: Sequence[Statement]) -> dict[str, Rows]:
    depth = max((s.n_loops for s in statements), default=0)
    rows = {}
    for s in statements:
        linear = []
        for level in range(depth):
            coefficients = [0] * s.n_loops
            if level < s.n_loops:
                coefficients[level] = s.directions[level]
            linear.append(LinearRow(tuple(coefficients)))
        betas = s.position + (0,) * (depth + 1 - len(s.position))
        rows[s.name] = Rows(s.iterators, betas, tuple(linear))
    return rows


def original_tree(scop: Scop) -> ScheduleTree:
    """The textual order as a tree with one band per loop."""
    return build_tree(scop.domain, original_rows(scop))


def original_order(statements: Sequence[Statement]) -> isl.UnionMap:
    """Instances of some statements of a SCoP to moments of the textual order."""
    domain = union_of_sets([s.domain for s in statements])
    return build_tree(domain, _rows(statements)).map
