"""Sums that blocks and threads of a device share, for a planned script.

A band with few results and many terms keeps a device busy only where terms of one
element are added by many threads. Which loop runs over neighbouring elements decides
the form: terms side by side are dealt out to the threads of a block (a sum along rows),
results side by side keep a thread each, and further threads of the block take every
eighth term (a sum along columns).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import islpy as isl

from polysched.analysis import LARGE_EXTENT, Dependences, Reference
from polysched.ir import NodePath, Scop
from polysched.sets import list_sets, node_kind
from polysched.transform.band_view import BandView, StatementView, view_band
from polysched.transform.choose import choose_innermost
from polysched.transform.draft import Draft, has_band_below
from polysched.transform.launch import MAX_GRID_MEMBERS, N_AXES
from polysched.transform.launch_sum import LaunchSum
from polysched.transform.order import Order
from polysched.transform.roles import find_target

WARP = 32  # threads
TERMS = 8  # of a thread, at least, before blocks share a sum
UNKNOWN_TERMS = 32  # where their number is not known


@dataclass(frozen=True)
class SumShape:
    """How blocks look that share sums.

    Attributes
    ----------
    along : int
        Threads over terms that lie side by side.
    across : tuple of int
        Threads over terms and, behind it, over results that lie side by side.
    n_blocks : int
        As many as fill a processor: with fewer, blocks share the terms of a result.
    """

    along: int
    across: tuple[int, int]
    n_blocks: int = 1024


def launch_sums(
    draft: Draft, scop: Scop, shape: SumShape, path: NodePath, free: list[int]
) -> Draft | None:
    """Share the terms of a band's sums, or None where there are none worth it.

    Parameters
    ----------
    draft : Draft
        With a permutable band at the path.
    scop : Scop
        Its accesses decide which loop runs over neighbouring elements.
    shape : SumShape
        Sizes of blocks.
    path : tuple of int
        Of the band.
    free : list of int
        Its members along which no dependence of the band moves.
    """
    arrays = _find_sums(draft, path)
    if len(arrays) == 1 and has_band_below(draft.node(path)):
        return _launch_chain(draft, scop, shape, path, arrays)
    band = view_band(draft, scop, path)
    sums = [k for k in range(band.n_members) if k not in free]
    if not arrays or not sums:
        return None
    best = choose_innermost(band)
    plan = _across if best in free else _along
    found = plan(band, shape, free, sums, best)
    if found is None or len(found.members) > MAX_GRID_MEMBERS:
        return None
    rest = [k for k in range(band.n_members) if k not in found.members]
    order = (*found.members, *rest)
    if order != tuple(range(band.n_members)):
        draft = draft.do(Order(path, order))
    parts = shape.across if free else (shape.along, 1)
    return draft.attempt(LaunchSum(path, found.tile, found.threads, arrays, parts))


def _launch_chain(
    draft: Draft, scop: Scop, shape: SumShape, path: NodePath, arrays: tuple[str, ...]
) -> Draft | None:
    """Share loops directly below each other, the last over terms side by side.

    As the rows and columns of a matrix that is added up as a whole: in the order of the
    program its loops are bands of their own. Blocks have some iterations of the
    outermost loop over terms, and all of the others.
    """
    chain = list(_chain(draft, scop, path))
    views = [b.statements[0] for b, _ in chain]
    target = find_target(views[0]) or _scalar(views[0])
    if target is None or len(chain) > MAX_GRID_MEMBERS:
        return None
    directions = [v.direction(k) for v, (_, k) in zip(views, chain, strict=True)]
    if any(d is None for d in directions):
        return None
    terms = [n for n, d in enumerate(directions) if d and not target.goes_on(d)]
    last_band, last = chain[-1]
    if not terms or terms[-1] != len(chain) - 1 or choose_innermost(last_band) != last:
        return None
    extents = [b.extent(k) or int(LARGE_EXTENT) for b, k in chain]
    counts = _deal(shape.along, extents, terms)
    n_results = prod(e for n, e in enumerate(extents) if n not in terms)
    n_terms = prod(extents[n] for n in terms)
    n_parts = -(-shape.n_blocks // max(1, n_results))
    n_parts = min(n_parts, max(1, n_terms // (TERMS * shape.along)))
    tile = [1] * len(chain)
    for n in terms:  # the outer ones in as many parts as are left to make
        whole = -(-extents[n] // n_parts)
        tile[n] = -(-whole // counts[n]) * counts[n] if n_parts > 1 else 0
        n_parts = -(-n_parts // max(1, extents[n]))
    parts = shape.across if n_results > 1 else (shape.along, 1)
    step = LaunchSum(path, tuple(tile), tuple(counts), arrays, parts)
    return draft.attempt(step)


def _deal(n_threads: int, extents: list[int], terms: list[int]) -> list[int]:
    """Threads over the last loops while they run over terms, first of whole warps."""
    counts = [1] * len(extents)
    for n in range(len(extents) - 1, max(-1, len(extents) - N_AXES), -1):
        if n not in terms:
            break
        least = WARP if n == len(extents) - 1 else 1
        count = max(1, n_threads)
        while count > least and count >= 2 * extents[n]:
            count //= 2
        counts[n] = count
        n_threads //= count
    return counts


def _chain(draft: Draft, scop: Scop, path: NodePath) -> Iterator[tuple[BandView, int]]:
    """The members of bands directly below each other, around one statement."""
    while node_kind(draft.node(path)) == "band":
        band = view_band(draft, scop, path)
        yield from ((band, k) for k in range(band.n_members))
        path = (*path, 0)


def _scalar(view: StatementView) -> Reference | None:
    """What a statement writes where that is a scalar, the same for all loops."""
    targets = [r for r in view.references if r.is_write]
    return targets[0] if len(targets) == 1 and not targets[0].expanded else None


def has_sum(deps: Dependences, node: isl.ScheduleNode) -> bool:
    """Whether a sum below a node may be reordered."""
    here = {s.get_tuple_name() for s in list_sets(node.get_domain())}
    return any(r.statement in here for r in deps.reductions)


@dataclass(frozen=True)
class _Blocks:
    """Members that are shared, outermost first, their tiles and threads."""

    members: tuple[int, ...]
    tile: tuple[int, ...]
    threads: tuple[int, ...]


def _find_sums(draft: Draft, path: NodePath) -> tuple[str, ...]:
    """The arrays of the sums that a band runs, with no loop beside them."""
    node = draft.node(path)
    names = {s.get_tuple_name() for s in list_sets(node.get_domain())}
    if len(names) > 1 and has_band_below(node):
        return ()
    here = [r.array for r in draft.deps.reductions if r.statement in names]
    return tuple(dict.fromkeys(here))


def _along(
    band: BandView, shape: SumShape, free: list[int], sums: list[int], best: int
) -> _Blocks | None:
    """A block for each result, or several; its threads take terms side by side."""
    others = [k for k in sums if k != best]
    n_terms = band.extent(best)
    threads = shape.along
    while n_terms is not None and threads > WARP and threads >= 2 * n_terms:
        threads //= 2
    n_parts = -(-shape.n_blocks // _count(band, free))
    ones = (1,) * len(free)
    if others:
        size = _share(band.extent(others[0]), n_parts, 1)
        members = (*free, others[0], best)
        return _Blocks(members, (*ones, size, 0), (*ones, 1, threads))
    size = _share(n_terms, n_parts, threads) if n_parts > 1 else 0
    return _Blocks((*free, best), (*ones, size), (*ones, threads))


def _across(
    band: BandView, shape: SumShape, free: list[int], sums: list[int], best: int
) -> _Blocks | None:
    """A thread for each result of a block's row, and several rows of threads."""
    over_terms, over_results = shape.across
    rows = [k for k in free if k != best]
    n_blocks = _count(band, rows) * -(-_count(band, [best]) // over_results)
    n_parts = -(-shape.n_blocks // n_blocks)
    if n_parts == 1:
        return None  # there are results enough
    size = _share(band.extent(sums[0]), n_parts, over_terms)
    ones = (1,) * len(rows)
    return _Blocks(
        (*rows, sums[0], best),
        (*ones, size, over_results),
        (*ones, over_terms, over_results),
    )


def _count(band: BandView, members: list[int]) -> int:
    """Iterations of some members, those of unknown length long."""
    extents = (band.extent(k) for k in members)
    return max(1, prod(int(LARGE_EXTENT) if e is None else e for e in extents))


def _share(n_terms: int | None, n_parts: int, threads: int) -> int:
    """Terms of a block: a multiple of its threads, several for each."""
    if n_terms is None:
        return UNKNOWN_TERMS * threads
    per_thread = -(-n_terms // (n_parts * threads))
    return max(TERMS, per_thread) * threads
