"""The explorer's screen: a table to sort and filter, and a schedule's four faces."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from rich.console import RenderableType
from rich.text import Text
from textual import on, work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.coordinate import Coordinate
from textual.timer import Timer
from textual.widgets import (
    DataTable,
    Footer,
    Header,
    Input,
    Static,
    TabbedContent,
    TabPane,
)
from textual.worker import get_current_worker

from polysched.base import PolyschedError
from polysched.cli.explorer.measuring import CancelledError, Measured, Measurer
from polysched.cli.explorer.views import (
    code_view,
    features_view,
    measured_cells,
    source_view,
    tree_view,
    why_view,
)
from polysched.records import Failure
from polysched.show.facts import axis_label, fact_text, main_facts
from polysched.space import ExpressionError, Schedule, better_direction
from polysched.transform import short_script
from polysched.workflow import ProgramSpace, Variant

_TABS = ("features", "tree", "code", "why")
_PAUSE_SECONDS = 0.15  # the cursor rests so long before a schedule is drawn
_MEASURED, _GAIN = "measured", "speed-up"
_FIXED = ("", "id", _MEASURED, _GAIN)


class Explorer(App[None]):
    """Filter, sort and measure the schedules of one space.

    Attributes
    ----------
    space : ProgramSpace
        All of it.
    left : ProgramSpace
        What the condition leaves, in the order of the table.
    measured : dict of str to Measured
        What was measured so far, by id.
    chosen : set of str
        Ids that are marked to be measured.
    """

    TITLE = "polysched"
    CSS = """
    #filter { height: 3; }
    #filter.wrong { border: tall red; }
    #message { height: 1; padding: 0 1; color: $text-muted; }
    #table { height: 2fr; }
    #faces { height: 3fr; }
    .half { width: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter", key_display="/"),
        Binding("s", "sort", "sort by column"),
        Binding("space", "choose", "mark"),
        Binding("m", "measure", "measure marked"),
        Binding("c", "cancel", "cancel measuring"),
        Binding("1", "tab('features')", "features"),
        Binding("2", "tab('tree')", "tree"),
        Binding("3", "tab('code')", "code"),
        Binding("4", "tab('why')", "why"),
        Binding("escape", "table", "table", show=False),
        Binding("q", "quit", "quit"),
    ]

    def __init__(
        self, space: ProgramSpace, measurer: Measurer | None = None, obstacle: str = ""
    ) -> None:
        super().__init__()
        self.space = space
        self.left = space
        self.measured: dict[str, Measured] = {}
        self.chosen: set[str] = set()
        self._measurer = measurer
        self._obstacle = obstacle or "the scop was not read from a file"
        self._variants: dict[str, Variant] = {}
        self._columns = (*_FIXED, *main_facts(space), "script")
        self._order = ("", False)
        self._under_way = ""
        self._pause: Timer | None = None

    def compose(self) -> ComposeResult:
        """The parts from top to bottom."""
        yield Header()
        hint = "filter, as: outer_parallel > 0 and depth < 6"
        yield Input(placeholder=hint, id="filter")
        yield Static(id="message")
        yield DataTable[RenderableType](id="table", cursor_type="cell")
        with TabbedContent(id="faces", initial="features"):
            for name in ("features", "tree"):
                with TabPane(name, id=name), VerticalScroll():
                    yield Static(id=f"{name}-text")
            with TabPane("code", id="code"), Horizontal():
                with VerticalScroll(classes="half"):
                    yield Static(id="source-text")
                with VerticalScroll(classes="half"):
                    yield Static(id="code-text")
            with TabPane("why", id="why"), VerticalScroll():
                yield Static(id="why-text")
        yield Footer()

    def on_mount(self) -> None:
        """Fill the table; the keys belong to it at first."""
        self.sub_title = f"{self.space.scop.name}, {len(self.space)} schedules"
        table = self._table
        for name in self._columns:
            label = name if name in (*_FIXED, "script") else axis_label(name)
            table.add_column(label, key=name)
        self._fill()
        table.focus()

    @property
    def is_measuring(self) -> bool:
        """Whether a measurement is under way."""
        return bool(self._under_way)

    @property
    def current(self) -> Schedule | None:
        """The schedule under the cursor; None where the condition leaves none."""
        row = self._table.cursor_row
        return self.left.schedules[row] if 0 <= row < len(self.left) else None

    def variant(self, schedule_id: str) -> Variant:
        """The handle of a schedule, one per id, so that its text is printed once."""
        if schedule_id not in self._variants:
            self._variants[schedule_id] = self.space.variant(schedule_id)
        return self._variants[schedule_id]

    @property
    def _table(self) -> DataTable[RenderableType]:
        return self.query_one("#table", DataTable)

    # what the keys do

    def action_filter(self) -> None:
        """Go to the condition."""
        self.query_one("#filter", Input).focus()

    def action_table(self) -> None:
        """Go back to the table."""
        self._table.focus()

    def action_tab(self, name: str) -> None:
        """Show another face of the schedule."""
        self.query_one("#faces", TabbedContent).active = name

    def action_sort(self) -> None:
        """Sort by the column under the cursor, the better first, then the other way."""
        self._sort(self._columns[self._table.cursor_column])

    def action_choose(self) -> None:
        """Mark a schedule to be measured, or take the mark away."""
        schedule = self.current
        if schedule is None:
            return
        self.chosen ^= {schedule.id}
        self._update_row(schedule.id)

    def action_measure(self) -> None:
        """Measure what is marked, or the schedule under the cursor."""
        if self._measurer is None:
            self._say(f"nothing can be measured: {self._obstacle}", is_wrong=True)
            return
        if self._under_way:
            self._say(f"{self._under_way} is being measured; c cancels that")
            return
        current = self.current
        ids = [s.id for s in self.space if s.id in self.chosen]
        ids = ids or ([current.id] if current else [])
        variants = [v for v in map(self.variant, ids) if self._can_print(v)]
        if variants:
            self._measurer.resume()
            self._under_way = variants[0].id
            self._measure(variants)

    def action_cancel(self) -> None:
        """End measuring; what is done is stored."""
        if self._measurer is None or not self._under_way:
            self._say("nothing is being measured")
            return
        self._measurer.cancel()
        self._say("cancelled: it ends when the run in progress has ended")

    async def action_quit(self) -> None:
        """Leave; a measurement in progress is not waited for longer than its run."""
        if self._measurer is not None:
            self._measurer.cancel()
        self.exit()

    # what happens

    @on(Input.Submitted, "#filter")
    def _filter_is_given(self) -> None:
        if self._fill():
            self._table.focus()

    @on(DataTable.HeaderSelected)
    def _head_is_clicked(self, event: DataTable.HeaderSelected) -> None:
        self._sort(str(event.column_key.value))

    @on(DataTable.CellHighlighted)
    def _cursor_moves(self) -> None:
        self._draw_soon()

    @on(TabbedContent.TabActivated)
    def _face_is_chosen(self) -> None:
        self._draw_soon()

    def _draw_soon(self) -> None:
        """Draw when the cursor rests: printing code may take a moment."""
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(_PAUSE_SECONDS, self._draw)

    def _draw(self) -> None:
        """Show the chosen face of the schedule under the cursor."""
        if not self.query("#table"):  # the screen is being taken down
            return
        schedule = self.current
        name = self.query_one("#faces", TabbedContent).active
        if schedule is None:
            self._show(name, Text("no schedule is left: change the condition"))
            return
        variant = self.variant(schedule.id)
        drawn: dict[str, Callable[[], RenderableType]] = {
            "features": partial(features_view, self.space, schedule),
            "tree": partial(tree_view, variant),
            "code": partial(code_view, variant),
            "why": partial(why_view, variant),
        }
        try:
            self._show(name, drawn[name]())
            if name == "code":
                self._show("source", source_view(variant))
        except PolyschedError as error:
            self._show(name, Text(str(error), style="red"))

    def _show(self, name: str, content: RenderableType) -> None:
        self.query_one(f"#{name}-text", Static).update(content)

    def _say(self, told: str, *, is_wrong: bool = False) -> None:
        self.query_one("#message", Static).update(
            Text(told, style="red" if is_wrong else "")
        )

    # the table

    def _fill(self) -> bool:
        """Filter and sort anew; whether the condition is one."""
        box = self.query_one("#filter", Input)
        text = box.value.strip()
        try:
            left = self.space.filter(text) if text else self.space
        except ExpressionError as error:
            box.add_class("wrong")
            hint = f"; {error.hint}" if error.hint else ""
            self._say(f"{error.message}{hint}", is_wrong=True)
            return False
        box.remove_class("wrong")
        table = self._table
        kept, column = self.current, table.cursor_column
        self.left = self._sorted(left)
        table.clear()
        for s in self.left:
            table.add_row(*self._cells(s), key=s.id)
        ids = [s.id for s in self.left]
        row = ids.index(kept.id) if kept is not None and kept.id in ids else 0
        table.move_cursor(row=row, column=column)
        self._say(f"{len(self.left)} of {len(self.space)} schedules")
        self._draw_soon()
        return True

    def _sort(self, name: str) -> None:
        if name in ("", "script"):
            self._say("that column has no order")
            return
        was, reverse = self._order
        self._order = name, not reverse if was == name else False
        self._fill()
        way = "the worse first" if self._order[1] else "the better first"
        self._say(f"sorted by {name}, {way}")

    def _sorted(self, space: ProgramSpace) -> ProgramSpace:
        """The space in the chosen order; what has no value comes last."""
        name, reverse = self._order
        if not name:
            return space
        if name == "id":
            ordered = sorted(space, key=lambda s: s.id, reverse=reverse)
            return space.with_schedules(ordered, ())
        if name in (_MEASURED, _GAIN):
            return space.sort(self._seconds, descending=reverse)
        better_is_more = better_direction(name) == "high"
        return space.sort(name, descending=better_is_more != reverse)

    def _seconds(self, schedule: Schedule) -> float:
        found = self.measured.get(schedule.id)
        if found is None or isinstance(found.outcome, Failure):
            return float("nan")
        return found.outcome.median_seconds

    def _cells(self, s: Schedule) -> list[RenderableType]:
        """The row of a schedule."""
        cells: list[RenderableType] = [
            Text("*" if s.id in self.chosen else " "),
            Text(s.id),
            *measured_cells(self.measured.get(s.id), s.id == self._under_way),
        ]
        facts = s.facts
        for name in self._columns[len(_FIXED) : -1]:
            told = fact_text(name)(facts[name]) if name in facts else "-"
            cells.append(Text(told, justify="right"))
        return [*cells, Text(short_script(s.script))]

    def _update_row(self, schedule_id: str) -> None:
        """Write a row anew, if it is there."""
        ids = [s.id for s in self.left]
        if schedule_id not in ids:
            return
        row = ids.index(schedule_id)
        for k, cell in enumerate(self._cells(self.left.schedules[row])):
            self._table.update_cell_at(Coordinate(row, k), cell, update_width=True)

    # measuring

    def _can_print(self, variant: Variant) -> bool:
        """Print a variant's text here: the other thread must not use isl."""
        try:
            variant.region_text()
            variant.device_text()
        except PolyschedError as error:
            self._say(f"{variant.id} cannot be printed: {error.message}", is_wrong=True)
            return False
        return True

    @work(thread=True, exclusive=True, group="measure")
    def _measure(self, variants: list[Variant]) -> None:
        """Measure one after the other; in a thread of its own."""
        measurer = self._measurer
        assert measurer is not None
        worker = get_current_worker()
        told = ""
        for variant in variants:
            if worker.is_cancelled:
                break
            self.call_from_thread(self._begin, variant.id)
            try:
                found = measurer.measure(variant)
            except CancelledError:
                told = "measuring was cancelled"
                break
            except PolyschedError as error:
                told = error.message
                break
            self.call_from_thread(self._note, variant.id, found)
        self.call_from_thread(self._end, told)

    def _begin(self, schedule_id: str) -> None:
        before, self._under_way = self._under_way, schedule_id
        self._update_row(before)
        self._update_row(schedule_id)
        self._say(f"measuring {schedule_id}")

    def _note(self, schedule_id: str, found: Measured) -> None:
        self.measured[schedule_id] = found
        self.chosen.discard(schedule_id)
        self._under_way = ""
        self._update_row(schedule_id)

    def _end(self, told: str) -> None:
        before, self._under_way = self._under_way, ""
        self._update_row(before)
        n = len(self.measured)
        self._say(told or f"{n} measured; the original's time is in the records")
