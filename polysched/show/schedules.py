"""The schedules of a report: a table to sort and filter, and each one's details."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from polysched.base import PolyschedError, print_seconds
from polysched.records import Failure
from polysched.show.code import generated_html
from polysched.show.explanation import reasons_html, schedule_fields, stages_html
from polysched.show.facts import known_facts
from polysched.show.markup import Html, code, details, element, join, safe
from polysched.show.tree import tree_html
from polysched.space import Schedule, ScheduleSpace, fact_sentence
from polysched.transform import short_script
from polysched.tune import TuneResult
from polysched.workflow import ProgramSpace, Variant

_PREDICTED = "predicted_seconds"
MAX_DETAIL_BYTES = 1_700_000  # of all code and reasons of a page, which has 3 MB


@dataclass
class DetailBudget:
    """What is left for the details of a page.

    Attributes
    ----------
    left : int
        Bytes.
    """

    left: int = field(default=MAX_DETAIL_BYTES)

    def take(self, content: Callable[[], Html], instead: str) -> Html:
        """The content while there is room for it, then what is said instead."""
        if self.left <= 0:
            return element("p", instead, class_="note")
        made = content()
        self.left -= len(made)
        return made if self.left > 0 else element("p", instead, class_="note")


def sortable_table(
    space: ScheduleSpace,
    anchor: Callable[[str], str],
    result: TuneResult | None,
    place: str,
) -> Html:
    """All schedules and all their numbers; a script sorts it by a column.

    Parameters
    ----------
    space : ScheduleSpace
    anchor : callable
        From an id to the anchor of its details.
    result : TuneResult, optional
        Adds what was measured.
    place : str
        Id of the field that filters.
    """
    names = known_facts(space)
    heads = [_head("id", "text", "id of the schedule")]
    if result is not None:
        heads.append(_head("measured_seconds", "n", "median of the runs"))
    heads += [_head(n, "n", fact_sentence(n)) for n in names]
    heads += [_head("objectives", "text", ""), _head("script", "text", "")]
    rows = [element("tr", *_cells(s, names, anchor, result)) for s in space]
    grid = element(
        "table",
        element("thead", element("tr", *heads)),
        element("tbody", join(rows, "\n")),
        class_="sortable",
    )
    label = element("label", "rows with ", for_=place)
    box = Html(f'<input id="{place}" type="search" data-filter="" size="24">')
    filtering = element("p", label, box, class_="scripted")
    return element(
        "div", filtering, element("div", grid, class_="wide tall", tabindex="0")
    )


def _head(name: str, class_: str, title: str) -> Html:
    button = element("button", name, type="button")
    return element("th", button, class_=class_, title=title or None, scope="col")


def _cells(
    s: Schedule,
    names: Sequence[str],
    anchor: Callable[[str], str],
    result: TuneResult | None,
) -> list[Html]:
    link = element("a", s.id, href=f"#{anchor(s.id)}")
    cells = [element("td", element("code", link), data_value=s.id)]
    if result is not None:
        cells.append(_measured_cell(s, result))
    facts = s.facts
    cells += [_number(facts.get(n), n) for n in names]
    for told in (" > ".join(s.objectives), short_script(s.script)):
        cells.append(element("td", code(told), data_value=told))
    return cells


def _measured_cell(s: Schedule, result: TuneResult) -> Html:
    outcome = result.outcomes.get(s.id)
    if outcome is None:
        return _number(None, "measured_seconds")
    if isinstance(outcome, Failure):
        return element("td", outcome.kind, class_="n bad", data_value="")
    seconds = outcome.median_seconds
    told = print_seconds(seconds) if outcome.matches else "results differ"
    return element("td", told, class_="n", data_value=repr(seconds))


def _number(value: float | None, name: str) -> Html:
    if value is None or not math.isfinite(value):
        return element("td", "-", class_="n", data_value="")
    told = print_seconds(value) if name == _PREDICTED else f"{value:.4g}"
    return element("td", told, class_="n", data_value=repr(value))


def schedule_section(
    space: ScheduleSpace,
    s: Schedule,
    anchor: str,
    result: TuneResult | None,
    budget: DetailBudget,
) -> Html:
    """One schedule: where it comes from, tree, code, reasons; to be unfolded.

    What a page has no room for is replaced by the command that prints it.
    """
    told = [code(s.id), f" {print_seconds(s.predicted_seconds)} predicted"]
    outcome = None if result is None else result.outcomes.get(s.id)
    if isinstance(outcome, Failure):
        told.append(f", {outcome.kind} failed")
    elif outcome is not None and not outcome.matches:
        told.append(", results differ")
    elif outcome is not None:
        told.append(f", {print_seconds(outcome.median_seconds)} measured")
    told.append(join((", ", code(short_script(s.script)))))
    parts = [
        schedule_fields(s),
        element("h4", "objectives"),
        stages_html(s.stages),
        element("h4", "tree"),
        budget.take(
            lambda: tree_html(s.tree, space.scop), f"see --print-after tree, {s.id}"
        ),
    ]
    if isinstance(space, ProgramSpace):
        variant = space.variant(s.id)
        parts += [
            element("h4", "why"),
            budget.take(
                lambda: _reasons(variant), f"polysched explain --schedule {s.id}"
            ),
            element("h4", "code"),
            budget.take(
                lambda: generated_html(variant),
                "There is no room for it here; this prints it: polysched optimize "
                f"--schedule {s.id} -o -",
            ),
        ]
    body = element("div", *parts, class_="inside")
    return element(
        "details", element("summary", join(safe(t) for t in told)), body, id=anchor
    )


def _reasons(variant: Variant) -> Html:
    try:
        return reasons_html(variant.explain())
    except PolyschedError as error:
        return details("it cannot be explained", element("p", error.message))
