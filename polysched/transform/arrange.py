"""Which member runs innermost and which bands are tiled, for a planned script."""

from __future__ import annotations

from polysched.analysis import loop_is_parallel
from polysched.ir import NodePath, Scop
from polysched.machine import Cpu
from polysched.sets import list_sets, node_kind
from polysched.transform.band_view import BandView, view_band
from polysched.transform.blocks import block_updates
from polysched.transform.choose import (
    choose_diamond,
    choose_innermost,
    choose_jam,
    choose_rows,
    choose_tile_sizes,
    choose_time_tile,
    has_cache_reuse,
)
from polysched.transform.contraction import (
    tile_contraction,
)
from polysched.transform.diamond import Diamond
from polysched.transform.distribute import Distribute, find_order
from polysched.transform.draft import Draft, has_band_below
from polysched.transform.held_sums import find_held
from polysched.transform.merge import Merge
from polysched.transform.order import Order
from polysched.transform.roles import (
    find_contraction,
)
from polysched.transform.separate import Separate
from polysched.transform.skew import Skew
from polysched.transform.slant import find_slant
from polysched.transform.straighten import Straighten
from polysched.transform.tile import Tile

MIN_LOOPS_JAMMED = 4  # time and three more: rows of one plane wait for two others


def merge_bands(draft: Draft) -> Draft:
    """Join bands with the band directly below where both are permutable together."""
    for path in draft.band_paths():
        if node_kind(draft.node(path).child(0)) == "band":
            draft = draft.attempt(Merge(path)) or draft
    return draft


def straighten_bands(draft: Draft, scop: Scop) -> Draft:
    """Straighten skewed innermost bands whose plain loop is parallel."""
    for path in draft.innermost_paths():
        band = view_band(draft, scop, path)
        if not band.permutable or band.n_members < 3 or any(band.coincident):
            continue
        last = choose_innermost(band)
        ordered = draft
        if last != band.n_members - 1:
            ordered = draft.do(Order(path, _to_end(band.n_members, last)))
        straight = ordered.attempt(Straighten(path))
        if straight is None:
            continue
        inner = (*path, 0)
        if loop_is_parallel(straight.node(inner), 0, draft.deps.validity):
            draft = straight
    return draft


def order_members(draft: Draft, scop: Scop) -> Draft:
    """Move the best member of every innermost permutable band to its end.

    Around loops that data end the order stays: where most of the time goes, nobody but
    the program's author knows which rows are used again.
    """
    for path in draft.innermost_paths():
        band = view_band(draft, scop, path)
        if band.permutable and band.n_members > 1 and not band.has_data_loops:
            best = choose_innermost(band)
            if best != band.n_members - 1:
                draft = draft.do(Order(path, _to_end(band.n_members, best)))
    return draft


def skew_recurrences(draft: Draft, scop: Scop) -> Draft:
    """Skew innermost members that wait for each other by the member around them."""
    for path in draft.innermost_paths():
        band = view_band(draft, scop, path)
        n = band.n_members
        waits = band.permutable and n > 1 and not any(band.coincident)
        if waits and band.runs_as_one and not band.waits_both_ways:
            if loop_is_parallel(draft.node(path), n - 1, draft.deps.validity):
                continue
            weights = tuple(int(k == n - 2) for k in range(n))
            draft = draft.do(Skew(path, n - 1, weights))
    return draft


def tile_bands(
    draft: Draft, scop: Scop, cpu: Cpu, *, jam: bool, hold: bool = False
) -> Draft:
    """Tile the permutable bands whose data is used again."""
    for path in draft.band_paths():
        band = view_band(draft, scop, path)
        if not band.permutable or band.n_members < 2:
            continue
        contraction = find_contraction(band) if hold else None
        if has_band_below(draft.node(path)):
            draft = _tile_outer(draft, band, cpu)
        elif contraction is not None and find_held(contraction, path):
            continue  # it has its tiles
        elif contraction is not None:
            draft = tile_contraction(draft, contraction, cpu)
        elif hold and (blocked := block_updates(draft, band, cpu)) is not None:
            draft = blocked
        elif has_cache_reuse(band):
            vector = band.coincident[-1]
            factors = choose_jam(band, cpu, vector=vector) if jam else ()
            sizes = choose_tile_sizes(band, cpu, factors)
            if sizes.any:
                draft = draft.do(Tile(path, sizes.sizes))
    return draft


