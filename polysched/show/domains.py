"""Iteration domains as pictures: points, dependences, tiles, the order of execution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Literal

import numpy as np

from polysched.analysis import Dependences
from polysched.ir import ScheduleTree, Statement
from polysched.sets import Points
from polysched.show.graph import KIND_COLOURS
from polysched.show.markup import Html, join
from polysched.show.picture import (
    Picture,
    arrow,
    circle,
    legend,
    line,
    path,
    rectangle,
    text,
    text_width,
)
from polysched.show.timing import Timing, find_timing
from polysched.show.window import Window, list_pairs, open_window

Colouring = Literal["tile", "time"]
Pair = tuple[tuple[int, ...], tuple[int, ...]]  # source and sink
Pairs = dict[Pair, str]  # and the kind of dependence
_MAX_ARROWS = 260  # more are unreadable: then one of each distance is drawn
_FIELD, _MIN_CELL, _MAX_CELL = 400.0, 9.0, 30.0
_LEFT, _TOP, _BOTTOM, _RIGHT = 52.0, 62.0, 52.0, 30.0
_TILE_STEPS, _N_TILE_COLOURS = (1, 2, 3), 6
# viridis by five of its colours: even steps in lightness, told apart by everybody
_SCALE = ((72, 37, 118), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
_AXES_2D = ((1.0, 0.0), (0.0, 1.0))
# 18 degrees round and 39 down: from there the fewest points hide each other
_AXES_3D = ((-0.31, -0.6), (0.95, -0.19), (0.0, 0.78))
_NEAR = (0.74, 0.24, 0.63)  # how much a step along each axis comes towards the reader


@dataclass(frozen=True)
class _Projection:
    """From points of one to three dimensions to pixels."""

    low: tuple[int, ...]
    high: tuple[int, ...]
    cell: float

    @classmethod
    def of(cls, shown: Points) -> _Projection:
        low = tuple(int(v) for v in shown.min(axis=0))
        high = tuple(int(v) for v in shown.max(axis=0))
        most = max(h - a for a, h in zip(low, high, strict=True)) + 1.0
        if len(low) == 3:
            most *= 1.5
        widest = _MAX_CELL if len(low) < 3 else 1.5 * _MAX_CELL
        return cls(low, high, min(widest, max(_MIN_CELL, _FIELD / most)))

    @property
    def spans(self) -> tuple[int, ...]:
        return tuple(h - a for a, h in zip(self.low, self.high, strict=True))

    @property
    def below(self) -> float:
        """Pixels between the box and the lower end, for what is written there."""
        return 24.0 if len(self.low) == 3 else _BOTTOM

    @property
    def _beside(self) -> float:
        return 70.0 if len(self.low) == 3 else _RIGHT

    @property
    def radius(self) -> float:
        """Of a point's disc; smaller where they stand behind each other."""
        share = 0.17 if len(self.low) == 3 else 0.24
        return min(6.0, max(2.4, self.cell * share))

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the whole picture."""
        (left, bottom), (right, top) = self._ends()
        width = (right - left + 1) * self.cell + _LEFT + self._beside
        return width, (top - bottom + 1) * self.cell + _TOP + self.below

    def pixel(self, point: Sequence[float]) -> tuple[float, float]:
        """Where a point is."""
        u, v = self._flat([x - a for x, a in zip(point, self.low, strict=True)])
        (left, bottom), _ = self._ends()
        return (
            _LEFT + self.cell * (u - left + 0.5),
            self.size[1] - self.below - self.cell * (v - bottom + 0.5),
        )

    def corners(self) -> list[tuple[int, ...]]:
        """Corners of the box around all points."""
        return list(product(*zip(self.low, self.high, strict=True)))

    def _ends(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Least and greatest flat coordinates of the box."""
        flat = [self._flat(c) for c in product(*((0, n) for n in self.spans))]
        return (min(u for u, _ in flat), min(v for _, v in flat)), (
            max(u for u, _ in flat),
            max(v for _, v in flat),
        )

    @staticmethod
    def _flat(point: Sequence[float]) -> tuple[float, float]:
        axes = _AXES_3D if len(point) == 3 else _AXES_2D
        u = sum(x * a for x, (a, _) in zip(point, axes, strict=False))
        v = sum(x * b for x, (_, b) in zip(point, axes, strict=False))
        return u, v


