"""What threads would read across rows of an array, through shared memory instead.

Sums with few results and many terms that keep their order, as a product of a matrix
with a vector, and copies from rows to columns. In neither does an element come into
use often, as in a contraction: but a thread that walks along a row alone waits for
each line, and moves a whole sector for each element where its neighbours are in
other rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from polysched.analysis import LARGE_EXTENT, Reference, load_relations
from polysched.base import AnalysisError
from polysched.ir import Assign, NodePath, Scop, Statement
from polysched.transform.band_view import BandView, StatementView, view_band
from polysched.transform.contract import Contract
from polysched.transform.device_stage import share_depth, window_lengths
from polysched.transform.draft import Draft, has_band_below
from polysched.transform.launch import MAX_GRID_MEMBERS
from polysched.transform.order import Order
from polysched.transform.roles import find_target

WORD_BYTES = 4
VECTOR_BYTES = 16  # the longest load of a thread
MANY_RESULTS = 1 << 17  # threads that keep a device busy, whatever each waits for
MIN_TILES = 4  # of terms, for copies ahead to pay
MIN_TERMS = 8  # of a tile
MAX_WINDOW_BYTES = 96 * 1024  # of all tiles of a block: at least two fit an SM


@dataclass(frozen=True)
class LineShape:
    """How a block looks of sums that keep their order, for elements of four bytes.

    Attributes
    ----------
    results : int
        Threads of a block: each adds up one result.
    terms : int
        Of a tile.
    stages : int
        Tiles in shared memory.
    """

    results: int
    terms: int
    stages: int


@dataclass(frozen=True)
class CrossShape:
    """How a block looks whose elements change places from rows to columns.

    Attributes
    ----------
    rows, columns : int
        Of the results of a block.
    threads : tuple of int
        Over rows and columns.
    """

    rows: int
    columns: int
    threads: tuple[int, int]


@dataclass(frozen=True)
class _Tile:
    """Members of a band over results and over terms, and how many a block has."""

    shared: tuple[int, ...]
    results: tuple[int, ...]
    terms: Sequence[int] = ()
    depths: tuple[int, ...] = ()


def stage_line(
    draft: Draft, scop: Scop, shape: LineShape, path: NodePath
) -> Draft | None:
    """Run sums with few results, terms in their order; None where a band has none.

    Parameters
    ----------
    draft : Draft
        With a permutable band at the path.
    scop : Scop
        Its accesses decide which loop runs over neighbouring elements.
    shape : LineShape
        Sizes of blocks.
    path : tuple of int
        Of the band.
    """
    found = _only_statement(draft, scop, path)
    if found is None:
        return None
    band, view, target = found
    results = [k for k in view.moving if _moves(target, view, k)]
    terms = [k for k in view.moving if k not in results]
    if not results or not terms or not all(band.coincident[k] for k in results):
        return None
    lane = _lane(target, view, results)
    if not any(_is_walked(r, view, lane, terms) for r in view.references):
        return None
    n_bytes = scop.array(target.array).type.n_bytes
    depth = max(1, shape.terms * WORD_BYTES // n_bytes)
    extents = [_extent(band, k) for k in terms]
    if prod(extents) < MIN_TILES * depth or _extent(band, lane) < shape.results:
        return None
    is_crossed = any(_is_crossed(r, view, lane, terms) for r in view.references)
    if not is_crossed and prod(_extent(band, k) for k in results) >= MANY_RESULTS:
        return None
    outside = [k for k in results if k != lane]
    threads = (*(1,) * len(outside), shape.results)
    while depth >= MIN_TERMS:
        tile = _Tile((*outside, lane), threads, terms, share_depth(extents, depth))
        if _window_bytes(scop, view, tile) * shape.stages <= MAX_WINDOW_BYTES:
            return _contract(draft, band, tile, threads, (), shape.stages)
        depth //= 2
    return None


def stage_crossed(
    draft: Draft, scop: Scop, shape: CrossShape, path: NodePath
) -> Draft | None:
    """Copy from rows to columns by squares; None where a band does not.

    Parameters
    ----------
    draft : Draft
        With a permutable band at the path.
    scop : Scop
        Its accesses decide which loops run over neighbouring elements.
    shape : CrossShape
        Sizes of blocks.
    path : tuple of int
        Of the band.
    """
    found = _only_statement(draft, scop, path)
    if found is None:
        return None
    band, view, target = found
    results = [k for k in view.moving if _moves(target, view, k)]
    if results != view.moving or not all(band.coincident[k] for k in results):
        return None
    lane = _lane(target, view, results)
    others = [k for k in results if k != lane]
    crossed = [
        (k, r)
        for r in view.references
        for k in others
        if _is_crossed(r, view, lane, [k])
    ]
    if not crossed:
        return None
    row, operand = crossed[0]
    if _extent(band, row) < shape.rows or _extent(band, lane) < shape.columns:
        return None
    run = max(1, VECTOR_BYTES // scop.array(operand.array).type.n_bytes)
    run = min(run, shape.rows // shape.threads[0])
    ones = (1,) * (len(others) - 1)
    shared = (*(k for k in others if k != row), row, lane)
    tile = _Tile(shared, (*ones, shape.rows, shape.columns))
    if _window_bytes(scop, view, tile) > MAX_WINDOW_BYTES:
        return None
    return _contract(draft, band, tile, (*ones, *shape.threads), (*ones, run, 1), 1)


def _only_statement(
    draft: Draft, scop: Scop, path: NodePath
) -> tuple[BandView, StatementView, Reference] | None:
    """The statement of a band that assigns one element, and which."""
    if has_band_below(draft.node(path)):
        return None
    band = view_band(draft, scop, path)
    if not band.permutable or len(band.statements) != 1:
        return None
    (view,) = band.statements
    if view.single or len(view.moving) != band.n_members:
        return None
    statement, target = scop.statement(view.name), find_target(view)
    if target is None or len(statement.body) != 1:
        return None
    (action,) = statement.body
    if not isinstance(action, Assign) or not _has_places(scop, statement, action):
        return None
    place = (target.array, target.rows, target.offsets)
    same = [r for r in view.references if r.array == target.array]
    if any((r.array, (*r.expanded, *r.rows), r.offsets) != place for r in same):
        return None  # what the kernel writes is not copied
    return band, view, target


def _has_places(scop: Scop, statement: Statement, action: Assign) -> bool:
    """Whether loops alone decide which elements are read, not data."""
    try:
        list(load_relations(scop, action.value, statement.iterators, statement.name))
    except AnalysisError:
        return False
    return True


def _window_bytes(scop: Scop, view: StatementView, tile: _Tile) -> int:
    """What operands of one tile take in shared memory."""
    widest = max(scop.array(r.array).type.n_bytes for r in view.references)
    members = (*tile.shared, *tile.terms)
    sizes = dict(zip(members, (*tile.results, *tile.depths), strict=True))
    return widest * sum(window_lengths(view, sizes))


def _contract(
    draft: Draft,
    band: BandView,
    tile: _Tile,
    threads: tuple[int, ...],
    runs: tuple[int, ...],
    stages: int,
) -> Draft | None:
    """The draft with the step, results in front; runs are single where none is said."""
    if len(tile.shared) > MAX_GRID_MEMBERS:
        return None
    order = (*tile.shared, *tile.terms)
    if order != tuple(range(band.n_members)):
        draft = draft.do(Order(band.path, order))
    runs = runs or (1,) * len(tile.shared)
    step = Contract(band.path, (*tile.results, *tile.depths), threads, runs, stages)
    return draft.attempt(step)


def _moves(reference: Reference, view: StatementView, member: int) -> bool:
    direction = view.direction(member)
    return direction is not None and any(reference.moves(direction))


def _lane(target: Reference, view: StatementView, members: list[int]) -> int:
    """The member over neighbouring results, the last one where none is."""
    near = [k for k in members if _stride(target, view, k) == "1"]
    return near[-1] if near else members[-1]


def _stride(reference: Reference, view: StatementView, member: int) -> str:
    direction = view.direction(member)
    assert direction is not None
    return reference.stride_class(direction)


def _is_walked(
    operand: Reference, view: StatementView, lane: int, terms: list[int]
) -> bool:
    """Whether every thread reads elements of its own, one after another."""
    moved = any(_moves(operand, view, k) for k in terms)
    return not operand.is_write and moved and _moves(operand, view, lane)


def _is_crossed(
    operand: Reference, view: StatementView, lane: int, members: list[int]
) -> bool:
    """Whether neighbours lie along other loops than the threads'."""
    if operand.is_write or _stride(operand, view, lane) != "N":
        return False
    return any(_stride(operand, view, k) == "1" for k in members)


def _extent(band: BandView, member: int) -> int:
    return band.extent(member) or int(LARGE_EXTENT)
