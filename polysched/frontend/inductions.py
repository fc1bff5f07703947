"""Integers that count along with loops, or keep an iterator, as functions of iterators.

``k = 0; for (...) for (...) x[k++] = ...;`` writes elements in a row, and
``last = n - 1; for (i...) { ... b[last] ...; last = i; }`` reads the neighbour: neither
subscript depends on data, although the scop changes both variables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import islpy as isl

from polysched.frontend.builder import Draft
from polysched.frontend.counted import START, Counting, Exclude, Known, Turns
from polysched.frontend.nest import Entered
from polysched.frontend.objects import Object
from polysched.frontend.purity import converted
from polysched.frontend.sums_of_integers import (
    total,
    written,
)
from polysched.ir import (
    Assign,
    Binary,
    Call,
    Element,
    Expr,
    Load,
    Local,
    ScalarType,
    action_expressions,
    assignments,
    map_action,
    map_expr,
    walk,
)


def with_known_integers(
    drafts: Sequence[Draft], objects: Iterable[Object], exclude: Exclude
) -> list[Draft]:
    """The drafts with the values of integers in place of reads of them.

    What changes the integers stays, and is dropped later if nothing reads them.

    Parameters
    ----------
    drafts : sequence of Draft
        All of the SCoP, in the order of the text.
    objects : iterable of Object
        All of the SCoP; followed are integer variables of at least four bytes.
    exclude : callable
        Assumes that instances (of a domain) do not exist; False where that is not
        possible.
    """
    integers = {
        o.name: o.type
        for o in objects
        if not o.extents and not o.type.is_float and o.type.n_bytes >= 4
    }
    return _Follower(integers, exclude).rewritten(drafts)


class _Follower:
    """Follows the values of variables through loops."""

    def __init__(self, integers: Mapping[str, ScalarType], exclude: Exclude) -> None:
        self._integers = integers
        self._turns = Turns(exclude)
        self._is_final = False

    def rewritten(self, drafts: Sequence[Draft]) -> list[Draft]:
        self._is_final = True
        twice = [replace(d, position=_doubled(d.position)) for d in drafts]
        found, _ = self._block(twice, 0, {})
        ranks = {p: k for k, p in enumerate(sorted({d.position[0] for d in found}))}
        return [
            replace(d, position=(ranks[d.position[0]], *d.position[1:])) for d in found
        ]

    def _block(
        self, drafts: Sequence[Draft], depth: int, known: Known
    ) -> tuple[list[Draft], Known]:
        """Statements and loops of one body; what is known behind them."""
        found: list[Draft] = []
        branches: dict[str, _Branch] = {}
        for _, items in groupby(drafts, key=lambda d: d.position[depth]):
            part = list(items)
            if len(part[0].position) == depth + 1:
                here = _known_at(part[0].nest.domain, known, branches)
                found.append(self._with_values(part[0], here))
                known = self._behind(part[0], known, here, branches)
            else:
                around = part[0].nest.headers[depth].outer.domain
                here = _known_at(around, known, branches)
                inner, behind = self._loop(part, depth, here)
                found += inner
                changed = dict.fromkeys(self._changed(part))
                known = {**known, **{name: behind.get(name) for name in changed}}
                for name in changed:
                    branches.pop(name, None)
        return found, known

    def _behind(
        self, draft: Draft, known: Known, here: Known, branches: dict[str, _Branch]
    ) -> Known:
        """What is known behind a statement; in branches of its kind, in `branches`."""
        match draft.body:
            case (Assign(Load(name, _, type_), op, value),) if name in self._integers:
                new = _changed_value(here.get(name), op, _with_known(value, here))
                before = branches.pop(name, None)
                if new is None or not _is_plain(new):
                    return {**known, name: None}
                known_value = written(total(converted(new, type_)), type_)
                if _runs_always(draft):
                    return {**known, name: known_value}
                domain, outside = draft.nest.domain, known.get(name)
                if before is not None:
                    if not before.domain.is_equal(domain):
                        return {**known, name: None}
                    outside = before.outside
                branches[name] = _Branch(domain, known_value, outside)
                return {**known, name: None}
        changed = dict.fromkeys(self._changed([draft]))
        for name in changed:
            branches.pop(name, None)
        return {**known, **changed}

    def _changed(self, drafts: Sequence[Draft]) -> Iterator[str]:
        """Names of the variables that statements change."""
        for draft in drafts:
            for action in draft.body:
                for assign in assignments(action):
                    if assign.target.array in self._integers:
                        yield assign.target.array

    def _loop(
        self, drafts: Sequence[Draft], depth: int, known: Known
    ) -> tuple[list[Draft], Known]:
        """A loop, and what is known behind it."""
        changed = tuple(dict.fromkeys(self._changed(drafts)))
        if not changed:
            return self._block(drafts, depth + 1, known)[0], known
        header = drafts[0].nest.headers[depth]
        begin = {v: Local(START + v, self._integers[v]) for v in changed}
        is_final, self._is_final = self._is_final, False
        _, ends = self._block(drafts, depth + 1, {**known, **begin})
        self._is_final = is_final
        loop = Counting(header, self._integers, self._turns)
        starts, behind = loop.follow(changed, known, ends)
        found = list(drafts)
        if is_final:
            found, _ = self._block(drafts, depth + 1, {**known, **starts})
        outer = drafts[0].nest.headers[:depth]
        if not _is_whole(header.outer.domain, outer):
            kept = {v: known.get(v) for v in changed if ends[v] == begin[v]}
            behind = {**dict.fromkeys(changed), **kept}
        if is_final and depth == 0:
            for name in changed:
                found = _set_behind(found, name, behind[name])
        return found, {**known, **behind}

    def _with_values(self, draft: Draft, known: Known) -> Draft:
        """A statement that computes with values in place of variables."""
        targets = {id(a.target) for action in draft.body for a in assignments(action)}
        is_one = len(draft.body) == 1 and isinstance(draft.body[0], Assign)
        own = set() if is_one else set(self._changed([draft]))

        def change(expr: Expr) -> Expr | None:
            if not isinstance(expr, Load) or id(expr) in targets or expr.array in own:
                return None
            value = known.get(expr.array)
            return value if value is None else self._turns.assumed(value)

        if not self._is_final:
            return draft
        return replace(draft, body=tuple(map_action(a, change) for a in draft.body))


@dataclass(frozen=True, eq=False)
class _Branch:
    """What a variable holds behind a statement that not every iteration runs.

    Attributes
    ----------
    domain : isl.Set
        Iterations that run it.
    inside, outside : Expr or None
        What is known in these, and in the others.
    """

    domain: isl.Set
    inside: Expr | None
    outside: Expr | None


def _known_at(domain: isl.Set, known: Known, branches: Mapping[str, _Branch]) -> Known:
    """What is known in some iterations."""
    found = dict(known)
    for name, branch in branches.items():
        if domain.is_subset(branch.domain):
            found[name] = branch.inside
        elif domain.is_disjoint(branch.domain):
            found[name] = branch.outside
    return found


def _doubled(position: tuple[int, ...]) -> tuple[int, ...]:
    """A position that leaves room behind loops at the top."""
    return (2 * position[0], *position[1:])


def _set_behind(drafts: list[Draft], name: str, value: Expr | None) -> list[Draft]:
    """Statements of a loop that set a variable as one behind it, if none reads it."""
    own = [d for d in drafts if _only_sets(d, name)]
    rest = [d for d in drafts if not _only_sets(d, name)]
    if value is None or not own or any(_touches(d, name) for d in rest):
        return drafts
    nest = drafts[0].nest.headers[0].outer
    (first,) = own[-1].body
    assert isinstance(first, Assign)
    body = (Assign(first.target, "=", value),)
    position = (drafts[0].position[0] + 1,)
    return [*rest, Draft(own[-1].node, nest, position, body)]


def _only_sets(draft: Draft, name: str) -> bool:
    match draft.body:
        case (Assign(Load(array, _, _), _, value),) if array == name:
            return not _reads(value, name)
    return False


def _touches(draft: Draft, name: str) -> bool:
    return any(
        _reads(e, name) for action in draft.body for e in action_expressions(action)
    )


def _reads(expr: Expr, name: str) -> bool:
    return any(isinstance(e, Element) and e.array == name for e in walk(expr))


def _changed_value(old: Expr | None, op: str, value: Expr) -> Expr | None:
    """What a variable holds behind an assignment; None if that is not followed."""
    if op in {"+=", "-="}:
        return None if old is None else Binary(op[0], old, value)
    return value if op == "=" else None


def _with_known(value: Expr, known: Known) -> Expr:
    return map_expr(
        value, lambda e: known.get(e.array) if isinstance(e, Load) else None
    )


def _is_plain(value: Expr) -> bool:
    """Whether it reads nothing but iterators, parameters, and starts of iterations."""
    return not any(
        isinstance(e, (Element, Call))
        or (isinstance(e, Local) and not e.name.startswith(START))
        for e in walk(value)
    )


def _runs_always(draft: Draft) -> bool:
    """Whether a statement runs in every iteration of the loops around it."""
    return _is_whole(draft.nest.domain, draft.nest.headers)


def _is_whole(domain: isl.Set, headers: Sequence[Entered]) -> bool:
    if not headers:
        return bool(domain.plain_is_universe() or domain.is_equal(_universe(domain)))
    return bool(domain.is_equal(headers[-1].body))


def _universe(domain: isl.Set) -> isl.Set:
    return isl.Set.universe(domain.get_space())
