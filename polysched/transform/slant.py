"""Where time tiles can start at once: the second side of a diamond."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import islpy as isl

from polysched.analysis import Dependences, active_dependences
from polysched.sets import list_maps, map_names
from polysched.transform.bands import member_schedules
from polysched.transform.diamond import band_domains

MAX_SLOPE = 8  # of a side: elements per time step, both ways together


@dataclass(frozen=True)
class Slant:
    """What `Diamond` makes the second side of its tiles from.

    Attributes
    ----------
    slope : int
        Of the side ``slope * t - x``.
    shifts : tuple of int
        What every statement adds to it.
    """

    slope: int
    shifts: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class _Reach:
    """How far dependences between two statements reach in time and space."""

    source: int
    sink: int
    distances: isl.Set  # [dt, dx]

    def least(self, slope: int) -> int | None:
        """The least distance along ``slope * t - x``; None where there is no least."""
        side = isl.Aff(f"{{ [t, x] -> [({slope}t - x)] }}")
        value = self.distances.min_val(side)
        return value.get_num_si() if value.is_int() else None


def find_slant(node: isl.ScheduleNode, deps: Dependences) -> Slant | None:
    """The least slope of a side that no dependence crosses backwards.

    The statements' shifts solve one difference constraint for every pair of them: the
    sink's must exceed the source's by as much as the slope leaves to be desired.

    Parameters
    ----------
    node : isl.ScheduleNode
        A permutable band whose first member is time, and the second space.
    deps : Dependences

    Returns
    -------
    Slant or None
        None where the dependences leave no such side, as those of a Gauss-Seidel sweep
        do: it cannot start in more than one place.
    """
    names = [s.get_tuple_name() for s in band_domains(node)]
    reaches = _list_reaches(node, deps, names)
    for slope in range(1, MAX_SLOPE + 1):
        least = [(r.source, r.sink, r.least(slope)) for r in reaches]
        bounds = [(a, b, -n) for a, b, n in least if n is not None]
        shifts = _solve_differences(len(names), bounds)
        if len(bounds) == len(least) and shifts is not None:
            return Slant(slope, shifts)
    return None


def _list_reaches(
    node: isl.ScheduleNode, deps: Dependences, names: Sequence[str]
) -> list[_Reach]:
    time, space, *_ = member_schedules(node)
    both = isl.UnionMap.from_union_pw_aff(time)
    both = both.flat_range_product(isl.UnionMap.from_union_pw_aff(space))
    found = []
    for pairs in list_maps(active_dependences(node, deps.validity)):
        one = isl.UnionMap.from_map(pairs)
        moved = one.apply_domain(both).apply_range(both)
        if not moved.is_empty():
            source, sink = map_names(pairs)
            distances = isl.Set.from_union_set(moved.deltas())
            found.append(_Reach(names.index(source), names.index(sink), distances))
    return found


def _solve_differences(
    n: int, bounds: Iterable[tuple[int, int, int]]
) -> tuple[int, ...] | None:
    """Least values from 0 on with ``x[b] - x[a] >= d`` for all (a, b, d), if any."""
    values = [0] * n
    bounds = list(bounds)
    for _ in range(n + 1):
        old = list(values)
        for a, b, least in bounds:
            values[b] = max(values[b], values[a] + least)
        if values == old:
            return tuple(values)
    return None
