"""Spaces as one page of HTML that needs nothing else: no network, no server."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from polysched.space.expression import check_name
from polysched.space.facts import fact_sentence
from polysched.space.scatter import Mark, scatter_svg

if TYPE_CHECKING:
    from polysched.space.schedule_space import Schedule, ScheduleSpace

FIRST = (
    "predicted_seconds", "outer_parallel", "parallel_level", "n_parallel_loops",
    "max_band_depth", "stride_score", "fusion_score", "is_tiled", "tile_fill",
)  # fmt: skip

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem;
  padding: 0 1rem; color: #1b1f24; background: #fff; }
h1 { font-size: 1.5rem } h2 { font-size: 1.25rem; margin-top: 2.5rem }
h3 { font-size: 1.05rem; margin-top: 1.5rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid #d8dee4;
  vertical-align: top }
th.text, td.text { text-align: left }
th button { font: inherit; font-weight: 600; border: 0; padding: 0; cursor: pointer;
  background: none; color: inherit }
th[aria-sort=ascending] button::after { content: " \\2191" }
th[aria-sort=descending] button::after { content: " \\2193" }
tr:target { background: #fff3c4 }
code { font: 13px/1.4 ui-monospace, monospace; white-space: pre-wrap }
.wide { overflow-x: auto }
svg { max-width: 48rem; width: 100% }
svg line { stroke: #e4e8ec } svg text { font-size: 12px; fill: #1b1f24 }
circle.point { fill: #8aa4c0 } circle.front { fill: #c2410c }
"""

_SCRIPT = """
document.querySelectorAll("table.sortable").forEach(function (table) {
  var heads = Array.from(table.tHead.rows[0].cells);
  heads.forEach(function (head, column) {
    head.querySelector("button").addEventListener("click", function () {
      var up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      var key = function (row) { return row.cells[column].dataset.value; };
      var rows = Array.from(table.tBodies[0].rows);
      rows.sort(function (a, b) {
        var x = key(a), y = key(b);
        if (x === "" || y === "") { return (x === "") - (y === ""); }
        var order = head.className === "text" ? (x < y ? -1 : x > y ? 1 : 0) : x - y;
        return up ? order : -order;
      });
      rows.forEach(function (row) { table.tBodies[0].appendChild(row); });
    });
  });
});
"""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def spaces_page(
    spaces: Iterable[ScheduleSpace],
    axes: tuple[str, str] | None = None,
    title: str = "schedule spaces",
) -> str:
    """One page with the size, schedules, a plot and the dropped candidates of spaces.

    Everything that comes from a program is escaped. The table is sorted by clicking a
    column's name; a small script on the page does that, and the page forbids itself to
    load anything.

    Parameters
    ----------
    spaces : iterable of ScheduleSpace
    axes : tuple of str, optional
        The two facts to plot; by default the prediction over the feature that takes
        the most values. The front that no other schedule beats in both stands out.
    title : str
        Of the page.

    Raises
    ------
    ExpressionError
        If an axis is no fact of a space.
    """
    sections = [_section(space, k, axes) for k, space in enumerate(spaces)]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{escape(title)}</h1>",
            *sections,
            f"<script>{_SCRIPT}</script></body></html>",
            "",
        ]
    )


def _section(space: ScheduleSpace, k: int, axes: tuple[str, str] | None) -> str:
    parts = [
        f"<h2>scop {escape(space.scop.name)}</h2>",
        f"<p>{len(space.scop.statements)} statements, policy {escape(space.policy)}, "
        f"built in {space.seconds:.1f} s.</p>",
        "<h3>size at each stage</h3>",
        _size_table(space),
    ]
    if len(space):
        parts += ["<h3>schedules</h3>", _plot(space, k, axes), _table(space, k)]
    parts.append(_dropped(space))
    return "\n".join(parts)


def _size_table(space: ScheduleSpace) -> str:
    told = (
        ("asked", space.size.asked, "recipes and fixed schedules asked for"),
        ("solved", space.size.solved, "gave a legal affine schedule"),
        ("distinct", space.size.distinct, "distinct legal trees after tiling, mapping"),
        ("kept", space.size.kept, "schedules shown here"),
    )
    rows = [
        f'<tr><th class="text">{name}</th><td>{count}</td>'
        f'<td class="text">{what}</td></tr>'
        for name, count, what in told
    ]
    return f"<table>{''.join(rows)}</table>"


