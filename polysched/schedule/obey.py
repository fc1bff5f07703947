"""Whether a schedule tree, tiled and mapped or not, obeys a pin."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import gcd

from polysched.analysis import (
    Dependences,
    Member,
    loop_is_parallel,
    main_places,
    statement_members,
)
from polysched.ir import NodePath, ScheduleTree, Scop
from polysched.schedule.pins import (
    Pin,
    PinFused,
    PinMaxSkew,
    PinParallel,
    PinRow,
    PinSeparate,
    PinVector,
)


@dataclass(frozen=True)
class TreeLevel:
    """One row of a statement's schedule as a tree has it.

    Attributes
    ----------
    coefficients : tuple of int
        Per iterator of the statement.
    members : tuple of Member
        The loops that stand for it, outermost first: the loop itself, the tile loops
        that tile it, and a wavefront in the place of such a tile loop.
    """

    coefficients: tuple[int, ...]
    members: tuple[Member, ...]


def statement_levels(tree: ScheduleTree) -> dict[str, tuple[TreeLevel, ...]]:
    """For every statement its rows in the order in which loops for them first occur.

    Tiling keeps the levels of a schedule, interchange changes them.
    """
    return {
        name: _find_levels(members) for name, members in statement_members(tree).items()
    }


def _find_levels(members: Sequence[Member]) -> tuple[TreeLevel, ...]:
    found: dict[tuple[int, ...], list[Member]] = {}
    for member in members:
        if not member.is_constant:
            row = member.coefficients
            if member.kind == "wave":
                row = _replaced_row(member, members)
            found.setdefault(row, []).append(member)
    return tuple(TreeLevel(row, tuple(loops)) for row, loops in found.items())


def _replaced_row(wave: Member, members: Sequence[Member]) -> tuple[int, ...]:
    """The row whose tile loop a wavefront replaces; all zeros when that is unclear.

    Waves of tiles that start together stand for the row that these step through.
    """
    if wave.level_row is not None:
        divisor = gcd(*wave.level_row)
        return tuple(c // divisor for c in wave.level_row)
    tiles = {(m.coefficients, m.size) for m in members if m.kind == "tile"}
    lost = [row for row, size in wave.summed if (row, size) not in tiles]
    return lost[0] if len(lost) == 1 else wave.coefficients


def satisfies(
    tree: ScheduleTree, pin: Pin, scop: Scop, dependences: Dependences
) -> bool:
    """Whether a tree obeys a pin, exactly.

    Parameters
    ----------
    tree : ScheduleTree
        Over all statements of the SCoP; affine, or after any script.
    pin : Pin
        Must fit the SCoP (`check_pins`).
    scop : Scop
    dependences : Dependences
        What a parallel loop must not carry.
    """
    parts = _levels_by_part(tree)
    match pin:
        case PinRow(name, level, coefficients, is_open):
            return all(
                _is_row(
                    rows,
                    level,
                    scop.statement(name).iterators,
                    dict(coefficients),
                    is_open,
                )
                for rows in parts[name]
            )
        case PinParallel(name, level):
            return all(
                level < len(rows)
                and _are_parallel(tree, rows[level].members, dependences)
                for rows in parts[name]
            )
        case PinVector(name, iterator):
            position = scop.statement(name).iterators.index(iterator)
            return all(
                _is_vector(tree, _innermost(rows), position, dependences)
                for rows in parts[name]
            )
        case PinFused(first, second, depth):
            pairs = product(parts[first], parts[second])
            return any(_n_shared(a, b) >= depth for a, b in pairs)
        case PinSeparate(first, second, depth):
            pairs = product(parts[first], parts[second])
            return all(_n_nested(a, b) < depth for a, b in pairs)
        case PinMaxSkew(value):
            levels = (rows for found in parts.values() for rows in found)
            members = (m for rows in levels for r in rows for m in r.members)
            return all(_skew(m) <= value for m in members)


_Levels = tuple[TreeLevel, ...]


def _levels_by_part(tree: ScheduleTree) -> defaultdict[str, list[_Levels]]:
    """For every statement its rows, at each main place; none without instances."""
    found: defaultdict[str, list[_Levels]] = defaultdict(lambda: [()])
    for name, places in main_places(tree).items():
        if places:
            found[name] = [_find_levels(place.members) for place in places]
    return found


def _is_row(
    rows: _Levels,
    level: int,
    iterators: Sequence[str],
    wanted: dict[str, int],
    is_open: bool,
) -> bool:
    """Whether one row has the coefficients that are wanted, and 0 where it must."""
    if level >= len(rows):
        return False
    found = zip(iterators, rows[level].coefficients, strict=True)
    return all(
        c == wanted.get(iterator, 0)
        for iterator, c in found
        if iterator in wanted or not is_open
    )


def _is_vector(
    tree: ScheduleTree, member: Member | None, position: int, dependences: Dependences
) -> bool:
    return (
        member is not None
        and _is_unit(member.coefficients, position)
        and _are_parallel(tree, (member,), dependences)
    )


def _n_shared(first: _Levels, second: _Levels) -> int:
    """Rows whose loops, tiles included, two statements share."""
    theirs = {_loops(row) for row in second}
    return sum(_loops(row) in theirs for row in first)


def _n_nested(first: _Levels, second: _Levels) -> int:
    """Rows of which two statements share the outermost loop."""
    theirs = {_loops(row)[:1] for row in second}
    return sum(_loops(row)[:1] in theirs for row in first)


def broken_pins(
    tree: ScheduleTree, pins: Sequence[Pin], scop: Scop, dependences: Dependences
) -> tuple[Pin, ...]:
    """The pins that a tree does not obey."""
    return tuple(p for p in pins if not satisfies(tree, p, scop, dependences))


def _are_parallel(
    tree: ScheduleTree, loops: Sequence[Member], dependences: Dependences
) -> bool:
    return all(
        loop_is_parallel(tree.node(m.path), m.position, dependences.validity)
        for m in loops
    )


def _innermost(levels: Sequence[TreeLevel]) -> Member | None:
    """The innermost loop of the code: what is unrolled leaves none."""
    points = [m for row in levels for m in row.members if m.kind == "point"]
    rolled = [m for m in points if not m.unrolled] or points
    return max(rolled, key=lambda m: (len(m.path), m.position), default=None)


def _is_unit(row: tuple[int, ...], position: int) -> bool:
    return all(abs(c) == (k == position) for k, c in enumerate(row))


def _loops(level: TreeLevel) -> tuple[tuple[NodePath, int], ...]:
    """Where the loops of a level are in the tree, the outermost first."""
    return tuple((m.path, m.position) for m in level.members)


def _skew(member: Member) -> int:
    """How much a loop adds to its smallest term; a wavefront's terms are tiles."""
    rows = [member.coefficients, *(row for row, _ in member.summed)]
    sizes = [sorted(abs(c) for c in row if c) for row in rows]
    return max(0, len(member.summed) - 1, *(sum(w) - w[0] for w in sizes if w))
