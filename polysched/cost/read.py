"""The nests of a schedule tree, as the model counts them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace

import islpy as isl

from polysched.analysis import (
    Dependences,
    Member,
    Place,
    Reference,
    loop_distances,
    loop_is_parallel,
    main_places,
    place_size,
    references,
)
from polysched.cost.alias_checks import asks_too_often
from polysched.cost.calls import stops_lanes
from polysched.cost.chains import Link
from polysched.cost.nest import Nest, scatters
from polysched.cost.peel import peel
from polysched.cost.rings import find_links
from polysched.cost.wraps import open_wraps
from polysched.ir import (
    NodePath,
    ScheduleTree,
    Scop,
    Statement,
    assignments,
)
from polysched.sets import is_isolated, isolates, union_of_maps

MAX_GUARDS = 3  # questions of an iteration that compilers ask ahead of the loop

KnownNests = dict[tuple[Hashable, ...], Nest]
KnownLinks = dict[tuple[Hashable, ...], Mapping[str, Link]]


def read_nests(
    tree: ScheduleTree,
    scop: Scop,
    deps: Dependences | None = None,
    known: KnownNests | None = None,
    links: KnownLinks | None = None,
    *,
    fused: bool = True,
) -> list[Nest]:
    """One nest per statement of a tree, in the order in which they stand there.

    Without dependences all recurrences wait.

    Of a statement whose instances are split, one per part that has as many dimensions
    as any, each with its share; the others count as nothing.

    Parameters
    ----------
    known : dict, optional
        Nests of other trees of the SCoP, by their loops; what has been found out about
        one is not found out again. Those of this tree are added.
    links : dict, optional
        The same for statements of one loop that hand values on to each other.
    fused : bool
        Whether products and sums are one operation.
    """
    known = {} if known is None else known
    by_name = references(scop)
    found: list[tuple[NodePath, Nest]] = []
    inner: list[tuple[NodePath, int] | None] = []
    all_places = main_places(tree)
    listed = [p for places in all_places.values() for p in places]
    mates, guarded = _mates(listed, scop), _guarded(listed)
    wraps = _open_wraps(tree, listed, scop)
    scalar = {
        _innermost(peel(_moving(place), scop, place.name))
        for place in listed
        if stops_lanes(scop.statement(place.name))
        or wraps.get((place.name, place.path))
        or guarded[place.path] > MAX_GUARDS
        or _asks_in_lanes(
            tree, scop.statement(place.name), peel(_moving(place), scop, place.name)
        )
    } | _unproven(listed, scop)
    for name, places in all_places.items():
        sizes = [place_size(tree, p) if len(places) > 1 else 1.0 for p in places]
        for place, size in zip(places, sizes, strict=True):
            moving = peel(_moving(place), scop, name)
            versioned = _is_versioned(tree, moving)
            inner.append(_innermost(moving))
            others, beside = mates[name, place.path]
            is_guarded = guarded[place.path] > 1
            loops = tuple(replace(m, path=()) for m in moving)
            is_scalar = _innermost(moving) in scalar
            n_wraps = wraps.get((name, place.path), 0)
            asked = is_guarded, is_scalar, n_wraps
            key = name, loops, versioned, others, beside, *asked
            if len(places) == 1 and key in known:
                found.append((place.path, known[key].moved_to(moving)))
                continue
            nest = Nest(
                scop,
                scop.statement(name),
                moving,
                by_name[name],
                share=size / sum(sizes),
                is_versioned=versioned,
                mates=others,
                beside=beside,
                is_guarded=is_guarded,
                is_scalar=is_scalar,
                n_wraps=n_wraps,
            )
            if deps is not None and not nest.is_inner_parallel:
                nest = replace(
                    nest,
                    waits=_waits_for_itself(tree, nest, deps),
                    reads_ahead=_reads_ahead(tree, nest, deps),
                )
            if len(places) == 1:
                known[key] = nest
            found.append((place.path, nest))
    if deps is not None:
        for k in _beside_sums(tree, [nest for _, nest in found], inner, deps):
            path, nest = found[k]
            found[k] = path, replace(nest, is_beside_sums=True)
        nests = [nest for _, nest in found]
        ring = find_links(tree, nests, inner, deps, links, fused=fused)
        for k, link in ring.items():
            path, nest = found[k]
            found[k] = path, replace(nest, link=link)
    return [nest for _, nest in sorted(found, key=lambda one: one[0])]


def _open_wraps(
    tree: ScheduleTree, places: list[Place], scop: Scop
) -> dict[tuple[str, NodePath], int]:
    """Remainders of the innermost loop that subscripts have there, where there are."""
    found = {}
    for place in places:
        rolled = [m for m in peel(_moving(place), scop, place.name) if not m.unrolled]
        n = open_wraps(tree, place.path, scop, place.name, rolled[-1]) if rolled else 0
        if n:
            found[place.name, place.path] = n
    return found


def _moving(place: Place) -> tuple[Member, ...]:
    return tuple(m for m in place.members if not m.is_constant)


def _innermost(members: tuple[Member, ...]) -> tuple[NodePath, int] | None:
    """The last member that stays a loop."""
    rolled = [(m.path, m.position) for m in members if not m.unrolled]
    return rolled[-1] if rolled else None


def _unproven(places: list[Place], scop: Scop) -> set[tuple[NodePath, int] | None]:
    """Innermost loops of which nothing says that they may run in lanes.

    Compilers give those up that would take too many questions.
    """
    runs: dict[tuple[NodePath, int] | None, list[tuple[str, tuple[Member, ...]]]] = {}
    for place in places:
        members = peel(_moving(place), scop, place.name)
        if not any(m.is_vector for m in members):
            runs.setdefault(_innermost(members), []).append((place.name, members))
    return {loop for loop, run in runs.items() if asks_too_often(run, scop)}


def _is_versioned(tree: ScheduleTree, members: tuple[Member, ...]) -> bool:
    """Whether a version of the loops around the innermost one is for full tiles."""
    if len(members) < 2 or any(m.unrolled for m in members):
        return False
    return is_isolated(tree.node(members[-1].path).parent())


def _mates(
    places: list[Place], scop: Scop
) -> dict[tuple[str, NodePath], tuple[tuple[Reference, ...], tuple[Reference, ...]]]:
    """Accesses of the other statements that run for the same values.

    Those with gaps, and all to arrays that the statement touches as well.
    """
    by_name = references(scop)
    together: dict[tuple[object, ...], list[Place]] = {}
    for place in places:
        loops = [
            (m.path, m.position, m.coefficients, m.constant, m.summed)
            for m in _moving(place)
        ]
        n_iterators = scop.statement(place.name).n_loops
        together.setdefault((n_iterators, *loops), []).append(place)
    found = {}
    for group in together.values():
        for place in group:
            own = {r.array for r in by_name[place.name]}
            others = [r for p in group if p is not place for r in by_name[p.name]]
            with_gaps = (
                r
                for r in others
                if r.rows and any(c not in (-1, 0, 1) for c in r.rows[-1])
            )
            shared = (r for r in others if r.array in own)
            found[place.name, place.path] = tuple(with_gaps), tuple(shared)
    return found


def _guarded(places: list[Place]) -> dict[NodePath, int]:
    """How many others that run less often share a statement's innermost band.

    They stand at one iteration of a loop that moves it, so that every iteration asks
    for both; of one question compilers rid the loop. Where it is that loop which is
    unrolled, its first and last rounds are printed apart.
    """
    by_band: dict[NodePath, list[Place]] = {}
    for place in places:
        if place.members:
            by_band.setdefault(place.members[-1].path, []).append(place)
    return {
        place.path: sum(_runs_less_often(p, place) for p in by_band.get(band, ()))
        for place in places
        for band in [place.members[-1].path if place.members else ()]
    }


def _asks_in_lanes(
    tree: ScheduleTree, statement: Statement, members: tuple[Member, ...]
) -> bool:
    """Whether copies of the innermost loop's body run for different iterations of it.

    Full register tiles and an interior are apart from what asks, other unrolled loops
    are not.
    """
    rolled = [m for m in members if not m.unrolled]
    copied = [
        m
        for m in members
        if m.unrolled and all(r.function != m.coefficients for r in rolled)
    ]
    if not rolled or not copied or isolates(tree.node(rolled[-1].path)):
        return False
    lane = {k for k, c in enumerate(rolled[-1].coefficients) if c}
    copies = {k for m in copied for k, c in enumerate(m.coefficients) if c} - lane
    return any(
        _involves(c, lane) and _involves(c, copies)
        for c in statement.domain.simple_hull().get_constraints()
    )


def _involves(c: isl.Constraint, iterators: set[int]) -> bool:
    return any(c.involves_dims(isl.dim_type.set, k, 1) for k in iterators)


def _runs_less_often(one: Place, other: Place) -> bool:
    """Whether a statement stands at one iteration of a loop of another's."""
    fixed = {(m.path, m.position) for m in one.members if m.is_constant}
    return any(
        (m.path, m.position) in fixed and not (m.is_constant or m.unrolled)
        for m in other.members
        if m.kind == "point"
    )


