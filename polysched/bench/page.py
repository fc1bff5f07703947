"""A benchmark as one page of HTML that needs nothing else: no network, no script."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from polysched.bench.report import BenchReport, KernelReport, role_of
from polysched.bench.tables import mean_rows, ranking_rows
from polysched.records import Failure

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem;
  padding: 0 1rem; color: #1b1f24; background: #fff; }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin: 2rem 0 .25rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .2rem .6rem; text-align: right; border-bottom: 1px solid #d8dee4 }
th.text, td.text { text-align: left }
svg { width: 100%; max-width: 56rem } svg text { font-size: 12px; fill: #1b1f24 }
.compiler { fill: #9aa7b4 } .polyhedral { fill: #5b7fa6 } .library { fill: #c9b458 }
.ours { fill: #c2410c } .doubt { color: #b42318 }
"""
_LABEL, _BARS, _WIDTH, _HEIGHT, _STEP = 150, 420, 760, 14, 20


def bench_page(report: BenchReport) -> str:
    """One page: setting, geometric means, and bars of the tools for each kernel.

    Everything that comes from a program or a tool is escaped, and the page forbids
    itself to load anything.
    """
    title = "polysched bench"
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>{title}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{title}</h1>",
            _setting(report),
            "<h2>geometric means of the speed-ups</h2>",
            _numbers(*mean_rows(report)),
            *_rankings(report),
            *(_kernel(kernel) for kernel in report.kernels),
            "</body></html>",
            "",
        ]
    )


def _setting(report: BenchReport) -> str:
    told = {
        "processor": f"{report.machine.cpu.name}, ceilings {report.machine.origin}",
        **{k: _words(v) for k, v in report.setting.items()},
        **{
            f.peer.name: f"absent: {f.absent}" if f.absent else f.version
            for f in report.tools
        },
    }
    rows = [
        f'<tr><th class="text">{escape(name)}</th><td class="text">{escape(text)}</td>'
        "</tr>"
        for name, text in told.items()
    ]
    return (
        f"<details><summary>setting</summary><table>{''.join(rows)}</table></details>"
    )


def _rankings(report: BenchReport) -> list[str]:
    """How the model ranked; nothing where ours was left out."""
    heads, rows = ranking_rows(report)
    if not rows:
        return []
    title = "<h2>the model's ranking against the measured times</h2>"
    return [title, _numbers(heads, rows)]


def _numbers(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of numbers behind a first column of names."""
    first, *others = heads
    names = "".join(f"<th>{head}</th>" for head in others)
    cells = "".join(
        f'<tr><td class="text">{escape(name)}</td>'
        f"{''.join(f'<td>{v}</td>' for v in rest)}</tr>"
        for name, *rest in rows
    )
    return f'<table><tr><th class="text">{first}</th>{names}</tr>{cells}</table>'


def _kernel(kernel: KernelReport) -> str:
    size = f" {kernel.size}" if kernel.size else ""
    parts = [f"<h2>{escape(kernel.name)}{escape(size)}</h2>"]
    if kernel.failure:
        parts.append(f'<p class="doubt">{escape(kernel.failure)}</p>')
        return "\n".join(parts)
    told = [f"{kernel.rounds} rounds"]
    if kernel.bound is not None:
        bound = kernel.bound
        told.append(f"roofline {_seconds(bound.seconds)} ({bound.limited_by})")
    if kernel.best_peer is not None:
        told.append(f"best peer {escape(kernel.best_peer)}")
    if kernel.best_strict_peer not in (None, kernel.best_peer):
        told.append(f"best strict peer {escape(str(kernel.best_strict_peer))}")
    parts.append(f"<p>{', '.join(told)}</p>")
    if kernel.is_loaded:
        parts.append(
            f'<p class="doubt">others used {kernel.foreign_cores:.2f} cores'
            " meanwhile: these times are doubtful</p>"
        )
    parts.append(_bars(kernel))
    return "\n".join(parts)


def _bars(kernel: KernelReport) -> str:
    """One bar per tool, as long as it is fast; the fastest fills the width."""
    times = [s for t in kernel.results if (s := kernel.seconds(t)) is not None]
    height = _STEP * len(kernel.results)
    rows = []
    for k, (tool, outcome) in enumerate(kernel.results.items()):
        y = k * _STEP
        text_y = y + _HEIGHT - 3
        rows.append(
            f'<text x="{_LABEL - 6}" y="{text_y}" text-anchor="end">{escape(tool)}'
            "</text>"
        )
        seconds = kernel.seconds(tool)
        if seconds is None:
            kind = outcome.kind if isinstance(outcome, Failure) else "no time"
            what = "wrong results" if kind == "mismatch" else kind
            rows.append(f'<text x="{_LABEL}" y="{text_y}">{escape(what)}</text>')
            continue
        width = _BARS * min(times) / seconds
        told = [_seconds(seconds)]
        if (ratio := kernel.over("gcc", tool)) is not None:
            told.append(f"{ratio:.2f} x gcc")
        if (fraction := kernel.fraction_of_bound(tool)) is not None:
            told.append(f"{fraction:.0%} of roofline")
        rows.append(
            f'<rect class="{role_of(tool)}" x="{_LABEL}" y="{y}" width="{width:.1f}"'
            f' height="{_HEIGHT}"/><text x="{_LABEL + width + 6:.1f}" y="{text_y}">'
            f"{', '.join(told)}</text>"
        )
    return f'<svg viewBox="0 0 {_WIDTH} {height}">{"".join(rows)}</svg>'


def _seconds(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def _words(value: object) -> str:
    if isinstance(value, list):
        return " ".join(str(v) for v in value)
    return str(value)
