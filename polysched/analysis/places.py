"""Where statements stand in a tree, and the band members around them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm
from operator import add
from typing import Literal
from weakref import WeakKeyDictionary

import islpy as isl

from polysched.analysis.rationals import Rational, Vector
from polysched.ir import (
    MARK_ACCUMULATE,
    MARK_LIFT,
    MARK_VECTOR,
    NodePath,
    ScheduleTree,
    held_lanes,
)
from polysched.sets import list_sets, node_kind

MemberKind = Literal["point", "tile", "wave"]


@dataclass(frozen=True)
class Member:
    """One band member as one statement sees it.

    Attributes
    ----------
    path : tuple of int
        Path of the band node.
    position : int
        Position in the band.
    kind : {"point", "tile", "wave"}
        An affine function of the iterators, or the number of a run of its values; a
        tile's start; or a sum of tile numbers.
    coefficients : tuple of int
        Per iterator of the statement; for a tile those of the tiled function, for
        a wave all zero.
    constant : int
        The shift of that function.
    size : int
        Tile size of a tile member, values in a run of a point member, else 1.
    coincident : bool
        The band's flag: no dependence moves along it within the band.
    marks : tuple of str
        Marks directly above the band, innermost last.
    unrolled : bool
        Whether the loop is to be unrolled in part or in whole.
    summed : tuple of (coefficients, size)
        The tiles whose numbers a wave sums; the ones whose loop it replaced come first.
    parameters : tuple of (str, int)
        Parameters that shift a point member, with their coefficients.
    """

    path: NodePath
    position: int
    kind: MemberKind
    coefficients: tuple[int, ...]
    constant: int
    size: int
    coincident: bool
    marks: tuple[str, ...]
    unrolled: bool = False
    summed: tuple[tuple[tuple[int, ...], int], ...] = ()
    parameters: tuple[tuple[str, int], ...] = ()

    @property
    def function(self) -> tuple[int, ...]:
        """Coefficients of what it steps through; of a wave, its first summand's."""
        if self.kind == "wave" and self.summed:
            return self.summed[0][0]
        return self.coefficients

    @property
    def level_row(self) -> tuple[int, ...] | None:
        """What a wave steps through, if all its tiles may start at the same time.

        The tiles' functions then add up to a function of fewer iterators, time alone,
        as ``(2t + i) + (2t - i)``; of other waves, and of what is no wave, None.
        """
        if self.kind != "wave" or len({size for _, size in self.summed}) != 1:
            return None
        rows = [row for row, _ in self.summed]
        total = tuple(map(sum, zip(*rows, strict=True)))
        fewest = min(sum(map(bool, row)) for row in rows)
        return total if 0 < sum(map(bool, total)) < fewest else None

    @property
    def counts_runs(self) -> bool:
        """Whether a step of it is a run of several values of its function."""
        return self.kind == "point" and self.size > 1

    @property
    def is_vector(self) -> bool:
        """Whether it is marked to run in vector lanes."""
        kinds = {mark.split(":", maxsplit=1)[0] for mark in self.marks}
        return bool(kinds & {MARK_VECTOR, MARK_ACCUMULATE})

    @property
    def is_parallel(self) -> bool:
        """Whether it is the member that threads share."""
        return self.position == 0 and any(m.startswith("parallel") for m in self.marks)

    @property
    def is_constant(self) -> bool:
        """Whether it does not move with the statement's iterators."""
        return self.kind != "wave" and not any(self.coefficients)


@dataclass(frozen=True)
class Place:
    """Where a statement, or a part of its instances, stands in a tree.

    Attributes
    ----------
    name : str
        Of the statement.
    path : tuple of int
        Path of the leaf.
    members : tuple of Member
        Of the bands around it, outermost first.
    """

    name: str
    path: NodePath
    members: tuple[Member, ...]


def statement_members(tree: ScheduleTree) -> dict[str, tuple[Member, ...]]:
    """For every statement the band members around it, outermost first.

    Of a statement whose instances are split over several places, those of the first of
    its main ones.
    """
    return {
        name: places[0].members if places else ()
        for name, places in main_places(tree).items()
    }


def main_places(tree: ScheduleTree) -> dict[str, tuple[Place, ...]]:
    """For every statement its places, of a split one those with the most dimensions."""
    names = sorted(_tuple_names(tree.schedule.get_domain()))
    found: dict[str, list[Place]] = {name: [] for name in names}
    for place in statement_places(tree):
        found[place.name].append(place)
    for name, places in found.items():
        if len(places) > 1:
            lost = [n_equalities(tree, p) for p in places]
            kept = zip(places, lost, strict=True)
            found[name] = [p for p, n in kept if n == min(lost)]
    return {name: tuple(places) for name, places in found.items()}


