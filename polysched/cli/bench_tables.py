"""What ``polysched bench`` prints: kernels, means, ranking, failures."""

from __future__ import annotations

from typing import Any

import click

from polysched.bench import (
    BenchReport,
    KernelReport,
    mean_rows,
    print_ratio,
    ranking_rows,
)
from polysched.cli.tables import make_table, print_seconds, stdout_console
from polysched.records import Failure, Outcome


def print_report(report: BenchReport) -> None:
    """Print all tables to standard output."""
    console = stdout_console()
    columns = ("kernel", "tool", "median", "min", "IQR", "x gcc", "x best strict peer",
               "x best peer", "of roofline", "results")  # fmt: skip
    right = columns[2:9]
    rows = [row for kernel in report.kernels for row in _kernel_rows(kernel)]
    console.print(make_table(columns, rows, right=right))
    _print_failures(report)
    console.print()
    heads, means = mean_rows(report)
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
    heads, rows = ranking_rows(report)
    if not rows:
        return
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
        print_ratio(told["over_gcc"]),
        print_ratio(told["over_best_strict_peer"]),
        print_ratio(told["over_best_peer"]),
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
