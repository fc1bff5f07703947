"""Two numbers of every schedule as a picture: an SVG scatter plot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 640, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 16, 16, 56
_LOG_RATIO = 50.0  # a wider range of positive numbers is drawn by logarithm
_N_TICKS = 5


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
        Anchor on the same page that it leads to.
    is_marked : bool
        Whether it stands out: on the Pareto front.
    """

    x: float
    y: float
    title: str
    link: str
    is_marked: bool


@dataclass(frozen=True)
class _Axis:
    """One direction of the plot, from values to pixels."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool

    @classmethod
    def around(cls, values: Sequence[float], start: float, end: float) -> _Axis:
        low, high = min(values), max(values)
        is_log = low > 0 and high / low > _LOG_RATIO
        if low == high:
            low, high = low - 0.5, high + 0.5
        elif not is_log:
            margin = 0.05 * (high - low)
            low, high = low - margin, high + margin
        return cls(low, high, start, end, is_log)

    def pixel(self, value: float) -> float:
        if self.is_log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round values inside the range."""
        if self.is_log:
            first = math.ceil(math.log10(self.low) - 1e-9)
            last = math.floor(math.log10(self.high) + 1e-9)
            powers = [10.0**k for k in range(first, last + 1)]
            return powers or [self.low, self.high]
        rough = (self.high - self.low) / _N_TICKS
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
        first = math.ceil(self.low / step)
        return [k * step for k in range(first, math.floor(self.high / step) + 1)]


def scatter_svg(marks: Sequence[Mark], x_name: str, y_name: str) -> str:
    """A plot with axes, ticks and one circle per mark; all text is escaped.

    Parameters
    ----------
    marks : sequence of Mark
        At least one.
    x_name, y_name : str
        Names of the axes.
    """
    x = _Axis.around([m.x for m in marks], _LEFT, WIDTH - _RIGHT)
    y = _Axis.around([m.y for m in marks], HEIGHT - _BOTTOM, _TOP)
    lines = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(y_name)} over {escape(x_name)}">'
    ]
    for value in x.ticks():
        p = x.pixel(value)
        lines.append(_line(p, _TOP, p, HEIGHT - _BOTTOM))
        lines.append(_text(p, HEIGHT - _BOTTOM + 18, f"{value:.4g}", "middle"))
    for value in y.ticks():
        p = y.pixel(value)
        lines.append(_line(_LEFT, p, WIDTH - _RIGHT, p))
        lines.append(_text(_LEFT - 8, p + 4, f"{value:.4g}", "end"))
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    lines.append(_text(middle, HEIGHT - 12, x_name, "middle"))
    center = (_TOP + HEIGHT - _BOTTOM) / 2
    lines.append(
        f'<text x="16" y="{center:.1f}" text-anchor="middle" '
        f'transform="rotate(-90 16 {center:.1f})">{escape(y_name)}</text>'
    )
    lines += [_circle(m, x, y) for m in marks]
    lines.append("</svg>")
    return "\n".join(lines)


def _circle(mark: Mark, x: _Axis, y: _Axis) -> str:
    kind = "front" if mark.is_marked else "point"
    place = f'cx="{x.pixel(mark.x):.1f}" cy="{y.pixel(mark.y):.1f}"'
    return (
        f'<a href="#{escape(mark.link)}"><circle class="{kind}" {place} r="5">'
        f"<title>{escape(mark.title)}</title></circle></a>"
    )


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f"<text {place}>{escape(text)}</text>"