def statement_places(tree: ScheduleTree) -> tuple[Place, ...]:
    """Every place at which a statement stands, with the band members around it.

    Sorted by statement; there are several of one where its instances are split.
    """
    known = _places.get(tree)
    if known is None:
        names = tuple(sorted(_tuple_names(tree.schedule.get_domain())))
        found = _read_places((), tree.root, dict.fromkeys(names, ()), ())
        known = _places[tree] = tuple(sorted(found, key=lambda p: (p.name, p.path)))
    return known


def derive_places(before: ScheduleTree, after: ScheduleTree, path: NodePath) -> None:
    """Make `statement_places` of a changed tree cheap: only the change is read.

    Parameters
    ----------
    before : ScheduleTree
        Nothing is done unless its places are known.
    after : ScheduleTree
        The same tree but for the subtree at a path.
    path : tuple of int
        Of the root of that subtree, in both trees.
    """
    known = _places.get(before)
    if known is None:
        return
    node, n = after.root, len(path)
    marks: tuple[str, ...] = ()
    for position in path:
        _, marks = _inside(node, (), marks)
        node = node.child(position)
    outside: dict[str, tuple[Member, ...]] = {}
    kept = []
    for place in known:
        if place.path[:n] == path:
            members = tuple(m for m in place.members if m.path[:n] != path)
            outside[place.name] = members
        else:
            kept.append(place)
    kept += _read_places(path, node, outside, marks)
    _places[after] = tuple(sorted(kept, key=lambda p: (p.name, p.path)))


# what is known of trees that still exist; they never change
_places: WeakKeyDictionary[ScheduleTree, tuple[Place, ...]]
_places = WeakKeyDictionary()


def _read_places(
    path: NodePath,
    node: isl.ScheduleNode,
    outside: dict[str, tuple[Member, ...]],
    marks: tuple[str, ...],
) -> Iterator[Place]:
    """The leaves at or below a node, after the members outside of it."""
    inside = outside
    if node_kind(node) == "band":
        inside = dict(outside)
        for name, member in _read_band(path, node, marks):
            if name in inside:
                inside[name] = (*inside[name], member)
    names, marks = _inside(node, tuple(inside), marks)
    if not node.n_children():
        yield from (Place(name, path, _sort_waves(inside[name])) for name in names)
    inside = {name: inside[name] for name in names}
    for k in range(node.n_children()):
        yield from _read_places((*path, k), node.child(k), inside, marks)


def _sort_waves(members: tuple[Member, ...]) -> tuple[Member, ...]:
    """The members with every wave's tiles in order: a sum of floors has none."""
    if not any(len(m.summed) > 1 for m in members):
        return members
    tiles = {(m.coefficients, m.size) for m in members if m.kind == "tile"}
    return tuple(
        replace(m, summed=tuple(sorted(m.summed, key=tiles.__contains__)))
        for m in members
    )


def n_equalities(tree: ScheduleTree, place: Place) -> int:
    """How many dimensions the instances at a place have lost."""
    for domain in list_sets(tree.node(place.path).get_domain()):
        if domain.get_tuple_name() == place.name:
            hull = domain.affine_hull().get_constraints()
            return sum(c.is_equality() for c in hull)
    return 0