def domain_picture(
    statement: Statement,
    *,
    tree: ScheduleTree | None = None,
    dependences: Dependences | None = None,
    colour: Colouring = "tile",
    parameters: Mapping[str, int] | None = None,
    iterators: Sequence[str] | None = None,
    extent: int = 12,
) -> Picture:
    """The instances of a statement as points; three dimensions are seen from a corner.

    Parameters
    ----------
    statement : Statement
    tree : ScheduleTree, optional
        Colours the points by tile, where it has tiles, or by time of execution.
    dependences : Dependences, optional
        Drawn as arrows between instances of the statement; where they would be too
        many, one of each distance.
    colour : {"tile", "time"}
        What a colour stands for, with a tree.
    parameters, iterators, extent
        Which part is drawn, see `open_window`.

    Raises
    ------
    AnalysisError
        If there is nothing to draw.
    """
    window = open_window(statement, parameters, iterators, extent)
    shown = window.points[:, list(window.shown)]
    projection = _Projection.of(shown)
    timing = None if tree is None else find_timing(window, tree)
    by_tile = timing is not None and colour == "tile" and timing.tiles.shape[1] > 0
    parts = [_axes(projection, window.names)]
    if timing is not None and by_tile and len(window.shown) < 3:
        parts.append(_outlines(projection, shown, timing.tiles))
    kinds: dict[str, int] = {}
    if dependences is not None:
        arrows, kinds = _arrows(window, projection, dependences)
        parts.append(arrows)
    parts.append(_points(window, projection, shown, timing, by_tile))
    width, height = projection.size
    head, head_width = _head(window, timing, by_tile, kinds)
    parts.append(head)
    title = f"{len(shown)} instances of {statement.name} over {', '.join(window.names)}"
    if timing is not None:
        title += ", coloured by " + ("tile" if by_tile else "time of execution")
    return Picture(title, max(width, head_width), height, join(parts))


def _points(
    window: Window,
    projection: _Projection,
    shown: Points,
    timing: Timing | None,
    by_tile: bool,
) -> Html:
    radius = projection.radius
    depth = shown @ np.array(_NEAR[: shown.shape[1]])
    order = np.argsort(depth, kind="stable")  # the near ones last
    parts = []
    for k in order:
        x, y = projection.pixel(shown[k])
        told = ", ".join(str(v) for v in window.points[k])
        title = f"{window.statement.name}[{told}]"
        if timing is None:
            parts.append(circle(x, y, radius, "f0", title))
            continue
        title += f", {timing.ranks[k] + 1} of {timing.n_times}"
        if by_tile:
            tile = timing.tiles[k]
            title += f", tile {', '.join(str(v) for v in tile)}"
            parts.append(circle(x, y, radius, f"f{_tile_colour(tile)}", title))
        else:
            share = timing.ranks[k] / max(1, timing.n_times - 1)
            parts.append(circle(x, y, radius, "dot", title, fill=_scale(share)))
    return join(parts)


def _tile_colour(tile: Points) -> int:
    """A colour that differs from those of the neighbours along each dimension."""
    total = sum(int(v) * s for v, s in zip(tile, _TILE_STEPS, strict=False))
    return total % _N_TILE_COLOURS


def _scale(share: float) -> str:
    at = share * (len(_SCALE) - 1)
    k = min(int(at), len(_SCALE) - 2)
    mixed = [
        round(a + (at - k) * (b - a))
        for a, b in zip(_SCALE[k], _SCALE[k + 1], strict=True)
    ]
    return f"#{mixed[0]:02x}{mixed[1]:02x}{mixed[2]:02x}"


def _outlines(projection: _Projection, shown: Points, tiles: Points) -> Html:
    """A line around the points of each tile."""
    reach = projection.radius + 2
    angles = [np.pi * k / 6 for k in range(12)]
    corners = [(float(reach * np.cos(a)), float(reach * np.sin(a))) for a in angles]
    parts = []
    for tile in np.unique(tiles, axis=0):
        inside = shown[(tiles == tile).all(axis=1)]
        spots = [projection.pixel(p) for p in inside]
        around = [(x + a, y + b) for x, y in spots for a, b in corners]
        class_ = f"s{_tile_colour(tile)} tile"
        hull = path(_hull(around), class_, closed=True)
        parts.append(Html(hull.replace("<polygon", '<polygon fill="none"')))
    return join(parts)


