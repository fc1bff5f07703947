"""Which vector loops are cut so that vectors begin at multiples of their length."""

from __future__ import annotations

from polysched.ir import Const
from polysched.machine import Cpu
from polysched.transform.band_view import BandView, StatementView
from polysched.transform.choose import choose_lanes, reads_neighbours
from polysched.transform.mapping import Vector

MIN_VECTORS = 4  # of a loop, for each at its ends


def vector_step(band: BandView, member: int, cpu: Cpu) -> Vector:
    """A vector mark for a loop, with the lanes that suit what it reads.

    Where an array is read at several places of a row, what begins at a multiple of a
    vector's length is at least what is written, and all that is read beside it. That
    takes rows of whole vectors, a loop that runs from number to number, and statements
    that read nothing that it writes, as some iterations run twice.
    """
    lanes = choose_lanes(band, member, cpu)
    if lanes and reads_neighbours(band, member) and not _reads_what_it_writes(band):
        for whole in (2 * lanes, lanes):
            if _has_whole_rows(band, member, whole):
                return Vector(band.path, member, whole, True)
    return Vector(band.path, member, lanes)


def _reads_what_it_writes(band: BandView) -> bool:
    accesses = [r for s in band.statements for r in s.references]
    written = {r.array for r in accesses if r.is_write}
    return any(r.array in written for r in accesses if not r.is_write)


def _has_whole_rows(band: BandView, member: int, lanes: int) -> bool:
    """Whether multiples of the lanes begin at multiples of a vector in every row."""
    span = band.spans[member]
    if span is None or span < MIN_VECTORS * lanes:
        return False
    return all(_runs_along_rows(band, s, member, lanes) for s in band.statements)


def _runs_along_rows(band: BandView, s: StatementView, member: int, lanes: int) -> bool:
    loop, direction = s.members[s.positions[member]], s.direction(member)
    others = [m for m in s.members if m is not loop]
    is_cut = any(m.function == loop.function for m in others)
    if direction is None or is_cut or sum(map(bool, loop.coefficients)) != 1:
        return False
    for r in s.references:
        moves = r.moves(direction)
        if not any(moves):
            continue
        extents = band.scop.array(r.array).extents
        if any(moves[:-1]) or moves[-1] != 1 or r.expanded:
            return False
        if len(extents) > 1 and not _is_multiple(extents[-1], lanes):
            return False
        if r.is_write and (r.offsets[-1] - loop.constant) % lanes:
            return False
    return True


def _is_multiple(extent: object, lanes: int) -> bool:
    match extent:
        case Const(int(value)):
            return value % lanes == 0
    return False