def _inside(
    node: isl.ScheduleNode, names: tuple[str, ...], marks: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Statements below a node, and the marks directly above its children."""
    kind = node_kind(node)
    if kind == "mark":
        return names, (*marks, str(node.mark_get_id().get_name()))
    if kind == "filter":
        kept = _tuple_names(node.filter_get_filter())
        names = tuple(n for n in names if n in kept)
    if kind in ("sequence", "filter"):  # parts of what is lifted are lifted, too
        return names, tuple(m for m in marks if m.startswith(MARK_LIFT))
    return names, ()


def _tuple_names(union: isl.UnionSet) -> set[str]:
    names: set[str] = set()
    union.foreach_set(lambda s: names.add(s.get_tuple_name()))
    return names


def _read_band(
    path: NodePath, node: isl.ScheduleNode, marks: tuple[str, ...]
) -> Iterator[tuple[str, Member]]:
    partial = node.band_get_partial_schedule()
    unrolled = _is_unrolled(node) or any(held_lanes(m) for m in marks)
    has_copies = _is_unrolled(node.child(0))
    for k in range(node.band_n_member()):
        coincident = bool(node.band_member_get_coincident(k))
        pieces: list[isl.PwAff] = []
        partial.get_union_pw_aff(k).foreach_pw_aff(pieces.append)
        for piece in pieces:
            aff = _first_aff(piece)
            runs = _runs(aff) if has_copies else None
            kind, row, constant, size = runs or _classify(aff)
            summed = _summed_tiles(aff) if kind == "wave" else ()
            parameters = _parameter_terms(aff) if kind == "point" else ()
            yield (
                piece.domain().get_tuple_name(),
                Member(
                    path, k, kind, row, constant, size, coincident, marks, unrolled,
                    summed, parameters,
                ),
            )  # fmt: skip


def _is_unrolled(node: isl.ScheduleNode) -> bool:
    return node_kind(node) == "band" and "unroll" in str(
        node.band_get_ast_build_options()
    )


def _first_aff(piece: isl.PwAff) -> isl.Aff:
    found: list[isl.Aff] = []
    piece.foreach_piece(lambda _, aff: found.append(aff))
    return found[0]


def _runs(aff: isl.Aff) -> tuple[MemberKind, tuple[int, ...], int, int] | None:
    """The same of ``floor(f / size)``, as `Interleave` makes it; None of others."""
    if aff.dim(isl.dim_type.div) != 1 or any(aff_coefficients(aff)):
        return None
    floored = aff.get_div(0)
    inner, shift = aff_coefficients(floored), aff_constant(floored)
    size = lcm(*(c.denominator for c in inner))
    factor = read_fraction(aff.get_coefficient_val(isl.dim_type.div, 0))
    if size == 1 or factor != 1 or aff_constant(aff) or any(aff_parameters(floored)):
        return None
    return "point", tuple(int(c * size) for c in inner), int(shift * size), size


def _classify(aff: isl.Aff) -> tuple[MemberKind, tuple[int, ...], int, int]:
    """Kind, coefficients, constant and size of the member that a function is.

    A tile's start may be written with multiples of its size taken out of the division,
    ``2t + 2 floor(i / 2)`` for ``2 floor((2t + i) / 2)``. A place within parts of a
    loop, ``i mod 250``, moves as the loop itself does, nearly always. Halves, as of
    ``(n - 1)/2`` where ``2 * i + 1 == n`` says what i is, are no row of integers.
    """
    n_div = aff.dim(isl.dim_type.div)
    every = (*aff_coefficients(aff), *aff_parameters(aff), aff_constant(aff))
    if n_div == 0 and any(c.denominator != 1 for c in every):
        return "wave", (0,) * len(aff_coefficients(aff)), 0, 1
    row = tuple(int(c) for c in aff_coefficients(aff))
    if n_div == 0:
        return "point", row, int(aff_constant(aff)), 1
    if n_div > 1:
        return "wave", (0,) * len(row), 0, 1
    size = read_fraction(aff.get_coefficient_val(isl.dim_type.div, 0))
    floored = aff.get_div(0)
    if _is_remainder(row, int(aff_constant(aff)), size, floored):
        return "point", row, 0, 1
    scale = size if size.denominator == 1 and size > 1 else 1
    inner = tuple(c * scale for c in aff_coefficients(floored))
    is_split = any(c % scale for c in row) or any(c.denominator != 1 for c in inner)
    if scale == 1 or is_split:
        return "wave", (0,) * len(row), 0, 1
    inner = tuple(map(add, inner, row))
    shift = int(aff_constant(floored) * scale)
    return "tile", tuple(int(c) for c in inner), shift, int(scale)


def _is_remainder(
    row: tuple[int, ...], constant: int, size: Rational, floored: isl.Aff
) -> bool:
    """Whether a function is ``f - size * floor(f / size)``."""
    if size >= 0 or any(aff_parameters(floored)):
        return False
    inner = [c * -size for c in aff_coefficients(floored)]
    return inner == list(row) and aff_constant(floored) * -size == constant


def _parameter_terms(aff: isl.Aff) -> tuple[tuple[str, int], ...]:
    found = []
    for k in range(aff.dim(isl.dim_type.param)):
        value = aff.get_coefficient_val(isl.dim_type.param, k)
        if not value.is_zero():
            name = aff.get_dim_name(isl.dim_type.param, k) or ""
            found.append((name, int(value.to_python())))
    return tuple(found)


def _summed_tiles(aff: isl.Aff) -> tuple[tuple[tuple[int, ...], int], ...]:
    """The functions that a sum of floors rounds, and what divides them."""
    found = []
    for k in range(aff.dim(isl.dim_type.div)):
        row = aff_coefficients(aff.get_div(k))
        size = lcm(*(c.denominator for c in row))
        found.append((tuple(int(c * size) for c in row), size))
    return tuple(found)


def aff_coefficients(aff: isl.Aff) -> Vector:
    """Of the inputs of a function, divisions aside."""
    return tuple(
        read_fraction(aff.get_coefficient_val(isl.dim_type.in_, k))
        for k in range(aff.dim(isl.dim_type.in_))
    )


def aff_parameters(aff: isl.Aff) -> Vector:
    """Of the parameters of a function."""
    return tuple(
        read_fraction(aff.get_coefficient_val(isl.dim_type.param, k))
        for k in range(aff.dim(isl.dim_type.param))
    )


def aff_constant(aff: isl.Aff) -> Rational:
    """The constant term of a function."""
    return read_fraction(aff.get_constant_val())


def read_fraction(value: isl.Val) -> Rational:
    """The value as a number of Python."""
    if value.is_int():
        return value.get_num_si()
    return Fraction(value.get_num_si(), value.get_den_val().get_num_si())
