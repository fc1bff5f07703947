"""One band with all its statements, as the planner looks at it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import islpy as isl

from polysched.analysis import (
    LARGE_EXTENT,
    Member,
    Place,
    Reference,
    Vector,
    active_dependences,
    box_footprint,
    has_gap,
    loop_spans,
    member_directions,
    member_distances,
    member_extent,
    n_equalities,
    references,
    step_bytes,
    stride_classes,
)
from polysched.ir import NodePath, ScheduleTree, Scop
from polysched.sets import list_maps, list_sets, n_dims, node_kind
from polysched.transform.bands import (
    coincident_flags,
    is_permutable,
    member_schedules,
    member_step,
)
from polysched.transform.distribute import Distribute
from polysched.transform.draft import Draft, has_band_below
from polysched.transform.frame import Frame
from polysched.transform.fuse_tiles import FuseTiles
from polysched.transform.merge import Merge
from polysched.transform.split import Split

Direction = Vector | None

MAX_ROWS = 64  # side by side in lanes, around a loop that they share
MAX_MATES = 4  # arrays that share the copies of a register tile


@dataclass(frozen=True, eq=False)
class StatementView:
    """One statement under a band.

    Attributes
    ----------
    name : str
        Of the statement.
    members : tuple of Member
        All around it, outermost first.
    directions : list of vectors
        Per member, from `member_directions`.
    references : tuple of Reference
        Its accesses.
    positions : tuple of int
        Where the band's members stand in `members`.
    is_thin : bool
        Whether only instances run here that lie on a plane of the statement's domain,
        as where loops were cut before and after one iteration.
    """

    name: str
    members: tuple[Member, ...]
    directions: list[Direction]
    references: tuple[Reference, ...]
    positions: tuple[int, ...]
    is_thin: bool = False

    @property
    def moving(self) -> list[int]:
        """Positions in the band of the members that move the statement."""
        return [
            k for k, p in enumerate(self.positions) if self.directions[p] is not None
        ]

    @property
    def single(self) -> list[int]:
        """Positions in the band of loops that a loop further out fixes to one value.

        As those over the points of a tile whose size is one.
        """
        members = self.members
        return [
            k
            for k, p in enumerate(self.positions)
            if self.directions[p] is None
            and any(
                m.size == 1 and m.kind != "wave" and m.function == members[p].function
                for m in members[:p]
            )
        ]

    def direction(self, member: int) -> Direction:
        """Movement along a member of the band, by its position in the band."""
        return self.directions[self.positions[member]]

    def stays_in_rows(self, member: int, reference: Reference) -> bool:
        """Whether a reference stays as the loop around a few rows in lanes goes on.

        Then rows of what it touches are held in arrays of their own (`HeldRows`).
        """
        around = self.loops_of_rows(member)
        return bool(around) and not any(reference.moves(around[-1]))

    def loops_of_rows(self, member: int) -> list[Vector]:
        """Movement of the loops between a tile of a few rows and the loop over them."""
        here = self.positions[member]
        over = self.members[here].function
        tiles = [
            k
            for k, m in enumerate(self.members[:here])
            if m.kind == "tile" and m.function == over
        ]
        if not tiles or self.members[tiles[-1]].size > MAX_ROWS:
            return []
        return [
            d
            for k in range(tiles[-1] + 1, here)
            if (d := self.directions[k]) is not None
            and self.members[k].function != over
        ]


@dataclass(frozen=True, eq=False)
class BandView:
    """A band of a draft, its statements, and what the planner asks about them."""

    scop: Scop
    tree: ScheduleTree
    path: NodePath
    statements: tuple[StatementView, ...]
    n_members: int
    permutable: bool
    coincident: tuple[bool, ...]
    is_part: bool = False

    @cached_property
    def main(self) -> tuple[StatementView, ...]:
        """The statements that the most members move: nearly all instances."""
        most = max((len(s.moving) for s in self.statements), default=0)
        return tuple(s for s in self.statements if len(s.moving) == most)

    def extent(self, member: int) -> int | None:
        """Trip count of a member, the longest of all statements; None: unknown."""
        span = self.spans[member] if self.is_part else None
        if span is not None:
            return span
        found = [
            member_extent(self.scop, s.name, s.members[s.positions[member]])
            for s in self.statements
            if not s.members[s.positions[member]].is_constant
        ]
        if any(e is None for e in found):
            return None
        return max((e for e in found if e is not None), default=1)

    def is_bounded(self, member: int) -> bool:
        """Whether a trip count is known, not only estimated."""
        known = replace(self, scop=self.scop.with_estimates({}))
        return known.extent(member) is not None

    @cached_property
    def is_above_others(self) -> bool:
        """Whether there are bands below it."""
        return has_band_below(self.tree.node(self.path))

    @cached_property
    def spans(self) -> list[int | None]:
        """Per member the most iterations in one run of the loops around the band."""
        node = self.tree.node(self.path)
        n = node.get_schedule_depth()
        domain = node.get_domain()
        inner = node.child(0).get_prefix_schedule_union_map().intersect_domain(domain)
        times = list_sets(inner.range())[0]
        spans = loop_spans(times.intersect_params(self.scop.estimated_context))[n:]
        schedules = member_schedules(node)
        found = [
            None if span is None else span // member_step(schedule) + 1
            for span, schedule in zip(spans, schedules, strict=True)
        ]
        return found

    @property
    def is_thin(self) -> bool:
        """Whether little runs under the band: see `StatementView.is_thin`."""
        return all(s.is_thin for s in self.statements)

    @property
    def n_written(self) -> int:
        """Arrays that the main statements write."""
        return len({r.array for s in self.main for r in s.references if r.is_write})

    @cached_property
    def waits_both_ways(self) -> bool:
        """Whether statements fill a band of two loops that each wait.

        As sums along rows beside sums along columns, which no skewing frees. They
        write a few arrays, each.
        """
        return (
            self.permutable
            and self.n_members == 2
            and not any(self.coincident)
            and len(self.main) > 1
            and self.n_written <= MAX_MATES
            and self.main == self.statements
            and all(len(s.moving) == 2 for s in self.main)
            and is_rectangular(self)
        )

    @cached_property
    def runs_as_one(self) -> bool:
        """Whether each point of the band runs all of its statements, or none.

        As what stands one behind the other in the same loops, and writes few arrays
        besides the temporaries between. A single statement does if all members move it.
        """
        writes = {r.array for s in self.statements for r in s.references if r.is_write}
        kept = [a for a in writes if self.scop.array(a).storage != "scop"]
        if len(kept) > MAX_MATES or any(
            len(s.moving) != self.n_members for s in self.statements
        ):
            return False
        if len(self.statements) == 1:
            return True
        node = self.tree.node(self.path)
        inner = node.child(0).get_prefix_schedule_union_map()
        inner = inner.intersect_domain(node.get_domain())
        first, *others = (m.range() for m in list_maps(inner))
        return all(times.is_equal(first) for times in others)

    def is_worth_vector(self, member: int) -> bool:
        """Whether vector lanes along a member would touch neighbours, nearly always.

        Storage of private arrays is laid out along the innermost loops.
        """
        if self.has_data_loops:
            return False
        found = self._moved(member)
        held = [
            s.stays_in_rows(member, r)
            for s in self.main
            if s.direction(member) is not None
            for r in s.references
        ]
        far = sum(
            c == "N"
            and not is_held
            and not (r.expanded and r.walked_subscript(direction) is not None)
            for (r, direction), c, is_held in zip(
                found, stride_classes(found), held, strict=True
            )
        )
        return bool(found) and far <= len(found) // 4

    @property
    def has_data_loops(self) -> bool:
        """Whether loops that data end are inside of its instances."""
        return any(self.scop.statement(s.name).has_data_loops for s in self.statements)

    def _moved(self, member: int) -> list[tuple[Reference, Vector]]:
        """The accesses of main statements, and how a member moves these."""
        return [
            (r, direction)
            for s in self.main
            if (direction := s.direction(member)) is not None
            for r in s.references
        ]

    def is_uneven(self, member: int) -> bool:
        """Whether statements run over different ranges of a member."""
        seen = set()
        for s in self.statements:
            view = s.members[s.positions[member]]
            seen.add((view.constant, member_extent(self.scop, s.name, view)))
        return len(seen) > 1

    def has_gap(self, member: int) -> bool:
        """Whether some statement runs at both ends of a member, and not between."""
        return len(self.statements) > 1 and any(
            has_gap(self.scop, s.name, s.members[s.positions[member]].coefficients)
            for s in self.statements
        )

    def stride_classes(self, member: int) -> Iterator[tuple[str, bool, str]]:
        """Array, whether it writes, and stride class of each main reference."""
        found = self._moved(member)
        for (r, _), c in zip(found, stride_classes(found), strict=True):
            yield r.array, r.is_write, c

    def moved_bytes(self, member: int) -> list[tuple[str, int | None]]:
        """Stride class of each main reference, and how far a step moves it."""
        found = self._moved(member)
        steps = [step_bytes(self.scop, r, direction) for r, direction in found]
        return list(zip(stride_classes(found), steps, strict=True))

    def footprint(self, sizes: dict[int, int], line_bytes: int = 1) -> int:
        """Bytes of a tile with the given sizes of this band's members.

        Members of bands below take part with their whole extent.
        """
        merged: dict[str, int] = {}
        for s in self.main:
            inside = dict(_inner_extents(self.scop, s))
            inside |= {s.positions[k]: size for k, size in sizes.items()}
            by_array: dict[str, list[Reference]] = {}
            for r in s.references:
                by_array.setdefault(r.array, []).append(r)
            for array, refs in by_array.items():
                n = box_footprint(self.scop, refs, s.directions, inside, line_bytes)
                merged[array] = max(merged.get(array, 0), n)
        return sum(merged.values())


def view_band(draft: Draft, scop: Scop, path: NodePath) -> BandView:
    """Look at the band at a path of a draft."""
    node = draft.node(path)
    listed = []
    for place in draft.places:
        members = place.members
        positions = tuple(k for k, m in enumerate(members) if m.path == path)
        if positions:
            view = StatementView(
                place.name,
                members,
                member_directions(members),
                references(scop)[place.name],
                positions,
                _is_thin(draft, scop, place),
            )
            listed.append(view)
    n_members = node.band_n_member()
    return BandView(
        scop,
        draft.tree,
        path,
        tuple(listed),
        n_members,
        _is_permutable(draft, node),
        _coincident(draft, node),
        any(isinstance(s, Split | Frame) for s in draft.steps),
    )


def _is_thin(draft: Draft, scop: Scop, place: Place) -> bool:
    """Whether the instances at a place have fewer dimensions than the statement."""
    if sum(p.name == place.name for p in draft.places) == 1:
        return False
    domain = scop.statement(place.name).domain
    whole = sum(c.is_equality() for c in domain.affine_hull().get_constraints())
    return n_equalities(draft.tree, place) > whole


def _is_permutable(draft: Draft, node: isl.ScheduleNode) -> bool:
    """The flag of a band, decided anew where parts of a loop may have gained it."""
    flag = bool(node.band_get_permutable())
    if not flag and any(isinstance(s, Split | Frame) for s in draft.steps):
        return is_permutable(node, draft.deps)
    return flag


def _coincident(draft: Draft, node: isl.ScheduleNode) -> tuple[bool, ...]:
    """The flags of a band, decided anew after steps that cannot know them."""
    flags = coincident_flags(node)
    if not all(flags) and any(
        isinstance(s, Distribute | Merge | FuseTiles | Split) for s in draft.steps
    ):
        active = active_dependences(node, draft.deps.validity)
        still = isl.Set("{ [0] }")
        flags = [
            flag or member_distances(node, k, active).is_subset(still)
            for k, flag in enumerate(flags)
        ]
    return tuple(flags)


def is_tile_band(draft: Draft, path: NodePath) -> bool:
    """Whether a `tile` mark stands directly above the band."""
    node = draft.node(path).parent()
    return node_kind(node) == "mark" and node.mark_get_id().get_name() == "tile"


def _inner_extents(scop: Scop, s: StatementView) -> Iterator[tuple[int, int]]:
    for k in range(s.positions[-1] + 1, len(s.members)):
        if s.directions[k] is not None:
            extent = member_extent(scop, s.name, s.members[k])
            yield k, LARGE_EXTENT if extent is None else extent


def is_rectangular(band: BandView) -> bool:
    """Whether every statement under a band runs a box of iterations."""
    return not any(_find_couples(band.scop, s) for s in band.statements)


def runs_boxes_together(band: BandView) -> bool:
    """Whether at each run of a band its statements fill one box, all the same.

    Or nothing: some may rest where others run. In contrast to `is_rectangular` it says
    what the tree makes of the domains, whose bounds other loops may have made constant.
    """
    node = band.tree.node(band.path)
    n_outer = node.get_schedule_depth()
    inner = node.child(0).get_prefix_schedule_union_map()
    inner = inner.intersect_domain(node.get_domain())
    runs = [_runs(m, n_outer) for m in list_maps(inner)]
    first = runs[0]
    for other in runs[1:]:
        both = first.domain().intersect(other.domain())
        if not first.intersect_domain(both).is_equal(other.intersect_domain(both)):
            return False
        first = first.union(other)
    box = first
    for k in range(band.n_members):
        side = first.project_out(isl.dim_type.out, k + 1, band.n_members - k - 1)
        side = side.project_out(isl.dim_type.out, 0, k)
        box = side if not k else box.flat_range_product(side)
    return bool(box.is_equal(first))


def _runs(times: isl.Map, n_outer: int) -> isl.Map:
    """Values of the loops around a band to its own values, of one statement."""
    values = times.range()
    n_own = n_dims(values) - n_outer
    return isl.Map.from_domain(values).move_dims(
        isl.dim_type.out, 0, isl.dim_type.in_, n_outer, n_own
    )


def limits_others(band: BandView, member: int) -> bool:
    """Whether other loops of a statement run over ranges that a member changes."""
    for s in band.statements:
        moved = s.members[s.positions[member]].coefficients
        iterators = {k for k, c in enumerate(moved) if c}
        if any(iterators & couple for couple in _find_couples(band.scop, s)):
            return True
    return False


def _find_couples(scop: Scop, s: StatementView) -> list[set[int]]:
    """Iterators that a bound of a statement's domain has together."""
    domain = scop.statement(s.name).domain.simple_hull()
    dims = range(n_dims(domain))
    found = [
        {k for k in dims if c.involves_dims(isl.dim_type.set, k, 1)}
        for c in domain.get_constraints()
    ]
    return [moved for moved in found if len(moved) > 1]