def _hull(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The convex hull, corner by corner (Andrew's monotone chain)."""
    ordered = sorted(set(points))

    def half(
        chain: Sequence[tuple[float, float]],
    ) -> list[tuple[float, float]]:
        kept: list[tuple[float, float]] = []
        for p in chain:
            while len(kept) > 1 and _turn(kept[-2], kept[-1], p) <= 0:
                kept.pop()
            kept.append(p)
        return kept[:-1]

    return half(ordered) + half(ordered[::-1])


def _turn(
    a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]
) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _arrows(
    window: Window, projection: _Projection, dependences: Dependences
) -> tuple[Html, dict[str, int]]:
    """Arrows between instances, each pair once, and the kinds that were drawn."""
    name = window.statement.name
    found: Pairs = {}
    for d in dependences.items:
        if d.orders and d.source == name and d.sink == name:
            sources, sinks = list_pairs(window, d.relation)
            for a, b in zip(sources.tolist(), sinks.tolist(), strict=True):
                found.setdefault((tuple(a), tuple(b)), d.kind)
    if len(found) > _MAX_ARROWS:
        found = _one_of_each(window, found)
    margin = projection.radius + 1
    parts, kinds = [], {}
    for (a, b), kind in found.items():
        x1, y1 = projection.pixel([a[k] for k in window.shown])
        x2, y2 = projection.pixel([b[k] for k in window.shown])
        length = float(np.hypot(x2 - x1, y2 - y1))
        if length <= 2 * margin:
            continue
        dx, dy = (x2 - x1) / length * margin, (y2 - y1) / length * margin
        kinds[kind] = KIND_COLOURS[kind]
        parts.append(
            arrow(x1 + dx, y1 + dy, x2 - dx, y2 - dy, "faint", KIND_COLOURS[kind])
        )
    return join(parts), kinds


def _one_of_each(window: Window, found: Pairs) -> Pairs:
    """Of the pairs of each distance and kind, the one nearest to the middle."""
    middle = window.points.mean(axis=0)
    best: dict[
        tuple[object, ...], tuple[float, tuple[tuple[int, ...], tuple[int, ...]]]
    ]
    best = {}
    for (a, b), kind in found.items():
        key = (kind, *(y - x for x, y in zip(a, b, strict=True)))
        away = float(np.abs(np.array(a) - middle).sum())
        if key not in best or away < best[key][0]:
            best[key] = away, (a, b)
    return {pair: found[pair] for _, pair in list(best.values())[:_MAX_ARROWS]}


def _axes(projection: _Projection, names: Sequence[str]) -> Html:
    if len(names) == 3:
        return _axes_of_space(projection, names)
    width, height = projection.size
    bottom = height - _BOTTOM
    parts = [line(_LEFT, bottom, width - _RIGHT, bottom, "axis")]
    for value in _ticks(projection, 0):
        x, _ = projection.pixel((value, *projection.low[1:]))
        parts.append(line(x, bottom, x, bottom + 4, "axis"))
        parts.append(text(x, bottom + 17, value, "middle", "m"))
    parts.append(text((_LEFT + width - _RIGHT) / 2, height - 14, names[0], "middle"))
    if len(names) == 2:
        parts.append(line(_LEFT, _TOP, _LEFT, bottom, "axis"))
        for value in _ticks(projection, 1):
            _, y = projection.pixel((projection.low[0], value))
            parts.append(line(_LEFT - 4, y, _LEFT, y, "axis"))
            parts.append(text(_LEFT - 8, y + 4, value, "end", "m"))
        parts.append(text(12, (_TOP + bottom) / 2, names[1], "middle"))
    return join(parts)


def _ticks(projection: _Projection, k: int) -> list[int]:
    """Whole values, as many as have room."""
    low, high = projection.low[k], projection.high[k]
    wide = text_width(str(high)) + 8 if k == 0 else 16.0
    step = 1
    while step * projection.cell < wide:
        step = step * 2 if str(step)[0] != "2" else step // 2 * 5
    return [v for v in range(low, high + 1) if v % step == 0] or [low]


def _axes_of_space(projection: _Projection, names: Sequence[str]) -> Html:
    """Three edges from the corner farthest away, each with its name and last value."""
    low, high = projection.low, projection.high
    corner = projection.pixel(low)
    parts = [
        line(*projection.pixel(a), *projection.pixel(b))
        for a, b in combinations(projection.corners(), 2)
        if sum(x != y for x, y in zip(a, b, strict=True)) == 1
    ]
    for k, name in enumerate(names):
        end = [high[n] if n == k else low[n] for n in range(3)]
        beyond = [v + 0.4 * (n == k) for n, v in enumerate(end)]
        x, y = projection.pixel(beyond)
        parts.append(line(*corner, x, y, "axis"))
        anchor = ("end", "start", "middle")[k]
        dx, dy = ((-4, 12), (4, 12), (0, -6))[k]
        parts.append(text(x + dx, y + dy, f"{name} = {high[k]}", anchor))
    return join(parts)


def _head(
    window: Window, timing: Timing | None, by_tile: bool, kinds: Mapping[str, int]
) -> tuple[Html, float]:
    """What the picture shows, above it, and how wide that is."""
    note = window.note
    if by_tile and timing is not None:
        n = len(np.unique(timing.tiles, axis=0))
        note = "; ".join(p for p in (f"{n} tiles", note) if p)
    parts = [text(8, 16, note, class_="m")]
    items = [(line(-8, 0, 8, 0, f"s{c}"), f"{k} dependence") for k, c in kinds.items()]
    x = 16.0
    if timing is not None and not by_tile:
        for k in range(24):
            fill = f' fill="{_scale(k / 23)}"'
            bar = rectangle(8 + 4 * k, 25, 4.2, 9, "time")
            parts.append(Html(bar.replace("<rect", f"<rect{fill}")))
        parts.append(
            text(110, 34, f"first to last of {timing.n_times} times", class_="m")
        )
        x = 290.0
    parts.append(legend(x, 34, items))
    wide = max(text_width(note) + 16, x + sum(36 + text_width(t) for _, t in items))
    return join(parts), wide
