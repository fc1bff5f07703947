"""``polysched explore``: walk through a space in the terminal, measuring on the way."""

from __future__ import annotations

import importlib
import sys
from contextlib import closing
from typing import Any

import click

from polysched.base import PolyschedError
from polysched.cli.app import DONE
from polysched.cli.options import Common, takes_file
from polysched.cli.running import runs_program, take_running
from polysched.cli.stages import Stages
from polysched.records import Database
from polysched.tune import TuneOptions


@click.command("explore")
@takes_file(builds_space=True)
@click.option(
    "--repeats", type=click.IntRange(1), default=5, show_default=True, help="Runs each."
)
@click.option("--records", metavar="FILE", help="Where outcomes are kept and found.")
@runs_program
def command(common: Common, repeats: int, records: str | None, **values: Any) -> int:
    """Walk through the legal schedules of FILE: filter, sort, look at, measure them.

    Needs a terminal, and textual: pip install 'polysched[tui]'. Keys are shown in the
    last line. What is measured is stored in the records, where tune finds it.
    """
    if common.as_json:
        raise click.UsageError("explore has no JSON: see polysched space --json")
    explorer = load_explorer()
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise PolyschedError(
            "explore needs a terminal for its screen",
            hint="in a pipe or a script use polysched space or polysched tune",
        )
    running = take_running(values)
    stages = Stages(common)
    spaces = stages.spaces()
    if len(spaces) != 1:
        names = ", ".join(s.scop.name for s in spaces)
        raise PolyschedError(
            f"{common.file!r} has {len(spaces)} scops, explore shows one: {names}",
            hint="choose one with --scop",
        )
    space = spaces[0]
    options = TuneOptions(
        repeats=repeats, timeout_seconds=values["run_timeout"], fp=common.fp
    )
    with closing(Database.open(records)) as database:
        measurer = explorer.ProgramMeasurer(
            space,
            running.toolchain(common),
            running.run_options(common, space.machine.cpu.n_cores),
            options,
            database,
        )
        explorer.Explorer(space, measurer).run()
    stages.finish()
    return DONE


def load_explorer() -> Any:
    """The package of the screen, which needs textual.

    Raises
    ------
    PolyschedError
        If textual is not installed.
    """
    try:
        return importlib.import_module("polysched.cli.explorer")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != "textual":
            raise
        raise PolyschedError(
            "explore needs textual, which is not installed",
            hint="pip install 'polysched[tui]'",
        ) from error
