"""``polysched optimize``: the same program with another schedule; nothing is run."""

from __future__ import annotations

from dataclasses import replace

import click

from polysched.base import CodegenError
from polysched.cli.app import DONE
from polysched.cli.options import (
    Common,
    fallback_option,
    schedule_option,
    takes_file,
)
from polysched.cli.output import STDOUT, Outputs, print_json
from polysched.cli.stages import Stages, find_variant
from polysched.cli.tables import print_seconds, short_objectives, short_script
from polysched.ir import Program
from polysched.workflow import (
    ProgramSpace,
    Variant,
    check_device_space,
    optimize,
    optimize_device,
    with_build_line,
)


@click.command("optimize")
@takes_file(builds_space=True, has_target=True)
@click.option("-o", "--output", required=True, metavar="OUT", help="- for stdout.")
@schedule_option
@fallback_option
def command(common: Common, output: str, fallback: str) -> int:
    """Write FILE to OUT with every scop replaced by its first-ranked schedule.

    With --schedule, only the scop that has the schedule is replaced. What is outside
    the scops is kept byte for byte. With --target cuda, OUT.cu is written beside OUT.c.
    """
    outputs = Outputs.of(output, common.target)
    outputs.check([common.file, *([common.machine] if common.machine else [])])
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
            variants = [_first(stages, space, fallback) for space in spaces]
        variants = [
            with_build_line(v, outputs.program, spaces[0].machine) for v in variants
        ]
        content, device = optimize(program, variants), optimize_device(variants)
    for variant in variants:
        stages.show(variant)
    outputs.write(content, device)
    if common.as_json:
        scops = [
            {"scop": v.scop.name, "target": v.target, **v.schedule.to_json()}
            for v in variants
        ]
        written = outputs if device else replace(outputs, device="")
        print_json({"target": common.target, **written.to_json(), "scops": scops})
    else:
        for variant in variants:
            click.echo(_summary(variant, outputs), err=output == STDOUT)
    stages.finish()
    return DONE


def _first(stages: Stages, space: ProgramSpace, fallback: str) -> Variant:
    """The best-ranked variant, or the processor's where the device gets nothing."""
    if space.target == "cuda":
        try:
            check_device_space(space, stages.common.param)
            return _first_printable(space)
        except CodegenError as error:
            if fallback != "host":
                raise
            click.echo(f"polysched: {error.message}", err=True)
        space = stages.host_space(space)
    return _first_printable(space)


def _first_printable(space: ProgramSpace) -> Variant:
    before = print_seconds(space.original.predicted_seconds)

    def explain(variant: Variant, n_skipped: int) -> str:
        predicted = print_seconds(variant.predicted_seconds)
        return (
            f"ranked {n_skipped + 1} of {len(space)} legal schedules, "
            f"policy {space.policy}; predicted {predicted}, source order {before}"
        )

    variant, skipped = space.first_printable(explain)
    for dropped in skipped:
        click.echo(f"polysched: skipped {dropped.what}: {dropped.reason}", err=True)
    return variant


def _program(spaces: list[ProgramSpace]) -> Program:
    program = spaces[0].program
    assert program is not None
    return program


def _summary(variant: Variant, outputs: Outputs) -> str:
    schedule = variant.schedule
    return (
        f"{variant.scop.name}: schedule {schedule.id} "
        f"({short_objectives(schedule.objectives)}; {short_script(schedule.script)}) "
        f"written to {outputs.place(variant.target)}"
    )
