"""``polysched tune``: measure the best-ranked schedules, check them, keep the best."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

import click

from polysched.base import CodegenError
from polysched.cli.app import DONE
from polysched.cli.device import (
    device_option,
    find_device,
    timed_option,
    tune_options,
)
from polysched.cli.options import (
    Common,
    fallback_option,
    schedule_option,
    takes_file,
)
from polysched.cli.output import (
    STDOUT,
    Outputs,
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
from polysched.ir import Program, Scop
from polysched.machine import Machine
from polysched.records import Database, Failure, Outcome
from polysched.runtime import DeviceTools
from polysched.tune import TuneOptions, observe_sizes
from polysched.workflow import (
    ProgramSpace,
    Tuned,
    Variant,
    check_device_space,
    optimize,
    optimize_device,
    tune,
    with_build_line,
)


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
@device_option
@timed_option
@click.option("--html", metavar="OUT", help="Write a report to read in a browser.")
@fallback_option
@schedule_option
@runs_program
def command(common: Common, output: str, html: str | None, **values: Any) -> int:
    """Measure the most promising schedules of FILE and write the fastest to OUT.

    The program of FILE is compiled and run with each schedule; its results are compared
    with the original's. Further C files, objects and libraries of the program follow
    after --. Outcomes are recorded: the same command resumes where it was stopped.
    """
    running = take_running(values)
    if running.build and common.target == "cuda":
        raise click.UsageError("--build builds one file, --target cuda makes two")
    outputs = Outputs.of(output, common.target)
    outputs.check([common.file, *running.inputs])
    if output == STDOUT and common.as_json:
        raise click.UsageError("-o - and --json both want standard output")
    if html is not None:
        if html == STDOUT and (common.as_json or output == STDOUT):
            raise click.UsageError("--html - wants standard output for itself")
        check_output(html, [common.file, *running.inputs, *outputs.files])
    stages = Stages(common)
    program, scops = stages.parse()
    machine = stages.load_machine()
    device = find_device(common, machine, values)
    options = tune_options(
        common, device, values, budget=values["budget"], jobs=values["jobs"]
    )
    with closing(Database.open(values["records"])) as database:
        built = [
            _build(stages, program, scop, machine, running, options) for scop in scops
        ]
        spaces = [_for_device(stages, s, values["fallback"]) for s in built]
        wanted = find_variant(spaces, common.schedule) if common.schedule else None
        chosen = [s for s in spaces if wanted is None or s.scop is wanted.scop]
        found = [
            _tune_one(
                stages,
                s,
                wanted,
                running,
                options,
                database,
                device if s.target == "cuda" else None,
            )
            for s in chosen
        ]
    _write(program, found, outputs)
    if html is not None:
        from polysched.show import tuned_report  # slow to load

        page = tuned_report(found, f"tuning of {common.file}")
        write_output(html, page.encode())
    if common.as_json:
        print_json(one_or_all("scops", [t.to_json() for t in found]))
    elif html != STDOUT:
        for tuned in found:
            _print_tuned(tuned, outputs, common.param)
    stages.finish()
    return DONE


def _build(
    stages: Stages,
    program: Program,
    scop: Scop,
    machine: Machine,
    running: Running,
    options: TuneOptions,
) -> ProgramSpace:
    """The space for the sizes that the program has when it runs.

    With ``--schedule`` for those of ``--param`` alone, as the commands that list ids.
    """
    common = stages.common

    def look() -> dict[str, int]:
        return observe_sizes(
            program,
            scop,
            toolchain=running.toolchain(common),
            options=options,
            run_options=running.run_options(common, machine.cpu.n_cores),
        )

    sizes = common.param if common.schedule else stages.sizes(scop, look)
    return stages.build(program, scop, machine, parameters=sizes)


def _tune_one(
    stages: Stages,
    space: ProgramSpace,
    wanted: Variant | None,
    running: Running,
    options: TuneOptions,
    database: Database,
    device: DeviceTools | None,
) -> Tuned:
    """Tune one SCoP and show what was asked for about its winner."""
    common = stages.common
    with stages.timed(f"measure {space.scop.name}"):
        tuned = tune(
            space,
            candidates=None if wanted is None else [wanted],
            toolchain=running.toolchain(common),
            options=options,
            run_options=running.run_options(common, space.machine.cpu.n_cores),
            database=database,
            progress=stages.progress,
            device=device,
        )
    if tuned.best is not None:
        stages.show(tuned.best)
    return tuned


def _for_device(stages: Stages, space: ProgramSpace, fallback: str) -> ProgramSpace:
    """The space, or the processor's where the device gets nothing."""
    if space.target != "cuda":
        return space
    try:
        check_device_space(space, stages.common.param)
    except CodegenError as error:
        if fallback != "host":
            raise
        click.echo(f"polysched: {error.message}", err=True)
        return stages.host_space(space)
    return space


def _write(program: Program, found: list[Tuned], outputs: Outputs) -> None:
    """Write the winners; a program without any stays as it is."""
    winners = [
        with_build_line(t.best, outputs.program, t.space.machine)
        for t in found
        if t.best is not None
    ]
    if winners:
        outputs.write(optimize(program, winners), optimize_device(winners))
    else:
        outputs.write(program.source, "")


def _seen_sizes(space: ProgramSpace, given: Mapping[str, int]) -> str:
    """The sizes that the command line does not say, as it would say them."""
    found = space.options.parameters.items()
    return " ".join(f"--param {name}={n}" for name, n in found if name not in given)


def _print_tuned(tuned: Tuned, outputs: Outputs, given: Mapping[str, int]) -> None:
    to_stderr = outputs.program == STDOUT
    console = stdout_console(stderr=to_stderr)
    space, result = tuned.space, tuned.result
    click.echo(size_line(space), err=to_stderr)
    if seen := _seen_sizes(space, given):
        click.echo(f"sizes as the program runs: {seen}", err=to_stderr)
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
    click.echo(_verdict(tuned, outputs), err=to_stderr)
    if result.is_loaded and tuned.is_timed:
        told = f"other programs kept {result.foreign_cores:.1f} cores busy meanwhile"
        click.echo(f"{told}: the times are doubtful, tune again", err=True)


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


def _verdict(tuned: Tuned, outputs: Outputs) -> str:
    name = tuned.space.scop.name
    if tuned.best is None:
        place = outputs.place("openmp")
        why = "nothing measured beats" if tuned.is_timed else "nothing does the same as"
        text = f"{name}: {why} the original, which is kept in {place}"
        broken = tuned.space.original.broken_pins
        return f"{text} and does not obey {broken[0]}" if broken else text
    place = outputs.place(tuned.best.target)
    if not tuned.is_timed:
        return (
            f"{name}: schedule {tuned.best.id} is the best ranked whose results are "
            f"right {tuned.where}, written to {place}"
        )
    threads = f"{tuned.result.n_threads} threads"
    where = f"with {threads}" if tuned.device is None else tuned.where
    return (
        f"{name}: schedule {tuned.best.id} is {tuned.speedup:.2f} times faster than "
        f"the original {where}, written to {place}"
    )