def _tile_outer(draft: Draft, band: BandView, cpu: Cpu) -> Draft:
    """Tile a band over whole inner loops: time tiles of a stencil."""
    if any(band.coincident):
        return draft
    draft = draft.do(Tile(band.path, choose_time_tile(band, cpu).sizes))
    points = (*band.path, 0, 0)
    if len(band.statements) > 1:
        draft = draft.do(Separate(points, band.n_members - 1))
    return draft


def tile_diamonds(draft: Draft, scop: Scop, cpu: Cpu, *, jam: bool = False) -> Draft:
    """Tile bands of time and space such that the tiles of a wave start at once.

    Done where the innermost loops run over neighbours, and need not wait once every
    statement has one of its own. With `jam`, only where two rows at once pay: every
    statement then has loops of its own over all of space, since few register tiles
    would be full where rows run some of the statements. In a plane that measured
    slower than rows of all statements, which follow each other in the first cache.
    """
    for path in draft.band_paths():
        band = view_band(draft, scop, path)
        if jam and band.n_members + band.is_above_others < MIN_LOOPS_JAMMED:
            continue
        if not band.permutable or band.n_members < 2 or any(band.coincident):
            continue
        slant = find_slant(draft.node(path), draft.deps)
        if slant is None or not _has_rows(draft, scop, path):
            continue
        sizes = choose_diamond(band, cpu, apart=jam).sizes
        tiled = draft.do(Diamond(path, sizes, slant.slope, slant.shifts))
        points, last = (*path, 0, 0, 0), band.n_members - 1
        if jam:
            draft = _stack_rows(tiled, scop, points) or draft
        elif not band.is_above_others:
            draft = _free_rows(tiled, points, last) or draft
        elif len(band.statements) > 1:
            draft = tiled.do(Separate(points, last))
        else:
            draft = tiled
    return draft


def _has_rows(draft: Draft, scop: Scop, path: NodePath) -> bool:
    """Whether the innermost loops at or below a band run over neighbours."""
    bands = [view_band(draft, scop, inner) for inner in _below(draft, path)]
    return all(band.is_worth_vector(band.n_members - 1) for band in bands)


def _free_rows(draft: Draft, path: NodePath, last: int) -> Draft | None:
    """Statements in innermost loops of their own, if these then carry nothing."""
    order = _present_order(draft, path) or find_order(draft, path, last)
    if len(order) > 1:
        apart = draft.attempt(Distribute(path, last, order))
        if apart is None:
            return None
        draft = apart
    free = [_is_free(draft, inner) for inner in _below(draft, path)]
    return draft if all(free) else None


def _stack_rows(draft: Draft, scop: Scop, path: NodePath) -> Draft | None:
    """Every statement in loops of its own below time, if two rows at once then pay."""
    order = find_order(draft, path, 1)
    if len(order) > 1:
        apart = draft.attempt(Distribute(path, 1, order))
        if apart is None:
            return None
        draft = apart
    for inner in _below(draft, path):
        above = inner[:-1]
        if len(above) > len(path) and node_kind(draft.node(above)) == "band":
            draft = draft.attempt(Merge(above)) or draft
    found = _below(draft, path)
    if not all(_is_free(draft, inner) for inner in found):
        return None
    bands = [view_band(draft, scop, inner) for inner in found]
    return draft if all(max(choose_rows(band)) > 1 for band in bands) else None


def _below(draft: Draft, path: NodePath) -> list[NodePath]:
    """Paths of the innermost bands at or below a band."""
    return [p for p in draft.innermost_paths() if p[: len(path)] == path]


def _is_free(draft: Draft, path: NodePath) -> bool:
    """Whether no iteration of the last loop of a band waits for another."""
    node = draft.node(path)
    return loop_is_parallel(node, node.band_n_member() - 1, draft.deps.validity)


def _present_order(draft: Draft, path: NodePath) -> tuple[int, ...]:
    """Numbers of the statements in the sequence directly below a band, if there is one.

    An order that keeps rows from being joined is left to schedules that have another.
    """
    below = draft.node(path).child(0)
    if node_kind(below) != "sequence":
        return ()
    parts = [below.child(k).filter_get_filter() for k in range(below.n_children())]
    return tuple(int(s.get_tuple_name()[1:]) for p in parts for s in list_sets(p))


def _to_end(n_members: int, member: int) -> tuple[int, ...]:
    return (*(k for k in range(n_members) if k != member), member)
