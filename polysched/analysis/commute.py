"""Updates of one element come in the order in which their terms are known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise

import islpy as isl

from polysched.analysis.beginnings import join_beginnings, split_beginnings
from polysched.analysis.dependences import compute_dependences
from polysched.analysis.reductions import Reduction, find_updates
from polysched.ir import Scop, Statement, original_tree
from polysched.sets import list_maps, union_of_maps

_NO_NUMBER = "_Bool"  # its sums do not wrap


def order_updates(scop: Scop) -> Scop:
    """Let updates of one element that commute begin with the term that is known first.

    In ``x[j] = max(x[j], x[j-1]); for k < j: x[j] = max(x[j], x[k] + y[k][j])`` the
    first update needs what the iteration before computed last, and holds up the others,
    whose terms have been there for long. Behind them it does no harm: the loop over
    ``k`` may then come outside of the one over ``j``. Results do not change: both
    updates are the same exact operation on integers, and neither reads what the other
    one writes but to update it.

    Parameters
    ----------
    scop : Scop
        With private scalars in their final place, see `coalesce_scalars`.

    Returns
    -------
    Scop
        The same statements; neighbours in the body of a loop, each a statement or a
        loop nest of one, have changed their places where that brings a term forward.
    """
    whole = scop
    scop, split = split_beginnings(scop)
    updates = {u.statement: u for u in find_updates(scop) if _is_free(u)}
    bodies = _find_bodies(scop, updates)
    if not bodies:
        return whole
    ready = _Readiness(scop)
    for body in bodies:
        scop = _arrange(scop, body, updates, ready)
    return join_beginnings(scop, split)


def _is_free(update: Reduction) -> bool:
    """Whether it may come in any order among its like."""
    type_ = update.target.type
    return not type_.is_float and type_.name != _NO_NUMBER


@dataclass(frozen=True)
class _Body:
    """What a loop holds: numbers and statements of its parts, in order."""

    prefix: tuple[int, ...]
    parts: tuple[tuple[int, tuple[str, ...]], ...]


def _find_bodies(scop: Scop, updates: dict[str, Reduction]) -> list[_Body]:
    """Bodies in which two neighbours update one array by one operator."""
    bodies: dict[tuple[int, ...], dict[int, list[str]]] = {}
    for s in scop.statements:
        for depth in range(1, len(s.position)):
            parts = bodies.setdefault(s.position[:depth], {})
            parts.setdefault(s.position[depth], []).append(s.name)
    found = []
    for prefix, parts in bodies.items():
        ordered = tuple((n, tuple(parts[n])) for n in sorted(parts))
        kinds = [_kind(names, updates) for _, names in ordered]
        if any(a == b != "" for a, b in pairwise(kinds)):
            found.append(_Body(prefix, ordered))
    return found


def _kind(names: tuple[str, ...], updates: dict[str, Reduction]) -> str:
    """Which array one statement updates, and how; empty for anything else."""
    if len(names) != 1 or names[0] not in updates:
        return ""
    update = updates[names[0]]
    return f"{update.array} {'+' if update.op == '-' else update.op}"


def _arrange(
    scop: Scop, body: _Body, updates: dict[str, Reduction], ready: _Readiness
) -> Scop:
    """The parts of a body, each moved before those that it need not wait for."""
    parts = list(body.parts)
    for end in range(1, len(parts)):
        for k in range(end, 0, -1):
            one, other = parts[k - 1][1], parts[k][1]
            kind = _kind(one, updates)
            if not kind or kind != _kind(other, updates):
                break
            first, second = scop.statement(one[0]), scop.statement(other[0])
            depth = len(body.prefix)
            if not ready.is_earlier(second, first, depth):
                break
            if not _commute(first, second, depth):
                break
            parts[k - 1], parts[k] = parts[k], parts[k - 1]
    numbers = [n for n, _ in body.parts]
    moved = {
        name: number
        for number, (_, names) in zip(numbers, parts, strict=True)
        for name in names
    }
    statements = [
        _with_number(s, len(body.prefix), moved.get(s.name)) for s in scop.statements
    ]
    return replace(scop, statements=tuple(statements))


def _with_number(statement: Statement, depth: int, number: int | None) -> Statement:
    position = statement.position
    if number is None or position[depth] == number:
        return statement
    moved = (*position[:depth], number, *position[depth + 1 :])
    return replace(statement, position=moved)


def _commute(first: Statement, second: Statement, depth: int) -> bool:
    """Whether in one iteration of the outer loops neither's terms see the other."""
    for one, other in ((first, second), (second, first)):
        (write,) = one.writes
        for read in other.reads:
            if read.array != write.array or _is_own(other, read.relation):
                continue
            written = _per_iteration(write.relation, depth)
            seen = _per_iteration(read.relation, depth)
            if not written.intersect(seen).is_empty():
                return False
    return True


def _is_own(statement: Statement, read: isl.Map) -> bool:
    """Whether a read is that of the element which the statement updates."""
    (write,) = statement.writes
    return bool(read.is_equal(write.relation))


def _per_iteration(relation: isl.Map, depth: int) -> isl.Map:
    """Elements by the iteration of the outer loops, whatever the statement."""
    relation = relation.reset_tuple_id(isl.dim_type.in_)
    n = relation.dim(isl.dim_type.in_)
    return relation.project_out(isl.dim_type.in_, depth, n - depth)


class _Readiness:
    """When the terms of statements are known, in the original order.

    Parameters
    ----------
    scop : Scop
        Its flow is computed when it is first asked for.
    """

    def __init__(self, scop: Scop) -> None:
        self._scop = scop
        self._time = original_tree(scop).map
        self._flow: isl.UnionMap | None = None
        self._written = {a.array for s in scop.statements for a in s.writes}

    def is_earlier(self, one: Statement, other: Statement, depth: int) -> bool:
        """Whether the first terms of one are there before those of the other.

        That is so in some iteration of the loops around both, and in none the other
        way round.
        """
        early, late = self._known(one, depth), self._known(other, depth)
        if late is None:
            return False
        if early is None:
            return True
        return _some_before(early, late) and not _some_before(late, early)

    def _known(self, statement: Statement, depth: int) -> isl.Map | None:
        """Iterations to when all is there that the first instance in them needs."""
        others = [a for a in statement.reads if not _is_own(statement, a.relation)]
        if all(a.array not in self._written for a in others):
            return None
        if self._flow is None:
            self._flow = compute_dependences(self._scop, with_input=False).flow
        domain = isl.UnionSet.from_set(isl.Set.universe(statement.domain.get_space()))
        sources = self._flow.intersect_range(domain).reverse()
        sources = sources.subtract(self._own_updates(statement))
        times = list_maps(sources.apply_range(self._time))
        if not times:
            return None
        known = reduce(lambda a, b: a.union(b), times).lexmax()
        return _per_iteration(known, depth).lexmin()

    def _own_updates(self, statement: Statement) -> isl.UnionMap:
        """The statement's instances to all writers of the element that it updates."""
        (write,) = statement.writes
        writers = union_of_maps(
            [
                a.relation
                for s in self._scop.statements
                for a in s.writes
                if a.array == write.array
            ]
        )
        return isl.UnionMap.from_map(write.relation).apply_range(writers.reverse())


def _some_before(one: isl.Map, other: isl.Map) -> bool:
    """Whether in some common iteration the one's time is before the other's."""
    pairs = one.lex_lt_map(other)
    same = isl.Map.identity(pairs.get_space())
    return not pairs.intersect(same).is_empty()
