"""``polysched explore``: walk through a space in the terminal, measuring on the way."""

from __future__ import annotations

import importlib
import sys
from contextlib import closing
from typing import Any

import click

from polysched.base import PolyschedError, RunError, ToolchainError
from polysched.cli.app import DONE
from polysched.cli.device import (
    device_option,
    find_device,
    timed_option,
    tune_options,
)
from polysched.cli.options import Common, takes_file
from polysched.cli.running import runs_program, take_running
from polysched.cli.stages import Stages
from polysched.records import Database
from polysched.workflow import ProgramSpace, find_device_obstacle


@click.command("explore")
@takes_file(builds_space=True, has_target=True)
@click.option(
    "--repeats", type=click.IntRange(1), default=5, show_default=True, help="Runs each."
)
@click.option("--records", metavar="FILE", help="Where outcomes are kept and found.")
@device_option
@timed_option
@runs_program
def command(common: Common, records: str | None, **values: Any) -> int:
    """Walk through the legal schedules of FILE: filter, sort, look at, measure them.

    Needs a terminal, and textual: pip install 'polysched[tui]'. Keys are shown in the
    last line. What is measured is stored in the records, where tune finds it. Without
    a GPU, schedules of --target cuda are looked at only, unless --device=cpu runs them.
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
    if running.build and common.target == "cuda":
        raise click.UsageError("--build builds one file, --target cuda makes two")
    stages = Stages(common)
    space = _only_space(stages)
    with closing(Database.open(records)) as database:
        measurer, obstacle = None, ""
        try:
            device = find_device(common, space.machine, values)
        except (ToolchainError, RunError) as error:
            obstacle = f"{error.message}; {error.hint}" if error.hint else error.message
        else:
            measurer = explorer.ProgramMeasurer(
                space,
                running.toolchain(common),
                running.run_options(common, space.machine.cpu.n_cores),
                tune_options(common, device, values),
                database,
                device,
            )
        explorer.Explorer(space, measurer, obstacle).run()
    stages.finish()
    return DONE


def _only_space(stages: Stages) -> ProgramSpace:
    """The space of the one SCoP that is shown, with something in it for the target."""
    common = stages.common
    spaces = stages.spaces()
    if len(spaces) != 1:
        names = ", ".join(s.scop.name for s in spaces)
        raise PolyschedError(
            f"{common.file!r} has {len(spaces)} scops, explore shows one: {names}",
            hint="choose one with --scop",
        )
    space = spaces[0]
    if space.target == "cuda" and (reason := find_device_obstacle(space, common.param)):
        raise PolyschedError(
            f"nothing of {space.scop.name} for the device: {reason}",
            hint="without --target cuda the processor's schedules are shown",
        )
    return space


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
