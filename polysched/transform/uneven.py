"""Tile sizes for a loop that threads share where its values differ in work."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from itertools import pairwise
from math import prod

import islpy as isl

from polysched.analysis import LARGE_EXTENT
from polysched.transform.band_view import BandView, StatementView

COPIED = 10  # columns of a product that take as long as the copy of its rows
MAX_RUNS = 32  # of a loop that are played through: longer ones have many tiles

Ends = tuple[float, float]


@dataclass(frozen=True)
class Shrinking:
    """A loop over columns behind the blocks of a factorisation, one run for each.

    Attributes
    ----------
    extent : int
        Values of the loop before the first block.
    step : int
        Values that each run has less than the one before it.
    is_triangle : bool
        Whether columns further on have fewer rows, so that threads take tiles as they
        come; where all have the same, each thread takes an equal number of tiles.
    """

    extent: int
    step: int
    is_triangle: bool


def find_ends(band: BandView, s: StatementView, member: int) -> Ends:
    """Iterations of the other loops at the first and at the last value of a member.

    Where they are not known, or a part of the loops runs only: those of a triangle
    that begins with the most.

    Parameters
    ----------
    band : BandView
        Its members are iterators of the statement.
    s : StatementView
        The statement.
    member : int
        Position in the band.
    """
    triangle = (float(band.extent(member) or LARGE_EXTENT), 1.0)
    if band.is_part:
        return triangle
    domain = band.scop.statement(s.name).domain
    domain = domain.intersect_params(band.scop.estimated_context)
    dims = [
        next(k for k, c in enumerate(s.members[p].coefficients) if c)
        for p in s.positions
    ]
    own = dims[member]
    low, high = domain.dim_min_val(own), domain.dim_max_val(own)
    if not (low.is_int() and high.is_int()):
        return triangle
    found = []
    for value in (low, high):
        fixed = domain.fix_val(isl.dim_type.set, own, value)
        spans = [fixed.dim_max_val(d).sub(fixed.dim_min_val(d)) for d in dims]
        if not all(span.is_int() for span in spans):
            return triangle
        found.append(float(prod(span.to_python() + 1 for span in spans)))
    return found[0], found[1]


def choose_uneven_size(
    ends: Ends, extent: int, multiple: int, largest: int, n_threads: int
) -> int:
    """The tile size with which threads that take tiles as they come are done first.

    They begin where the most work is. Every tile copies rows that its neighbours copy,
    too.

    Parameters
    ----------
    ends : (float, float)
        Work at the first and the last value of the loop; in between it is linear.
    extent : int
        Values of the loop.
    multiple, largest : int
        What the size is a multiple of, and the most that it may be.
    n_threads : int
        Who takes tiles.
    """
    sizes = range(multiple, max(multiple, largest) + 1, multiple)
    return min(sizes, key=lambda n: (_finish(ends, extent, n, n_threads), -n))


def choose_shrinking_size(
    loop: Shrinking, multiple: int, largest: int, n_threads: int
) -> int:
    """The tile size with which threads are done first with all runs of a loop.

    Tiles begin at multiples of their size wherever a run begins, so that its first
    one may be cut, as the last one may.

    Parameters
    ----------
    loop : Shrinking
        Its runs.
    multiple, largest : int
        What the size is a multiple of, and the most that it may be.
    n_threads : int
        Who takes tiles.
    """
    loop = replace(loop, extent=min(loop.extent, MAX_RUNS * loop.step))

    def all_runs(size: int) -> float:
        starts = range(loop.step, loop.extent, loop.step)
        return sum(_finish_run(loop, start, size, n_threads) for start in starts)

    sizes = range(multiple, max(multiple, largest) + 1, multiple)
    return min(sizes, key=lambda n: (all_runs(n), -n))


def _finish_run(loop: Shrinking, start: int, size: int, n_threads: int) -> float:
    """When the last thread is done with the run that begins at some column."""
    cuts = [start, *range((start // size + 1) * size, loop.extent, size), loop.extent]
    work: list[float] = []
    for begin, end in pairwise(cuts):
        rows = loop.extent - ((begin + end) / 2 if loop.is_triangle else start)
        work.append(rows * (end - begin + COPIED))
    if loop.is_triangle:
        return _take_turns(work, n_threads)
    each, more = divmod(len(work), n_threads)
    bounds = [k * each + min(k, more) for k in range(n_threads + 1)]
    return max(sum(work[a:b]) for a, b in pairwise(bounds))


def _take_turns(work: list[float], n_threads: int) -> float:
    """When the last of some threads is done that take work as it comes."""
    busy = [0.0] * n_threads
    for one in work:
        heapq.heapreplace(busy, busy[0] + one)
    return max(busy)


def _finish(ends: Ends, extent: int, size: int, n_threads: int) -> float:
    """When the last thread is done."""
    slope = (ends[1] - ends[0]) / max(1, extent - 1)
    work = []
    for begin in range(0, extent, size):
        end = min(begin + size, extent)
        middle = ends[0] + slope * (begin + end - 1) / 2
        work.append(middle * (end - begin + COPIED))
    if slope > 0:
        work.reverse()
    return _take_turns(work, n_threads)
