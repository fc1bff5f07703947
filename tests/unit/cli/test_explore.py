"""``polysched explore``: the screen by its keys, measuring aside, what it needs."""

from __future__ import annotations

import asyncio
import importlib
import io
import sys
import threading
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from rich.console import Console

from polysched.base import PolyschedError, RunError
from polysched.cli import main
from polysched.cli.explore import load_explorer
from polysched.records import Database, Failure, Measurement
from polysched.runtime import DeviceTools, RunOptions, Toolchain
from polysched.tune import TuneOptions
from polysched.workflow import ProgramSpace, Variant, build_space, parse
from tests.unit.show.made import program_space

pytest.importorskip("textual", reason="the optional extra tui is not installed")

from textual.pilot import Pilot
from textual.widgets import DataTable, Input, Static, TabbedContent

from polysched.cli.explorer import (
    CancelledError,
    Explorer,
    Measured,
    ProgramMeasurer,
)

Steps = Callable[[Pilot[None], Explorer], Awaitable[None]]


class MadeMeasurer:
    """Gives what it was told to, when it is told to."""

    def __init__(self, *found: Measured) -> None:
        self.found = list(found)
        self.asked: list[str] = []
        self.may_go = threading.Event()
        self.may_go.set()
        self.is_cancelled = False

    def measure(self, variant: Variant) -> Measured:
        self.asked.append(variant.id)
        assert self.may_go.wait(20)
        if self.is_cancelled:
            raise CancelledError("measuring was cancelled")
        return self.found.pop(0)

    def cancel(self) -> None:
        self.is_cancelled = True
        self.may_go.set()

    def resume(self) -> None:
        self.is_cancelled = False


def _play(
    steps: Steps,
    measurer: MadeMeasurer | None = None,
    space: ProgramSpace | None = None,
) -> Explorer:
    """Run the explorer without a terminal and do something to it."""
    app = Explorer(space or program_space(), measurer)
    _drive(app, steps)
    return app


def _drive(app: Explorer, steps: Steps) -> None:
    async def run() -> None:
        async with app.run_test(size=(150, 44)) as pilot:
            await pilot.pause()
            await steps(pilot, app)

    asyncio.run(run())


def _ids(app: Explorer) -> list[str]:
    table = app.query_one("#table", DataTable)
    return [str(table.get_cell_at((k, 1))) for k in range(table.row_count)]  # type: ignore[arg-type]


def _cell(app: Explorer, row: int, column: int) -> str:
    return str(app.query_one("#table", DataTable).get_row_at(row)[column])


def _text(app: Explorer, name: str) -> str:
    """What a part of the screen says, as plain text."""
    console = Console(width=140, file=io.StringIO(), color_system=None)
    console.print(app.query_one(f"#{name}", Static).content)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


async def _until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    """Let the screen work until something holds, however slow the machine is."""
    for _ in range(2000):
        if holds():
            return
        await pilot.pause(0.02)
    pytest.fail("it does not happen")


async def _settled(pilot: Pilot[None], app: Explorer) -> None:
    await app.workers.wait_for_complete()
    await _until(pilot, lambda: not app.is_measuring)


def _is_drawn(app: Explorer, name: str) -> bool:
    return bool(_text(app, f"{name}-text").strip())


def test_table_has_all_schedules_best_first() -> None:
    async def steps(pilot: Pilot[None], app: Explorer) -> None:
        assert _ids(app) == [s.id for s in app.space]
        assert _cell(app, 0, 4) == "50 ms"
        assert "7 of 7 schedules" in _text(app, "message")

    _play(steps)


