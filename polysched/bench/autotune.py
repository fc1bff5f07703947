"""Options and tile sizes of a source-to-source tool by measuring, as careful users do.

Pluto's own manual advises to try sizes by hand; those who compare with "an autotuned
Pluto" search over fusion modes and sizes. This is such a search, with a stated number
of measured programs, so that nobody is compared with sizes that no user would keep.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

_USUAL_SIDE = 32  # what tools take when no sizes are given
_SIDES = (8, 16, 64, 128)
_LEAST_SIDE, _LARGEST_SIDE = 2, 2048
_MODES_CONTINUED = 2  # tiled modes that are tried with other sizes


@dataclass(frozen=True)
class Point:
    """One way to call the tool.

    Attributes
    ----------
    options : tuple of str
        Its words.
    sizes : tuple of int
        Sides of its tiles, outermost first; empty for its own choice.
    """

    options: tuple[str, ...]
    sizes: tuple[int, ...] = ()


Measure = Callable[[Point], float | None]


@dataclass
class _Search:
    """What was measured, and how many more may be."""

    measure: Measure
    most: int
    seconds: dict[Point, float] = field(default_factory=dict)

    def of(self, point: Point) -> float:
        """Seconds of a point; infinite where it is wrong or the budget is spent."""
        if point not in self.seconds and len(self.seconds) < self.most:
            seconds = self.measure(point)
            self.seconds[point] = math.inf if seconds is None else seconds
        return self.seconds.get(point, math.inf)

    def best(self, points: Sequence[Point]) -> list[Point]:
        """Those with right results, fastest first."""
        known = [p for p in points if self.of(p) < math.inf]
        return sorted(known, key=self.of)


def search_point(
    measure: Measure,
    plain: Sequence[tuple[str, ...]],
    tiled: Sequence[tuple[str, ...]],
    depth: int,
    most: int,
) -> Point | None:
    """The fastest point that a search finds; None where nothing is right.

    Every mode is tried with the tool's own sizes, then the best two of the tiled ones
    with cubes, then one side of the best is doubled or halved as long as that gains.

    Parameters
    ----------
    measure : callable
        Seconds of a point; None where it gives no right program.
    plain : sequence of tuple of str
        Options that take no sizes.
    tiled : sequence of tuple of str
        Options that do.
    depth : int
        Loops of the deepest nest: so many sizes are given.
    most : int
        Points that may be measured.
    """
    search = _Search(measure, most)
    for options in plain:
        search.of(Point(options))
    modes = search.best([Point(options) for options in tiled])[:_MODES_CONTINUED]
    for side in _SIDES:
        for mode in modes:
            search.of(Point(mode.options, (side,) * depth))
    sized = [p for p in search.seconds if p.options in tiled]
    for start in search.best(sized)[:1]:
        _climb(search, start, depth)
    found = search.best(list(search.seconds))
    return found[0] if found else None


def _climb(search: _Search, start: Point, depth: int) -> None:
    """Walk to better neighbours; one that gains is walked on from in turn."""
    here = Point(start.options, start.sizes or (_USUAL_SIDE,) * depth)
    seconds = min(search.of(start), search.of(here))
    gained = True
    while gained:
        gained = False
        for step in _steps(depth):
            while (there := _moved(here, step)) is not None:
                if search.of(there) >= seconds:
                    break
                here, seconds, gained = there, search.of(there), True


def _steps(depth: int) -> Iterator[tuple[int, ...]]:
    """Powers of two by which sides change; diamonds want the first two equal."""
    single = [tuple(int(k == at) for k in range(depth)) for at in range(depth)]
    pair = [tuple(int(k < 2) for k in range(depth))] if depth > 1 else []
    for up in (*pair, *reversed(single)):
        yield up
        yield tuple(-u for u in up)


def _moved(point: Point, step: tuple[int, ...]) -> Point | None:
    sizes = tuple(
        s * 2**u if u >= 0 else s // 2**-u
        for s, u in zip(point.sizes, step, strict=True)
    )
    inside = all(_LEAST_SIDE <= s <= _LARGEST_SIDE for s in sizes)
    return Point(point.options, sizes) if inside else None
