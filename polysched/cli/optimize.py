"""``polysched optimize``: the same program with another schedule; nothing is run."""

from __future__ import annotations

import click

from polysched.cli.app import DONE
from polysched.cli.options import Common, schedule_option, takes_file
from polysched.cli.output import STDOUT, check_output, print_json, write_output
from polysched.cli.stages import Stages, find_variant
from polysched.cli.tables import print_seconds, short_objectives, short_script
from polysched.ir import Program
from polysched.workflow import ProgramSpace, Variant, optimize


@click.command("optimize")
@takes_file(builds_space=True)
@click.option("-o", "--output", required=True, metavar="OUT", help="- for stdout.")
@schedule_option
@click.option(
    "--target", type=click.Choice(["openmp"]), default="openmp", show_default=True
)
def command(common: Common, output: str, target: str) -> int:
    """Write FILE to OUT with every scop replaced by its first-ranked schedule.

    With --schedule, only the scop that has the schedule is replaced. What is outside
    the scops is kept byte for byte.
    """
    check_output(output, [common.file, *([common.machine] if common.machine else [])])
    if output == STDOUT and common.as_json:
        raise click.UsageError("-o - and --json both want standard output")
    stages = Stages(common)
    spaces = stages.spaces()
    program = _program(spaces)
    with stages.timed("print"):
        if common.schedule:
            chosen = find_variant(spaces, common.schedule)
            variants = [chosen.because("named on the command line")]
        else:
            variants = [_first(space) for space in spaces]
        content = optimize(program, variants)
    for variant in variants:
        stages.show(variant)
    write_output(output, content)
    if common.as_json:
        scops = [{"scop": v.scop.name, **v.schedule.to_json()} for v in variants]
        print_json({"output": output, "scops": scops})
    else:
        for variant in variants:
            click.echo(_summary(variant, output), err=output == STDOUT)
    stages.finish()
    return DONE


def _first(space: ProgramSpace) -> Variant:
    variant, skipped = space.first_printable()
    for dropped in skipped:
        click.echo(f"polysched: skipped {dropped.what}: {dropped.reason}", err=True)
    predicted = print_seconds(variant.predicted_seconds)
    before = print_seconds(space.original.predicted_seconds)
    reason = (
        f"ranked {len(skipped) + 1} of {len(space)} legal schedules, "
        f"policy {space.policy}; predicted {predicted}, source order {before}"
    )
    return variant.because(reason)


def _program(spaces: list[ProgramSpace]) -> Program:
    program = spaces[0].program
    assert program is not None
    return program


def _summary(variant: Variant, output: str) -> str:
    schedule = variant.schedule
    place = "standard output" if output == STDOUT else output
    return (
        f"{variant.scop.name}: schedule {schedule.id} "
        f"({short_objectives(schedule.objectives)}; {short_script(schedule.script)}) "
        f"written to {place}"
    )
