"""Where to cut innermost loops so that conditions of iterators have one answer.

A grid's border is often handled inside the loops, by ``j > 0 ? u[j - 1] : u[j]`` or by
``(j + 1) % n``. Cut behind the first and before the last iteration, the long part in
between needs neither, and its accesses are to neighbours that lanes load together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import islpy as isl

from polysched.analysis import loop_spans
from polysched.frontend import find_cases
from polysched.ir import NodePath, Scop
from polysched.sets import (
    list_basic_sets,
    list_sets,
    n_dims,
    node_kind,
    param_names,
    plain_bounds,
)
from polysched.transform.cuts import Cuts, print_cut
from polysched.transform.draft import Draft
from polysched.transform.split import Split, has_loop_names, loop_values

MIN_LENGTH = 16  # iterations of a part that is worth a cut
MIN_SHARE = 3  # it is at least that part of the loop
SHORT_RUN = 64  # iterations at a time, too few for parts that are elsewhere each time
_ASSUMED = 1000  # value of a parameter that nothing is known of


def cut_borders(draft: Draft, scop: Scop, path: NodePath, member: int) -> Draft | None:
    """The draft with a loop cut where its conditions change; None if there is no point.

    The longest part with one answer is kept whole, and what comes before and behind it
    is cut off.
    """
    node = draft.node(path)
    if not member and node_kind(node.parent()) == "mark":
        return None
    if has_loop_names(node.get_domain()):
        return None
    cuts = find_borders(node, scop, member)
    step = Split(path, member, cuts)
    if not cuts or step.find_misfit(draft.tree) is not None:
        return None
    return draft.do(step)


def part_paths(draft: Draft, path: NodePath, member: int) -> list[NodePath]:
    """Where the parts of a cut loop stand, the last first."""
    base = (*path, 0) if member else path
    return [(*base, k, 0) for k in reversed(range(draft.node(base).n_children()))]


def find_borders(node: isl.ScheduleNode, scop: Scop, member: int) -> Cuts:
    """First iterations of the second and the third part of a band member; or none."""
    known = {s.name: s for s in scop.statements}
    domains = [d for d in list_sets(node.get_domain()) if d.get_tuple_name() in known]
    cases = [(d, find_cases(known[d.get_tuple_name()])) for d in domains]
    if not any(found for _, found in cases):
        return ()
    values = loop_values(node, member)
    borders: dict[str, isl.Aff] = {}
    ranges: list[isl.Set] = []
    for domain, found in cases:
        ranges.append(_times(domain, values))
        for case in found:
            for part in case.parts():
                named = part.set_tuple_name(domain.get_tuple_name())
                times = _times(named.intersect(domain), values)
                borders |= {print_cut(b): b for b in _borders(times, ranges[-1])}
    if not borders:
        return ()
    estimates = dict(scop.estimates)
    if all(_is_short(_fixed(times, estimates)) for times in ranges):
        borders = {t: b for t, b in borders.items() if not _moves(b)}
    places = [_Place(_fixed(times, estimates), estimates) for times in ranges]
    return _around_longest(borders, max(places, key=lambda p: p.length))


def run_length(times: isl.Set, scop: Scop) -> int:
    """Iterations of the last loop for estimated sizes; 0 where nothing runs."""
    estimates = dict(scop.estimates)
    return _Place(_fixed(times, estimates), estimates).length


def _is_short(times: isl.Set) -> bool:
    """Whether few iterations run at a time, as in tiles: most runs have no border."""
    span = None if times.is_empty() else loop_spans(times)[-1]
    return span is not None and span < SHORT_RUN


def _moves(border: isl.Aff) -> bool:
    """Whether a border is elsewhere in each run of the loop."""
    n = border.dim(isl.dim_type.in_)
    return bool(border.involves_dims(isl.dim_type.in_, 0, n))


def _times(instances: isl.Set, values: isl.UnionMap) -> isl.Set:
    """The values of all loops for some instances of one statement."""
    reached = isl.UnionSet.from_set(instances).apply(values)
    found = list_sets(reached)
    if found:
        return found[0]
    depth = n_dims(list_sets(values.range())[0])
    space = isl.Space.set_alloc(instances.get_ctx(), 0, depth)
    return isl.Set.empty(space)


def _borders(part: isl.Set, whole: isl.Set) -> Iterator[isl.Aff]:
    """First iterations of a loop inside and behind a part, and not of the whole."""
    if part.is_empty():
        return
    last = n_dims(whole) - 1
    for basic in list_basic_sets(part.coalesce().gist(whole)):
        if basic.dim(isl.dim_type.div):  # remainders change all along
            continue
        for bound, is_lower, is_upper in plain_bounds(basic, last):
            if is_lower:
                yield bound
            if is_upper:
                yield bound.add_constant_val(isl.Val(1))


def _fixed(times: isl.Set, estimates: dict[str, int]) -> isl.Set:
    """The values of loops for one size."""
    for k, name in enumerate(param_names(times)):
        value = isl.Val(estimates.get(name, _ASSUMED))
        times = times.fix_val(isl.dim_type.param, k, value)
    return times


@dataclass(frozen=True, eq=False)
class _Place:
    """The range of a loop for one size, and of the loops around it."""

    times: isl.Set
    estimates: dict[str, int]

    @property
    def first(self) -> int:
        return self._ends(n_dims(self.times) - 1)[0]

    @property
    def length(self) -> int:
        if self.times.is_empty():
            return 0
        first, last = self._ends(n_dims(self.times) - 1)
        return last - first + 1

    def _ends(self, k: int) -> tuple[int, int]:
        ends = self.times.dim_min_val(k), self.times.dim_max_val(k)
        first, last = (e.to_python() if e.is_int() else 0 for e in ends)
        return first, last

    def _middle(self, k: int) -> int:
        return sum(self._ends(k)) // 2

    def position(self, border: isl.Aff) -> int:
        """Where a border lies, near enough to put several in order."""
        total = border.get_constant_val()
        for k in range(border.dim(isl.dim_type.param)):
            name = str(border.get_dim_name(isl.dim_type.param, k))
            factor = border.get_coefficient_val(isl.dim_type.param, k)
            value = self.estimates.get(name, _ASSUMED)
            total = total.add(factor.mul(isl.Val(value)))
        for k in range(border.dim(isl.dim_type.in_)):
            factor = border.get_coefficient_val(isl.dim_type.in_, k)
            if not factor.is_zero():
                total = total.add(factor.mul(isl.Val(self._middle(k))))
        found: int = total.floor().to_python()
        return found


def _around_longest(borders: dict[str, isl.Aff], place: _Place) -> Cuts:
    """The borders at both ends of the longest part that they leave."""
    if place.length < MIN_LENGTH:
        return ()
    first, behind = place.first, place.first + place.length
    at = {place.position(aff): text for text, aff in borders.items()}
    inner = sorted(p for p in at if first < p < behind)
    ends = [first, *inner, behind]
    length, begin, end = max(
        ((b - a, a, b) for a, b in pairwise(ends)),
        key=lambda part: part[0],
    )
    if not inner or length < max(MIN_LENGTH, place.length // MIN_SHARE):
        return ()
    return tuple(at[p] for p in (begin, end) if p in inner)
