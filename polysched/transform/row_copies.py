"""Copies of columns that rows in lanes read again and again, for a planned script."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from polysched.analysis import (
    Reference,
    Vector,
    find_operands,
    find_overwritten,
    member_extent,
)
from polysched.base import AnalysisError
from polysched.ir import Scop
from polysched.machine import Cpu
from polysched.transform.band_view import StatementView, view_band
from polysched.transform.draft import Draft
from polysched.transform.pack import Pack

MIN_REUSE = 4  # times that a copied element is read


def copy_columns(draft: Draft, scop: Scop, cpu: Cpu) -> Draft:
    """Turn around in a copy what lanes over rows would gather.

    Where a few rows advance together, see `gather_rows`, an array with a row for each
    is read down a column: ``X[i][d]`` for sixteen ``i``, each in another line. If a
    loop around reads the same block again, as all centres look at one point, a copy of
    it with the rows side by side is filled once.
    """
    steps = []
    for path in draft.innermost_paths():
        band = view_band(draft, scop, path)
        last = band.n_members - 1
        if not band.is_worth_vector(last):
            continue
        found = [list(_copies(draft, scop, cpu, s, last)) for s in band.statements]
        n_far = sum(len(_far(scop, s, last)) for s in band.statements)
        if n_far == sum(map(len, found)):  # or lanes would gather and scatter others
            steps += [step for own in found for step in own]
    for step in sorted(dict.fromkeys(steps), key=lambda s: s.band, reverse=True):
        draft = draft.attempt(step) or draft
    return draft


def _copies(
    draft: Draft, scop: Scop, cpu: Cpu, statement: StatementView, member: int
) -> Iterator[Pack]:
    """The copies that a statement reads columns from."""
    here = statement.positions[member]
    along = statement.directions[here]
    row = _only_iterator(along)
    if row is None or along is None or not statement.loops_of_rows(member):
        return
    over = statement.members[here].function
    tile = max(
        k
        for k, m in enumerate(statement.members[:here])
        if m.kind == "tile" and m.function == over
    )
    rows = statement.members[tile].size
    for reference in _far(scop, statement, member):
        if reference.is_write:
            continue
        step = _copy(scop, cpu, statement, reference, (tile, here), (row, rows))
        if step is not None and _is_right(draft, scop, statement, step):
            yield step


def _far(scop: Scop, statement: StatementView, member: int) -> list[Reference]:
    """Accesses of a statement that lanes along a member find in lines far apart."""
    along = statement.direction(member)
    if along is None:
        return []
    return [
        r
        for r in dict.fromkeys(statement.references)
        if not scop.array(r.array).n_expanded and r.stride_class(along) == "N"
    ]


def _copy(
    scop: Scop,
    cpu: Cpu,
    statement: StatementView,
    reference: Reference,
    inside: tuple[int, int],
    lanes: tuple[int, int],
) -> Pack | None:
    """A copy in front of the first loop in a tile that reads the same block again."""
    tile, here = inside
    row, rows = lanes
    known = scop.with_estimates({})
    again = [
        k
        for k in range(tile + 1, here)
        if (d := statement.directions[k]) is not None and not any(reference.moves(d))
    ]
    if not again:
        return None
    path = statement.members[again[0]].path
    moved, extents, reuse = [], [rows], 1
    for k in range(tile + 1, here):
        m, direction = statement.members[k], statement.directions[k]
        if direction is None or m.path < path:
            continue
        extent = member_extent(known, statement.name, m)
        if k in again:
            reuse *= MIN_REUSE if extent is None else extent
            continue
        iterator = _only_iterator(direction)
        if extent is None or iterator is None or m.kind != "point":
            return None
        moved.append(iterator)
        extents.append(extent)
    used = {k for r in reference.rows for k, c in enumerate(r) if c}
    n_bytes = prod(extents) * scop.array(reference.array).type.n_bytes
    if reuse < MIN_REUSE or n_bytes > cpu.l1_bytes // 2 or row not in used:
        return None
    others = sorted(used - {row, *moved})
    number = int(statement.name.removeprefix("S"))
    inner = [k for k in moved if k in used]
    return Pack(path, number, (*others, *inner, row))


def _only_iterator(direction: Vector | None) -> int | None:
    """The iterator that a direction moves alone."""
    moving = [k for k, c in enumerate(direction or ()) if c]
    return moving[0] if len(moving) == 1 else None


def _is_right(draft: Draft, scop: Scop, view: StatementView, step: Pack) -> bool:
    """Whether there are such operands, and nothing below writes what they read."""
    statement = scop.statement(view.name)
    names = frozenset(statement.iterators[k] for k in step.iterators)
    operands = find_operands(statement, names)
    node = draft.node(step.band)
    try:
        lost = [find_overwritten(node, scop, statement, e) for e in operands]
    except AnalysisError:
        return False
    return bool(operands) and not any(lost)
