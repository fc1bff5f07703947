"""A benchmark as one picture: kernels down, speed-ups over gcc across."""

from __future__ import annotations

import math
from html import escape

from polysched.base import PAPER, scheme_style
from polysched.bench.peers import NUMPY
from polysched.bench.report import BenchReport, KernelReport, contest_of

_LABEL, _PLOT, _STEP, _TOP, _RADIUS = 130, 560, 20, 52, 4
_COLOURS = {
    "strict peer": "#9db4cc",
    "fast peer": "#cfd8e0",
    "library": "#b8a235",
    "ours": "#f0a37c",
    "fast ours": "#d9a9e0",
}
_BEST_STRICT, _BEST, _LINE = "#1f4e79", "#6b7a88", "#c8ced4"
_OURS, _FAST_OURS = "#c2410c", "#8e24aa"
_LARGEST = {"ours": _OURS, "fast ours": _FAST_OURS}  # budget of each
_IN_THE_DARK = {
    "#9db4cc": "#4a6079",
    "#cfd8e0": "#3a434d",
    "#f0a37c": "#8f5236",
    "#d9a9e0": "#6a3d75",
    _BEST_STRICT: "#79b8ff",
    _BEST: "#9aa6b2",
    _OURS: "#ff8a4c",
    _FAST_OURS: "#d38ae6",
    _LINE: "#3a434d",
}


def bench_figure(report: BenchReport) -> str:
    """An SVG picture with one row per kernel and one dot per tool.

    The best strict peer, the best peer and our largest budgets stand out. Speed-ups are
    over gcc on a logarithmic scale; wrong results and failures have no dot.
    """
    kernels = [k for k in report.kernels if k.over("gcc", "gcc")]
    ratios = [r for k in kernels for t in k.results if (r := k.over("gcc", t))]
    low = math.floor(math.log10(min(ratios, default=0.9)) * 3) / 3
    high = math.ceil(math.log10(max(ratios, default=10.0)) * 3) / 3
    scale = _PLOT / max(high - low, 1e-9)

    def place(ratio: float) -> float:
        return _LABEL + (math.log10(ratio) - low) * scale

    height = _TOP + _STEP * len(kernels) + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LABEL + _PLOT + 20} '
        f'{height}" font-family="sans-serif" font-size="11">',
        scheme_style(_IN_THE_DARK),
        f'<rect width="100%" height="{height}" fill="{PAPER}"/>',
        *_legend(),
    ]
    for ratio in _ticks(low, high):
        x, bold = place(ratio), 1.5 if ratio == 1 else 0.5
        parts.append(
            f'<path d="M{x:.1f} {_TOP - 12}V{height - 8}" stroke="{_LINE}" '
            f'stroke-width="{bold}"/><text x="{x:.1f}" y="{_TOP - 16}" '
            f'text-anchor="middle">{ratio:g}</text>'
        )
    for k, kernel in enumerate(kernels):
        y = _TOP + _STEP * k
        title = escape(kernel.name) + ("*" if kernel.is_loaded else "")
        parts.append(f'<text x="{_LABEL - 8}" y="{y + 4}" text-anchor="end">{title}')
        parts.append("</text>")
        parts += [
            f'<circle cx="{place(ratio):.1f}" cy="{y}" r="{radius}" fill="{colour}">'
            f"<title>{escape(tool)} {ratio:.2f}</title></circle>"
            for tool, ratio, colour, radius in _dots(kernel)
        ]
    return "\n".join([*parts, "</svg>", ""])


def _dots(kernel: KernelReport) -> list[tuple[str, float, str, int]]:
    """Tool, ratio, colour and size; what stands out comes last, on top."""
    special = {kernel.best_peer: _BEST, kernel.best_strict_peer: _BEST_STRICT}
    special |= {t: _LARGEST[contest_of(t)] for t in kernel.own_tools}
    dots = []
    for tool in kernel.results:
        ratio = kernel.over("gcc", tool)
        if ratio is not None:
            colour = special.get(tool, _COLOURS[contest_of(tool)])
            stands_out = tool in special or tool == NUMPY
            dots.append((tool, ratio, colour, _RADIUS + stands_out))
    return sorted(dots, key=lambda d: (d[0] in special, contest_of(d[0]) in _LARGEST))


def _ticks(low: float, high: float) -> list[float]:
    decades = range(math.floor(low), math.ceil(high) + 1)
    all_ticks = [step * 10.0**d for d in decades for step in (1, 2, 5)]
    return [t for t in all_ticks if low - 1e-9 <= math.log10(t) <= high + 1e-9]


def _legend() -> list[str]:
    told = (
        (_OURS, "ours"),
        (_COLOURS["ours"], "smaller budget"),
        (_FAST_OURS, "ours-fast"),
        (_BEST_STRICT, "best strict peer"),
        (_BEST, "best peer"),
        (_COLOURS["strict peer"], "other peers"),
        (_COLOURS["library"], "NumPy"),
    )
    parts, x = [], 10
    for colour, text in told:
        parts.append(
            f'<circle cx="{x}" cy="12" r="{_RADIUS + 1}" fill="{colour}"/>'
            f'<text x="{x + 9}" y="16">{text}</text>'
        )
        x += 30 + 7 * len(text)
    return [*parts, '<text x="10" y="36">speed-up over gcc</text>']