def _assigns_once(statement: Statement) -> bool:
    return sum(1 for action in statement.body for _ in assignments(action)) == 1


def _waits_for_itself(tree: ScheduleTree, nest: Nest, deps: Dependences) -> bool:
    """Whether the innermost loop carries a flow from the statement to itself."""
    assert nest.inner is not None
    member = nest.members[nest.inner]
    name = nest.statement.name
    own = [d.relation for d in deps.of_kind("flow") if d.source == d.sink == name]
    if not own or scatters(nest.statement):
        return False
    flow = union_of_maps(own)
    return not loop_is_parallel(tree.node(member.path), member.position, flow)


def _beside_sums(
    tree: ScheduleTree,
    nests: list[Nest],
    inner: list[tuple[NodePath, int] | None],
    deps: Dependences,
) -> list[int]:
    """Nests whose innermost loops wait for nothing but sums of integers in them.

    Compilers take those apart for lanes, and run what is beside them in lanes, too.
    """
    together: dict[tuple[NodePath, int], list[int]] = {}
    for k, loop in enumerate(inner):
        if loop is not None:
            together.setdefault(loop, []).append(k)
    found: list[int] = []
    for (path, position), group in together.items():
        sums = {k for k in group if nests[k].adds_integers}
        others = [k for k in group if not nests[k].is_inner_parallel]
        if not sums or not others or any(nests[k].waits for k in others):
            continue
        adders = {nests[k].statement.name for k in sums}
        names = {nests[k].statement.name for k in group}
        order = [
            d.relation
            for d in deps.items
            if d.orders
            and {d.source, d.sink} <= names
            and not (d.source == d.sink and d.source in adders)
        ]
        node = tree.node(path)
        if not order or loop_is_parallel(node, position, union_of_maps(order)):
            found += others
    return found


