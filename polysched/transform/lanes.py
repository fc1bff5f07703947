"""Register tiles and vector loops, for a planned script."""

from __future__ import annotations

from polysched.analysis import loop_is_parallel
from polysched.ir import (
    MARK_ACCUMULATE,
    MARK_DIAMOND,
    MARK_LIFT,
    MARK_REGISTERS,
    MARK_SQUARES,
    MARK_VECTOR,
    MARK_WAVEFRONT,
    NodePath,
    Scop,
)
from polysched.machine import Cpu
from polysched.sets import is_isolated
from polysched.transform.band_view import BandView, is_rectangular, view_band
from polysched.transform.borders import cut_borders, part_paths
from polysched.transform.choose import choose_jam, choose_rows
from polysched.transform.contraction import hold_contraction
from polysched.transform.draft import Draft, is_under_mark
from polysched.transform.isolate import Isolate
from polysched.transform.jam import Jam
from polysched.transform.mapping import Accumulate
from polysched.transform.reverse import run_forwards
from polysched.transform.separate import Separate
from polysched.transform.turn import cross_sums, turn_copies, turn_sums
from polysched.transform.whole import vector_step

MIN_TILE, MAX_TILE = 8, 64  # iterations of a short loop over the points of a tile
DONE_MARKS = (  # below them lanes are filled
    MARK_VECTOR, MARK_ACCUMULATE, MARK_LIFT, MARK_REGISTERS, MARK_SQUARES,
)  # fmt: skip
MAX_CUTS = 2  # loops cut in one band: each may triple the code


def fill_lanes(
    draft: Draft, scop: Scop, cpu: Cpu, *, jam: bool, hold: bool = False
) -> Draft:
    """Register tiles and vector marks on the innermost bands."""
    for path in draft.innermost_paths():
        node = draft.node(path)
        if any(is_under_mark(node, mark) for mark in DONE_MARKS):
            continue
        held = hold_contraction(draft, scop, path, cpu) if hold else None
        if held is not None:
            draft = held
            continue
        band = view_band(draft, scop, path)
        if band.is_thin or band.has_data_loops:
            continue
        turned = _turn(draft, band, cpu) if jam else None
        if turned is not None:
            draft = turned
            continue
        last = band.n_members - 1
        parallel = loop_is_parallel(draft.node(path), last, draft.deps.validity)
        lanes = parallel and band.is_worth_vector(last)
        if lanes and band.coincident[last]:
            draft = run_forwards(draft, band, last)
            band = view_band(draft, scop, path)
        is_split = lanes and band.has_gap(last)
        wants_jam = jam and not is_split
        jammed = _jam(draft, band, cpu, vector=parallel) if wants_jam else None
        # copies of a body that asks for borders are in no lanes
        cut = cut_borders(draft, scop, path, last) if lanes or not jammed else None
        if cut is not None:
            draft = _fill_parts(cut, scop, cpu, part_paths(cut, path, last), parallel)
            continue
        draft = jammed or _separate(draft, band)
        if lanes and not jammed:
            draft = run_forwards(draft, band, last)
        if parallel and not jammed:
            draft = _isolate(draft, band)
        if lanes:
            # a register tile runs several outer iterations per lane: ask once more
            draft = draft.attempt(vector_step(band, last, cpu)) or draft
    return draft


def _isolate(draft: Draft, band: BandView) -> Draft:
    """The short loop over the points of a tile with a number of iterations of its own.

    Done for single loops inside other loops of the tile, as `gather_rows` makes them.
    """
    if band.n_members > 1 or is_isolated(draft.node(band.path)):
        return draft
    sizes = {
        tile.size
        for s in band.statements
        for tile in s.members[: s.positions[0] - 1]
        if tile.kind == "tile" and tile.function == s.members[s.positions[0]].function
    }
    if len(sizes) != 1 or not MIN_TILE <= max(sizes) <= MAX_TILE:
        return draft
    return draft.attempt(Isolate(band.path, (*sizes,))) or draft


def _fill_parts(
    draft: Draft, scop: Scop, cpu: Cpu, paths: list[NodePath], parallel: bool
) -> Draft:
    """Vector marks on the parts of a loop that was cut at its borders."""
    for path in paths:
        band = view_band(draft, scop, path)
        draft = _separate(draft, band)
        if parallel and not band.is_thin and band.is_worth_vector(0):
            draft = draft.attempt(vector_step(band, 0, cpu)) or draft
    return draft


def accumulate_in_lanes(draft: Draft, scop: Scop) -> Draft:
    """Marks on innermost loops that add neighbours to one element, in any order."""
    for path in draft.innermost_paths():
        band = view_band(draft, scop, path)
        last = band.n_members - 1
        strides = {c for _, _, c in band.stride_classes(last)}
        if "1" in strides and "N" not in strides:
            draft = draft.attempt(Accumulate(path, last)) or draft
    return draft


def _turn(draft: Draft, band: BandView, cpu: Cpu) -> Draft | None:
    return (
        turn_sums(draft, band, cpu)
        or cross_sums(draft, band, cpu)
        or turn_copies(draft, band, cpu)
    )


def _jam(draft: Draft, band: BandView, cpu: Cpu, *, vector: bool) -> Draft | None:
    if vector and is_under_mark(draft.node(band.path), MARK_DIAMOND):
        factors = choose_rows(band)
    else:
        factors = choose_jam(band, cpu, vector=vector)
    step = Jam(band.path, factors)
    if max(factors) < 2 or _would_explode(draft, band):
        return None
    if step.find_misfit(draft.tree) is not None:
        return None
    return draft.do(step)


def _would_explode(draft: Draft, band: BandView) -> bool:
    """Several statements over triangles in waves: seconds to print, pages of code."""
    return (
        len(band.statements) > 1
        and is_under_mark(draft.node(band.path), MARK_WAVEFRONT)
        and not is_rectangular(band)
        and not band.runs_as_one
    )


def _separate(draft: Draft, band: BandView) -> Draft:
    """Cut the innermost loops whose range differs between statements."""
    uneven = [
        k
        for k in range(band.n_members)
        if band.is_uneven(k) or (k == band.n_members - 1 and band.has_gap(k))
    ]
    for member in uneven[-MAX_CUTS:]:
        draft = draft.do(Separate(band.path, member))
    return draft