def test_condition_filters_and_a_wrong_one_is_explained() -> None:
    async def steps(pilot: Pilot[None], app: Explorer) -> None:
        await pilot.press("slash", *"is_tiled", "enter")
        tiled = [s.id for s in app.space.filter("is_tiled")]
        await _until(pilot, lambda: _ids(app) == tiled)
        assert f"{len(tiled)} of 7" in _text(app, "message")
        box = app.query_one("#filter", Input)
        box.value = "dept < 3"
        await pilot.press("slash", "enter")
        told = "no feature named 'dept'"
        await _until(pilot, lambda: told in _text(app, "message"))
        assert box.has_class("wrong")
        assert _ids(app) == tiled
        box.value = "depth > 99"
        await pilot.press("enter")
        await _until(pilot, lambda: _ids(app) == [])
        assert app.current is None
        told = "no schedule is left"
        await _until(pilot, lambda: told in _text(app, "features-text"))

    _play(steps)


def test_columns_sort_better_first_then_the_other_way() -> None:
    async def steps(pilot: Pilot[None], app: Explorer) -> None:
        await pilot.press("right")
        await pilot.press("s")
        assert _ids(app) == sorted(s.id for s in app.space)
        await pilot.press("s")
        assert _ids(app) == sorted((s.id for s in app.space), reverse=True)
        await pilot.press("right", "right", "right", "right", "s")  # outer_parallel
        await pilot.pause()
        values = [app.space.find(i).facts["outer_parallel"] for i in _ids(app)]
        assert values == sorted(values, reverse=True)
        await pilot.press("home", "s")
        assert "no order" in _text(app, "message")

    _play(steps)


def test_faces_of_a_schedule() -> None:
    async def steps(pilot: Pilot[None], app: Explorer) -> None:
        await _until(pilot, lambda: "stride_score" in _text(app, "features-text"))
        for key, name in (("2", "tree"), ("4", "why"), ("3", "code")):
            await pilot.press(key)
            await _until(pilot, partial(_is_drawn, app, name))
            assert app.query_one("#faces", TabbedContent).active == name
        tree = _text(app, "tree-text")
        for told in ("band [tile] [parallel]", "coincident", "leaf S1"):
            assert told in tree
        why = _text(app, "why-text")
        assert "OP" in why
        assert "not parallel, S1" in why
        assert "for (int" in _text(app, "code-text")
        assert "not read from a file" in _text(app, "source-text")
        first = tree
        await pilot.press("2", "down", "down", "down", "down")
        await _until(pilot, lambda: _text(app, "tree-text") != first)

    _play(steps)


def test_marked_schedules_are_measured_and_their_times_sorted() -> None:
    measurer = MadeMeasurer(
        Measured(Measurement((0.2,)), 0.4, False),
        Measured(Failure("compile", "no"), 0.4, False),
        Measured(Measurement((0.1,)), 0.4, True),
    )

    async def steps(pilot: Pilot[None], app: Explorer) -> None:
        await pilot.press("space", "down", "space", "down", "space")
        assert [_cell(app, k, 0) for k in range(4)] == ["*", "*", "*", " "]
        await pilot.press("m")
        await _settled(pilot, app)
        ids = [s.id for s in app.space]
        assert measurer.asked == ids[:3]
        assert [_cell(app, k, 2) for k in range(4)] == [
            "200 ms",
            "compile",
            "100 ms",
            "-",
        ]
        assert [_cell(app, k, 3) for k in range(3)] == ["2.00", "-", "4.00"]
        assert app.chosen == set()
        await pilot.press("home", "right", "right", "s")
        assert _ids(app)[:2] == [ids[2], ids[0]]

    _play(steps, measurer)


def test_measuring_is_cancelled_and_can_begin_again() -> None:
    measurer = MadeMeasurer(Measured(Measurement((0.2,)), 0.4, False))
    measurer.may_go.clear()

    async def steps(pilot: Pilot[None], app: Explorer) -> None:
        await pilot.press("space", "down", "space", "m")
        await _until(pilot, lambda: _cell(app, 0, 2) == "...")
        await pilot.press("m")
        assert "is being measured" in _text(app, "message")
        await pilot.press("c")
        await _settled(pilot, app)
        assert "cancelled" in _text(app, "message")
        assert measurer.asked == [app.space.schedules[0].id]
        assert app.measured == {}
        assert _cell(app, 0, 2) == "-"
        await pilot.press("c")
        assert "nothing is being measured" in _text(app, "message")
        await pilot.press("space", "up", "m")  # only the first is marked now
        await _settled(pilot, app)
        assert len(app.measured) == 1

    _play(steps, measurer)


