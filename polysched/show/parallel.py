"""Parallel coordinates: every schedule as a line across its features."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from polysched.base import AnalysisError
from polysched.show.facts import ON_AXES, axis_label, fact_text, finite_fact, n_values
from polysched.show.markup import Html, element, join
from polysched.show.picture import Axis, Picture, legend, line, linked, path, text
from polysched.show.scatter import direction_text
from polysched.space import Schedule, ScheduleSpace, better_direction, check_name

_STEP, _LEFT, _TOP, _BOTTOM, _HEIGHT = 118.0, 74.0, 92.0, 340.0, 372.0
_MOST = 8


def parallel_coordinates(
    space: ScheduleSpace,
    features: Sequence[str] | None = None,
    *,
    front: Sequence[str] | None = None,
    link: Callable[[str], str] | None = None,
) -> Picture:
    """A line per schedule across an axis per feature; better is always up.

    Parameters
    ----------
    space : ScheduleSpace
    features : sequence of str, optional
        Names of facts; by default the prediction and those that differ most.
    front : sequence of str, optional
        Features whose Pareto front stands out; by default the first two.
    link : callable, optional
        From a schedule's id to the anchor that its line leads to.

    Raises
    ------
    ExpressionError
        If a name is no fact of the space.
    AnalysisError
        If no schedule has all of the features.
    """
    names = list(features or _choose(space))
    for name in names:
        check_name(name, space.fact_names)
    rows = [(s, [finite_fact(s, n) for n in names]) for s in space]
    known = [(s, [v for v in r if v is not None]) for s, r in rows if None not in r]
    if not known or len(names) < 2:
        raise AnalysisError("no schedule has all of the features to draw")
    chosen = tuple(front or names[:2])
    best = {s.id for s in space.pareto(*chosen)}
    axes = [_axis(n, [r[k] for _, r in known]) for k, n in enumerate(names)]
    right = _LEFT + _STEP * (len(names) - 1)
    ordered = sorted(known, key=lambda row: row[0].id in best)
    parts = [_draw_line(s, values, axes, s.id in best, link) for s, values in ordered]
    parts += [_draw_axis(k, n, axes[k]) for k, n in enumerate(names)]
    told = " and ".join(axis_label(n) for n in chosen)
    items = [
        (line(-8, 0, 8, 0, "s0 faint"), "schedule"),
        (line(-8, 0, 8, 0, "s1"), f"Pareto front of {told}"),
    ]
    parts.append(legend(12, 18, items))
    title = f"{len(known)} schedules across {', '.join(axis_label(n) for n in names)}"
    return Picture(title, right + 80, _HEIGHT, join(parts))


def _choose(space: ScheduleSpace) -> list[str]:
    names = [n for n in ON_AXES if any(n in s.facts for s in space)]
    varied = [n for n in names if n_values(space, n) > 1]
    return (varied if len(varied) > 1 else names)[:_MOST]


def _axis(name: str, values: Sequence[float]) -> Axis:
    """From the bottom to the top: from worse to better."""
    ends = (_BOTTOM, _TOP) if better_direction(name) == "high" else (_TOP, _BOTTOM)
    return Axis.around(values, *ends, wide=12.0)


def _draw_axis(k: int, name: str, axis: Axis) -> Html:
    x = _LEFT + _STEP * k
    label_y = _TOP - (34 if k % 2 else 18)
    parts = [line(x, _TOP, x, _BOTTOM, "axis")]
    parts.append(text(x, label_y, axis_label(name), "middle", "h"))
    printed = fact_text(name)
    for value in axis.ticks():
        y = axis.pixel(value)
        parts.append(line(x - 4, y, x, y, "axis"))
        parts.append(text(x - 6, y + 4, printed(value), "end", "m"))
    parts.append(text(x, _BOTTOM + 20, direction_text(name), "middle", "m"))
    return join(parts)


def _draw_line(
    schedule: Schedule,
    values: Sequence[float],
    axes: Sequence[Axis],
    is_best: bool,
    link: Callable[[str], str] | None,
) -> Html:
    spots = [
        (_LEFT + _STEP * k, axis.pixel(v))
        for k, (axis, v) in enumerate(zip(axes, values, strict=True))
    ]
    class_ = "s1 strong" if is_best else "s0 faint"
    title = element("title", f"{schedule.id}  {schedule.script_text}".rstrip())
    drawn = element("g", title, path(spots, class_))
    return linked(link(schedule.id) if link else "", drawn)
