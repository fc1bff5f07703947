"""Copies of the operands of contractions: what is copied, and where that is right."""

from __future__ import annotations

from polysched.analysis import find_operands, find_overwritten
from polysched.base import AnalysisError
from polysched.ir import Assign, Iter, Load, NodePath, walk
from polysched.sets import node_kind
from polysched.transform.draft import Draft
from polysched.transform.grouping import Grouping
from polysched.transform.pack import Pack
from polysched.transform.roles import Contraction


def reads_neighbours(found: Contraction) -> bool:
    """Whether every read is one value, or neighbours, for the lanes as it stands."""
    along = found.statement.direction(found.lane)
    assert along is not None
    return all(r.stride_class(along) != "N" for r in found.statement.references)


def operand_iterators(found: Contraction, member: int) -> tuple[int, ...]:
    """Iterators of the operand that moves with a member of the register tile.

    Those of its loops, and before them what it is read at besides that has one value
    in each run of the band: the number of the product in a batch.
    """
    near = tuple(found.iterator(k) for k in (*found.inside, member))
    besides = _iterators_besides(found, near)
    moving = {found.iterator(k) for k in found.statement.moving}
    return near if besides & moving else (*sorted(besides), *near)


def count_operands(found: Contraction, member: int) -> int:
    """Operands that move with a member of the register tile, each with its own copy."""
    statement = found.band.scop.statement(found.statement.name)
    numbers = operand_iterators(found, member)
    return len(
        find_operands(statement, frozenset(statement.iterators[k] for k in numbers))
    )


def batch_members(found: Contraction, member: int) -> list[int]:
    """Members outside of the contraction that move the operand of a member."""
    near = tuple(found.iterator(k) for k in (*found.inside, member))
    besides = _iterators_besides(found, near)
    return [k for k in found.outside if found.iterator(k) in besides]


def _iterators_besides(found: Contraction, near: tuple[int, ...]) -> set[int]:
    """Iterators besides some of whatever is read at all of those."""
    statement = found.band.scop.statement(found.statement.name)
    number = {name: k for k, name in enumerate(statement.iterators)}
    besides: set[int] = set()
    for action in statement.body:
        if not isinstance(action, Assign):
            continue
        for load in walk(action.value):
            if isinstance(load, Load) and load != action.target:
                used = {number[e.name] for e in walk(load) if isinstance(e, Iter)}
                if used >= set(near):
                    besides |= used - set(near)
    return besides


def can_pack(draft: Draft, found: Contraction, path: NodePath, member: int) -> bool:
    """Whether what moves with a member may be read from a copy below a band."""
    return can_copy(draft, found, path, operand_iterators(found, member))


def can_copy(
    draft: Draft, found: Contraction, path: NodePath, iterators: tuple[int, ...]
) -> bool:
    """Whether nothing below a band writes an operand before it is read there."""
    scop = found.band.scop
    statement = scop.statement(found.statement.name)
    operands = find_operands(
        statement, frozenset(statement.iterators[k] for k in iterators)
    )
    node = draft.node(path)
    try:
        lost = [find_overwritten(node, scop, statement, e) for e in operands]
    except AnalysisError:
        return False
    return bool(operands) and not any(lost)


def pays(found: Contraction, member: int) -> bool:
    """Whether a copy of the broadcast operand saves arithmetic or far loads."""
    scop = found.band.scop
    statement = scop.statement(found.statement.name)
    names = frozenset(statement.iterators[k] for k in operand_iterators(found, member))
    operands = find_operands(statement, names)
    if any(not isinstance(e, Load) for e in operands):
        return True
    inner = found.statement.direction(found.inside[-1])
    assert inner is not None
    other = found.statement.direction(found.lane if member == found.row else found.row)
    assert other is not None
    arrays = {e.array for e in operands if isinstance(e, Load)}
    return any(
        r.array in arrays and not r.is_write and r.stride_class(inner) == "N"
        for r in found.statement.references
        if not any(r.moves(other))
    )


def pack_operand(
    found: Contraction, path: NodePath, member: int, panel: int = 0
) -> Pack:
    """The copy of an operand: contiguous along lanes, in panels where a width is given.

    What moves with the rows keeps its neighbours, along the rows or the innermost loop.
    """
    iterators = operand_iterators(found, member)
    if member == found.row and not _has_rows_side_by_side(found):
        return Pack(path, found.number, (iterators[-1], *iterators[:-1]))
    return Pack(path, found.number, iterators, panel)


def _has_rows_side_by_side(found: Contraction) -> bool:
    """Whether what moves with the rows has neighbours along them."""
    row, lane = (found.statement.direction(k) for k in (found.row, found.lane))
    assert row is not None
    assert lane is not None
    moving = [r for r in found.statement.references if not any(r.moves(lane))]
    return all(r.stride_class(row) in "01" for r in moving)


def pack_group(
    found: Contraction, path: NodePath, grouping: Grouping, width: int
) -> Pack:
    """The copy of what moves with the lanes, in groups and panels of some width."""
    terms, shift = grouping.n_terms, grouping.shift
    return Pack(path, found.number, grouping.lanes, width, terms, shift)


def is_packed_outside(draft: Draft, path: NodePath, step: Pack) -> bool:
    """Whether loops further out have the same copy."""
    node = draft.node(path)
    while node.has_parent():
        node = node.parent()
        is_mark = node_kind(node) == "mark"
        if is_mark and str(node.mark_get_id().get_name()) == step.mark:
            return True
    return False
