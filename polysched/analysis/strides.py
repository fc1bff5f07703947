"""Band members around each statement, and how far each access moves along them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import Literal
from weakref import WeakKeyDictionary

import islpy as isl

from polysched.analysis.rationals import Rational, Vector, dot, rank, solve
from polysched.ir import MARK_REGISTERS, NodePath, ScheduleTree, Scop
from polysched.sets import node_kind

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
        An affine function of the iterators, a tile's start, or a sum of tile numbers.
    coefficients : tuple of int
        Per iterator of the statement; for a tile those of the tiled function, for
        a wave all zero.
    constant : int
        The shift of that function.
    size : int
        Tile size of a tile member, else 1.
    coincident : bool
        The band's flag: no dependence moves along it within the band.
    marks : tuple of str
        Marks directly above the band, innermost last.
    unrolled : bool
        Whether the loop is to be unrolled in part or in whole.
    summed : tuple of (coefficients, size)
        The tiles whose numbers a wave sums.
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
    def is_vector(self) -> bool:
        """Whether it is marked to run in vector lanes."""
        return "vector" in self.marks

    @property
    def is_parallel(self) -> bool:
        """Whether it is the member that threads share."""
        return self.position == 0 and any(m.startswith("parallel") for m in self.marks)

    @property
    def is_constant(self) -> bool:
        """Whether it does not move with the statement's iterators."""
        return self.kind != "wave" and not any(self.coefficients)


@dataclass(frozen=True)
class Reference:
    """The linear part of an access.

    Attributes
    ----------
    array : str
        Name of the array.
    is_write : bool
        Whether it writes.
    rows : tuple of vectors
        One per subscript of the C array (expanded ones are left out), over the
        statement's iterators.
    offsets : tuple of int or Fraction
        Constant part of each subscript; parameters do not count.
    """

    array: str
    is_write: bool
    rows: tuple[Vector, ...]
    offsets: Vector

    def moves(self, direction: Vector) -> Vector:
        """Change of every subscript along a direction in iteration space."""
        return subscript_moves(self.rows, direction)

    def rank_along(self, directions: Sequence[Vector]) -> int:
        """Dimensions of the array that moving along all the directions spans."""
        moves = [self.moves(d) for d in directions]
        return rank(moves) if self.rows else 0

    def stride_class(self, direction: Vector) -> Literal["0", "1", "N"]:
        """Invariant, contiguous (either way), or anything else along a direction."""
        moves = self.moves(direction)
        if not any(moves):
            return "0"
        if not any(moves[:-1]) and abs(moves[-1]) == 1:
            return "1"
        return "N"


@lru_cache(maxsize=65536)
def subscript_moves(rows: tuple[Vector, ...], direction: Vector) -> Vector:
    """Change of every subscript along a direction in iteration space."""
    return tuple(dot(row, direction) for row in rows)


def statement_members(tree: ScheduleTree) -> dict[str, tuple[Member, ...]]:
    """For every statement the band members around it, outermost first."""
    known = _members.get(tree)
    if known is None:
        names = tuple(sorted(_tuple_names(tree.schedule.get_domain())))
        outside: dict[str, tuple[Member, ...]] = dict.fromkeys(names, ())
        known = _members[tree] = _read_members((), tree.root, outside, ())
    return dict(known)


def derive_members(before: ScheduleTree, after: ScheduleTree, path: NodePath) -> None:
    """Make `statement_members` of a changed tree cheap: only the change is read.

    Parameters
    ----------
    before : ScheduleTree
        Nothing is done unless its members are known.
    after : ScheduleTree
        The same tree but for the subtree at a path.
    path : tuple of int
        Of the root of that subtree, in both trees.
    """
    known = _members.get(before)
    if known is None:
        return
    node, names = after.root, tuple(known)
    marks: tuple[str, ...] = ()
    for position in path:
        names, marks = _inside(node, names, marks)
        node = node.child(position)
    n = len(path)
    outside = {
        name: tuple(m for m in known[name] if m.path[:n] != path) for name in names
    }
    _members[after] = {**known, **_read_members(path, node, outside, marks)}


# what is known of trees that still exist; they never change
_members: WeakKeyDictionary[ScheduleTree, dict[str, tuple[Member, ...]]]
_members = WeakKeyDictionary()


def _read_members(
    path: NodePath,
    node: isl.ScheduleNode,
    outside: dict[str, tuple[Member, ...]],
    marks: tuple[str, ...],
) -> dict[str, tuple[Member, ...]]:
    """The members outside a node, followed by those at or below it."""
    found = {name: list(members) for name, members in outside.items()}
    for at, band, inside, above in _walk_bands(path, node, tuple(outside), marks):
        for name, member in _read_band(at, band, above):
            if name in inside:
                found[name].append(member)
    return {name: tuple(members) for name, members in found.items()}


def member_directions(members: Sequence[Member]) -> list[Vector | None]:
    """How the statement's iterators move per step of each point member.

    All other point members stand still. None for tiles, waves, and members that
    do not move the statement. A step of 1 in a schedule that is not unimodular may be a
    fraction of an iteration.
    """
    return list(_directions(tuple((m.kind, m.coefficients) for m in members)))


@lru_cache(maxsize=1024)
def _directions(
    functions: tuple[tuple[MemberKind, tuple[int, ...]], ...],
) -> tuple[Vector | None, ...]:
    chosen: list[int] = []
    rows: list[Vector] = []
    for k, (kind, coefficients) in enumerate(functions):
        row: Vector = coefficients
        if kind == "point" and rank([*rows, row]) > len(rows):
            chosen.append(k)
            rows.append(row)
    directions: list[Vector | None] = [None] * len(functions)
    for position, k in enumerate(chosen):
        unit = [int(p == position) for p in range(len(chosen))]
        directions[k] = solve(rows, unit)
    return tuple(directions)