def _table(space: ScheduleSpace, k: int) -> str:
    names = [n for n in space.fact_names if any(n in s.facts for s in space)]
    names.sort(key=lambda n: FIRST.index(n) if n in FIRST else len(FIRST))
    heads = ["id", *names]
    cells = [
        f'<th title="{escape(fact_sentence(n))}"><button>{escape(n)}</button></th>'
        for n in heads[1:]
    ]
    first = '<th class="text"><button>id</button></th>'
    last = "".join(
        f'<th class="text"><button>{n}</button></th>' for n in ("objectives", "script")
    )
    rows = [_row(s, k, names) for s in space]
    return (
        '<div class="wide"><table class="sortable"><thead><tr>'
        f"{first}{''.join(cells)}{last}</tr></thead>\n<tbody>"
        + "\n".join(rows)
        + "</tbody></table></div>"
    )


def _row(schedule: Schedule, k: int, names: Sequence[str]) -> str:
    facts = schedule.facts
    cells = [_text_cell(schedule.id)]
    cells += [_number_cell(facts.get(n)) for n in names]
    cells += [_text_cell(">".join(schedule.objectives))]
    cells += [_text_cell(schedule.script_text)]
    return f'<tr id="{_anchor(k, schedule)}">{"".join(cells)}</tr>'


def _text_cell(text: str) -> str:
    told = escape(text)
    return f'<td class="text" data-value="{told}"><code>{told}</code></td>'


def _number_cell(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return '<td data-value="">-</td>'
    return f'<td data-value="{value!r}">{value:.4g}</td>'


def _anchor(k: int, schedule: Schedule) -> str:
    return f"s{k}-{escape(schedule.id)}"


def _plot(space: ScheduleSpace, k: int, axes: tuple[str, str] | None) -> str:
    x_name, y_name = axes or _choose_axes(space)
    for name in (x_name, y_name):
        check_name(name, space.fact_names)
    shown = [s for s in space if x_name in s.facts and y_name in s.facts]
    if not shown:
        return f"<p>no schedule has both {escape(x_name)} and {escape(y_name)}.</p>"
    front = {s.id for s in space.pareto(x_name, y_name)}
    marks = [
        Mark(
            s.facts[x_name],
            s.facts[y_name],
            f"{s.id}: {x_name} {s.facts[x_name]:.4g}, {y_name} {s.facts[y_name]:.4g}",
            _anchor(k, s),
            s.id in front,
        )
        for s in shown
    ]
    note = (
        f", {len(space) - len(shown)} without values" if len(shown) < len(space) else ""
    )
    return (
        f"{scatter_svg(marks, x_name, y_name)}\n<p>{len(shown)} schedules{note}; the "
        f"Pareto front of {escape(x_name)} and {escape(y_name)} stands out.</p>"
    )


def _choose_axes(space: ScheduleSpace) -> tuple[str, str]:
    """The prediction over the feature that tells most schedules apart."""
    names = list(space.schedules[0].features)
    counts = {n: len({s.facts.get(n) for s in space}) for n in names}
    x_name = max(names, key=lambda n: (counts[n], n in FIRST))
    known = any(s.predicted_seconds is not None for s in space)
    return x_name, "predicted_seconds" if known else "stride_score"


def _dropped(space: ScheduleSpace) -> str:
    if not space.dropped:
        return "<h3>dropped</h3><p>nothing.</p>"
    counts = space.drop_counts().items()
    kinds = ", ".join(f"{escape(kind)}: {n}" for kind, n in counts)
    rows = [
        f'<tr><td class="text"><code>{escape(d.what)}</code></td>'
        f'<td class="text">{escape(d.reason)}</td></tr>'
        for d in space.dropped
    ]
    return (
        f"<h3>dropped</h3><p>{len(space.dropped)} candidates; {kinds}.</p>"
        f"<details><summary>each with its reason</summary><table>{''.join(rows)}"
        "</table></details>"
    )
