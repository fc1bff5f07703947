"""The figure of `growth.py`: seconds against statements, both logarithmic, as SVG.

Run ``python benchmarks/growth_plot.py growth.json growth.svg``.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from polysched.base import PAPER, scheme_style

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 420, 60, 170, 20, 45
COLOURS = (
    "#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#a463f2", "#9c6b4e", "#333"
)  # fmt: skip
LINE = "#ddd"
IN_THE_DARK = {
    "#4269d0": "#7f9cf5",
    "#9c6b4e": "#c79a7d",
    "#333": "#ccc",
    LINE: "#3a434d",
}
LEAST = 0.001  # seconds; what is shorter is drawn here

Line = Sequence[tuple[int, float]]


def read_lines(rows: Sequence[Mapping[str, float | str]]) -> dict[str, Line]:
    """Geometric mean over the programs for each stage and each number of statements."""
    found: dict[str, dict[int, dict[str, float]]] = {}
    for row in rows:
        n, program = int(row["statements"]), str(row["program"])
        stages = {str(row["recipe"]): row["solve_seconds"]}
        if row["recipe"] != "space":
            stages["dependences"] = row["dependence_seconds"]
            stages["cut and cones"] = row["cut_seconds"]
        for stage, seconds in stages.items():
            by_size = found.setdefault(stage, {}).setdefault(n, {})
            by_size[program] = max(LEAST, float(seconds))
    return {
        stage: [
            (n, _mean(list(values.values()))) for n, values in sorted(sizes.items())
        ]
        for stage, sizes in found.items()
    }


def _mean(values: Sequence[float]) -> float:
    return math.exp(sum(math.log(v) for v in values) / len(values))


def exponent(line: Line) -> float:
    """The power of n with which a line grows over its last three points."""
    (n0, t0), (n1, t1) = line[max(0, len(line) - 3)], line[-1]
    return math.log(t1 / t0) / math.log(n1 / n0) if n1 > n0 else 0.0


def draw(lines: Mapping[str, Line]) -> str:
    """The picture; the legend tells the power of n at the right end of each line."""
    sizes = sorted({n for line in lines.values() for n, _ in line})
    top = max(t for line in lines.values() for _, t in line)
    decades = range(round(math.log10(LEAST)), math.ceil(math.log10(top)) + 1)
    low, high = decades[0], decades[-1]

    def x(n: int) -> float:
        span = math.log(sizes[-1] / sizes[0]) or 1.0
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log(n / sizes[0]) / span

    def y(t: float) -> float:
        share = (math.log10(t) - low) / (high - low)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        scheme_style(IN_THE_DARK),
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>',
    ]
    for decade in decades:
        at = y(10.0**decade)
        parts.append(
            f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="{LINE}"/>'
            f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">'
            f"{10.0**decade:g} s</text>"
        )
    labels = [(x(n), HEIGHT - BOTTOM + 18, str(n)) for n in sizes]
    labels.append(((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, "statements"))
    parts += [
        f'<text x="{at:.1f}" y="{below}" text-anchor="middle">{text}</text>'
        for at, below, text in labels
    ]
    for k, (stage, line) in enumerate(lines.items()):
        colour = COLOURS[k % len(COLOURS)]
        path = " ".join(f"{x(n):.1f},{y(t):.1f}" for n, t in line)
        at = TOP + 12 + 18 * k
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" '
            'stroke-width="2"/>'
            f'<path d="M{WIDTH - RIGHT + 12} {at - 4}h16" stroke="{colour}" '
            f'stroke-width="3"/><text x="{WIDTH - RIGHT + 34}" y="{at}">'
            f"{stage}, n^{exponent(line):.1f}</text>"
        )
    return "\n".join([*parts, "</svg>\n"])


def main() -> None:
    """Read JSON, write SVG."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("json", type=Path, help="written by growth.py")
    parser.add_argument("svg", type=Path, help="file to write")
    chosen = parser.parse_args()
    chosen.svg.write_text(draw(read_lines(json.loads(chosen.json.read_text()))))


if __name__ == "__main__":
    main()
