"""A benchmark as a page of Markdown: kernel by kernel against the best peers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from polysched.bench.peers import GEMM, NUMPY
from polysched.bench.report import BenchReport, KernelReport, contest_of
from polysched.bench.tables import mean_rows, print_ratio, ranking_rows
from polysched.records import Failure

_SAID_CHARACTERS = 100


def bench_markdown(report: BenchReport) -> str:
    """One page: setting, kernels, all tools, means, failures, ranking.

    Where polysched is slower than the best peer with the same freedom, the ratio is in
    bold type; a kernel that was measured while others used the machine has an asterisk.
    """
    parts = [
        *_setting(report),
        *_kernels(report),
        *_tools(report),
        *_yardstick(report),
        *_means(report),
        *_failures(report),
        *_rankings(report),
    ]
    return "\n".join(parts) + "\n"


def _setting(report: BenchReport) -> list[str]:
    told = report.setting
    cpu = report.machine.cpu
    how = "estimated" if report.machine.origin == "detected" else "measured"
    lines = [
        "# Measured beside the peers",
        "",
        f"{cpu.name}, {told.get('threads')} threads, {how} ceilings of"
        f" {cpu.flops_per_second / 1e9:.1f} GFLOP/s per thread,"
        f" {cpu.bandwidth_all_bytes_per_second / 1e9:.1f} GB/s on all cores;"
        f" {told.get('system')}; polysched {told.get('polysched')};"
        f" {told.get('started')}; at most {told.get('rounds')} runs of each program.",
        "`docs/benchmarks.md` says how each figure is made.",
        "",
    ]
    versions = {f.peer.name: f.version for f in report.tools if not f.absent}
    absent = [f.peer.name for f in report.tools if f.absent]
    by_version: dict[str, list[str]] = {}
    for name, version in versions.items():
        by_version.setdefault(version, []).append(name)
    lines += [f"- {version}: {', '.join(n)}" for version, n in by_version.items()]
    if absent:
        lines.append(f"- not installed: {', '.join(absent)}")
    return lines


def _kernels(report: BenchReport) -> list[str]:
    """The main table: best peers and ours."""
    own, fast = (_own_tools(report, c) for c in ("ours", "fast ours"))
    heads = (
        "kernel", "gcc", "best strict peer", "x gcc", "best peer", "x gcc",
        *(f"{t} x gcc" for t in own),
        *(f"{t} x strict peer" for t in own),
        "x best peer", "x NumPy", "of roofline",
        *(f"{t} x best peer" for t in fast),
    )  # fmt: skip
    rows = [_kernel_row(kernel, own, fast) for kernel in report.kernels]
    n_numbers = 2 * len(own) + len(fast) + 4
    rule = ("---", "---:", "---", "---:", "---", *("---:",) * n_numbers)
    best = own[-1] if own else ""
    return [
        "",
        "## Kernels",
        "",
        f"Speed-ups; those without a name are of {best}." if own else "Speed-ups.",
        "",
        *_table(heads, rule, rows),
    ]


def _kernel_row(
    kernel: KernelReport, own: Sequence[str], fast: Sequence[str]
) -> tuple[str, ...]:
    title = f"{kernel.name} {kernel.size}".strip() + ("*" if kernel.is_loaded else "")
    if kernel.failure:
        return (title, "not measured", *("",) * (2 * len(own) + len(fast) + 7))
    strict, peer = kernel.best_strict_peer, kernel.best_peer
    last = own[-1] if own else ""
    fraction = kernel.fraction_of_bound(last)
    over_strict = [kernel.over(strict, t) for t in own]
    return (
        title,
        _seconds(kernel.seconds("gcc")),
        strict or "-",
        print_ratio(kernel.over("gcc", strict or "")),
        peer or "-",
        print_ratio(kernel.over("gcc", peer or "")),
        *(print_ratio(kernel.over("gcc", t)) for t in own),
        *map(_mark_loss, over_strict),
        print_ratio(kernel.over(peer, last)),
        print_ratio(kernel.over(NUMPY, last)),
        _share(fraction),
        *(_mark_loss(kernel.over(peer, t)) for t in fast),
    )


def _mark_loss(ratio: float | None) -> str:
    return f"**{ratio:.2f}**" if ratio is not None and ratio < 1 else print_ratio(ratio)


def _tools(report: BenchReport) -> list[str]:
    """Every tool on every kernel, as speed-ups over gcc."""
    tools = [t for t in report.tool_names if t != "gcc"]
    measured = [k for k in report.kernels if not k.failure]
    rows = [
        (kernel.name, *(_speedup(kernel, tool) for tool in tools))
        for kernel in measured
    ]
    return [
        "",
        "## Every tool",
        "",
        "Speed-ups over gcc -O3 -march=native.",
        "",
        *_table(("kernel", *tools), ("---", *("---:",) * len(tools)), rows),
    ]


def _speedup(kernel: KernelReport, tool: str) -> str:
    outcome = kernel.results.get(tool)
    if isinstance(outcome, Failure):
        return "WRONG" if outcome.kind == "mismatch" else outcome.kind
    return print_ratio(kernel.over("gcc", tool))


def _yardstick(report: BenchReport) -> list[str]:
    """Rates of dense kernels as shares of a matrix product's."""
    dense = [k for k in report.kernels if k.seconds(GEMM) is not None]
    if not dense:
        return []
    tools = [t for t in report.tool_names if t != GEMM]
    rows = [(k.name, *(_share(k.over(GEMM, t)) for t in tools)) for k in dense]
    return [
        "",
        "## Beside a matrix product",
        "",
        "Operations per second as shares of what the BLAS reaches in a product of"
        " square matrices with as many operations, in the same race.",
        "",
        *_table(("kernel", *tools), ("---", *("---:",) * len(tools)), rows),
    ]


def _share(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.0%}"


def _means(report: BenchReport) -> list[str]:
    return ["", "## Geometric means", "", *_numbers(*mean_rows(report))]


def _failures(report: BenchReport) -> list[str]:
    """Per kernel and reason, who failed."""
    lines = []
    for kernel in report.kernels:
        reasons: dict[tuple[str, str], list[str]] = {}
        for tool, outcome in kernel.results.items():
            if isinstance(outcome, Failure):
                reason = (outcome.kind, _first_line(outcome.text))
                reasons.setdefault(reason, []).append(tool)
        lines += [
            f"- {kernel.name}: {', '.join(tools)}: {kind}, `{said}`"
            for (kind, said), tools in reasons.items()
        ]
        if kernel.failure:
            lines.append(f"- {kernel.name}: `{_first_line(kernel.failure)}`")
    return ["", "## Failures", "", *lines] if lines else []


def _rankings(report: BenchReport) -> list[str]:
    heads, rows = ranking_rows(report)
    return ["", "## The model's ranking", "", *_numbers(heads, rows)] if rows else []


def _numbers(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table of numbers behind a first column of names."""
    return _table(heads, ("---", *("---:",) * (len(heads) - 1)), rows)


def _own_tools(report: BenchReport, contest: str) -> list[str]:
    return [t for t in report.tool_names if contest_of(t) == contest]


def _table(
    heads: Sequence[str], rule: Sequence[str], rows: Iterable[Sequence[str]]
) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (heads, rule, *rows)]


def _first_line(text: str) -> str:
    lines = text.strip().splitlines() or [""]
    told = [s for s in lines if "error:" in s]
    return (told or lines)[0].strip().replace("`", "'")[:_SAID_CHARACTERS]


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
