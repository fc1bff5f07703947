"""Elements at places that depend on data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from functools import reduce

from polysched.frontend.accesses import UnknownPlaces, has_value
from polysched.frontend.builder import Draft
from polysched.frontend.declarations import PointerC
from polysched.frontend.local_ranges import find_ranges, is_within
from polysched.frontend.objects import Object
from polysched.frontend.survey import Survey
from polysched.ir import (
    Action,
    Assign,
    Binary,
    Cast,
    Element,
    Expr,
    Guard,
    Iter,
    Let,
    Load,
    Local,
    Lookup,
    Range,
    ScalarType,
    action_expressions,
    assignments,
    depends_on_data,
    inner_actions,
    map_action,
    map_expr,
    range_of,
    walk,
)

_Variable = str | Local | Iter


def with_lookups(drafts: Sequence[Draft]) -> list[Draft]:
    """The drafts with `Lookup` for loads whose subscripts read data.

    What such an element is updated from is no such load: ``x[k] = x[k] + e`` is read as
    ``x[k] += e``, which means the same.

    Parameters
    ----------
    drafts : sequence of Draft
        All of the SCoP.
    """
    drafts = [replace(d, body=tuple(map(_shorten, d.body))) for d in drafts]
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


def _shorten(action: Action) -> Action:
    """The action with sums of an element that data choose as updates of it."""
    match action:
        case Guard(cond, then, other):
            parts = (tuple(map(_shorten, part)) for part in (then, other))
            return Guard(cond, *parts)
        case Assign(target, "=", value) if target.is_chosen_by_data:
            if isinstance(value, Cast) and value.type == target.type:
                value = value.operand
            match value:
                case Binary("+" | "-" as op, left, term) if left == target:
                    return Assign(target, f"{op}=", term)
                case Binary("+", term, right) if right == target:
                    return Assign(target, "+=", term)
    return action


def looked_up(drafts: Sequence[Draft], *, beyond_ranges: bool = False) -> set[str]:
    """Arrays of which elements are touched at places that depend on data.

    Parameters
    ----------
    drafts : sequence of Draft
        All of the SCoP.
    beyond_ranges : bool
        Only those for which the ranges of variables inside statements are not enough.
    """
    found = set()
    for draft in drafts:
        ranges = find_ranges(draft.body) if beyond_ranges else {}
        for action in draft.body:
            for e in (e for top in action_expressions(action) for e in walk(top)):
                if not isinstance(e, Element) or not e.is_chosen_by_data:
                    continue
                if not all(is_within(s, ranges) for s in e.subscripts):
                    found.add(e.array)
    return found


def unknown_places(
    drafts: Sequence[Draft],
    objects: Sequence[Object],
    found: Survey,
    bent: Set[str] = frozenset(),
) -> UnknownPlaces:
    """What is known of places that depend on data.

    Parameters
    ----------
    drafts : sequence of Draft
        All of the SCoP.
    objects : sequence of Object
        What they access.
    found : Survey
        Tells what is declared in the SCoP.
    bent : set of str
        Arrays that are only read, at places that are not affine.
    """
    names = looked_up(drafts) | bent
    there = [o for o in objects if o.name in names]
    written = written_arrays(drafts)
    from_anywhere = {
        o.name for o in there
        if o.name in written
        and o.symbol.n_rows is None
        and (isinstance(o.symbol.ctype, PointerC) or o.symbol.storage == "parameter")
    }  # fmt: skip
    extents = {o.name: (*(None for _ in o.loops), *o.extents) for o in there}
    runs = {
        o.name: (o.layout.first, o.layout.end) for o in there if o.layout is not None
    }
    own = {o.name: o.type for o in objects if o.symbol in found.declared}
    ranges = _ranges(drafts, own)
    return UnknownPlaces(extents, from_anywhere, ranges, names - written, runs)


def with_bent_lookups(draft: Draft, only_read: Set[str]) -> Draft:
    """The draft with `Lookup` for elements of some arrays that are not affine."""

    def change(expr: Expr) -> Expr | None:
        if not isinstance(expr, Load) or expr.array not in only_read:
            return None
        nest = draft.nest
        if all(has_value(nest.affine, s, nest.domain) for s in expr.subscripts):
            return None
        subscripts = tuple(map_expr(s, change) for s in expr.subscripts)
        return Lookup(expr.array, subscripts, expr.type)

    return replace(draft, body=tuple(map_action(a, change) for a in draft.body))


def bent_arrays(drafts: Sequence[Draft]) -> set[str]:
    """Arrays that the region only reads, some of them at places that are not affine."""
    found = {
        e.array
        for draft in drafts
        for action in draft.body
        for top in action_expressions(action)
        for e in walk(top)
        if isinstance(e, Load) and any(_is_bent(draft, s) for s in e.subscripts)
    }
    return found - written_arrays(drafts)


def _is_bent(draft: Draft, subscript: Expr) -> bool:
    """Whether a subscript has products or the like, and is not affine for them."""
    if depends_on_data(subscript):
        return False
    nodes = (e for e in walk(subscript) if isinstance(e, Binary))
    return any(e.op not in ("+", "-") for e in nodes) and not has_value(
        draft.nest.affine, subscript, draft.nest.domain
    )


def written_arrays(drafts: Sequence[Draft]) -> set[str]:
    """Arrays of which the region writes elements."""
    return {a.target.array for d in drafts for a in _assignments(d)}


def _ranges(
    drafts: Sequence[Draft], own: Mapping[str, ScalarType]
) -> dict[_Variable, Range]:
    """What variables of the region hold that only ever get whole values.

    Before the first they hold nothing that a program may use.
    """
    given = dict[_Variable, list[tuple[Draft, Expr]]]()
    others = set[_Variable]()
    for draft in drafts:
        for variable, op, value in _settings(draft, own):
            if op == "=":
                given.setdefault(variable, []).append((draft, value))
            else:
                others.add(variable)
    known = dict[_Variable, Range]()
    for variable, values in given.items():
        ranges = [range_of(v, {**known, **_iterator_ranges(d)}) for d, v in values]
        held = [r for r in ranges if r is not None]
        if variable not in others and len(held) == len(ranges):
            known[variable] = reduce(Range.joined, held)
    return known


def _iterator_ranges(draft: Draft) -> dict[_Variable, Range]:
    """The values of iterators that lie between numbers."""
    found = dict[_Variable, Range]()
    for k, loop in enumerate(draft.nest.loops):
        low, high = draft.nest.domain.dim_min_val(k), draft.nest.domain.dim_max_val(k)
        if low.is_int() and high.is_int():
            found[loop.iterator] = Range(int(low.to_python()), int(high.to_python()))
    return found


def _settings(
    draft: Draft, own: Mapping[str, ScalarType]
) -> Iterator[tuple[_Variable, str, Expr]]:
    """Each value that a variable of the region gets, converted to its type."""
    waiting = list(draft.body)
    while waiting:
        action = waiting.pop()
        waiting += inner_actions(action)
        match action:
            case Assign(target, op, value) if target.array in own:
                yield target.array, op, Cast(own[target.array], value)
            case Let(local, op, Expr() as value):
                yield local, op, Cast(local.type, value)


def _assignments(draft: Draft) -> Iterator[Assign]:
    for action in draft.body:
        yield from assignments(action)
