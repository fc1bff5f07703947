"""Remainders in subscripts that a place in the code leaves open, by the model.

``u[(i + 1) % n]`` is a neighbour of ``u[i]`` where the border is apart; elsewhere it is
an element that a few operations find, and nothing that compilers load in lanes. So is
``u[i / 2]`` but in copies of a body for a period of iterations.
"""

from __future__ import annotations

from functools import lru_cache

import islpy as isl

from polysched.analysis import Member
from polysched.cost.calls import N_CACHED
from polysched.frontend import Division, Remainder, SizeRemainder, find_cases
from polysched.ir import (
    Expr,
    Iter,
    Load,
    NodePath,
    ScheduleTree,
    Scop,
    Statement,
    action_expressions,
    walk,
)
from polysched.sets import isolates, list_sets

Wrap = Remainder | SizeRemainder | Division
WRAP_OPERATIONS = 4.0  # of ``x % m`` by a constant: a product, shifts, a difference


def open_wraps(
    tree: ScheduleTree, path: NodePath, scop: Scop, name: str, inner: Member
) -> int:
    """Remainders and quotients in subscripts that change along the innermost loop.

    Parameters
    ----------
    path : tuple of int
        Path of the leaf that runs the statement.
    inner : Member
        That loop.
    """
    statement = scop.statement(name)
    wraps = _wraps(statement)
    if not wraps:
        return 0
    here = _instances(tree, path, name, inner)
    if here is None:
        return 0
    lane = {statement.iterators[k] for k, c in enumerate(inner.function) if c}
    asked = [
        wrap
        for wrap in wraps
        if any(isinstance(e, Iter) and e.name in lane for e in walk(wrap.expr))
    ]
    known = {
        wrap.expr
        for wrap in asked
        if wrap.decide(here) is not None or _is_left_over(wrap, inner)
    }
    return len({wrap.expr for wrap in asked} - known)


@lru_cache(maxsize=N_CACHED)
def _wraps(statement: Statement) -> tuple[Wrap, ...]:
    """The remainders and quotients in a statement's subscripts."""
    inside: set[Expr] = {
        part
        for action in statement.body
        for top in action_expressions(action)
        for e in walk(top)
        if isinstance(e, Load)
        for subscript in e.subscripts
        for part in walk(subscript)
    }
    return tuple(
        case
        for case in find_cases(statement)
        if isinstance(case, Wrap) and case.expr in inside
    )


def _is_left_over(wrap: Wrap, inner: Member) -> bool:
    """Whether copies for a period of a loop's iterations leave over the same each."""
    return isinstance(wrap, Division) and inner.size % wrap.modulus == 0


def _instances(
    tree: ScheduleTree, path: NodePath, name: str, inner: Member
) -> isl.Set | None:
    """What a leaf runs of a statement, without a name; of a loop, its part inside."""
    domain, band = tree.node(path).get_domain(), tree.node(inner.path)
    if isolates(band):
        inside = band.band_get_ast_isolate_option().flatten().reset_tuple_id()
        values = band.child(0).get_prefix_schedule_union_map()
        within = values.intersect_range(isl.UnionSet.from_set(inside))
        domain = domain.intersect(within.domain())
    own = next((s for s in list_sets(domain) if s.get_tuple_name() == name), None)
    return None if own is None else own.reset_tuple_id()