def test_without_a_program_nothing_is_measured() -> None:
    async def steps(pilot: Pilot[None], app: Explorer) -> None:
        await pilot.press("m")
        assert "nothing can be measured" in _text(app, "message")

    _play(steps)


def test_leaving() -> None:
    async def steps(pilot: Pilot[None], app: Explorer) -> None:
        await pilot.press("q")

    assert _play(steps, MadeMeasurer()).return_code == 0


PROGRAM = """\
double A[400], s[1];
int main(void)
{
  for (int i = 0; i < 400; i++) A[i] = i % 7;
#pragma scop
  for (int i = 0; i < 400; i++)
    A[i] = 2.0 * A[i];
#pragma endscop
  return 0;
}
"""


@pytest.mark.cc
def test_outcomes_are_stored_where_tune_finds_them(tmp_path) -> None:
    path = tmp_path / "p.c"
    path.write_text(PROGRAM)
    space = build_space(parse(str(path)), policy="minimal", seconds=20)
    chosen = next(v for v in space.variants if v.id != space.original.id)
    with Database.open(tmp_path / "records.sqlite") as database:
        measurer = ProgramMeasurer(
            space, Toolchain(), RunOptions(), TuneOptions(repeats=1), database
        )
        found = measurer.measure(chosen)
        assert isinstance(found.outcome, Measurement)
        assert not found.is_stored
        assert measurer.measure(chosen).is_stored
        stored = {r.key.schedule for r in database.records()}
        assert chosen.id in stored
        measurer.cancel()
        with pytest.raises(CancelledError):
            measurer.measure(chosen)
        measurer.resume()
        assert measurer.measure(chosen).is_stored


@pytest.mark.cc
@pytest.mark.parametrize("device", ["gpu", pytest.param("cpu", marks=pytest.mark.slow)])
def test_schedules_for_a_device(tmp_path, monkeypatch, device) -> None:
    """Without a GPU they are looked at; the processor measures them if it is asked."""

    def refuse(*_: object) -> DeviceTools:
        raise RunError("found no GPU on this machine")

    async def steps(pilot: Pilot[None], app: Explorer) -> None:
        assert app.space.target == "cuda"
        best = app.variant(app.space.best.id)
        assert "__global__" in best.device_text()
        await pilot.press("m")
        if device == "gpu":
            assert "found no GPU" in _text(app, "message")
        else:
            await _settled(pilot, app)
            assert isinstance(app.measured[best.id].outcome, Measurement)

    monkeypatch.setattr(DeviceTools, "for_gpu", refuse)
    monkeypatch.setattr(Explorer, "run", lambda app: _drive(app, steps))
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    path = tmp_path / "p.c"
    path.write_text(PROGRAM)
    given = ["--target", "cuda", "--device", device, "--policy", "minimal"]
    given += ["--records", str(tmp_path / "records.sqlite")]
    assert main(["explore", str(path), *given]) == 0


def test_needs_a_terminal(tmp_path, capsys) -> None:
    path = tmp_path / "p.c"
    path.write_text(PROGRAM)
    assert main(["explore", str(path)]) == 1
    err = capsys.readouterr().err
    assert "explore needs a terminal" in err
    assert "polysched space" in err


def test_needs_textual(monkeypatch) -> None:
    for name in list(sys.modules):
        if name.startswith("polysched.cli.explorer"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "textual", None)
    with pytest.raises(PolyschedError, match="textual, which is not installed") as e:
        load_explorer()
    assert e.value.hint == "pip install 'polysched[tui]'"


def test_other_missing_modules_are_not_taken_for_textual(monkeypatch) -> None:
    def fail(name: str) -> object:
        raise ModuleNotFoundError("no", name="polysched.cli.explorer")

    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(ModuleNotFoundError):
        load_explorer()
