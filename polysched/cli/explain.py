"""``polysched explain``: why a schedule is what it is."""

from __future__ import annotations

import click

from polysched.cli.app import DONE
from polysched.cli.options import Common, schedule_option, takes_file
from polysched.cli.output import print_json
from polysched.cli.stages import Stages, find_variant
from polysched.cli.tables import (
    field_lines,
    print_seconds,
    short_objectives,
    stage_table,
    stdout_console,
)
from polysched.ir import describe_overlaps, list_questions
from polysched.workflow.explanation import ALL, Explanation
from polysched.workflow.reasons import (
    lane_sentences,
    loop_name,
    short_dependences,
    tile_sentences,
    why_sequential,
    why_split,
)
from polysched.workflow.wanting import read_pins


@click.command("explain")
@takes_file(builds_space=True, has_target=True)
@schedule_option
@click.option(
    "--want",
    multiple=True,
    metavar="PIN",
    help="Say what it would cost if the schedule obeyed this pin, too; all for every "
    "loop that is not parallel and every pair that is not fused; repeatable.",
)
def command(common: Common, want: tuple[str, ...]) -> int:
    """Take one schedule of FILE apart: objectives, loops, lanes, tiles, fusion.

    Without --schedule, the one that the model ranks first.
    """
    read_pins([w for w in want if w != ALL])  # refuse a bad one before the work
    stages = Stages(common)
    spaces = stages.spaces()
    variants = [s.variant() for s in spaces]
    if common.schedule:
        variants = [find_variant(spaces, common.schedule)]
    explained = []
    for variant in variants:
        stages.show(variant)
        with stages.timed("explain"):
            explained.append(variant.explain(want, common.timeout))
    if common.as_json:
        objects = [e.to_json() for e in explained]
        print_json(objects[0] if len(objects) == 1 else {"scops": objects})
    else:
        for k, explanation in enumerate(explained):
            if k:
                click.echo()
            _print_explanation(explanation)
    stages.finish()
    return DONE


def _print_explanation(explanation: Explanation) -> None:
    console = stdout_console()
    schedule = explanation.schedule
    fields = {
        "schedule": f"{schedule.id} of scop {explanation.scop.name}",
        "objectives": short_objectives(schedule.objectives),
        "partition": schedule.partition,
        "script": schedule.script_text or "none",
        **({"pins": schedule.pins_text} if schedule.pins else {}),
        "predicted": print_seconds(schedule.predicted_seconds),
    }
    if questions := list_questions(explanation.scop):
        fields["asked when it runs"] = "; ".join(questions)
    if explanation.scop.is_promised:
        fields["promised"] = describe_overlaps(explanation.scop)
    click.echo("\n".join(field_lines(fields)))
    if schedule.stages:
        click.echo("\nobjectives, one minimised after another:")
        console.print(stage_table(schedule))
    else:
        click.echo("\nno objective asked for it: such a schedule is always tried")
    click.echo("\nloops:")
    click.echo(_indented(explanation.outline))
    click.echo("\nwhat each row of the affine schedule satisfies:")
    for report in explanation.rows:
        told = short_dependences(report.carried) or "nothing"
        click.echo(f"  row {report.row + 1}, {loop_name(report)}: {told}")
    for split in explanation.splits:
        told = short_dependences(split.satisfied)
        if told:
            groups = f"{', '.join(split.first)} before {', '.join(split.second)}"
            click.echo(f"  scalar row {split.row}, {groups}: {told}")
    click.echo("\nwhy loops are not parallel:")
    reasons = dict.fromkeys(
        f"  {loop_name(r)}: {why_sequential(r)}"
        for r in explanation.loops
        if r.obstacle
    )
    click.echo("\n".join(reasons) or "  all of them are")
    _print_reasons(
        "why loops are in no vector lanes", lane_sentences(explanation.lanes)
    )
    _print_reasons("why statements are in no tiles", tile_sentences(explanation.tiles))
    click.echo("\nwhy neighbours are not fused:")
    splits = dict.fromkeys(f"  {why_split(s)}" for s in explanation.splits)
    click.echo("\n".join(splits) or "  no neighbouring loops are apart")
    _print_wants(explanation)


def _print_reasons(title: str, reasons: list[str]) -> None:
    if reasons:
        click.echo("\n".join((f"\n{title}:", *(f"  {r}" for r in reasons))))


def _print_wants(explanation: Explanation) -> None:
    title = "\nwhat would have to be given up:"
    if explanation.wants:
        click.echo(title)
        for want in explanation.wants:
            click.echo(_indented("\n".join(want.lines())))
    elif explanation.open_wants:
        asked = " ".join(f"--want {pin}" for pin in explanation.open_wants)
        click.echo(f"{title} ask with --want all, or one of\n  {asked}")


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
