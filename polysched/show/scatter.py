"""The schedules of a space as points of two of their numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from polysched.base import AnalysisError, print_number
from polysched.show.facts import axis_label, choose_axes, fact_text, finite_fact
from polysched.show.markup import Html, join
from polysched.show.picture import (
    Axis,
    Frame,
    Picture,
    circle,
    legend,
    linked,
    path,
)
from polysched.space import ScheduleSpace, better_direction, check_name

WIDTH, HEIGHT = 640, 400
_WIDE = 12.0  # times as much as the least is drawn by logarithm
_LEFT, _RIGHT, _TOP, _BOTTOM = 84.0, 20.0, 62.0, 48.0


@dataclass(frozen=True)
class Mark:
    """One point of the plot.

    Attributes
    ----------
    x, y : float
        Where it is, finite.
    title : str
        What to show when it is pointed at.
    link : str
        Anchor on the same page that it leads to; empty for none.
    is_marked : bool
        Whether it stands out: on the Pareto front.
    """

    x: float
    y: float
    title: str
    link: str
    is_marked: bool


def scatter_picture(
    marks: Sequence[Mark],
    x_name: str,
    y_name: str,
    *,
    x_text: Callable[[float], str] = print_number,
    y_text: Callable[[float], str] = print_number,
) -> Picture:
    """A plot with axes, ticks and one disc per mark; those that stand out are joined.

    Parameters
    ----------
    marks : sequence of Mark
        At least one.
    x_name, y_name : str
        Names of the axes.
    x_text, y_text : callable
        From a tick's value to its text.
    """
    x = Axis.around([m.x for m in marks], _LEFT, WIDTH - _RIGHT, wide=_WIDE)
    y = Axis.around([m.y for m in marks], HEIGHT - _BOTTOM, _TOP, wide=_WIDE)
    frame = Frame(x, y, x_name, y_name, x_text, y_text)
    front = sorted({(m.x, m.y) for m in marks if m.is_marked})
    parts: list[Html] = [frame.draw()]
    if len(front) > 1:
        spots = [(x.pixel(a), y.pixel(b)) for a, b in front]
        parts.append(path(spots, "s1 dash"))
    for mark in sorted(marks, key=lambda m: m.is_marked):
        class_ = "f1 front" if mark.is_marked else "f0 point"
        disc = circle(x.pixel(mark.x), y.pixel(mark.y), 5, class_, mark.title)
        parts.append(linked(mark.link, disc))
    items = [(circle(0, 0, 5, "f0"), "schedule")]
    if front:
        items.append((circle(0, 0, 5, "f1"), "Pareto front"))
    parts.append(legend(_LEFT, 20, items))
    title = f"{y_name} over {x_name}"
    return Picture(title, WIDTH, HEIGHT, join(parts))


def scatter(
    space: ScheduleSpace,
    x: str | None = None,
    y: str | None = None,
    *,
    link: Callable[[str], str] | None = None,
) -> Picture:
    """Two facts of every schedule of a space; their Pareto front stands out.

    Parameters
    ----------
    space : ScheduleSpace
    x, y : str, optional
        Names of facts; by default the prediction over the feature that tells most
        schedules apart.
    link : callable, optional
        From a schedule's id to the anchor that its point leads to.

    Raises
    ------
    ExpressionError
        If a name is no fact of the space.
    AnalysisError
        If no schedule has both.
    """
    marks, x_name, y_name = scatter_marks(space, x, y, link)
    if not marks:
        raise AnalysisError(f"no schedule has both {x_name} and {y_name}")
    return scatter_picture(
        marks,
        axis_label(x_name),
        axis_label(y_name),
        x_text=fact_text(x_name),
        y_text=fact_text(y_name),
    )


def scatter_marks(
    space: ScheduleSpace,
    x: str | None = None,
    y: str | None = None,
    link: Callable[[str], str] | None = None,
) -> tuple[list[Mark], str, str]:
    """The points of `scatter`, and the names of its axes."""
    if not len(space):
        return [], x or "depth", y or "predicted_seconds"
    default = choose_axes(space)
    x_name, y_name = x or default[0], y or default[1]
    for name in (x_name, y_name):
        check_name(name, space.fact_names)
    front = {s.id for s in space.pareto(x_name, y_name)}
    x_told, y_told = fact_text(x_name), fact_text(y_name)
    marks = []
    for s in space:
        a, b = finite_fact(s, x_name), finite_fact(s, y_name)
        if a is None or b is None:
            continue
        title = f"{s.id}: {x_name} {x_told(a)}, {y_name} {y_told(b)}"
        marks.append(Mark(a, b, title, link(s.id) if link else "", s.id in front))
    return marks, x_name, y_name


def direction_text(name: str) -> str:
    """Which direction of a fact is better, in words."""
    return "less is better" if better_direction(name) == "low" else "more is better"
