"""Why statements are in no tiles."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import islpy as isl

from polysched.analysis.carried import active_dependences
from polysched.analysis.dependences import Dependence, Dependences
from polysched.analysis.explain import affine_texts
from polysched.analysis.legality import Violation, describe_violation
from polysched.analysis.places import Member, statement_members
from polysched.analysis.statement_nest import statement_nests
from polysched.ir import NodePath, ScheduleTree, Scop
from polysched.sets import list_maps, union_of_maps

MAX_SKEW = 4  # what is tried


@dataclass(frozen=True, eq=False)
class TileReport:
    """Statements that lie in no tile, and why.

    Attributes
    ----------
    statements : tuple of str
        Those that the same holds for.
    n_loops : int
        How many loops are around them; a single one has no tiles.
    is_free : bool
        Whether two neighbouring loops may change places: tiles of these are legal, and
        the script has none.
    loops : tuple of str
        The outermost two neighbouring loops that may not, in affine form; empty where
        all may.
    obstacle : Violation or None
        A pair that the inner one of these, if it were the outer one, would run the
        other way round.
    skew : int or None
        How many times the outer loop is to be added to the inner one for tiles of both
        to be legal; None where up to `MAX_SKEW` times are not enough.
    """

    statements: tuple[str, ...]
    n_loops: int
    is_free: bool
    loops: tuple[str, ...] = ()
    obstacle: Violation | None = None
    skew: int | None = None


def tile_reasons(
    affine: ScheduleTree, tree: ScheduleTree, dependences: Dependences, scop: Scop
) -> tuple[TileReport, ...]:
    """For all statements that lie in no tile: why.

    Parameters
    ----------
    affine : ScheduleTree
        The schedule before it was shaped, its bands with flags.
    tree : ScheduleTree
        The same schedule in its final shape.
    dependences : Dependences
        Of the SCoP in its original order.
    scop : Scop
        As scheduled.
    """
    final = statement_members(tree)
    grouped: dict[tuple[tuple[NodePath, int], ...], tuple[list[str], list[Member]]] = {}
    for nest in statement_nests(affine, scop):
        if any(m.kind != "point" for m in final.get(nest.name, ())):
            continue
        points = [nest.members[k] for k in nest.points]
        key = tuple((m.path, m.position) for m in points)
        grouped.setdefault(key, ([], points))[0].append(nest.name)
    return tuple(
        _report(tuple(names), points, affine, dependences, scop)
        for names, points in grouped.values()
    )


def _report(
    names: tuple[str, ...],
    points: list[Member],
    affine: ScheduleTree,
    dependences: Dependences,
    scop: Scop,
) -> TileReport:
    here = [d for d in dependences.items if d.orders and {d.source, d.sink} & {*names}]
    is_free, told = False, None
    for outer, inner in pairwise(points):
        band = affine.node(outer.path)
        rows = [_row(affine, m) for m in (outer, inner)]
        known = outer.path == inner.path and band.band_get_permutable()
        obstacle = None if known else _runs_backwards(band, rows[1], here, scop)
        if obstacle is None:
            is_free = True
        elif told is None:
            told = band, rows, obstacle
    if told is None:
        return TileReport(names, len(points), is_free)
    band, rows, obstacle = told
    skews = (
        factor
        for factor in range(1, MAX_SKEW + 1)
        if not _runs_backwards(band, _skewed(rows, factor), here, scop)
    )
    loops = tuple(dict(affine_texts(row))[names[0]] for row in rows)
    return TileReport(names, len(points), is_free, loops, obstacle, next(skews, None))


def _row(tree: ScheduleTree, member: Member) -> isl.UnionPwAff:
    partial = tree.node(member.path).band_get_partial_schedule()
    return partial.get_union_pw_aff(member.position)


def _skewed(rows: list[isl.UnionPwAff], factor: int) -> isl.UnionPwAff:
    """The inner row plus so many times the outer one."""
    outer, inner = rows
    return inner.add(outer.scale_val(isl.Val(factor)))


def _runs_backwards(
    outer: isl.ScheduleNode,
    row: isl.UnionPwAff,
    dependences: list[Dependence],
    scop: Scop,
) -> Violation | None:
    """A pair that nothing outside the outer band orders, and that a row turns round."""
    time = isl.UnionMap.from_union_pw_aff(row)
    backwards = isl.UnionMap("{ [a] -> [b] : b < a }")
    for dependence in dependences:
        pairs = active_dependences(outer, union_of_maps([dependence.relation]))
        moved = pairs.apply_domain(time).apply_range(time).intersect(backwards)
        if moved.is_empty():
            continue
        back = time.reverse()
        guilty = moved.apply_domain(back).apply_range(back).intersect(pairs)
        reason = "the inner loop runs them the other way round"
        return describe_violation(dependence, list_maps(guilty)[0], scop, reason)
    return None
