"""``polysched space``: the legal schedules of a file, counted and listed."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

import click

from polysched.analysis import FEATURES
from polysched.cli.app import DONE
from polysched.cli.options import Common, takes_file
from polysched.cli.output import (
    check_output,
    one_or_all,
    print_json,
    write_output,
)
from polysched.cli.stages import Stages
from polysched.cli.tables import (
    make_table,
    print_number,
    print_seconds,
    short_objectives,
    short_script,
    stdout_console,
)
from polysched.space import Schedule
from polysched.workflow import ProgramSpace

MAIN_FEATURES = {
    "outer_parallel": "outer",
    "n_parallel_loops": "par",
    "max_band_depth": "band",
    "stride_score": "stride",
    "fusion_score": "fission",
}
_N_SHOWN, _N_SHOWN_NARROW, _WIDE = 5, 3, 120


@click.command("space")
@takes_file(builds_space=True)
@click.option(
    "--csv", "csv_path", metavar="OUT", help="Write all features as CSV; - for stdout."
)
@click.option(
    "--limit", type=click.IntRange(1), metavar="N", help="Keep at most N schedules."
)
def command(common: Common, csv_path: str | None, limit: int | None) -> int:
    """Build the space of legal schedules of FILE and list it, best predicted first."""
    if csv_path == "-" and common.as_json:
        raise click.UsageError("--csv - and --json both want standard output")
    if csv_path:
        check_output(csv_path, [common.file])
    stages = Stages(common)
    spaces = stages.spaces(limit)
    for space in spaces:
        for variant in space.variants:
            stages.show(variant)
    if csv_path:
        write_output(csv_path, _csv(spaces).encode())
    if common.as_json:
        print_json(one_or_all("scops", [s.to_json() for s in spaces]))
    elif csv_path != "-":
        for k, space in enumerate(spaces):
            if k:
                click.echo()
            _print_space(space, common.verbose)
    stages.finish()
    return DONE


def _print_space(space: ProgramSpace, verbose: int) -> None:
    console = stdout_console()
    click.echo(size_line(space))
    names = chosen_features([s.features for s in space], console.width)
    columns = ("#", "id", "predicted", *names.values(), "objectives", "script")
    rows = [
        (
            str(k + 1),
            s.id,
            print_seconds(s.predicted_seconds),
            *(print_number(s.features[n]) for n in names),
            short_objectives(s.objectives),
            short_script(s.script),
        )
        for k, s in enumerate(space)
    ]
    right = ("#", "predicted", *names.values())
    console.print(make_table(columns, rows, right=right))
    if not verbose:
        if space.dropped:
            click.echo(f"{len(space.dropped)} candidates dropped, reasons with -v")
        return
    for name, short in names.items():
        click.echo(f"{short}: {FEATURES.get(name, name)}")
    for dropped in space.dropped:
        click.echo(f"dropped {dropped.what}: {dropped.reason}")


def size_line(space: ProgramSpace) -> str:
    """Name, and how many candidates each stage left."""
    size = space.size
    return (
        f"scop {space.scop.name}, {len(space.scop.statements)} statements, "
        f"policy {space.policy}: {size.asked} asked, {size.solved} solved, "
        f"{size.distinct} distinct, {size.kept} kept, in {space.seconds:.1f} s"
    )


def chosen_features(
    features: Sequence[Mapping[str, float]], width: int
) -> dict[str, str]:
    """The few features to show in a terminal of some width, with short names."""
    count = _N_SHOWN if width >= _WIDE else _N_SHOWN_NARROW
    common = set(features[0]).intersection(*features) if features else set()
    known = {n: short for n, short in MAIN_FEATURES.items() if n in common}
    if known:
        return dict(list(known.items())[:count])
    return {n: n for n in sorted(common)[:count]}


def _csv(spaces: Sequence[ProgramSpace]) -> str:
    rows: list[tuple[str, Schedule]] = [(s.scop.name, p) for s in spaces for p in s]
    names = list(dict.fromkeys(n for _, p in rows for n in p.features))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        ("scop", "id", "objectives", "partition", "script", "predicted_seconds", *names)
    )
    for scop, p in rows:
        predicted = "" if p.predicted_seconds is None else p.predicted_seconds
        values = [p.features.get(n, "") for n in names]
        asked = ">".join(p.objectives)
        writer.writerow(
            (scop, p.id, asked, p.partition, p.script_text, predicted, *values)
        )
    return out.getvalue()
