"""Tile sizes for a loop that threads share where its values differ in work."""

from __future__ import annotations

import heapq
from math import prod

import islpy as isl

from polysched.analysis import LARGE_EXTENT
from polysched.transform.band_view import BandView, StatementView

COPIED = 10  # columns of a product that take as long as the copy of its rows

Ends = tuple[float, float]


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
    busy = [0.0] * n_threads
    for one in work:
        heapq.heapreplace(busy, busy[0] + one)
    return max(busy)
