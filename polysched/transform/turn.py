"""Sums along rows, several rows at a time in vector lanes, for a planned script.

Alone, or with sums along columns of the same matrix; and transpositions.
"""

from __future__ import annotations

from dataclasses import replace

from polysched.analysis import LARGE_EXTENT, Reference, Vector
from polysched.ir import TURNED_BYTES
from polysched.machine import Cpu
from polysched.transform.arithmetic import is_arithmetic
from polysched.transform.band_view import BandView, StatementView
from polysched.transform.draft import Draft
from polysched.transform.order import Order
from polysched.transform.registers import Registers
from polysched.transform.roles import find_target
from polysched.transform.squares import Squares

MIN_ROWS = 16  # at a time: each waits for its last addition
CROSSED_ROWS = 8  # with sums along columns, which need not wait
LEFT_NEAR = 0.25  # of the last cache, for what lies there when a region begins
ROW, ALONG = 0, 1  # positions of a band's members


def turn_sums(draft: Draft, band: BandView, cpu: Cpu, ahead: int = 0) -> Draft | None:
    """A vector of rows' sums, where nothing but such sums runs under a band.

    The terms of each row are added in their order; squares of the matrix are read along
    the rows and turned in registers. Where caches do not hold it, the next rows are
    asked for ahead, or half of those that lie so many rows further on. None where the
    band is no such thing.
    """
    if len(band.statements) != 1 or not _sums_rows(band, band.statements[0]):
        return None
    n_bytes = _element_bytes(band)
    lanes = cpu.vector_elements(n_bytes)
    rows = max(MIN_ROWS, lanes)
    extent = band.extent(ROW)
    if lanes < 2 or (extent is not None and extent < 2 * rows):
        return None
    asked = lanes // 2 if ahead else 0
    ahead = ahead or (rows if _is_far(band, cpu) else 0)
    step = Registers(band.path, (rows, 1), lanes, ahead, asked)
    return draft.do(step) if step.check(draft.tree, draft.deps) is None else None


def add_rows(
    draft: Draft, band: BandView, cpu: Cpu, ahead: int, *, halves: bool
) -> Draft | None:
    """Some rows at a time for sums along columns, where a band holds nothing else.

    The rows so many further on are asked for, or the half of them that `turn_sums`
    leaves. None where the band is no such thing.
    """
    if len(band.statements) != 1 or not _sums_columns(band, band.statements[0]):
        return None
    lanes = cpu.vector_elements(_element_bytes(band))
    if lanes < 2:
        return None
    rows = max(CROSSED_ROWS, lanes)
    asked = -(lanes // 2) if halves else 0
    return draft.attempt(Squares(band.path, (rows, 1), lanes, ahead, asked))


def turn_copies(draft: Draft, band: BandView, cpu: Cpu) -> Draft | None:
    """Squares turned in registers, where all that runs under a band is a transposition.

    What is loaded lies in neighbours along one of two parallel loops, what is stored
    along the other one, which gets the lanes. None where the band is no such thing,
    and where a program cannot have left all of it in the last cache: from memory,
    squares gain nothing.
    """
    if band.n_members != 2 or not band.permutable or not all(band.coincident):
        return None
    s = band.statements[0]
    if len(band.statements) != 1 or not is_arithmetic(band.scop.statement(s.name)):
        return None
    n_bytes = _element_bytes(band)
    lanes = cpu.vector_elements(n_bytes)
    known = [n for n in map(band.extent, range(2)) if n is not None]
    if (
        n_bytes not in TURNED_BYTES
        or lanes < 2
        or min(known, default=2 * lanes) < lanes
    ):
        return None
    lane = next((k for k in range(2) if _transposes(s, k, 1 - k)), None)
    types = {band.scop.array(r.array).type for r in s.references if len(r.rows) > 1}
    near = max(int(LEFT_NEAR * cpu.l3_bytes), cpu.l2_bytes * cpu.n_cores)
    if lane is None or len(types) > 1 or _whole_bytes(band) > near:
        return None
    ordered = draft if lane == 1 else draft.attempt(Order(band.path, (1, 0)))
    step = Registers(band.path, (lanes, lanes), lanes)
    return ordered and ordered.attempt(step)


def _transposes(s: StatementView, lane: int, other: int) -> bool:
    """Whether neighbours in the lanes are stored, and loaded along the other loop."""
    across, along = s.direction(lane), s.direction(other)
    if across is None or along is None:
        return False
    stores = [r.stride_class(across) for r in s.references if r.is_write]
    far = [r for r in s.references if r.stride_class(across) == "N"]
    return stores == ["1"] and bool(far) and all(_is_turned(r, along) for r in far)


def cross_sums(draft: Draft, band: BandView, cpu: Cpu) -> Draft | None:
    """Squares shared by sums along rows and along columns, where a band holds both.

    Each element is loaded once for all of them. None where the band is no such thing.
    """
    if not band.waits_both_ways or not all(
        is_arithmetic(band.scop.statement(s.name)) for s in band.statements
    ):
        return None
    lanes = cpu.vector_elements(_element_bytes(band))
    rows = max(CROSSED_ROWS, lanes)
    extent = band.extent(ROW)
    if lanes < 2 or (extent is not None and extent < 2 * rows):
        return None
    if not any(_reads_rows(s) for s in band.statements):
        return None
    ahead = rows if _is_far(band, cpu) else 0
    return draft.attempt(Squares(band.path, (rows, 1), lanes, ahead))


def _is_far(band: BandView, cpu: Cpu) -> bool:
    """Whether what all parts of a band touch does not fit the second caches."""
    return _whole_bytes(band) > cpu.l2_bytes * cpu.n_cores


def _whole_bytes(band: BandView) -> int:
    """What all parts of a band touch together."""
    every = replace(band, is_part=False)
    whole = {k: every.extent(k) or LARGE_EXTENT for k in range(band.n_members)}
    return band.footprint(whole)


def _reads_rows(s: StatementView) -> bool:
    """Whether a statement adds along rows what lies in neighbours there."""
    across, along = s.direction(ROW), s.direction(ALONG)
    target = find_target(s)
    if across is None or along is None or target is None:
        return False
    far = [r for r in s.references if r.stride_class(across) == "N"]
    return (
        target.stride_class(across) == "1"
        and not any(target.moves(along))
        and bool(far)
        and all(_is_turned(r, along) for r in far)
    )


def _sums_rows(band: BandView, s: StatementView) -> bool:
    """Whether a statement adds along rows, in loops over rows and along them."""
    if band.n_members != 2 or not band.permutable or not band.coincident[ROW]:
        return False
    return is_arithmetic(band.scop.statement(s.name)) and _reads_rows(s)


def _sums_columns(band: BandView, s: StatementView) -> bool:
    """Whether a statement adds rows to a vector, in loops over rows and along them."""
    across, along = s.direction(ROW), s.direction(ALONG)
    target = find_target(s)
    if across is None or along is None or target is None:
        return False
    is_still = not any(target.moves(across)) and target.stride_class(along) == "1"
    return (
        is_still and band.n_members == 2 and is_arithmetic(band.scop.statement(s.name))
    )


def _is_turned(r: Reference, along: Vector) -> bool:
    return r.stride_class(along) == "1"


def _element_bytes(band: BandView) -> int:
    target = next(r for r in band.statements[0].references if r.is_write)
    return band.scop.array(target.array).type.n_bytes
