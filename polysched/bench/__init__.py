"""bench: kernels side by side with installed peers, in turn, with ratios of one run.

Takes C files and what is on the PATH, gives a `BenchReport`: medians, ratios, bounds by
roofline, geometric means. A tool that is absent, crashes or computes something else is
told as such and ends nothing. May import every room but `cli` and `testing`.
"""

from polysched.bench.figure import bench_figure
from polysched.bench.kernel import BenchOptions
from polysched.bench.markdown import bench_markdown
from polysched.bench.page import bench_page
from polysched.bench.peers import (
    PEERS,
    Found,
    Peer,
    detect_peers,
    select_tools,
)
from polysched.bench.ranking import (
    DEPTHS,
    Ranking,
    RankingSummary,
    Trial,
    summarise_rankings,
)
from polysched.bench.report import (
    BenchReport,
    KernelReport,
    Summary,
)
from polysched.bench.roofline import Bound, Work, bound_of, count_work
from polysched.bench.run import run_bench
from polysched.bench.suite import SUITES, KernelFile, find_kernels
from polysched.bench.tables import mean_rows, print_ratio, ranking_rows

__all__ = [
    "DEPTHS",
    "PEERS",
    "SUITES",
    "BenchOptions",
    "BenchReport",
    "Bound",
    "Found",
    "KernelFile",
    "KernelReport",
    "Peer",
    "Ranking",
    "RankingSummary",
    "Summary",
    "Trial",
    "Work",
    "bench_figure",
    "bench_markdown",
    "bench_page",
    "bound_of",
    "count_work",
    "detect_peers",
    "find_kernels",
    "mean_rows",
    "print_ratio",
    "ranking_rows",
    "run_bench",
    "select_tools",
    "summarise_rankings",
]
