"""One statement with all loops that a tree puts around it."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

from polysched.analysis.footprint import LARGE_EXTENT, member_extent
from polysched.analysis.places import Member, statement_members
from polysched.analysis.rationals import Vector
from polysched.analysis.slanted import box_terms
from polysched.analysis.strides import (
    Reference,
    StrideClass,
    member_directions,
    references,
)
from polysched.ir import ScheduleTree, Scop


@dataclass(frozen=True, eq=False)
class StatementNest:
    """One statement with the loops around it and what it touches.

    Attributes
    ----------
    name : str
        Of the statement.
    members : tuple of Member
        Band members around it, outermost first.
    references : tuple of Reference
        Its affine accesses.
    """

    name: str
    members: tuple[Member, ...]
    references: tuple[Reference, ...]

    def moved_to(self, members: tuple[Member, ...]) -> StatementNest:
        """The same loops on other paths; what is known of them stays known."""
        other = copy(self)
        object.__setattr__(other, "members", members)
        return other

    @cached_property
    def directions(self) -> list[Vector | None]:
        """How the iterators move per step of each member."""
        return member_directions(self.members)

    @cached_property
    def moving(self) -> list[int]:
        """Members that move with the iterators."""
        return [k for k, m in enumerate(self.members) if not m.is_constant]

    @cached_property
    def points(self) -> list[int]:
        """Moving members that are no tile or wave."""
        return [k for k in self.moving if self.directions[k] is not None]

    @cached_property
    def innermost(self) -> Vector | None:
        """Direction of the innermost rolled point loop."""
        rolled = [k for k, m in enumerate(self.members) if not m.unrolled]
        order = [*reversed(rolled), *reversed(range(len(self.members)))]
        found = (self.directions[k] for k in order)
        return next((d for d in found if d is not None), None)

    @cached_property
    def inner_strides(self) -> list[tuple[Reference, StrideClass]]:
        """Every access with its stride class along the innermost loop."""
        direction = self.innermost
        if direction is None:
            return [(r, "0") for r in self.references]
        return [(r, r.stride_class(direction)) for r in self.references]

    @cached_property
    def reuse_counts(self) -> list[tuple[int, int, int]]:
        """Per point loop the accesses that stay, move to a neighbour, meet another's.

        The last are those that touch what another one of the statement touched some
        iterations before.
        """
        counts = []
        for k in self.points:
            direction = self.directions[k]
            assert direction is not None
            classes = [r.stride_class(direction) for r in self.references]
            n_group = sum(
                _meets_another(r, self.references, direction) for r in self.references
            )
            counts.append((classes.count("0"), classes.count("1"), n_group))
        return counts

    def is_parallel(self, k: int) -> bool:
        """Whether a member may run in parallel, or is marked to."""
        member = self.members[k]
        return member.coincident or member.is_parallel or member.is_vector

    def extent(self, scop: Scop, k: int) -> int:
        """Iterations of a member over the whole domain; 1000 where unknown."""
        member = self.members[k]
        found = member_extent(scop, self.name, member)
        return LARGE_EXTENT if found is None or member.kind == "wave" else found

    def tile_sizes(self, point: Member) -> list[int]:
        """Sizes of all tiles of one point member, outermost first.

        Where tiles cut other functions alone, which add up to this one, so many values
        as a tile holds.
        """
        tiles: list[tuple[tuple[int, ...], int]] = []
        for m in self.members:
            tiles += [(m.coefficients, m.size)] if m.kind == "tile" else m.summed
        sizes = [size for row, size in tiles if row == point.coefficients]
        if sizes or not tiles:
            return sizes
        terms = box_terms(point.coefficients, dict(tiles))
        return [] if terms is None else [max(1, round(1 + sum(terms.values())))]


def _meets_another(
    r: Reference, others: Sequence[Reference], direction: Vector
) -> bool:
    """Whether some other reference touches the same element iterations apart."""
    moves = r.moves(direction)
    return any(moves) and any(
        _is_multiple(r.offsets, other.offsets, moves)
        for other in others
        if other.array == r.array and other.rows == r.rows
    )


def _is_multiple(start: Vector, end: Vector, moves: Vector) -> bool:
    """Whether the way from start to end, not zero, is a whole number of steps."""
    steps = set()
    for a, b, move in zip(start, end, moves, strict=True):
        if move:
            steps.add(Fraction(b - a) / move)
        elif a != b:
            return False
    return len(steps) == 1 and all(s != 0 and s.denominator == 1 for s in steps)


KnownStatementNests = dict[tuple[str, tuple[Member, ...]], StatementNest]


def statement_nests(
    tree: ScheduleTree, scop: Scop, known: KnownStatementNests | None = None
) -> tuple[StatementNest, ...]:
    """One nest per statement of a tree, in order of their names.

    Parameters
    ----------
    known : dict, optional
        Nests of other trees of the SCoP, by their loops; what has been found out about
        one is not found out again. Those of this tree are added.
    """
    known = {} if known is None else known
    by_name = references(scop)
    found = []
    for name, members in statement_members(tree).items():
        key = name, tuple(replace(m, path=()) for m in members)
        if key in known:
            found.append(known[key].moved_to(members))
        else:
            known[key] = StatementNest(name, members, by_name[name])
            found.append(known[key])
    return tuple(found)
