"""What a schedule does with each dependence: carried where, in the way of what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import islpy as isl

from polysched.analysis.carried import active_dependences, member_distances
from polysched.analysis.dependences import Dependence, Dependences
from polysched.analysis.distance import DistanceRange, set_range
from polysched.analysis.legality import Violation, describe_violation
from polysched.ir import NodePath, ScheduleTree, Scop
from polysched.sets import list_maps, list_sets, node_kind, union_of_maps

_AFFINE = re.compile(r"-> \[\((.*?)\)\]")
_TILE = re.compile(r"(.+) - \(\1\) mod (\d+)")

_NAME = re.compile(r"\((\w+)\)")


@dataclass(frozen=True, eq=False)
class LoopReport:
    """One band member: whether it is parallel, and which dependences it carries.

    Attributes
    ----------
    path : tuple of int
        Path of the band node.
    member : int
        Position in the band.
    row : int
        Rank among all band members from the root down to this one.
    statements : tuple of str
        Statements inside.
    schedule : tuple of (str, str)
        Statement and its affine expression.
    marks : tuple of str
        Marks directly above the band.
    permutable : bool
        The band's flag.
    carried : tuple of Dependence
        Dependences with at least one pair that this loop orders.
    obstacle : Violation or None
        A pair that would be unordered if the loop ran in parallel; None when it may.
    """

    path: NodePath
    member: int
    row: int
    statements: tuple[str, ...]
    schedule: tuple[tuple[str, str], ...]
    marks: tuple[str, ...]
    permutable: bool
    carried: tuple[Dependence, ...]
    obstacle: Violation | None

    @property
    def parallel(self) -> bool:
        """Whether all iterations of the loop may run at once."""
        return self.obstacle is None


@dataclass(frozen=True, eq=False)
class SplitReport:
    """Two neighbouring groups of statements that a sequence keeps in different loops.

    Attributes
    ----------
    path : tuple of int
        Path of the sequence node.
    row : int
        Scalar row: how many band members are outside the sequence.
    first, second : tuple of str
        Statements of the two children.
    satisfied : tuple of Dependence
        Dependences from first to second that the sequence orders.
    obstacle : Violation or None
        A pair that would run in the wrong order if the two outermost loops were fused
        as they are; None when fusing them is legal: separation is a free choice.
    shift : int or None
        By how many iterations the second loop would have to be delayed to be fused;
        None when no constant is enough. 0 without an obstacle.
    """

    path: NodePath
    row: int
    first: tuple[str, ...]
    second: tuple[str, ...]
    satisfied: tuple[Dependence, ...]
    obstacle: Violation | None
    shift: int | None


def loop_carriers(
    tree: ScheduleTree, dependences: Dependences, scop: Scop | None = None
) -> tuple[LoopReport, ...]:
    """For every loop of a tree, the dependences it carries, top down.

    Parameters
    ----------
    tree : ScheduleTree
        Tiled or not.
    dependences : Dependences
        Of the SCoP in its original order.
    scop : Scop, optional
        Lets witnesses name array elements.
    """
    reports = []
    for path, node, marks, row in _walk((), tree.root, (), 0):
        if node_kind(node) != "band":
            continue
        active = {
            k: active_dependences(node, union_of_maps([d.relation]))
            for k, d in _ordering(dependences)
        }
        for member in range(node.band_n_member()):
            ordered, active = _order_pairs(node, member, active)
            carried = tuple(dependences.items[k] for k in ordered)
            expression = node.band_get_partial_schedule().get_union_pw_aff(member)
            reports.append(
                LoopReport(
                    path=path,
                    member=member,
                    row=row + member,
                    statements=statement_names(node.get_domain()),
                    schedule=affine_texts(expression),
                    marks=marks,
                    permutable=bool(node.band_get_permutable()),
                    carried=carried,
                    obstacle=_first_pair(ordered, dependences, scop),
                )
            )
    return tuple(reports)


def _order_pairs(
    node: isl.ScheduleNode, member: int, active: dict[int, isl.UnionMap]
) -> tuple[dict[int, isl.UnionMap], dict[int, isl.UnionMap]]:
    """The pairs that one member puts in order, and those it leaves to inner loops."""
    expression = node.band_get_partial_schedule().get_union_pw_aff(member)
    here = isl.MultiUnionPwAff.from_union_pw_aff(expression)
    ordered, left = {}, {}
    for k, pairs in active.items():
        equal = pairs.eq_at_multi_union_pw_aff(here)
        apart = pairs.subtract(equal)
        if not apart.is_empty():
            ordered[k] = apart
        if not equal.is_empty():
            left[k] = equal
    return ordered, left


def _first_pair(
    ordered: dict[int, isl.UnionMap], dependences: Dependences, scop: Scop | None
) -> Violation | None:
    """One ordered pair in words; None when there is none."""
    for k, pairs in ordered.items():
        reason = "the loop keeps the two in order"
        piece = list_maps(pairs)[0]
        return describe_violation(dependences.items[k], piece, scop, reason)
    return None


def split_reasons(
    tree: ScheduleTree, dependences: Dependences, scop: Scop | None = None
) -> tuple[SplitReport, ...]:
    """For neighbours in every sequence that both have loops: why they are not fused."""
    reports = []
    for path, node, _, row in _walk((), tree.root, (), 0):
        if node_kind(node) not in ("sequence", "set"):
            continue
        for k in range(node.n_children() - 1):
            first, second = node.child(k), node.child(k + 1)
            loops = _outermost_band(first), _outermost_band(second)
            if loops[0] is None or loops[1] is None:
                continue
            between = {
                n: active_dependences(node, union_of_maps([d.relation]))
                .intersect_domain(_inside(first))
                .intersect_range(_inside(second))
                for n, d in _ordering(dependences)
            }
            between = {n: pairs for n, pairs in between.items() if not pairs.is_empty()}
            obstacle, shift = _fusion_obstacle(
                loops[0], loops[1], between, dependences, scop
            )
            reports.append(
                SplitReport(
                    path,
                    row,
                    statement_names(_inside(first)),
                    statement_names(_inside(second)),
                    tuple(dependences.items[n] for n in between),
                    obstacle,
                    shift,
                )
            )
    return tuple(reports)


def _fusion_obstacle(
    first: isl.ScheduleNode,
    second: isl.ScheduleNode,
    between: dict[int, isl.UnionMap],
    dependences: Dependences,
    scop: Scop | None,
) -> tuple[Violation | None, int | None]:
    """A pair that runs backwards when both first members become one loop; the shift."""
    early = first.band_get_partial_schedule().get_union_pw_aff(0)
    late = second.band_get_partial_schedule().get_union_pw_aff(0)
    time = isl.UnionMap.from_union_pw_aff(early.union_add(late))
    backwards = isl.Map("{ [a] -> [b] : b < a }")
    obstacle: Violation | None = None
    least: int | None = 0
    for k, pairs in between.items():
        moved = pairs.apply_domain(time).apply_range(time)
        wrong = moved.intersect(isl.UnionMap.from_map(backwards))
        if wrong.is_empty():
            continue
        low = _least_distance(moved)
        least = None if low is None or least is None else min(least, low)
        if obstacle is None:
            back = time.reverse()
            guilty = wrong.apply_domain(back).apply_range(back).intersect(pairs)
            obstacle = describe_violation(
                dependences.items[k],
                list_maps(guilty)[0],
                scop,
                "the fused loop would run them the other way round",
            )
    return obstacle, None if least is None else -least


def _least_distance(moved: isl.UnionMap) -> int | None:
    deltas = isl.Set.from_union_set(moved.deltas())
    bounds: DistanceRange = set_range(deltas, 0)
    return bounds[0]


def band_distances(
    node: isl.ScheduleNode, dependences: Dependences
) -> tuple[DistanceRange, ...]:
    """Least and greatest distance of active dependences along each band member."""
    active = active_dependences(node, dependences.validity)
    if active.is_empty():
        return ((0, 0),) * int(node.band_n_member())
    return tuple(
        set_range(member_distances(node, m, active), 0)
        for m in range(node.band_n_member())
    )


def statement_names(instances: isl.UnionSet) -> tuple[str, ...]:
    """Tuple names of a union set in the order of their numbers."""
    names = {s.get_tuple_name() for s in list_sets(instances)}
    return tuple(sorted(names, key=_natural))


def _natural(name: str) -> tuple[str, int]:
    match = re.fullmatch(r"(.*?)(\d*)", name)
    assert match is not None
    return match[1], int(match[2] or 0)


def _ordering(dependences: Dependences) -> list[tuple[int, Dependence]]:
    return [(k, d) for k, d in enumerate(dependences.items) if d.orders]


def affine_texts(expression: isl.UnionPwAff) -> tuple[tuple[str, str], ...]:
    """What a band member is for each statement: pairs of name and affine text."""
    pieces: list[isl.PwAff] = []
    expression.foreach_pw_aff(pieces.append)
    found = []
    for piece in pieces:
        texts = dict.fromkeys(
            _without_modulo(text) for text in _AFFINE.findall(str(piece))
        )
        found.append((piece.domain().get_tuple_name(), " | ".join(texts)))
    return tuple(sorted(found, key=lambda pair: _natural(pair[0])))


def _without_modulo(text: str) -> str:
    """``i - (i) mod 32`` is the tile loop ``i by 32``, ``(i)`` is ``i``."""
    match = _TILE.fullmatch(text)
    return _NAME.sub(r"\1", f"{match[1]} by {match[2]}" if match else text)


def _inside(child: isl.ScheduleNode) -> isl.UnionSet:
    """Instances below a sequence's child, its filter applied."""
    below = child.child(0) if node_kind(child) == "filter" else child
    return below.get_domain()


def _outermost_band(node: isl.ScheduleNode) -> isl.ScheduleNode | None:
    """The first band below a node along a path without branches."""
    while node_kind(node) != "band":
        if node.n_children() != 1:
            return None
        node = node.child(0)
    return node


def _walk(
    path: NodePath, node: isl.ScheduleNode, marks: tuple[str, ...], row: int
) -> Iterator[tuple[NodePath, isl.ScheduleNode, tuple[str, ...], int]]:
    """Nodes top down with the marks directly above and the band members outside."""
    yield path, node, marks, row
    kind = node_kind(node)
    marks = (*marks, str(node.mark_get_id().get_name())) if kind == "mark" else ()
    if kind == "band":
        row += node.band_n_member()
    for k in range(node.n_children()):
        yield from _walk((*path, k), node.child(k), marks, row)
