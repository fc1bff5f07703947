"""Rows behind pointers: those that code may look up before it runs.

Whether rows overlap is asked in front of generated code, which reads the pointers to
them. It may read those that the original reads whatever the data are, and no others:
behind them the table may have ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from functools import reduce
from typing import Any

import islpy as isl

from polysched.frontend.accesses import PathWalker
from polysched.frontend.builder import Draft
from polysched.frontend.exact_values import NotAffine
from polysched.frontend.refusal import Refuser
from polysched.ir import (
    Action,
    Element,
    Expr,
    Load,
    Repeat,
    Statement,
    action_expressions,
    walk,
)
from polysched.sets import n_dims

_FLAT = "use one array, double A[n][m], or a flat one, A[i*n + j]"


class _CertainWalker(PathWalker):
    """Visits what instances access whatever the data are."""

    def action(self, action: Action, domain: isl.Set) -> None:
        if not isinstance(action, Repeat):
            super().action(action, domain)

    def split(self, cond: Expr, domain: isl.Set) -> tuple[isl.Set, isl.Set]:
        try:
            holds = self._affine.condition(cond, domain)
        except NotAffine:
            none = domain.subtract(domain)
            return none, none
        return holds, domain.subtract(holds).coalesce()


def check_tables(
    tables: Sequence[str], others: Set[str], drafts: Sequence[Draft],
    statements: Sequence[Statement], refuser: Refuser,
    node_of: Callable[[Expr], Any],
) -> None:  # fmt: skip
    """Refuse rows that are not known without data.

    Parameters
    ----------
    tables : sequence of str
        Arrays with rows behind pointers.
    others : set of str
        Arrays of which data, or what is not affine, choose elements.
    drafts, statements : sequence of Draft, Statement
        All of the SCoP, in one order.
    refuser : Refuser
        Says no at a node.
    node_of : callable
        Where an expression stands, or None.
    """

    def place(draft: Draft, array: str) -> Any:
        nodes = (node_of(e) for e in _elements(draft) if e.array == array)
        return next((n for n in nodes if n is not None), draft.node)

    for name in tables:
        using = [
            (draft, access.relation.range().reset_tuple_id())
            for draft, statement in zip(drafts, statements, strict=True)
            for access in statement.accesses if access.array == name
        ]  # fmt: skip
        if name in others:
            draft = next(d for d in drafts if any(
                e.array == name and e.is_chosen_by_data for e in _elements(d)
            ))  # fmt: skip
            refuser.not_affine(
                place(draft, name), f"data say which elements of {name!r} are touched, "
                "whose rows lie behind pointers", hint=_FLAT,
            )  # fmt: skip
        certain = _union(rows for d in drafts for rows in _certain_rows(d, name))
        for draft, elements in using:
            if certain is None or not _without_last(elements).is_subset(certain):
                refuser.not_affine(
                    place(draft, name), f"data say whether rows of {name!r}, which lie "
                    "behind pointers, are looked up; generated code would have to "
                    "before it runs",
                    hint="read an element of the row whatever the data are, "
                    f"{name}[i][j] = mask[i] ? x : {name}[i][j], or {_FLAT}",
                )  # fmt: skip


def _elements(draft: Draft) -> Iterator[Element]:
    for action in draft.body:
        for top in action_expressions(action):
            yield from (e for e in walk(top) if isinstance(e, Element))


def _certain_rows(draft: Draft, name: str) -> Iterator[isl.Set]:
    """Rows of one array that a statement surely looks up."""
    found: list[isl.Set] = []
    nest = draft.nest

    def visit(load: Load, domain: isl.Set, _is_written: bool) -> None:
        if load.array != name or domain.is_empty():
            return
        relation = isl.Map.from_domain(domain)
        for subscript in load.subscripts[:-1]:
            place = nest.affine.place(subscript, domain)
            relation = relation.flat_range_product(isl.Map.from_pw_aff(place))
        found.append(relation.intersect_domain(domain).range().reset_tuple_id())

    walker = _CertainWalker(nest.affine, visit)
    for action in draft.body:
        walker.action(action, nest.domain)
    yield from found


def _without_last(elements: isl.Set) -> isl.Set:
    last = n_dims(elements) - 1
    return elements.project_out(isl.dim_type.set, last, 1).reset_tuple_id()


def _union(sets: Iterator[isl.Set]) -> isl.Set | None:
    found = list(sets)
    return reduce(lambda a, b: a.union(b), found).coalesce() if found else None
