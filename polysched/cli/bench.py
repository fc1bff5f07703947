"""``polysched bench``: kernels side by side with installed peers."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import click

from polysched.bench import (
    DEPTHS,
    SUITES,
    BenchOptions,
    BenchReport,
    KernelReport,
    bench_page,
    detect_peers,
    find_kernels,
    run_bench,
    select_tools,
)
from polysched.cli.app import DONE, FAILED
from polysched.cli.bar import choose_progress
from polysched.cli.options import (
    Flags,
    preprocessor_part,
    read_params,
    readable_file,
    start_logging,
)
from polysched.cli.output import STDOUT, check_output, write_output
from polysched.cli.tables import make_table, print_seconds, stdout_console
from polysched.machine import Machine
from polysched.records import Database, Failure, Outcome


class Words(click.ParamType[tuple[str, ...]]):
    """Several words with commas between them."""

    name = "words"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Split; an empty piece is a usage error."""
        if isinstance(value, tuple):
            return value
        pieces = tuple(piece.strip() for piece in value.split(","))
        if not all(pieces):
            self.fail(f"found {value!r}, expected words and commas", param, ctx)
        return pieces


class Budgets(click.ParamType[tuple[int, ...]]):
    """Several budgets with commas between them."""

    name = "budgets"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Split; what is no positive integer is a usage error."""
        if isinstance(value, tuple):
            return value
        pieces = [piece.strip() for piece in value.split(",")]
        if not all(p.isdigit() and int(p) for p in pieces):
            self.fail(f"found {value!r}, expected budgets like 1,4,16", param, ctx)
        return tuple(sorted({int(p) for p in pieces}))


@click.command("bench")
@click.argument("kernels", nargs=-1, metavar="[KERNEL]...")
@click.option(
    "--suite",
    "suites",
    type=Words(),
    default=(),
    metavar="NAME,...",
    help=f"{' or '.join(SUITES)}, or a directory of C files; by default {SUITES[0]}.",
)
@click.option(
    "--size",
    "sizes",
    type=Words(),
    default=(),
    metavar="MACRO,...",
    help="Sizes, as MINI, SMALL, MEDIUM, LARGE, EXTRALARGE; by default the files' own.",
)
@click.option(
    "--tools",
    type=Words(),
    default=(),
    metavar="NAME,...",
    help="Only these, as ours,gcc,pluto; by default every one that is installed.",
)
@click.option(
    "--budget",
    type=Budgets(),
    default="1,4,16",
    show_default=True,
    metavar="N,...",
    help="How many variants polysched may measure; each budget is a tool of its own.",
)
@click.option(
    "--regret",
    is_flag=True,
    help="Measure all kept variants, too, and tell how good the model's ranking is.",
)
@click.option(
    "--rounds",
    type=click.IntRange(1),
    default=5,
    show_default=True,
    help="Runs of each program, in turn with all others.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="No round of a kernel is begun that would end later; one is always run.",
)
@click.option(
    "--run-timeout",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="Limit of one run; by default from the original's time.",
)
@click.option(
    "--compile-timeout",
    type=click.FloatRange(0, min_open=True),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Limit of compiling one program of a peer.",
)
@click.option(
    "--threads", type=click.IntRange(1), metavar="N", help="By default one per core."
)
@click.option("-I", "--include", multiple=True, metavar="DIR", help="Header path.")
@click.option("-D", "--define", multiple=True, metavar="NAME[=VALUE]", help="C macro.")
@click.option(
    "--param",
    "parameters",
    multiple=True,
    callback=read_params,
    metavar="NAME=N",
    help="A size for a made-up main; repeatable.",
)
@click.option(
    "--cc",
    default="gcc",
    show_default=True,
    help="Compiler of the original and of our variants.",
)
@click.option(
    "--cflags",
    type=Flags(),
    default="-O3 -march=native",
    show_default=True,
    help="Its options, in one argument.",
)
@click.option(
    "--machine", type=readable_file, help="Machine description instead of this one."
)
@click.option("--records", metavar="FILE", help="Where finished kernels are kept.")
@click.option("--again", is_flag=True, help="Measure what is in the records, too.")
@click.option("--json", "json_to", metavar="OUT", help="Write JSON; - for stdout.")
@click.option("--html", "html_to", metavar="OUT", help="Write a page with bars.")
@click.option("-v", "--verbose", count=True, help="Say more; -vv even more.")
def command(kernels: tuple[str, ...], **values: Any) -> int:
    """Measure kernels with polysched and with whatever peers are installed.

    A KERNEL is a C file or the name of a program of a suite. All programs of a kernel
    are compiled, compared with the original and then run in turn. Finished kernels are
    recorded: the same command goes on where it was stopped.
    """
    start_logging(values["verbose"])
    json_to, html_to = values["json_to"], values["html_to"]
    if json_to == html_to == STDOUT:
        raise click.UsageError("--json - and --html - both want standard output")
    files = find_kernels(kernels, values["suites"], values["sizes"])
    for output in (json_to, html_to):
        if output is not None:
            check_output(output, [f.path for f in files])
    peers, with_ours = select_tools(values["tools"])
    machine = _load_machine(values["machine"])
    options = BenchOptions(
        budgets=values["budget"] if with_ours else (),
        everything=with_ours and values["regret"],
        rounds=values["rounds"],
        seconds=values["timeout"],
        run_timeout=values["run_timeout"],
        compile_timeout=values["compile_timeout"],
        threads=values["threads"] or machine.cpu.n_cores,
        cc=values["cc"],
        cflags=values["cflags"],
        flags=(
            *(f"-I{d}" for d in values["include"]),
            *(f"-D{d}" for d in values["define"]),
            *preprocessor_part(values["cflags"]),
        ),
        parameters=values["parameters"],
        again=values["again"],
    )
    with closing(Database.open(values["records"])) as database:
        report = run_bench(
            files,
            detect_peers(peers),
            options,
            machine=machine,
            database=database,
            progress=choose_progress(),
            tell=_tell,
        )
    _write(report, json_to, html_to)
    measured = [k for k in report.kernels if not k.failure]
    return DONE if measured else FAILED


def _load_machine(path: str | None) -> Machine:
    machine = Machine.load(path) if path else Machine.detect()
    if machine.origin == "detected":
        _note(
            "the ceilings of this machine are estimates",
            "polysched machine --calibrate measures them",
        )
    return machine


def _write(report: BenchReport, json_to: str | None, html_to: str | None) -> None:
    if json_to is not None:
        text = json.dumps(report.to_json(), indent=2, allow_nan=False) + "\n"
        write_output(json_to, text.encode())
    if html_to is not None:
        write_output(html_to, bench_page(report).encode())
    if STDOUT not in (json_to, html_to):
        _print_report(report)


def _tell(kernel: KernelReport) -> None:
    """One line about a kernel that is done."""
    where = " (from the records)" if kernel.is_stored else ""
    title = f"{kernel.name} {kernel.size}".strip()
    if kernel.failure:
        _note(f"{title}: {kernel.failure}")
        return
    best = kernel.best_peer
    told = [f"{title}{where}: {kernel.rounds} rounds"]
    if best is not None:
        told.append(f"best peer {best} {print_seconds(kernel.seconds(best))}")
    own = [t for t in kernel.results if t.startswith("ours-")]
    if own:
        told.append(f"{own[-1]} {print_seconds(kernel.seconds(own[-1]))}")
    if kernel.is_loaded:
        told.append(f"LOADED, others used {kernel.foreign_cores:.2f} cores")
    click.echo(", ".join(told), err=True)


def _note(text: str, hint: str = "") -> None:
    click.echo(f"polysched: warning: {text}", err=True)
    if hint:
        click.echo(f"hint: {hint}", err=True)


def _print_report(report: BenchReport) -> None:
    console = stdout_console()
    columns = ("kernel", "tool", "median", "min", "IQR", "x gcc", "x best strict peer",
               "x best peer", "of roofline", "results")  # fmt: skip
    right = columns[2:9]
    rows = [row for kernel in report.kernels for row in _kernel_rows(kernel)]
    console.print(make_table(columns, rows, right=right))
    _print_failures(report)
    console.print()
    heads = ("tool", "x gcc", "x best strict peer", "x best peer",
             "x gcc, failures as 1", "kernels", "failed")  # fmt: skip
    means = [
        (
            s.tool,
            _ratio(s.over_gcc),
            _ratio(s.over_best_strict_peer),
            _ratio(s.over_best_peer),
            _ratio(s.over_gcc_all),
            str(s.n_kernels),
            str(s.n_failed),
        )
        for s in report.summaries()
    ]
    click.echo("geometric means over the kernels")
    console.print(make_table(heads, means, right=heads[1:]))
    _print_rankings(report)
    reasons = dict.fromkeys(f.absent for f in report.tools if f.absent)
    for reason in reasons:
        names = [f.peer.name for f in report.tools if f.absent == reason]
        click.echo(f"absent, {reason}: {', '.join(names)}")
    loaded = [k.name for k in report.kernels if k.is_loaded]
    if loaded:
        click.echo(f"measured on a loaded machine, doubtful: {', '.join(loaded)}")


def _print_rankings(report: BenchReport) -> None:
    """How the model ranked the variants that were measured."""
    known = [(k, r) for k in report.kernels if (r := k.ranking) is not None]
    if not known:
        return
    depths = tuple(f"regret of {n}" for n in DEPTHS)
    heads = ("kernel", "measured", "of", "Spearman", "Kendall", *depths)
    rows = [
        (
            f"{kernel.name} {kernel.size}".strip(),
            str(len(ranking.pairs)),
            str(ranking.n_kept),
            _ratio(ranking.spearman),
            _ratio(ranking.kendall),
            *(_ratio(ranking.regret(n)) for n in DEPTHS),
        )
        for kernel, ranking in known
    ]
    summary = report.ranking_summary
    means = (_ratio(mean) for _, mean, _ in summary.regrets)
    rows.append(
        ("mean", "", "", _ratio(summary.spearman), _ratio(summary.kendall), *means)
    )
    click.echo("\nthe model's ranking against the measured times")
    stdout_console().print(make_table(heads, rows, right=heads[1:]))


def _kernel_rows(kernel: KernelReport) -> list[tuple[str, ...]]:
    """The bound first, then one row per tool."""
    title = f"{kernel.name} {kernel.size}".strip() + ("*" if kernel.is_loaded else "")
    if kernel.failure:
        return [(title, "-", *("-",) * 7, "not measured")]
    rows: list[tuple[str, ...]] = []
    if kernel.bound is not None:
        bound = kernel.bound
        cached = ", data fit the caches" if bound.fits_cache else ""
        told = f"limited by {bound.limited_by}{cached}"
        seconds = print_seconds(bound.seconds)
        rows.append((title, "roofline", seconds, *("",) * 6, told))
    for tool in kernel.results:
        first = "" if rows else title
        rows.append((first, tool, *_cells(kernel, tool)))
    return rows


def _cells(kernel: KernelReport, tool: str) -> tuple[str, ...]:
    outcome = kernel.results[tool]
    if isinstance(outcome, Failure):
        return (*("-",) * 7, _results(outcome))
    told: dict[str, Any] = kernel.to_json()["results"][tool]  # type: ignore[index]
    fraction = kernel.fraction_of_bound(tool)
    best = " (best peer)" if tool == kernel.best_peer else ""
    if not best and tool == kernel.best_strict_peer:
        best = " (best strict peer)"
    return (
        print_seconds(told["median_seconds"]),
        print_seconds(told["min_seconds"]),
        print_seconds(told["iqr_seconds"]),
        _ratio(told["over_gcc"]),
        _ratio(told["over_best_strict_peer"]),
        _ratio(told["over_best_peer"]),
        "-" if fraction is None else f"{fraction:.1%}",
        f"{_results(outcome)}{best}",
    )


def _results(outcome: Outcome) -> str:
    if isinstance(outcome, Failure):
        return "WRONG" if outcome.kind == "mismatch" else outcome.kind
    note = f", {outcome.note}" if outcome.note else ""
    if outcome.max_relative_error == 0.0:
        return f"equal{note}"
    return f"equal to {outcome.max_relative_error:.0e}{note}"


def _print_failures(report: BenchReport) -> None:
    for kernel in report.kernels:
        for tool, outcome in kernel.results.items():
            if isinstance(outcome, Failure):
                click.echo(f"{kernel.name}, {tool}: {outcome.kind}, {_said(outcome)}")


def _said(failure: Failure) -> str:
    """The first line that tells of an error, or the first."""
    lines = failure.text.strip().splitlines() or [""]
    told = [s for s in lines if "error:" in s or "Unknown" in s]
    return (told or lines)[0].strip()[:200]


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