def _reads_ahead(tree: ScheduleTree, nest: Nest, deps: Dependences) -> bool:
    """Whether the innermost loop carries nothing but reads of what it changes later.

    An assignment reads before it writes, in lanes too: compilers run such loops in
    lanes without being told, where they know how far ahead it reads: all that is read
    of the array moves as the updated element does. Other statements that the loop runs
    may not touch the statement's arrays.
    """
    assert nest.inner is not None
    if nest.beside or not _assigns_once(nest.statement):
        return False
    written = [r for r in nest.references if r.is_write]
    if len(written) != 1:  # none where data choose the element
        return False
    same = (r for r in nest.references if r.array == written[0].array)
    if any(r.rows != written[0].rows for r in same):
        return False
    member = nest.members[nest.inner]
    node, name = tree.node(member.path), nest.statement.name
    own = [d for d in deps.items if d.orders and d.source == d.sink == name]
    order = [d.relation for d in own if d.kind != "anti"]
    if order and not loop_is_parallel(node, member.position, union_of_maps(order)):
        return False
    ahead = [d.relation for d in own if d.kind == "anti"]
    if not ahead:
        return False
    reach = loop_distances(node, member.position, union_of_maps(ahead))
    pieces = [isl.Set.from_basic_set(piece) for piece in reach.get_basic_sets()]
    return all(piece.dim_min_val(0).eq(piece.dim_max_val(0)) for piece in pieces)
