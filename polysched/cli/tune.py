"""``polysched tune``: measure the best-ranked schedules, check them, keep the best."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import click

from polysched.cli.app import DONE
from polysched.cli.options import Common, schedule_option, takes_file
from polysched.cli.output import (
    STDOUT,
    check_output,
    one_or_all,
    print_json,
    write_output,
)
from polysched.cli.running import Running, runs_program, take_running
from polysched.cli.space import chosen_features, size_line
from polysched.cli.stages import Stages, find_variant
from polysched.cli.tables import (
    make_table,
    print_number,
    print_seconds,
    short_objectives,
    short_script,
    stdout_console,
)
from polysched.ir import Program
from polysched.machine import Machine
from polysched.records import Database, Failure, Outcome
from polysched.tune import TuneOptions
from polysched.workflow import ProgramSpace, Tuned, Variant, optimize, tune


@click.command("tune")
@takes_file(builds_space=True, has_target=True)
@click.option("-o", "--output", required=True, metavar="OUT", help="- for stdout.")
@click.option(
    "--budget",
    type=click.IntRange(1),
    default=12,
    show_default=True,
    help="How many schedules to measure per scop.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Compilations side by side.",
)
@click.option(
    "--repeats", type=click.IntRange(1), default=5, show_default=True, help="Runs each."
)
@click.option(
    "--records", metavar="FILE", help="Where outcomes are kept; resumes from there."
)
@schedule_option
@runs_program
def command(common: Common, output: str, **values: Any) -> int:
    """Measure the most promising schedules of FILE and write the fastest to OUT.

    The program of FILE is compiled and run with each schedule; its results are compared
    with the original's. Further C files, objects and libraries of the program follow
    after --. Outcomes are recorded: the same command resumes where it was stopped.
    """
    running = take_running(values)
    check_output(output, [common.file, *running.inputs])
    if output == STDOUT and common.as_json:
        raise click.UsageError("-o - and --json both want standard output")
    stages = Stages(common)
    program, scops = stages.parse()
    machine = stages.load_machine()
    options = TuneOptions(
        budget=values["budget"],
        repeats=values["repeats"],
        timeout_seconds=values["run_timeout"],
        jobs=values["jobs"],
        fp=common.fp,
    )
    with closing(Database.open(values["records"])) as database:
        spaces = [stages.build(program, scop, machine) for scop in scops]
        wanted = find_variant(spaces, common.schedule) if common.schedule else None
        chosen = [s for s in spaces if wanted is None or s.scop is wanted.scop]
        found = [
            _tune_one(stages, s, wanted, running, options, database, machine)
            for s in chosen
        ]
    _write(program, found, output)
    if common.as_json:
        print_json(one_or_all("scops", [t.to_json() for t in found]))
    else:
        for tuned in found:
            _print_tuned(tuned, output)
    stages.finish()
    return DONE


def _tune_one(
    stages: Stages,
    space: ProgramSpace,
    wanted: Variant | None,
    running: Running,
    options: TuneOptions,
    database: Database,
    machine: Machine,
) -> Tuned:
    """Tune one SCoP and show what was asked for about its winner."""
    common = stages.common
    with stages.timed(f"measure {space.scop.name}"):
        tuned = tune(
            space,
            candidates=None if wanted is None else [wanted],
            toolchain=running.toolchain(common),
            options=options,
            run_options=running.run_options(common, machine.cpu.n_cores),
            database=database,
            progress=stages.progress,
        )
    if tuned.best is not None:
        stages.show(tuned.best)
    return tuned


def _write(program: Program, found: list[Tuned], output: str) -> None:
    winners = [t.best for t in found if t.best is not None]
    write_output(output, optimize(program, winners) if winners else program.source)


def _print_tuned(tuned: Tuned, output: str) -> None:
    to_stderr = output == STDOUT
    console = stdout_console(stderr=to_stderr)
    space, result = tuned.space, tuned.result
    click.echo(size_line(space), err=to_stderr)
    names = chosen_features([v.features for v in tuned.candidates], console.width)
    columns = (
        "id", "predicted", "measured", "speed-up", "results", *names.values(),
        "objectives", "script",
    )  # fmt: skip
    blank = ("",) * len(names)
    base = print_seconds(result.baseline.median_seconds)
    rows = [("original", "-", base, "1.00", "-", *blank, "source text as it is", "-")]
    by_id = {v.id: v for v in tuned.candidates}
    baseline = result.baseline.median_seconds
    last = set(result.finalists)
    for measured in sorted(
        result.variants, key=lambda v: (v.id not in last, _order(v.outcome))
    ):
        variant = by_id[measured.id]
        rows.append(
            (
                measured.id,
                print_seconds(measured.predicted_seconds),
                *_outcome_cells(measured.outcome, baseline),
                *(print_number(variant.features[n]) for n in names),
                short_objectives(variant.schedule.objectives),
                short_script(variant.schedule.script),
            )
        )
    right = ("predicted", "measured", "speed-up", *names.values())
    console.print(make_table(columns, rows, right=right))
    for measured in result.variants:
        if isinstance(measured.outcome, Failure):
            first = measured.outcome.text.strip().splitlines()[0][:200]
            click.echo(
                f"{measured.id} failed, {measured.outcome.kind}: {first}", err=to_stderr
            )
    if last:
        told = f"the original and the first {len(last)} were timed in turn at the end"
        click.echo(told, err=to_stderr)
    click.echo(_verdict(tuned, output), err=to_stderr)


def _outcome_cells(outcome: Outcome, baseline: float) -> tuple[str, str, str]:
    """Measured time, speed-up and what the comparison of results said."""
    if isinstance(outcome, Failure):
        return "-", "-", outcome.kind
    seconds = outcome.median_seconds
    speedup = f"{baseline / seconds:.2f}" if seconds > 0 else "-"
    if not outcome.matches:
        results = "differ"
    elif outcome.max_relative_error == 0.0:
        results = "equal"
    else:
        results = f"equal to {outcome.max_relative_error:.0e}"
    return print_seconds(seconds), speedup, results


def _order(outcome: Outcome) -> float:
    if isinstance(outcome, Failure):
        return float("inf")
    return outcome.median_seconds


def _verdict(tuned: Tuned, output: str) -> str:
    place = "standard output" if output == STDOUT else output
    n_threads = tuned.result.n_threads
    name = tuned.space.scop.name
    if tuned.best is None:
        text = f"{name}: nothing measured beats the original, which is kept in {place}"
        broken = tuned.space.original.broken_pins
        return f"{text} and does not obey {broken[0]}" if broken else text
    return (
        f"{name}: schedule {tuned.best.id} is {tuned.speedup:.2f} times faster than "
        f"the original with {n_threads} threads, written to {place}"
    )
