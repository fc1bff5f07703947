"""``polysched bench``: kernels side by side with installed peers."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from typing import Any

import click

from polysched.base import PolyschedError
from polysched.bench import (
    SUITES,
    BenchOptions,
    BenchReport,
    KernelReport,
    bench_figure,
    bench_markdown,
    bench_page,
    detect_peers,
    find_kernels,
    run_bench,
    select_tools,
)
from polysched.cli.app import DONE, FAILED
from polysched.cli.bar import choose_progress
from polysched.cli.bench_tables import print_report
from polysched.cli.options import (
    SECONDS,
    Flags,
    preprocessor_part,
    read_params,
    readable_file,
    start_logging,
)
from polysched.cli.output import STDOUT, check_output, write_output
from polysched.cli.tables import print_seconds
from polysched.machine import Machine
from polysched.records import Database


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


def _to_json(report: BenchReport) -> str:
    return json.dumps(report.to_json(), indent=2, allow_nan=False) + "\n"


_FORMS: dict[str, Callable[[BenchReport], str]] = {
    "json": _to_json,
    "html": bench_page,
    "markdown": bench_markdown,
    "plot": bench_figure,
}


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
    help="Only these, as ours,ours-fast,gcc,pluto; by default every one that is "
    "installed but pluto-tuned, which takes minutes.",
)
@click.option(
    "--target",
    type=click.Choice(["openmp", "cuda"]),
    default="openmp",
    show_default=True,
    help="Programs of the processor; for cuda it says what measures kernels.",
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
    default=120.0,
    show_default=True,
    **SECONDS,
    help="No round of a kernel is begun that would end later; one is always run.",
)
@click.option(
    "--run-timeout",
    **SECONDS,
    help="Limit of one run; by default from the original's time.",
)
@click.option(
    "--compile-timeout",
    default=60.0,
    show_default=True,
    **SECONDS,
    help="Limit of compiling one program of a peer.",
)
@click.option(
    "--peer-budget",
    type=click.IntRange(1),
    default=48,
    show_default=True,
    metavar="N",
    help="How many programs a tuned peer, as pluto-tuned, may measure.",
)
@click.option(
    "--peer-timeout",
    default=300.0,
    show_default=True,
    **SECONDS,
    help="A tuned peer measures no further program after that.",
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
@click.option("--markdown", "markdown_to", metavar="OUT", help="Write Markdown.")
@click.option("--plot", "plot_to", metavar="OUT", help="Write a picture, SVG.")
@click.option("-v", "--verbose", count=True, help="Say more; -vv even more.")
def command(kernels: tuple[str, ...], **values: Any) -> int:
    """Measure kernels with polysched and with whatever peers are installed.

    A KERNEL is a C file or the name of a program of a suite. All programs of a kernel
    are compiled, compared with the original and then run in turn. Finished kernels are
    recorded: the same command goes on where it was stopped.
    """
    start_logging(values["verbose"])
    if values["target"] == "cuda":
        raise PolyschedError(
            "bench measures programs of the processor, not kernels of a GPU",
            hint="'tune --target cuda' measures them on a GPU, with '--device cpu' it "
            "checks them without one; 'make gpu-bench' times them beside libraries",
        )
    outputs = {name: values[f"{name}_to"] for name in _FORMS if values[f"{name}_to"]}
    if list(outputs.values()).count(STDOUT) > 1:
        raise click.UsageError("several outputs want standard output")
    files = find_kernels(kernels, values["suites"], values["sizes"])
    for output in outputs.values():
        check_output(output, [f.path for f in files])
    peers, freedoms = select_tools(values["tools"])
    machine = _load_machine(values["machine"])
    options = BenchOptions(
        budgets=values["budget"],
        freedoms=freedoms,
        everything=values["regret"],
        rounds=values["rounds"],
        seconds=values["timeout"],
        run_timeout=values["run_timeout"],
        compile_timeout=values["compile_timeout"],
        peer_budget=values["peer_budget"],
        peer_seconds=values["peer_timeout"],
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
    for name, output in outputs.items():
        write_output(output, _FORMS[name](report).encode())
    if STDOUT not in outputs.values():
        print_report(report)
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
    told += [f"{t} {print_seconds(kernel.seconds(t))}" for t in kernel.own_tools]
    if kernel.is_loaded:
        told.append(f"LOADED, others used {kernel.foreign_cores:.2f} cores")
    click.echo(", ".join(told), err=True)


def _note(text: str, hint: str = "") -> None:
    click.echo(f"polysched: warning: {text}", err=True)
    if hint:
        click.echo(f"hint: {hint}", err=True)
