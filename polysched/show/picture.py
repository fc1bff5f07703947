"""Pictures: a small SVG writer that knows axes, ticks and both colour schemes."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from polysched.base import print_number
from polysched.show.markup import Html, element, join, safe
from polysched.show.style import shown, svg_style

_LOG_RATIO = 50.0  # a wider range of positive numbers is drawn by logarithm
_N_TICKS = 5
CHARACTER = 6.6  # pixels of a letter of the usual size, at most on average


@dataclass(frozen=True)
class Picture:
    """A finished drawing.

    Attributes
    ----------
    title : str
        What it shows, for those who cannot see it as well.
    width, height : float
        In pixels, when it is not scaled.
    body : Html
        Its elements.
    """

    title: str
    width: float
    height: float
    body: Html

    @property
    def inline(self) -> Html:
        """The drawing for a page that has the style already."""
        return self._svg(Html(""))

    def _svg(self, style: Html) -> Html:
        return element(
            "svg",
            element("title", self.title),
            style,
            self.body,
            xmlns="http://www.w3.org/2000/svg",
            class_="ps-svg",
            viewBox=f"0 0 {self.width:.0f} {self.height:.0f}",
            width=f"{self.width:.0f}",
            height=f"{self.height:.0f}",
            role="img",
            aria_label=self.title,
        )

    def _repr_svg_(self) -> str:
        """The drawing on its own."""
        return str(self._svg(svg_style()))

    def _repr_html_(self) -> str:
        """The drawing in a notebook, in the colours of its theme."""
        return shown(self.inline)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the drawing to an SVG file."""
        Path(path).write_text(self._repr_svg_() + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Axis:
    """One direction of a plot, from values to pixels.

    Attributes
    ----------
    low, high : float
        Values at the ends.
    start, end : float
        Pixels of the ends.
    is_log : bool
        Whether it is logarithmic.
    """

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    @classmethod
    def around(
        cls,
        values: Sequence[float],
        start: float,
        end: float,
        *,
        log: bool | None = None,
        wide: float = _LOG_RATIO,
    ) -> Axis:
        """An axis on which all values have a place, with a margin.

        Parameters
        ----------
        values : sequence of float
            At least one, finite.
        start, end : float
            Pixels of the ends.
        log : bool, optional
            Whether it is logarithmic; by default where the range is wide.
        wide : float
            From which ratio of the ends on a range is wide.
        """
        low, high = min(values), max(values)
        is_log = low > 0 and (high / low > wide if log is None else log)
        if is_log:
            margin = max((high / low) ** 0.06, 1.05)
            return cls(low / margin, high * margin, start, end, True)
        if low == high:
            return cls(low - 0.5, high + 0.5, start, end)
        margin = 0.06 * (high - low)
        return cls(low - margin, high + margin, start, end)

    def pixel(self, value: float) -> float:
        """Where a value is."""
        if self.is_log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round values inside the range."""
        return self._log_ticks() if self.is_log else self._linear_ticks()

    def _log_ticks(self) -> list[float]:
        first = math.floor(math.log10(self.low))
        last = math.ceil(math.log10(self.high))
        for factors in ((1,), (1, 3), (1, 2, 5)):
            found = [
                f * 10.0**k
                for k in range(first, last + 1)
                for f in factors
                if self.low <= f * 10.0**k <= self.high
            ]
            if len(found) >= 3:
                stride = -(-len(found) // 8)
                return found[::stride]
        return self._linear_ticks()

    def _linear_ticks(self) -> list[float]:
        rough = (self.high - self.low) / _N_TICKS
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(k * step, 12) for k in range(first, last + 1)]


def text_width(text: str) -> float:
    """Pixels that a text takes, about."""
    return CHARACTER * len(text)


def clip_text(text: str, n: int) -> str:
    """At most so many characters of a text, an ellipsis where some are missing."""
    return text if len(text) <= n else f"{text[: n - 1]}…"


def line(x1: float, y1: float, x2: float, y2: float, class_: str = "grid") -> Html:
    """A straight line."""
    return Html(
        f'<line class="{class_}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" '
        f'y2="{y2:.1f}"/>'
    )


def path(
    points: Sequence[tuple[float, float]], class_: str, *, closed: bool = False
) -> Html:
    """Points joined by straight lines."""
    told = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    name = "polygon" if closed else "polyline"
    fill = "" if closed else ' fill="none"'
    return Html(f'<{name} class="{class_}"{fill} points="{told}"/>')


def arrow(x1: float, y1: float, x2: float, y2: float, class_: str, k: int) -> Html:
    """A line with a head at its second end, in colour `k`."""
    length = math.hypot(x2 - x1, y2 - y1) or 1.0
    dx, dy = (x2 - x1) / length, (y2 - y1) / length
    size = min(6.0, length / 2)
    base = (x2 - size * dx, y2 - size * dy)
    wing = 0.45 * size
    head = [
        (x2, y2),
        (base[0] - wing * dy, base[1] + wing * dx),
        (base[0] + wing * dy, base[1] - wing * dx),
    ]
    return Html(
        line(x1, y1, base[0], base[1], f"{class_} s{k}")
        + path(head, f"f{k}", closed=True)
    )


def text(
    x: float, y: float, content: object, anchor: str = "start", class_: str = ""
) -> Html:
    """A text, escaped, its base line at `y`."""
    told = f' class="{class_}"' if class_ else ""
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return Html(f"<text{told} {place}>{safe(content)}</text>")


def rectangle(
    x: float, y: float, width: float, height: float, class_: str, title: str = ""
) -> Html:
    """A rectangle, with what to show when it is pointed at."""
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    inside = element("title", title) if title else ""
    return Html(f'<rect class="{class_}" {place}>{inside}</rect>')


def circle(
    x: float, y: float, r: float, class_: str, title: str = "", *, fill: str = ""
) -> Html:
    """A disc, with what to show when it is pointed at."""
    inside = element("title", title) if title else ""
    colour = f' fill="{fill}"' if fill else ""
    return Html(
        f'<circle class="{class_}"{colour} cx="{x:.1f}" cy="{y:.1f}" r="{r:g}">'
        f"{inside}</circle>"
    )


def linked(target: str, content: Html) -> Html:
    """Content that leads to an anchor of the same page; as it is without one."""
    return element("a", content, href=f"#{target}") if target else content


@dataclass(frozen=True)
class Frame:
    """The field of a plot with two axes, and what is written around it.

    Attributes
    ----------
    x, y : Axis
        Horizontal, from the left; vertical, from the bottom.
    x_label, y_label : str
        Names with units.
    x_text, y_text : callable
        From a tick's value to its text.
    """

    x: Axis
    y: Axis
    x_label: str
    y_label: str
    x_text: Callable[[float], str] = print_number
    y_text: Callable[[float], str] = print_number

    def draw(self) -> Html:
        """Grid lines, the texts of ticks that do not touch each other, labels."""
        left, right = self.x.start, self.x.end
        bottom, top = self.y.start, self.y.end
        parts: list[Html] = []
        free = -math.inf
        for value in self.x.ticks():
            p, told = self.x.pixel(value), self.x_text(value)
            parts.append(line(p, top, p, bottom))
            if p - text_width(told) / 2 > free:
                parts.append(text(p, bottom + 17, told, "middle", "m"))
                free = p + text_width(told) / 2 + 8
        for value in self.y.ticks():
            p = self.y.pixel(value)
            parts.append(line(left, p, right, p))
            parts.append(text(left - 7, p + 4, self.y_text(value), "end", "m"))
        parts.append(line(left, bottom, right, bottom, "axis"))
        parts.append(line(left, top, left, bottom, "axis"))
        parts.append(text((left + right) / 2, bottom + 37, self.x_label, "middle"))
        parts.append(text(left - 7, top - 10, self.y_label))
        return join(parts)


def legend(x: float, y: float, items: Sequence[tuple[Html, str]]) -> Html:
    """Marks and their meanings in a row; a mark is drawn around the origin."""
    parts = []
    for mark, told in items:
        parts.append(element("g", mark, transform=f"translate({x:.1f} {y - 4:.1f})"))
        parts.append(text(x + 12, y, told, class_="m"))
        x += 42 + text_width(told)
    return join(parts)
