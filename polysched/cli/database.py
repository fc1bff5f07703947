"""``polysched database``: build the nano-kernel database, show it, ask it."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial

import click

from polysched.analysis import compute_dependences
from polysched.cli.app import DONE
from polysched.cli.bar import choose_progress
from polysched.cli.options import (
    SECONDS,
    Common,
    readable_file,
    start_logging,
    takes_file,
)
from polysched.cli.output import check_output, one_or_all, print_json
from polysched.cli.stages import Stages
from polysched.cli.tables import make_table, print_number, stdout_console
from polysched.ir import Scop
from polysched.policy import (
    MACHINE_CLASSES,
    MEASURES,
    PARTITION_ORDER,
    SETS,
    NanoDatabase,
    NanoEntry,
    nano_kernels,
    objective_lists,
    par_priority,
    select_parts,
)
from polysched.schedule import PARTITIONS
from polysched.workflow import BuildOptions, build_database, prepare_scop

_FILE = click.option(
    "--file",
    "path",
    type=readable_file,
    help="A database of your own instead of the one that is shipped.",
)
_SET = partial(
    click.option,
    "--set",
    "size",
    type=click.Choice([str(n) for n in SETS]),
    default="6",
    show_default=True,
)
_SHIPPED = _SET(help="Over how many objectives the shipped one is.")
_CLASS = click.Choice(tuple(MACHINE_CLASSES))


@click.group("database")
def command() -> None:
    """Build, show and ask the nano-kernel database that chooses objectives."""


@command.command("build")
@click.option("-o", "--out", required=True, metavar="FILE", help="File to write.")
@_SET(help="How many objectives the lists are made of.")
@click.option(
    "--machine",
    "machines",
    multiple=True,
    type=_CLASS,
    help="Class by number of cores, below 8, below 20 or more; repeatable; all by "
    "default.",
)
@click.option(
    "--kernel", "kernels", multiple=True, metavar="NAME", help="Only this; repeatable."
)
@click.option(
    "--timeout",
    **SECONDS,
    help="Stop after so long; the same command goes on later.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=os.cpu_count() or 1,
    show_default="one per core",
    help="Processes.",
)
@click.option("-v", "--verbose", count=True, help="Say more; -vv even more.")
def build(
    out: str,
    size: str,
    machines: tuple[str, ...],
    kernels: tuple[str, ...],
    timeout: float | None,
    jobs: int,
    verbose: int,
) -> int:
    """Solve every nano-kernel under every ordered list of two and three objectives.

    What is done is kept in FILE.part until all of it is.
    """
    start_logging(verbose)
    check_output(out, ())
    options = BuildOptions(
        SETS[int(size)],
        tuple(dict.fromkeys(machines)) or tuple(MACHINE_CLASSES),
        kernels,
    )
    built = build_database(
        out, options, seconds=timeout, jobs=jobs, progress=choose_progress()
    )
    click.echo(f"{out}: {_size_line(built)}")
    return DONE


@command.command("show")
@_FILE
@_SHIPPED
@click.option("--kernel", metavar="NAME", help="All rows of one nano-kernel.")
@click.option(
    "--machine", type=_CLASS, default="few", show_default=True, help="Whose rows."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(
    path: str | None, size: str, kernel: str | None, machine: str, as_json: bool
) -> int:
    """List the nano-kernels with the best list of each, or the rows of one."""
    database = _load(path, size)
    if machine not in database.machines:
        known = ", ".join(database.machines)
        raise click.UsageError(f"the database has rows for {known}, not for {machine}")
    if as_json and kernel is None:
        print_json(database.to_json())
    elif kernel is None:
        _print_database(database, machine)
    else:
        _print_rows(database, _find(database, kernel), machine, as_json)
    return DONE


@command.command("query")
@takes_file(builds_space=False)
@_FILE
@_SHIPPED
@click.option(
    "--machine",
    "cores",  # a shared flag of the same name is a file
    type=_CLASS,
    default="few",
    show_default=True,
    help="Whose rows.",
)
@click.option(
    "--partition",
    "partitions",
    multiple=True,
    type=click.Choice(tuple(PARTITIONS)),
    help="Which statements go together; repeatable; the five of the policy by default.",
)
def query(
    common: Common,
    path: str | None,
    size: str,
    cores: str,
    partitions: tuple[str, ...],
) -> int:
    """Say which objectives the database selects for the scops of FILE, and why."""
    database = _load(path, size)
    names = partitions or PARTITION_ORDER
    stages = Stages(common)
    _, scops = stages.parse()
    answers = [_answer(prepare_scop(s), database, cores, names) for s in scops]
    if common.as_json:
        print_json(one_or_all("scops", answers))
    else:
        for answer in answers:
            _print_answer(answer)
    stages.finish()
    return DONE


def _load(path: str | None, size: str) -> NanoDatabase:
    return NanoDatabase.load(path) if path else NanoDatabase.shipped(int(size))


def _size_line(database: NanoDatabase) -> str:
    lists = len(objective_lists(database.objectives))
    return (
        f"{len(database.entries)} nano-kernels, {lists} lists of "
        f"{', '.join(database.objectives)}, machines with "
        f"{', '.join(database.machines)} cores, {database.n_rows} rows, built in "
        f"{database.seconds:.0f} s of processor time"
    )


def _print_database(database: NanoDatabase, machine: str) -> None:
    click.echo(_size_line(database))
    priority = par_priority(MACHINE_CLASSES[machine].n_cores)
    rows = []
    for entry in database.entries:
        answer = database.query(replace(entry.key, par_priority=priority))
        best = ">".join(answer.objectives) if answer else "-"
        n = len({k for k in entry.rows[machine] if k >= 0})
        rows.append((entry.kernel, str(entry.key), str(n), best))
    columns = ("kernel", "key", "outcomes", f"best with {machine} cores")
    stdout_console().print(make_table(columns, rows, right=("outcomes",)))


def _find(database: NanoDatabase, kernel: str) -> NanoEntry:
    for entry in database.entries:
        if entry.kernel == kernel:
            return entry
    known = ", ".join(k.name for k in nano_kernels())
    raise click.UsageError(f"no nano-kernel named {kernel!r}; there are: {known}")


def _print_rows(
    database: NanoDatabase, entry: NanoEntry, machine: str, as_json: bool
) -> None:
    lists = objective_lists(database.objectives)
    found = list(zip(lists, entry.rows[machine], strict=True))
    if as_json:
        listed = [
            {"objectives": list(names), "features": entry.outcomes[k]}
            for names, k in found
            if k >= 0
        ]
        key = entry.key.to_json()
        print_json({"kernel": entry.kernel, "key": key, "rows": listed})
        return
    click.echo(f"{entry.kernel}: {entry.key}")
    by_outcome: dict[int, list[str]] = {}
    for names, k in found:
        by_outcome.setdefault(k, []).append(">".join(names))
    rows = [
        (
            str(len(names)),
            *(print_number(entry.outcomes[k][m]) if k >= 0 else "-" for m in MEASURES),
            ", ".join(names[:3]) + (", ..." if len(names) > 3 else ""),
        )
        for k, names in by_outcome.items()
    ]
    columns = ("lists", *MEASURES, "such as")
    right = ("lists", *MEASURES)
    stdout_console().print(make_table(columns, rows, right=right))


def _answer(
    scop: Scop, database: NanoDatabase, machine: str, partitions: tuple[str, ...]
) -> dict[str, object]:
    dependences = compute_dependences(scop)
    facts = MACHINE_CLASSES[machine]
    found = {
        name: [
            {
                "statements": list(part.statements),
                "objectives": list(part.objectives),
                "shape": part.shape,
                "reasons": [str(choice) for choice in selected.choices],
            }
            for part, selected in select_parts(scop, dependences, name, database, facts)
        ]
        for name in partitions
    }
    return {"scop": scop.name, "machine": machine, "partitions": found}


def _print_answer(answer: dict[str, object]) -> None:
    click.echo(f"scop {answer['scop']}, machine with {answer['machine']} cores")
    partitions = answer["partitions"]
    assert isinstance(partitions, dict)
    for name, parts in partitions.items():
        click.echo(f"{name}:")
        for part in parts:
            listed = ">".join(part["objectives"])
            click.echo(f"  {' '.join(part['statements'])}: {listed} ({part['shape']})")
            for reason in part["reasons"]:
                click.echo(f"    {reason}")
