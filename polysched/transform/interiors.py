"""The points inside the borders of unrolled windows, for a planned script."""

from __future__ import annotations

import islpy as isl

from polysched.frontend import find_cases
from polysched.ir import MARK_VECTOR, NodePath, Scop
from polysched.sets import (
    list_basic_sets,
    list_maps,
    map_names,
    n_dims,
    plain_bounds,
)
from polysched.transform.borders import run_length
from polysched.transform.draft import Draft, is_under_mark
from polysched.transform.interior import Interior, print_constraints
from polysched.transform.split import has_loop_names
from polysched.transform.unroll import list_leaves

WIDEST = 64  # values of a loop that counts as short


def part_interior(draft: Draft, scop: Scop, path: NodePath) -> Draft:
    """A loop in lanes around short ones, with what runs all of these apart.

    So is what needs no remainder: ``(x + dx + n) % n`` is ``x + dx`` inside.
    """
    node = draft.node(path)
    if not is_under_mark(node, MARK_VECTOR) or has_loop_names(node.get_domain()):
        return draft
    where = find_interior(node, scop)
    return draft.attempt(Interior(path, where)) or draft if where else draft


def find_interior(node: isl.ScheduleNode, scop: Scop) -> tuple[str, ...]:
    """Constraints of the points of a band at which all below runs, with one answer.

    None where that is everywhere, or nowhere; of several parts the one with the longest
    runs, as pictures of one row have others.
    """
    inner = node.get_schedule_depth() + 1
    runs = [
        (leaf.get_prefix_schedule_union_map(), leaf.get_domain())
        for leaf in list_leaves(node)
    ]
    instances = [m for r, domain in runs for m in list_maps(r.intersect_domain(domain))]
    points = _points(instances[0], inner)
    for other in instances[1:]:
        points = points.union(_points(other, inner))
    whole = points
    for own in instances:
        found = _all_run(own.range(), inner)
        if found is None:
            return ()
        whole = whole.intersect(found)
    for own in instances:
        whole = _with_one_answer(whole, own, scop, inner)
    parts = [isl.Set.from_basic_set(p) for p in list_basic_sets(whole.coalesce())]
    if not parts or points.is_subset(whole):
        return ()
    largest = max(parts, key=lambda part: run_length(part, scop))
    needed = list_basic_sets(largest.gist(points).coalesce())
    if len(needed) != 1 or needed[0].dim(isl.dim_type.div):
        return ()
    return print_constraints(needed[0])


def _points(own: isl.Map, inner: int) -> isl.Set:
    """The values of the loops as far as the band's at which instances run."""
    times = own.range()
    return times.project_out(isl.dim_type.set, inner, n_dims(times) - inner)


def _with_one_answer(whole: isl.Set, own: isl.Map, scop: Scop, inner: int) -> isl.Set:
    """The points of a set where a statement's conditions have their usual answers.

    Those that the loop in lanes has no part in stay questions.
    """
    (name, _) = map_names(own)
    instances = own.domain()
    for case in find_cases(scop.statement(name)):
        best: tuple[int, isl.Set] | None = None
        for part in case.parts():
            others = instances.subtract(part.set_tuple_name(name))
            inside = whole.subtract(_points(own.intersect_domain(others), inner))
            length = run_length(inside, scop)
            if best is None or length > best[0]:
                best = length, inside
        if best is not None and best[0] and _involves_last(best[1].gist(whole)):
            whole = best[1]
    return whole


def _involves_last(points: isl.Set) -> bool:
    last = n_dims(points) - 1
    return any(
        basic.involves_dims(isl.dim_type.set, last, 1)
        for basic in list_basic_sets(points.coalesce())
    )


def _all_run(times: isl.Set, inner: int) -> isl.Set | None:
    """Outer values with the whole window of inner ones; None where there is no window.

    A window is what the inner loops' values are, counted from where each begins.
    """
    n = n_dims(times)
    runs = isl.Map.from_range(times)
    runs = runs.move_dims(isl.dim_type.in_, 0, isl.dim_type.out, 0, inner)
    start = isl.MultiAff.zero(runs.get_space())
    for k in range(n - inner):
        first = _first(times, inner, k)
        if first is None:
            return None
        start = start.set_aff(k, first)
    counted = runs.sum(isl.Map.from_multi_aff(start.neg()))
    window = isl.Map.from_domain_and_range(runs.domain(), counted.range())
    return runs.domain().subtract(window.subtract(counted).domain())


def _first(times: isl.Set, inner: int, k: int) -> isl.Aff | None:
    """Where the values of an inner loop begin, as a function of the outer ones.

    Of the pairs of a lower and an upper bound that are as far apart everywhere the
    nearest: ``x - 1`` of ``max(0, x - 1)`` to ``min(n, x + 1)``, 0 of ``max(0, 1 - x)``
    to ``min(2, n - x)``.
    """
    behind = n_dims(times) - inner - k - 1
    own = times.project_out(isl.dim_type.set, inner + k + 1, behind)
    hull = own.project_out(isl.dim_type.set, inner, k).remove_divs().simple_hull()
    bounds = [
        (bound.drop_dims(isl.dim_type.in_, inner, 1), is_lower, is_upper)
        for bound, is_lower, is_upper in plain_bounds(hull, inner)
    ]
    lower = [bound for bound, is_lower, _ in bounds if is_lower]
    upper = [bound for bound, _, is_upper in bounds if is_upper]
    best: tuple[int, isl.Aff] | None = None
    for low in lower:
        for high in upper:
            gap = high.sub(low)
            if gap.is_cst():
                width = int(gap.get_constant_val().to_python())
                best = (width, low) if best is None or width < best[0] else best
    return None if best is None or best[0] >= WIDEST else best[1]
