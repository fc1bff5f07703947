"""Reports: a space or a tuning as one page of HTML that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from polysched.base import AnalysisError
from polysched.records import Measurement
from polysched.show.code import source_text
from polysched.show.facts import axis_label
from polysched.show.graph import dependence_graph, list_edges
from polysched.show.highlight import highlight
from polysched.show.markup import Html, details, element, join, table
from polysched.show.nouns import domain_card, machine_fields
from polysched.show.page import whole_page
from polysched.show.parallel import parallel_coordinates
from polysched.show.picture import Picture
from polysched.show.roofline import memory_traffic, roofline
from polysched.show.scatter import scatter, scatter_marks
from polysched.show.schedules import DetailBudget, schedule_section, sortable_table
from polysched.show.spaces import dropped_html, size_html
from polysched.show.tuned import (
    predicted_measured,
    tuned_table,
    tuning_curve,
    verdict,
)
from polysched.space import ScheduleSpace
from polysched.tune import TuneResult
from polysched.workflow import ProgramSpace, Tuned

_MAX_EDGES, _MAX_DOMAINS = 80, 6


@dataclass(frozen=True)
class _Part:
    """One space of a page, and what is known of it.

    Attributes
    ----------
    space : ScheduleSpace
    position : int
        Among the spaces of the page, for anchors.
    axes : pair of str, optional
        Facts to plot.
    result : TuneResult, optional
        What was measured.
    """

    space: ScheduleSpace
    position: int
    axes: tuple[str, str] | None = None
    result: TuneResult | None = None

    def anchor(self, schedule_id: str) -> str:
        """Where a schedule's details are."""
        return f"s{self.position}-{schedule_id}"

    def place(self, name: str) -> str:
        """Anchor of a section."""
        return f"p{self.position}-{name}"


def spaces_report(
    spaces: Iterable[ScheduleSpace],
    axes: tuple[str, str] | None = None,
    title: str = "schedule spaces",
) -> str:
    """A page about spaces: sizes, plots, every schedule with its tree and its code.

    Everything that comes from a program is escaped, and the page forbids itself to load
    anything. It can be read without scripts; a small one sorts the tables by a column
    and filters them.

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
    budget = DetailBudget()
    parts = [_Part(space, k, axes) for k, space in enumerate(spaces)]
    sections = [_space_section(part, budget) for part in parts]
    return whole_page(title, join(sections))


def tuned_report(found: Iterable[Tuned], title: str = "tuning") -> str:
    """A page about tunings: what was measured, and all that `spaces_report` has.

    Parameters
    ----------
    found : iterable of Tuned
    title : str
        Of the page.
    """
    budget = DetailBudget()
    sections = []
    for k, tuned in enumerate(found):
        part = _Part(tuned.space, k, None, tuned.result)
        sections.append(_tuned_section(tuned, part))
        sections.append(_space_section(part, budget))
    return whole_page(title, join(sections))


def _tuned_section(tuned: Tuned, part: _Part) -> Html:
    result = tuned.result
    n_failed = sum(not isinstance(v.outcome, Measurement) for v in result.variants)
    told = f"{len(result.variants)} tried, {n_failed} failed, {tuned.where}"
    figures = [_figure(tuning_curve(result))]
    figures += _drawn(lambda: predicted_measured(result))
    return element(
        "section",
        element("h2", f"tuning of {part.space.scop.name}"),
        element("p", element("strong", verdict(tuned)), f" ({told})."),
        tuned_table(tuned),
        element("div", *figures, class_="figures"),
        id=part.place("tuning"),
    )


def _space_section(part: _Part, budget: DetailBudget) -> Html:
    space = part.space
    n = len(space.scop.statements)
    told = (
        f"{n} statement{'s' if n != 1 else ''}, policy {space.policy}, target "
        f"{space.target}, {len(space)} schedules, built in {space.seconds:.1f} s."
    )
    parts = [
        element("h2", f"scop {space.scop.name}"),
        element("p", told),
        element("h3", "size at each stage"),
        size_html(space),
        _overview(part),
    ]
    if len(space):
        parts += [
            element("h3", "schedules"),
            sortable_table(space, part.anchor, part.result, part.place("filter")),
            element("h3", "pictures"),
            element("div", *_pictures(part), class_="figures"),
            element("h3", "each schedule"),
            *(
                schedule_section(space, s, part.anchor(s.id), part.result, budget)
                for s in space
            ),
        ]
    parts += [element("h3", "dropped"), dropped_html(space)]
    return element("section", *parts, id=part.place("space"))


def _overview(part: _Part) -> Html:
    """The program as it is: text, statements, dependences, machine."""
    space = part.space
    pieces: list[Html] = []
    owner = space.program if isinstance(space, ProgramSpace) else None
    source = source_text(owner, space.scop)
    if source:
        pieces.append(details("source text", highlight(source), is_open=True))
    rows = [
        (element("code", s.name), element("code", s.text), element("code", s.domain))
        for s in space.scop.statements
    ]
    heads = ("", "statement", "iteration domain")
    pieces.append(details(f"statements: {len(rows)}", table(heads, rows)))
    if 0 < len(list_edges(space.dependences, space.scop)) <= _MAX_EDGES:
        graph = _figure(dependence_graph(space.dependences, space.scop))
        pieces.append(details("dependences", graph))
    domains = [
        _figure(picture, f"instances of {s.name}")
        for s in space.scop.statements[:_MAX_DOMAINS]
        if (picture := domain_card(s, space.dependences)) is not None
    ]
    if domains:
        figures = element("div", *domains, class_="figures")
        pieces.append(details("iteration domains", figures))
    pieces.append(
        details(f"machine: {space.machine.cpu.name}", machine_fields(space.machine))
    )
    return join(pieces)


def _pictures(part: _Part) -> list[Html]:
    space = part.space
    marks, x_name, y_name = scatter_marks(space, *(part.axes or ()))
    if marks:
        left = len(space) - len(marks)
        note = f", {left} without values" if left else ""
        told = (
            f"{len(marks)} schedules{note}; the Pareto front of {axis_label(x_name)} "
            f"and {axis_label(y_name)} stands out."
        )
        picture = scatter(space, x_name, y_name, link=part.anchor)
        figures = [_figure(picture, told)]
    else:
        figures = [element("p", f"no schedule has both {x_name} and {y_name}.")]
    links = {s.id: part.anchor(s.id) for s in space}
    figures += _drawn(lambda: roofline(space, part.result, links=links))
    figures += _drawn(lambda: parallel_coordinates(space, link=part.anchor))
    figures += _drawn(lambda: memory_traffic(space))
    return figures


def _drawn(draw: object) -> list[Html]:
    """A figure, or a sentence that says why there is none."""
    assert callable(draw)
    try:
        return [_figure(draw())]
    except AnalysisError as error:
        return [element("p", f"No picture here: {error.message}.", class_="note")]


def _figure(picture: Picture, caption: str = "") -> Html:
    told = element("figcaption", caption or picture.title)
    return element("figure", picture.inline, told)
