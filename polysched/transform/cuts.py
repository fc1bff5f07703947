"""Where to cut loops that wait for a few of their own iterations, for a planned script.

In ``path[i][j] = min(path[i][j], path[i][k] + path[k][j])`` the loops over `i` and `j`
carry dependences only from and to the iterations ``i == k`` and ``j == k``. Cut there,
what comes before and what comes after are parallel loops. Where to cut is read from
the dependences: the pairs of instances that a loop carries must have their sources or
their sinks in one iteration, the same for all pairs or one of two.
"""

from __future__ import annotations

from itertools import permutations

import islpy as isl

from polysched.analysis import active_dependences, member_distances
from polysched.base import PolyschedError
from polysched.ir import NodePath, Scop
from polysched.sets import (
    list_basic_maps,
    list_maps,
    list_sets,
    n_dims,
    plain_bounds,
)
from polysched.transform.band_view import BandView, view_band
from polysched.transform.bands import member_schedules
from polysched.transform.choose import choose_innermost
from polysched.transform.draft import Draft, has_band_below
from polysched.transform.order import Order
from polysched.transform.split import Split, find_parts, has_loop_names, loop_values

MIN_EXTENT = 16  # iterations of a loop that is worth a cut
MAX_PLANES = 2  # iterations to cut out of one loop
MAX_SPLITS = 8  # of one script: each may triple the code below it
MAX_PAIRS = 64  # kinds of dependent pairs that a loop carries

Cuts = tuple[str, ...]


def split_loops(draft: Draft, scop: Scop) -> Draft:
    """Cut loops that are parallel but for one or two of their iterations.

    Done for a loop that threads could share where there is none yet, and for one that
    could run in vector lanes where there is none yet.
    """
    done: set[NodePath] = set()
    for _ in range(MAX_SPLITS):
        step = _next_split(draft, scop, done)
        if step is None:
            break
        draft = step
    return draft


def _next_split(draft: Draft, scop: Scop, done: set[NodePath]) -> Draft | None:
    """The draft with the first loop cut that should be, outer loops first."""
    for path in sorted(draft.band_paths()):
        if path in done:
            continue
        done.add(path)
        band = view_band(draft, scop, path)
        for member in range(band.n_members if band.permutable else 1):
            if not band.coincident[member] and _is_wanted(draft, band, member):
                cuts = find_cuts(draft, path, member)
                if cuts:
                    return _split(draft, path, member, cuts)
    return None


def _is_wanted(draft: Draft, band: BandView, member: int) -> bool:
    """Whether something is gained by making one loop parallel."""
    if band.is_thin or (band.extent(member) or MIN_EXTENT) < MIN_EXTENT:
        return False
    if not any(band.coincident) and not _is_shared(draft, band):
        return True
    if has_band_below(draft.node(band.path)):
        return False
    best = choose_innermost(band)
    return not band.coincident[best] and band.is_worth_vector(member)


def _is_shared(draft: Draft, band: BandView) -> bool:
    """Whether some loop around a band is parallel."""
    path = band.path
    outer = (p for p in draft.band_paths() if p != path and p == path[: len(p)])
    return any(any(view_band(draft, band.scop, p).coincident) for p in outer)


def _split(draft: Draft, path: NodePath, member: int, cuts: Cuts) -> Draft:
    """Cut a member of a permutable band, the members as they were in each part."""
    n = draft.node(path).band_n_member()
    front = (member, *(k for k in range(n) if k != member))
    back = tuple(front.index(k) for k in range(n))
    if member:
        draft = draft.do(Order(path, front))
    draft = draft.do(Split(path, 0, cuts))
    if member:
        for k in range(draft.node(path).n_children()):
            draft = draft.do(Order((*path, k, 0), back))
    return draft


def find_cuts(draft: Draft, path: NodePath, member: int) -> Cuts:
    """Cuts that leave a member of a band parallel in every part; empty if none do."""
    node = draft.node(path)
    if member:  # it will have been moved to the front
        node = Order(path, _to_front(node, member)).change(node)
    pairs = _carried_pairs(node, draft)
    if not 0 < len(pairs) <= MAX_PAIRS or has_loop_names(node.get_domain()):
        return ()
    values = loop_values(node, 0)
    planes = _find_planes(pairs, values)
    choices = [[c for p in order for c in _around(p)] for order in permutations(planes)]
    gap = _find_gap(pairs, values)
    for cuts in [*choices, *([[gap]] if gap is not None else [])]:
        try:
            found = _without_empty(node, tuple(map(print_cut, cuts)))
        except PolyschedError:  # a function that a step has no words for
            continue
        if found and _is_parallel_in_parts(node, draft, found):
            return found
    return ()


