"""Recurrences in tiles that run in fronts, such as a Gauss-Seidel sweep's.

Where every loop waits for the one around it, and tiles cannot all start at once, a band
``[t, i, j]`` is tiled in all members but the last, the tiles run in wavefronts, and
within a tile the sum of the members runs outermost::

    wavefront: tt/20 + it/32
      parallel: it
        t + i + j
          t, i                 independent of each other

A tile holds as many iterations at a time as its face has points: enough to hide how
long each takes, without a copy of the body for every one, and the window of elements
between two fronts stays in the first caches.
"""

from __future__ import annotations

from polysched.ir import Scop
from polysched.machine import Cpu
from polysched.transform.band_view import BandView, view_band
from polysched.transform.draft import Draft
from polysched.transform.order import Order
from polysched.transform.skew import Skew
from polysched.transform.slant import find_slant
from polysched.transform.tile import Tile

MIN_MEMBERS = 3  # with fewer a tile's face is a line, and tiles wait for each other
STEPS = 20  # values of the first member, time, in a tile, at most
WIDTH = 32  # values of those between the first and the last


def advance_fronts(draft: Draft, scop: Scop, cpu: Cpu) -> Draft:
    """Tile the innermost recurrences, and run each tile in fronts."""
    for path in draft.innermost_paths():
        band = view_band(draft, scop, path)
        if not _is_recurrence(band) or find_slant(draft.node(path), draft.deps):
            continue
        n = band.n_members
        draft = draft.do(Tile(path, _choose_sizes(band, cpu)))
        points = (*path, 0, 0)
        draft = draft.do(Skew(points, n - 1, (*(1 for _ in range(n - 1)), 0)))
        draft = draft.do(Order(points, (n - 1, *range(n - 1))))
    return draft


def _is_recurrence(band: BandView) -> bool:
    """Whether one statement is moved by every member, and none is parallel."""
    return (
        band.permutable
        and band.n_members >= MIN_MEMBERS
        and not any(band.coincident)
        and len(band.statements) == 1
        and len(band.statements[0].moving) == band.n_members
    )


def _choose_sizes(band: BandView, cpu: Cpu) -> tuple[int, ...]:
    """As many tiles along time for each thread, and the last member whole."""
    steps, extent = STEPS, band.extent(0)
    if extent is not None:
        rounds = -(-extent // (STEPS * cpu.n_cores))
        steps = max(1, -(-extent // (rounds * cpu.n_cores)))
    return (steps, *(WIDTH for _ in range(band.n_members - 2)), 0)
