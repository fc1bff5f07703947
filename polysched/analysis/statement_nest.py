"""One statement with all loops that a tree puts around it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from polysched.analysis.footprint import LARGE_EXTENT, member_extent
from polysched.analysis.places import Member, statement_members
from polysched.analysis.rationals import Vector
from polysched.analysis.slanted import box_terms
from polysched.analysis.strides import Reference, member_directions, references
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


def statement_nests(tree: ScheduleTree, scop: Scop) -> tuple[StatementNest, ...]:
    """One nest per statement of a tree, in order of their names."""
    by_name = references(scop)
    return tuple(
        StatementNest(name, members, by_name[name])
        for name, members in statement_members(tree).items()
    )
