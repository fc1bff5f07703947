"""Elements at places that depend on data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from polysched.frontend.builder import Draft
from polysched.ir import (
    Element,
    Expr,
    Load,
    Lookup,
    action_expressions,
    assignments,
    map_action,
    map_expr,
    walk,
)


def with_lookups(drafts: Sequence[Draft]) -> list[Draft]:
    """The drafts with `Lookup` for loads whose subscripts read data.

    Parameters
    ----------
    drafts : sequence of Draft
        All of the SCoP.
    """
    targets = {id(a.target) for d in drafts for action in d.body
               for a in assignments(action)}  # fmt: skip

    def change(expr: Expr) -> Expr | None:
        if not isinstance(expr, Load) or not expr.is_chosen_by_data:
            return None
        if id(expr) in targets:
            return None
        subscripts = tuple(map_expr(s, change) for s in expr.subscripts)
        return Lookup(expr.array, subscripts, expr.type)

    return [
        replace(d, body=tuple(map_action(a, change) for a in d.body)) for d in drafts
    ]


def looked_up(drafts: Sequence[Draft]) -> set[str]:
    """Arrays of which elements are touched at places that depend on data."""
    return {
        e.array
        for draft in drafts
        for action in draft.body
        for top in action_expressions(action)
        for e in walk(top)
        if isinstance(e, Element) and e.is_chosen_by_data
    }