@lru_cache(maxsize=64)
def references(scop: Scop) -> dict[str, tuple[Reference, ...]]:
    """The accesses of every statement in linear form; not affine ones are left out."""
    found: dict[str, tuple[Reference, ...]] = {}
    for statement in scop.statements:
        listed = []
        for access in statement.accesses:
            array = scop.array(access.array)
            matrix = _subscript_rows(access.relation)
            if matrix is not None:
                rows = tuple(r for r, _ in matrix[array.n_expanded :])
                offsets = tuple(c for _, c in matrix[array.n_expanded :])
                listed.append(Reference(array.name, access.is_write, rows, offsets))
        found[statement.name] = tuple(listed)
    return found


def _walk_bands(
    path: NodePath,
    node: isl.ScheduleNode,
    names: tuple[str, ...],
    marks: tuple[str, ...],
) -> Iterator[tuple[NodePath, isl.ScheduleNode, tuple[str, ...], tuple[str, ...]]]:
    if node_kind(node) == "band":
        yield path, node, names, marks
    names, marks = _inside(node, names, marks)
    for k in range(node.n_children()):
        yield from _walk_bands((*path, k), node.child(k), names, marks)


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
    return names, ()


def _tuple_names(union: isl.UnionSet) -> set[str]:
    names: set[str] = set()
    union.foreach_set(lambda s: names.add(s.get_tuple_name()))
    return names


def _read_band(
    path: NodePath, node: isl.ScheduleNode, marks: tuple[str, ...]
) -> Iterator[tuple[str, Member]]:
    partial = node.band_get_partial_schedule()
    unrolled = "unroll" in str(node.band_get_ast_build_options())
    unrolled = unrolled or any(m.startswith(MARK_REGISTERS) for m in marks)
    for k in range(node.band_n_member()):
        coincident = bool(node.band_member_get_coincident(k))
        pieces: list[isl.PwAff] = []
        partial.get_union_pw_aff(k).foreach_pw_aff(pieces.append)
        for piece in pieces:
            aff = _first_aff(piece)
            kind, row, constant, size = _classify(aff)
            summed = _summed_tiles(aff) if kind == "wave" else ()
            parameters = _parameter_terms(aff) if kind == "point" else ()
            yield (
                piece.domain().get_tuple_name(),
                Member(
                    path, k, kind, row, constant, size, coincident, marks, unrolled,
                    summed, parameters,
                ),
            )  # fmt: skip


def _first_aff(piece: isl.PwAff) -> isl.Aff:
    found: list[isl.Aff] = []
    piece.foreach_piece(lambda _, aff: found.append(aff))
    return found[0]


def _classify(aff: isl.Aff) -> tuple[MemberKind, tuple[int, ...], int, int]:
    """Kind, coefficients, constant and size of the member that a function is."""
    n_div = aff.dim(isl.dim_type.div)
    row = tuple(int(c) for c in _coefficients(aff))
    if n_div == 0:
        return "point", row, int(_constant(aff)), 1
    if n_div > 1 or any(row):
        return "wave", (0,) * len(row), 0, 1
    size = _fraction(aff.get_coefficient_val(isl.dim_type.div, 0))
    floored = aff.get_div(0)
    scale = size if size.denominator == 1 and size > 1 else 1
    inner = tuple(c * scale for c in _coefficients(floored))
    if scale == 1 or any(c.denominator != 1 for c in inner):
        return "wave", (0,) * len(row), 0, 1
    shift = int(_constant(floored) * scale)
    return "tile", tuple(int(c) for c in inner), shift, int(scale)


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
        row = _coefficients(aff.get_div(k))
        size = lcm(*(c.denominator for c in row))
        found.append((tuple(int(c * size) for c in row), size))
    return tuple(found)


def _subscript_rows(relation: isl.Map) -> list[tuple[Vector, Rational]] | None:
    """Rows and constants of an access; a floor counts as the division it rounds."""
    if relation.is_empty() or not relation.is_single_valued():
        return None
    pieces: list[isl.MultiAff] = []
    function = isl.PwMultiAff.from_map(relation)
    function.foreach_piece(lambda _, multi: pieces.append(multi))
    rows = []
    for k in range(pieces[0].dim(isl.dim_type.out)):
        aff = pieces[0].get_aff(k)
        rows.append((_smooth_row(aff), _constant(aff)))
    return rows


def _smooth_row(aff: isl.Aff) -> Vector:
    row = list(_coefficients(aff))
    for k in range(aff.dim(isl.dim_type.div)):
        factor = _fraction(aff.get_coefficient_val(isl.dim_type.div, k))
        if factor:  # a division lists all divisions, but uses only earlier ones
            for p, c in enumerate(_smooth_row(aff.get_div(k))):
                row[p] += factor * c
    return tuple(row)


def _coefficients(aff: isl.Aff) -> Vector:
    return tuple(
        _fraction(aff.get_coefficient_val(isl.dim_type.in_, k))
        for k in range(aff.dim(isl.dim_type.in_))
    )


def _constant(aff: isl.Aff) -> Rational:
    return _fraction(aff.get_constant_val())


def _fraction(value: isl.Val) -> Rational:
    if value.is_int():
        return value.get_num_si()
    return Fraction(value.get_num_si(), value.get_den_val().get_num_si())