def _around(plane: isl.Aff) -> tuple[isl.Aff, isl.Aff]:
    return plane, plane.add_constant_val(isl.Val(1))


def _carried_pairs(node: isl.ScheduleNode, draft: Draft) -> list[isl.Map]:
    """Dependent instances in different iterations of a band's first loop."""
    loop = isl.MultiUnionPwAff.from_union_pw_aff(member_schedules(node)[0])
    active = active_dependences(node, draft.deps.validity)
    carried = active.subtract(active.eq_at_multi_union_pw_aff(loop))
    pieces = (p for m in list_maps(carried) for p in list_basic_maps(m))
    return [isl.Map.from_basic_map(p) for p in pieces]


def _to_front(node: isl.ScheduleNode, member: int) -> tuple[int, ...]:
    return (member, *(k for k in range(node.band_n_member()) if k != member))


def _without_empty(node: isl.ScheduleNode, cuts: Cuts) -> Cuts:
    """The cuts without those that cut nothing off."""
    k = 0
    while k < len(cuts):
        parts = find_parts(node, 0, cuts)
        if parts[k] is None:
            cuts = cuts[:k] + cuts[k + 1 :]
        elif k == len(cuts) - 1 and parts[k + 1] is None:
            cuts = cuts[:k]
        else:
            k += 1
    return cuts


def _is_parallel_in_parts(node: isl.ScheduleNode, draft: Draft, cuts: Cuts) -> bool:
    sequence = Split((), 0, cuts).change(node)
    still = isl.Set("{ [0] }")
    for k in range(sequence.n_children()):
        band = sequence.child(k).child(0)
        active = active_dependences(band, draft.deps.validity)
        if not member_distances(band, 0, active).is_subset(still):
            return False
    return True


def _find_planes(pairs: list[isl.Map], values: isl.UnionMap) -> list[isl.Aff]:
    """Few iterations of a loop of which each pair of instances touches one.

    As functions of the values of the loops around; empty where there are none.
    """
    planes: dict[str, isl.Aff] = {}
    touched = []
    for pair in pairs:
        ends = [_find_plane(end, values) for end in (pair.domain(), pair.range())]
        found = {print_cut(end): end for end in ends if end is not None}
        planes |= found
        touched.append(set(found))
    chosen: list[str] = []
    while left := [t for t in touched if not t & set(chosen)]:
        if len(chosen) == MAX_PLANES or not all(left):
            return []
        candidates = sorted({plane for t in left for plane in t})
        chosen.append(max(candidates, key=lambda p: sum(p in t for t in left)))
    return [planes[name] for name in chosen]


def _find_plane(instances: isl.Set, values: isl.UnionMap) -> isl.Aff | None:
    """The one iteration of a loop that instances lie in, given the loops around it."""
    times = list_sets(isl.UnionSet.from_set(instances).apply(values))
    if len(times) != 1:
        return None
    last = n_dims(times[0]) - 1
    planes = plain_bounds(times[0].affine_hull(), last)
    return next((aff for aff, *is_end in planes if all(is_end)), None)


def _find_gap(pairs: list[isl.Map], values: isl.UnionMap) -> isl.Aff | None:
    """The first iteration of a loop that ends a pair, given the loops around it.

    Where all pairs begin before it, what comes before and what comes after are both
    parallel: in ``a[i] += a[n - 1 - i]`` the second half waits for the first.
    """
    ends = isl.UnionSet.empty(values.get_space())
    for pair in pairs:
        ends = ends.union(isl.UnionSet.from_set(pair.range()))
    times = list_sets(ends.apply(values))
    if len(times) != 1:
        return None
    last = n_dims(times[0]) - 1
    by_loops = isl.Map.from_range(times[0])
    for _ in range(last):
        by_loops = by_loops.move_dims(
            isl.dim_type.in_, by_loops.dim(isl.dim_type.in_), isl.dim_type.out, 0, 1
        )
    pieces: list[isl.Aff] = []
    first = by_loops.lexmin_pw_multi_aff().get_pw_aff(0)
    first.foreach_piece(lambda _, aff: pieces.append(aff))
    return pieces[0] if len(pieces) == 1 else None


def print_cut(aff: isl.Aff) -> str:
    """A function of the loops around as a cut."""
    for k in range(aff.dim(isl.dim_type.in_)):
        aff = aff.set_dim_name(isl.dim_type.in_, k, f"c{k}")
    text = str(aff).rsplit("-> [", 1)[1].rsplit("]", 1)[0]
    return text[1:-1] if text.startswith("(") and text.endswith(")") else text
