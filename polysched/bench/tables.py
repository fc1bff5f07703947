"""The tables that every form of a benchmark shows, as texts: means and rankings."""

from __future__ import annotations

from polysched.bench.ranking import DEPTHS
from polysched.bench.report import BenchReport

Row = tuple[str, ...]


def mean_rows(report: BenchReport) -> tuple[Row, list[Row]]:
    """Heads, and for each tool the geometric means of its ratios."""
    heads = ("tool", "over gcc", "over the best strict peer", "over the best peer",
             "over gcc, failures as 1", "kernels", "failed")  # fmt: skip
    rows: list[Row] = [
        (
            s.tool,
            print_ratio(s.over_gcc),
            print_ratio(s.over_best_strict_peer),
            print_ratio(s.over_best_peer),
            print_ratio(s.over_gcc_all),
            str(s.n_kernels),
            str(s.n_failed),
        )
        for s in report.summaries()
    ]
    return heads, rows


def ranking_rows(report: BenchReport) -> tuple[Row, list[Row]]:
    """Heads, and for each kernel how the model ranked; no rows where ours is left out.

    The last row has the means.
    """
    heads = ("kernel", "measured", "kept", "Spearman", "Kendall",
             *(f"regret of {n}" for n in DEPTHS))  # fmt: skip
    rows: list[Row] = [
        (
            kernel.name,
            str(len(ranking.pairs)),
            str(ranking.n_kept),
            print_ratio(ranking.spearman),
            print_ratio(ranking.kendall),
            *(print_ratio(ranking.regret(n)) for n in DEPTHS),
        )
        for kernel in report.kernels
        if (ranking := kernel.ranking) is not None
    ]
    if rows:
        found = report.ranking_summary
        correlations = print_ratio(found.spearman), print_ratio(found.kendall)
        means = (print_ratio(mean) for _, mean, _ in found.regrets)
        rows.append(("mean", "", "", *correlations, *means))
    return heads, rows


def print_ratio(value: float | None) -> str:
    """Two digits; a dash where there is none."""
    return "-" if value is None else f"{value:.2f}"
