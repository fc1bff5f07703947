"""A space to walk through in a notebook: filter it, select a point, see what it is."""

from __future__ import annotations

import importlib
from typing import Any

from polysched.base import PolyschedError
from polysched.show.code import variant_code
from polysched.show.explanation import reasons_html, schedule_fields, stages_html
from polysched.show.facts import known_facts, main_facts
from polysched.show.markup import Html, details, element, join
from polysched.show.scatter import scatter
from polysched.show.spaces import space_table
from polysched.show.style import shown
from polysched.show.tree import tree_html
from polysched.space import Schedule, ScheduleSpace, fact_sentence
from polysched.transform import short_script
from polysched.workflow import ProgramSpace

_NO_SCHEDULE = "no schedule is left: take the condition back"
_N_ROWS = 20


def browse(space: ScheduleSpace) -> SpaceBrowser:
    """A widget that filters and sorts a space and shows a chosen schedule of it.

    Parameters
    ----------
    space : ScheduleSpace
        The code is shown of spaces that know their program.

    Returns
    -------
    SpaceBrowser
        Shows itself in Jupyter; `selected` is the schedule that was chosen.

    Raises
    ------
    PolyschedError
        If ipywidgets, of the optional extra "notebook", is not installed.
    """
    return SpaceBrowser(space, _load_widgets())


def _load_widgets() -> Any:
    try:
        return importlib.import_module("ipywidgets")
    except ImportError as error:
        raise PolyschedError(
            "browsing a space needs ipywidgets, which is not installed",
            hint="pip install 'polysched[notebook]'",
        ) from error


class SpaceBrowser:
    """The widget, its parts, and what is selected.

    Attributes
    ----------
    space : ScheduleSpace
        All of it.
    condition : Text
        What schedules must satisfy, as `ScheduleSpace.filter` takes it.
    order : Dropdown
        The fact that they are sorted by.
    choice : Select
        One line per schedule.
    view : HTML
        The chosen schedule.
    overview : HTML
        Table and plot of those that are left.
    message : HTML
        How many are left, or what is wrong with the condition.
    widget : VBox
        All of these.
    """

    def __init__(self, space: ScheduleSpace, widgets: Any) -> None:
        self.space = space
        self.left = space
        wide = widgets.Layout(width="auto", flex="1 1 auto")
        names = known_facts(space)
        start = "predicted_seconds" if "predicted_seconds" in names else names[0]
        self.condition = widgets.Text(
            placeholder="outer_parallel > 0 and depth < 6",
            description="filter",
            continuous_update=False,
            layout=wide,
        )
        self.order = widgets.Dropdown(options=names, value=start, description="sort by")
        self.choice = widgets.Select(description="schedule", rows=10, layout=wide)
        self.message = widgets.HTML()
        self.view = widgets.HTML(layout=wide)
        self.overview = widgets.HTML(layout=wide)
        tabs = widgets.Tab([self.view, self.overview])
        for k, title in enumerate(("schedule", "all of them")):
            tabs.set_title(k, title)
        head = widgets.HBox([self.condition, self.order])
        self.widget = widgets.VBox([head, self.message, self.choice, tabs])
        self.condition.observe(self._select, "value")
        self.order.observe(self._select, "value")
        self.choice.observe(self._show, "value")
        self._select()

    @property
    def selected(self) -> Schedule | None:
        """The chosen schedule; None where none is left."""
        return self.space.find(self.choice.value) if self.choice.value else None

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """What Jupyter shows."""
        return self.widget._repr_mimebundle_(**options)

    def _select(self, change: object = None) -> None:
        """Filter and sort anew; what is wrong with the condition is told."""
        name = self.order.value
        told = element("span", f"{name}: {fact_sentence(name)}", class_="note")
        try:
            text = self.condition.value.strip()
            left = self.space.filter(text) if text else self.space
            self.left = left.sort(name)
        except PolyschedError as error:
            hint = f"; {error.hint}" if error.hint else ""
            told = element("span", f"{error.message}{hint}", class_="bad")
            self.message.value = shown(told)
            return
        count = f"{len(self.left)} of {len(self.space)} schedules. "
        self.message.value = shown(join((count, told)))
        before = self.choice.value
        ids = [s.id for s in self.left]
        self.choice.options = [
            (f"{s.id}  {short_script(s.script)}", s.id) for s in self.left
        ]
        if ids:
            self.choice.value = before if before in ids else ids[0]
        self.overview.value = shown(self._table())
        self._show()

    def _table(self) -> Html:
        if not len(self.left):
            return element("p", _NO_SCHEDULE)
        names = dict.fromkeys([self.order.value, *main_facts(self.space)])
        rows = space_table(self.left, list(names), _N_ROWS)
        return join((rows, element("figure", scatter(self.left).inline)))

    def _show(self, change: object = None) -> None:
        """Draw the chosen schedule."""
        schedule = self.selected
        if schedule is None:
            self.view.value = shown(element("p", _NO_SCHEDULE))
            return
        self.view.value = shown(point_html(self.space, schedule))


def point_html(space: ScheduleSpace, schedule: Schedule) -> Html:
    """A schedule with its tree, its reasons and its code beside the original."""
    parts = [schedule_fields(schedule), tree_html(schedule.tree, space.scop)]
    if isinstance(space, ProgramSpace):
        variant = space.variant(schedule.id)
        parts.append(variant_code(variant))
        parts.append(details("why", reasons_html(variant.explain())))
    parts.append(details("objectives", stages_html(schedule.stages)))
    return join(parts)
