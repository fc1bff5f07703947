"""``polysched space``: the legal schedules of a file, counted and listed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import click

from polysched.cli.app import DONE
from polysched.cli.options import Common, takes_file
from polysched.cli.output import (
    STDOUT,
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
from polysched.space import (
    ExpressionError,
    check_condition,
    fact_sentence,
    spaces_csv,
    spaces_text,
)
from polysched.workflow import ProgramSpace

DEVICE_MAIN_FEATURES = {
    "n_kernels": "kernels",
    "launches_log10": "launches",
    "blocks_log10": "blocks",
    "block_threads": "threads",
    "coalesced": "coalesced",
}
MAIN_FEATURES = {
    "outer_parallel": "outer",
    "n_parallel_loops": "par",
    "max_band_depth": "band",
    "stride_score": "stride",
    "fusion_score": "fission",
}
_N_SHOWN, _N_SHOWN_NARROW, _WIDE = 5, 3, 120
_N_KINDS, _MAX_REASON = 4, 40


@dataclass(frozen=True)
class Choice:
    """Which schedules of a space to show, and in which order.

    Attributes
    ----------
    condition : str
        What they must satisfy.
    pareto : tuple of str
        Features of which they must be on the front.
    sample : int or None
        How many to keep, spread over the features.
    sort : str
        What to order them by; by predicted time when empty.
    """

    condition: str = ""
    pareto: tuple[str, ...] = ()
    sample: int | None = None
    sort: str = ""

    def apply(self, space: ProgramSpace) -> ProgramSpace:
        """The space that is left, in this order: filter, front, sample, sort."""
        if self.condition:
            space = space.filter(self.condition)
        if self.pareto:
            space = space.pareto(*self.pareto)
        if self.sample is not None:
            space = space.sample(self.sample)
        return space.sort(self.sort) if self.sort else space

    @property
    def named(self) -> tuple[str, ...]:
        """Features that it names, to show them first."""
        sort = (self.sort,) if self.sort.isidentifier() else ()
        return tuple(dict.fromkeys((*self.pareto, *sort)))


def _read_condition(
    ctx: click.Context, param: click.Parameter, text: str | None
) -> str:
    """Refuse a bad condition before the space is built."""
    if text is None:
        return ""
    try:
        check_condition(text)
    except ExpressionError as error:
        hint = f"; {error.hint}" if error.hint else ""
        raise click.BadParameter(f"{error.message}{hint}", ctx, param) from None
    return text.strip()


def _read_names(
    ctx: click.Context, param: click.Parameter, text: str | None
) -> tuple[str, ...]:
    names = tuple(n.strip() for n in (text or "").split(",") if n.strip())
    for name in names:
        if not name.isidentifier():
            message = f"found {name!r}, expected features as in depth,stride_score"
            raise click.BadParameter(message, ctx, param)
        _read_condition(ctx, param, name)
    return names


_SELECTION = (
    click.option(
        "--filter",
        "condition",
        callback=_read_condition,
        metavar="EXPR",
        help="Only schedules for which this holds, as 'outer_parallel > 0'.",
    ),
    click.option(
        "--pareto",
        callback=_read_names,
        metavar="F,G",
        help="Of these, only those that none beats in all of the features.",
    ),
    click.option(
        "--sample",
        type=click.IntRange(1),
        metavar="N",
        help="Of these, N that differ most, the fastest predicted among them.",
    ),
    click.option(
        "--sort",
        callback=_read_condition,
        metavar="FEATURE",
        help="Order by a feature, the better first, instead of predicted time.",
    ),
)
_FILES = (
    click.option("--csv", metavar="OUT", help="Write all features; - for stdout."),
    click.option("--html", metavar="OUT", help="Write a page to read in a browser."),
    click.option("--save", metavar="OUT", help="Write the space for load_space."),
)


def _selects(command: Callable[..., int]) -> Callable[..., int]:
    """Add the flags of selection and of output files to a command."""
    for option in reversed((*_SELECTION, *_FILES)):
        command = option(command)
    return command


@click.command("space")
@takes_file(builds_space=True, has_target=True)
@_selects
@click.option(
    "--limit", type=click.IntRange(1), metavar="N", help="Keep at most N schedules."
)
def command(
    common: Common,
    condition: str,
    pareto: tuple[str, ...],
    sample: int | None,
    sort: str,
    csv: str | None,
    html: str | None,
    save: str | None,
    limit: int | None,
) -> int:
    """Build the space of legal schedules of FILE and list it, best predicted first.

    Numbers of a schedule that --filter, --pareto and --sort take are its features and
    predicted_seconds; -v explains those that are shown, --html all of them.
    """
    outputs = {"--csv": csv, "--html": html, "--save": save}
    _check_outputs(outputs, common)
    selection = Choice(condition, pareto, sample, sort)
    stages = Stages(common)
    spaces = [selection.apply(s) for s in stages.spaces(limit)]
    for space in spaces:
        for variant in space.variants:
            stages.show(variant)
    if csv:
        write_output(csv, spaces_csv(spaces).encode())
    if html:
        axes = (pareto[0], pareto[1]) if len(pareto) > 1 else None
        from polysched.show import spaces_report  # slow to load

        page = spaces_report(spaces, axes, f"schedule spaces of {common.file}")
        write_output(html, page.encode())
    if save:
        write_output(save, spaces_text(spaces).encode())
    if common.as_json:
        print_json(one_or_all("scops", [s.to_json() for s in spaces]))
    elif STDOUT not in outputs.values():
        for k, space in enumerate(spaces):
            if k:
                click.echo()
            _print_space(space, selection, common.verbose)
    stages.finish()
    return DONE


def _check_outputs(outputs: Mapping[str, str | None], common: Common) -> None:
    """Refuse, before any work, files that cannot be written and one file twice."""
    to_stdout = [f"{flag} -" for flag, path in outputs.items() if path == STDOUT]
    to_stdout += ["--json"] if common.as_json else []
    if len(to_stdout) > 1:
        told = " and ".join(to_stdout)
        raise click.UsageError(f"{told} both want standard output")
    paths = [path for path in outputs.values() if path and path != STDOUT]
    for k, path in enumerate(paths):
        check_output(path, [common.file, *paths[:k]])


def _print_space(space: ProgramSpace, selection: Choice, verbose: int) -> None:
    console = stdout_console()
    click.echo(size_line(space))
    shown = {n: n for n in selection.named if n != "predicted_seconds"}
    main = chosen_features([s.features for s in space], console.width)
    names = {**shown, **{n: s for n, s in main.items() if n not in shown}}
    columns = ("#", "id", "predicted", *names.values(), "objectives", "script")
    rows = []
    for k, s in enumerate(space):
        facts = s.facts
        rows.append(
            (
                str(k + 1),
                s.id,
                print_seconds(s.predicted_seconds),
                *(print_number(facts[n]) if n in facts else "-" for n in names),
                short_objectives(s.objectives),
                short_script(s.script),
            )
        )
    right = ("#", "predicted", *names.values())
    if rows:
        console.print(make_table(columns, rows, right=right))
    if not verbose:
        if space.dropped:
            click.echo(_dropped_line(space))
        return
    for name, short in names.items():
        click.echo(f"{short}: {fact_sentence(name)}")
    for dropped in space.dropped:
        click.echo(f"dropped {dropped.what}: {dropped.reason}")


def _dropped_line(space: ProgramSpace) -> str:
    """How many candidates went, by the most frequent kinds of reason."""
    counts = space.drop_counts()
    kinds = [f"{n} {short_reason(kind)}" for kind, n in counts.items()][:_N_KINDS]
    kinds += ["others"] if len(counts) > _N_KINDS else []
    told = ", ".join(kinds)
    return f"{len(space.dropped)} candidates dropped, reasons with -v: {told}"


def short_reason(kind: str) -> str:
    """A kind of reason that fits into a line."""
    return kind if len(kind) <= _MAX_REASON else f"{kind[: _MAX_REASON - 3]}..."


def size_line(space: ProgramSpace) -> str:
    """Name, and how many candidates each stage left."""
    size, n = space.size, len(space.scop.statements)
    return (
        f"scop {space.scop.name}, {n} statement{'s' * (n != 1)}, "
        f"policy {space.policy}: {size.asked} asked, {size.solved} solved, "
        f"{size.distinct} distinct, {size.kept} kept, in {space.seconds:.1f} s"
    )


def chosen_features(
    features: Sequence[Mapping[str, float]], width: int
) -> dict[str, str]:
    """The few features to show in a terminal of some width, with short names."""
    count = _N_SHOWN if width >= _WIDE else _N_SHOWN_NARROW
    common = set(features[0]).intersection(*features) if features else set()
    wanted = DEVICE_MAIN_FEATURES if "n_kernels" in common else MAIN_FEATURES
    known = {n: short for n, short in wanted.items() if n in common}
    if known:
        return dict(list(known.items())[:count])
    return {n: n for n in sorted(common)[:count]}
