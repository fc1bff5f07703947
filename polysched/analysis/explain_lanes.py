"""Why statements are in no vector lanes."""

from __future__ import annotations

from dataclasses import dataclass, field

from polysched.analysis.explain import LoopReport
from polysched.analysis.places import Member, main_places
from polysched.analysis.rationals import Vector
from polysched.analysis.reductions import find_reductions
from polysched.analysis.strides import member_directions, references
from polysched.ir import (
    MARK_ACCUMULATE,
    MARK_KERNEL,
    MARK_LIFT,
    MARK_REGISTERS,
    MARK_ROLL,
    MARK_SQUARES,
    MARK_VECTOR,
    NodePath,
    ScheduleTree,
    Scop,
)

_IN_LANES = {
    MARK_VECTOR, MARK_ACCUMULATE, MARK_LIFT, MARK_REGISTERS, MARK_ROLL, MARK_SQUARES,
    MARK_KERNEL,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class LaneReport:
    """An innermost loop that no mark puts into lanes, and what speaks against that.

    Attributes
    ----------
    loop : LoopReport
        The loop; its obstacle, if any, forbids lanes.
    statements : tuple of str
        Those whose innermost loop it is.
    far : tuple of str
        Arrays of which they touch elements that are no neighbours, from one iteration
        to the next.
    scattered : tuple of str
        Arrays that they touch at places that data decide.
    data_loops : tuple of str
        Those of the statements that hold loops that data end.
    sums : tuple of str
        Arrays whose sums are all that stands against lanes.
    contiguous : tuple of (str, str)
        A statement and an iterator along which it touches neighbours alone, or stays in
        place: what could be the innermost loop instead.
    """

    loop: LoopReport
    statements: tuple[str, ...]
    far: tuple[str, ...]
    scattered: tuple[str, ...]
    data_loops: tuple[str, ...]
    sums: tuple[str, ...]
    contiguous: tuple[tuple[str, str], ...]

    @property
    def is_free(self) -> bool:
        """Whether nothing speaks against lanes: the compiler may choose them."""
        asked = (self.loop.obstacle, self.far, self.scattered, self.data_loops)
        return not any(asked)


@dataclass(frozen=True)
class _Innermost:
    """The statements whose innermost loop is one band member, with its direction."""

    statements: list[str] = field(default_factory=list)
    directions: list[Vector] = field(default_factory=list)


def lane_reasons(
    tree: ScheduleTree, loops: tuple[LoopReport, ...], scop: Scop
) -> tuple[LaneReport, ...]:
    """For every innermost loop that runs in no vector lanes: what speaks against it.

    Loops that are unrolled do not count as innermost ones. What is part of a device
    kernel has threads in place of lanes, and is left out.

    Parameters
    ----------
    tree : ScheduleTree
        Shaped or not.
    loops : tuple of LoopReport
        Of the same tree, from `loop_carriers`.
    scop : Scop
        As scheduled.
    """
    by_member = {(r.path, r.member): r for r in loops}
    found: dict[tuple[NodePath, int], _Innermost] = {}
    for name, places in main_places(tree).items():
        for place in places:
            if not any(_is_in_lanes(m) for m in place.members):
                _add_innermost(found, name, place.members)
    return tuple(
        _report(by_member[key], inner, scop)
        for key, inner in found.items()
        if key in by_member
    )


def _is_in_lanes(member: Member) -> bool:
    return any(mark.split(":", maxsplit=1)[0] in _IN_LANES for mark in member.marks)


def _add_innermost(
    found: dict[tuple[NodePath, int], _Innermost],
    name: str,
    members: tuple[Member, ...],
) -> None:
    directions = member_directions(members)
    for k in reversed(range(len(members))):
        direction = directions[k]
        if direction is not None and any(direction) and not members[k].unrolled:
            inner = found.setdefault(
                (members[k].path, members[k].position), _Innermost()
            )
            inner.statements.append(name)
            inner.directions.append(direction)
            return


def _report(loop: LoopReport, inner: _Innermost, scop: Scop) -> LaneReport:
    known = references(scop)
    far: dict[str, None] = {}
    scattered: dict[str, None] = {}
    for name, direction in zip(inner.statements, inner.directions, strict=True):
        affine = {r.array for r in known[name]}
        for reference in known[name]:
            if reference.stride_class(direction) == "N":
                far[reference.array] = None
        for access in scop.statement(name).accesses:
            if access.array not in affine:
                scattered[access.array] = None
    return LaneReport(
        loop=loop,
        statements=tuple(inner.statements),
        far=tuple(far),
        scattered=tuple(scattered),
        data_loops=tuple(
            n for n in inner.statements if scop.statement(n).has_data_loops
        ),
        sums=_sums_in_the_way(loop, scop),
        contiguous=_contiguous(inner, scop) if far else (),
    )


def _sums_in_the_way(loop: LoopReport, scop: Scop) -> tuple[str, ...]:
    """The arrays of carried dependences, if all of these are those of sums."""
    sums = {(r.statement, r.array) for r in find_reductions(scop)}
    carried = {(d.source, d.sink, d.array) for d in loop.carried}
    if any(
        source != sink or (source, array) not in sums for source, sink, array in carried
    ):
        return ()
    return tuple(dict.fromkeys(d.array for d in loop.carried))


def _contiguous(inner: _Innermost, scop: Scop) -> tuple[tuple[str, str], ...]:
    """Per statement an iterator along which all accesses stay or meet a neighbour."""
    found = []
    for name in inner.statements:
        statement = scop.statement(name)
        for k, iterator in enumerate(statement.iterators):
            along = tuple(int(p == k) for p in range(statement.n_loops))
            classes = {r.stride_class(along) for r in references(scop)[name]}
            if "1" in classes and "N" not in classes:
                found.append((name, iterator))
    return tuple(found)
